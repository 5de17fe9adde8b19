@echo off
rem What Windows' own installer makes of the MSI that WiX has made: installs it, asks Windows what there is then, and
rem removes it. For the hosted workflow; test_msi.sh walks further, under Wine.
rem
rem     windows.cmd FOLDER          FOLDER\HandleBroker-VERSION-x64.msi
setlocal EnableExtensions DisableDelayedExpansion
set "MSI="
for %%M in ("%~1\HandleBroker-*-x64.msi") do set "MSI=%%~fM"
if not defined MSI (
    echo windows: no MSI in "%~1" 1>&2
    exit /b 1
)
start /wait "" msiexec /i "%MSI%" /qn /l*v "%~1\install.log"
if errorlevel 1 (
    type "%~1\install.log"
    exit /b 1
)
set "FAILED="
sc query HandleBroker | find "RUNNING" || set "FAILED=1"
sc qc HandleBroker | find "handlebroker.exe""" || set "FAILED=1"
sc qfailure HandleBroker | find "30000" || set "FAILED=1"
sc qsidtype HandleBroker | find "UNRESTRICTED" || set "FAILED=1"
sc qprivs HandleBroker | find "SeDebugPrivilege" || set "FAILED=1"
reg query "HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment" /v Path | find "Handle Broker" || set "FAILED=1"
reg query HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\HandleBroker /v EventMessageFile || set "FAILED=1"
"%ProgramFiles%\Handle Broker\hbctl.exe" status || set "FAILED=1"
rem That it has started, with its text: the catalogue is found.
wevtutil qe Application /c:1 /rd:true /f:text /q:"*[System[Provider[@Name='HandleBroker'] and (EventID=100)]]" | find "has started" || set "FAILED=1"
start /wait "" msiexec /x "%MSI%" /qn /l*v "%~1\remove.log"
if errorlevel 1 (
    type "%~1\remove.log"
    exit /b 1
)
sc query HandleBroker >nul && set "FAILED=1"
if exist "%ProgramFiles%\Handle Broker" set "FAILED=1"
if defined FAILED (
    echo windows: not everything was as it should be 1>&2
    exit /b 1
)
echo windows: installed and removed
