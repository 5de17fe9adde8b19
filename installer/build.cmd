@echo off
rem Makes the MSI and the zip of a build for Windows, on Windows, with WiX 3 (candle and light). Later ones have a form
rem of sources of their own, which wixl does not read.
rem
rem     build.cmd BUILD_DIR
rem
rem makes BUILD_DIR\installer\HandleBroker-VERSION-x64.msi and .zip. What is shipped says cmake\Install.cmake; all of it
rem must be built. The environment variable WIX names the folder of WiX, as its installer sets it; cmake and python are
rem found by the PATH. The files are those of build.sh, which makes the same on Linux; WiX writes times and codes of its
rem own into the MSI, so that two of them are never the same bytes.
setlocal EnableExtensions DisableDelayedExpansion
set "HERE=%~dp0"
if "%~1"=="" (
    echo build: which build? 1>&2
    exit /b 2
)
set "BUILD=%~f1"
set "OUT=%BUILD%\installer"
set "STAGE=%OUT%\stage"
if not exist "%WIX%bin\candle.exe" (
    echo build: no WiX 3 in WIX="%WIX%" 1>&2
    exit /b 1
)
set "VERSION="
for /f "usebackq tokens=1,2 delims==" %%A in ("%BUILD%\CMakeCache.txt") do if "%%A"=="CMAKE_PROJECT_VERSION:STATIC" set "VERSION=%%B"
if not defined VERSION (
    echo build: "%BUILD%" is no build 1>&2
    exit /b 1
)
set "NAME=HandleBroker-%VERSION%-x64"
if exist "%STAGE%" rd /s /q "%STAGE%"
cmake --install "%BUILD%" --prefix "%STAGE%"
if errorlevel 1 exit /b 1
set "CODE="
for /f %%C in ('python "%HERE%msi.py" code %VERSION%') do set "CODE=%%C"
if not defined CODE exit /b 1
python "%HERE%pack.py" zip "%STAGE%" "%OUT%\%NAME%.zip" 315532800
if errorlevel 1 exit /b 1
python "%HERE%pack.py" fragment "%STAGE%" "%OUT%\sdk.wxs"
if errorlevel 1 exit /b 1

rem Both look for files from here on.
pushd "%STAGE%"
if errorlevel 1 exit /b 1
copy /y "%HERE%handlebroker.ico" . >nul
if errorlevel 1 exit /b 1
"%WIX%bin\candle.exe" -nologo -arch x64 -dWiX=1 -dVersion=%VERSION% -dProductCode=%CODE% -out "%OUT%\\" "%HERE%handlebroker.wxs" "%OUT%\sdk.wxs"
if errorlevel 1 exit /b 1
"%WIX%bin\light.exe" -nologo -out "%OUT%\%NAME%.msi" "%OUT%\handlebroker.wixobj" "%OUT%\sdk.wixobj"
if errorlevel 1 exit /b 1
del handlebroker.ico
popd
echo %OUT%\%NAME%.msi
echo %OUT%\%NAME%.zip
