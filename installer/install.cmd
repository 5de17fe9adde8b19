@echo off
rem Installs the Handle Broker service, or brings an installed one in line with this version. Run it in an
rem elevated prompt; it may be run again at any time.
rem
rem     install.cmd [FOLDER]
rem
rem FOLDER holds handlebroker.exe; without it, the folder of this script does. The service is not started. If a step
rem fails, a service that was not there before is taken out again, and one that was there keeps its program.
setlocal EnableExtensions DisableDelayedExpansion
set "SC=%SystemRoot%\System32\sc.exe"
set "REG=%SystemRoot%\System32\reg.exe"
set "SERVICE=HandleBroker"
set "KEY=HKLM\SYSTEM\CurrentControlSet\Services\%SERVICE%"
set "LOG=HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\%SERVICE%"

set "FOLDER=%~dp0"
if not "%~1"=="" set "FOLDER=%~f1\"
set "EXE=%FOLDER%handlebroker.exe"

if not exist "%EXE%" (
    echo install: there is no "%EXE%" 1>&2
    exit /b 2
)
rem Between the escaped quotes below, cmd takes it for the end of the command.
if not "%EXE:&=%"=="%EXE%" (
    echo install: no "&" may stand in the folder's path 1>&2
    exit /b 2
)
rem Only administrators may open this key.
"%REG%" query HKU\S-1-5-19 >nul 2>&1
if errorlevel 1 (
    echo install: run this in an elevated prompt ^(Run as administrator^) 1>&2
    exit /b 5
)

rem The inner quotes are part of the image path: without them Windows splits it at its blanks.
set "VERB=config"
set "CREATED="
set "NEWLOG="
set "BEFORE="
"%SC%" query %SERVICE% >nul 2>&1
if errorlevel 1 set "VERB=create"
if %VERB%==config for /f "tokens=1,2,*" %%A in ('%REG% query %KEY% /v ImagePath 2^>nul') do if /i "%%A"=="ImagePath" set "BEFORE=%%C"
"%SC%" %VERB% %SERVICE% binPath= "\"%EXE%\"" start= auto obj= LocalSystem DisplayName= "Handle Broker"
if errorlevel 1 goto failed
if %VERB%==create set "CREATED=1"
"%SC%" description %SERVICE% "Hands kernel handles from one process to another."
if errorlevel 1 goto failed
rem Again after 1 s, 5 s and 30 s; a day without a crash begins anew.
"%SC%" failure %SERVICE% reset= 86400 actions= restart/1000/restart/5000/restart/30000
if errorlevel 1 goto failed
rem A SID of its own, for descriptors; not "restricted", with which it could not open its clients' processes.
"%SC%" sidtype %SERVICE% unrestricted
if errorlevel 1 goto failed
rem All of LocalSystem's other privileges are taken away. service\ATTACK_SURFACE.md says what each is for.
"%SC%" privs %SERVICE% SeChangeNotifyPrivilege/SeDebugPrivilege/SeImpersonatePrivilege
if errorlevel 1 goto failed

"%REG%" query "%LOG%" >nul 2>&1
if errorlevel 1 set "NEWLOG=1"
rem Where the event viewer finds the texts. 7: information, warnings and errors.
"%REG%" add "%LOG%" /v EventMessageFile /t REG_EXPAND_SZ /d "%EXE%" /f >nul
if errorlevel 1 goto failed
"%REG%" add "%LOG%" /v TypesSupported /t REG_DWORD /d 7 /f >nul
if errorlevel 1 goto failed

echo install: done; "sc start %SERVICE%" starts it
exit /b 0

:failed
echo install: the command above was refused 1>&2
if defined NEWLOG "%REG%" delete "%LOG%" /f >nul 2>&1
if defined CREATED goto uncreate
if not defined BEFORE goto again
"%SC%" config %SERVICE% binPath= "%BEFORE:"=\"%" >nul
if errorlevel 1 echo install: nor could the service be given its program from before: %BEFORE% 1>&2
goto again
:uncreate
"%SC%" delete %SERVICE% >nul
if errorlevel 1 echo install: nor could the new service be taken out again: run uninstall.cmd 1>&2
:again
echo install: run this again when the cause is gone 1>&2
exit /b 1
