@echo off
rem Runs fence-hyperv.ps1 where the machine's policy does not let scripts run.
"%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe" -NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -File "%~dp0fence-hyperv.ps1"
exit /b %ERRORLEVEL%
