@echo off
rem Stops the Handle Broker service and takes it out of the register. Run it in an elevated prompt; it may be run
rem again at any time. Files stay: those of the program, the policy, the audit records.
setlocal EnableExtensions DisableDelayedExpansion
set "SC=%SystemRoot%\System32\sc.exe"
set "PING=%SystemRoot%\System32\ping.exe"
set "REG=%SystemRoot%\System32\reg.exe"
set "SERVICE=HandleBroker"
set "LOG=HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\%SERVICE%"

rem Only administrators may open this key.
"%REG%" query HKU\S-1-5-19 >nul 2>&1
if errorlevel 1 (
    echo uninstall: run this in an elevated prompt ^(Run as administrator^) 1>&2
    exit /b 5
)

"%SC%" query %SERVICE% >nul 2>&1
if errorlevel 1 goto log
rem Fails where it does not run, which is as good; deleting waits for its end.
"%SC%" stop %SERVICE% >nul 2>&1
"%SC%" delete %SERVICE%
if errorlevel 1 (
    echo uninstall: the command above was refused 1>&2
    exit /b 1
)
rem It is gone when it has ended and nobody looks at it any more; until then it cannot be installed anew.
set "LEFT=15"
:wait
"%SC%" query %SERVICE% >nul 2>&1
if errorlevel 1 goto log
set /a LEFT-=1
if %LEFT%==0 (
    echo uninstall: the service is deleted, but not gone yet: close services.msc, Event Viewer and Task Manager, then run this again 1>&2
    exit /b 1
)
rem A second; timeout.exe wants a console.
"%PING%" -n 2 127.0.0.1 >nul 2>&1
goto wait

:log
"%REG%" query "%LOG%" >nul 2>&1
if errorlevel 1 goto done
"%REG%" delete "%LOG%" /f >nul
if errorlevel 1 (
    echo uninstall: "%LOG%" could not be deleted 1>&2
    exit /b 1
)
:done
echo uninstall: done
exit /b 0
