@echo off
rem Switches the old active off through its management board, and looks that it is off. Needs ipmitool.exe on PATH.
rem Settings beside this file, fence-ipmi.conf (readable by Administrators and SYSTEM only), a line each:
rem   BOARD=192.0.2.101
rem   BOARD_USER=estepe
rem   BOARD_PASSWORD_FILE=C:\ProgramData\Estepe\secrets\board
setlocal
set BOARD=
if not exist "%~dp0fence-ipmi.conf" echo fence-ipmi.conf is missing beside this script& exit /b 2
for /f "usebackq tokens=1,* delims==" %%a in ("%~dp0fence-ipmi.conf") do set "%%a=%%b"
if not defined BOARD echo BOARD is missing in fence-ipmi.conf& exit /b 2
set "ASK=ipmitool -I lanplus -H "%BOARD%" -U "%BOARD_USER%" -f "%BOARD_PASSWORD_FILE%" -N 3 -R 2 chassis power"
%ASK% status > nul || (echo the board does not answer, or does not let us in& exit /b 1)
if "%ESTEPE_DRY_RUN%"=="1" echo would switch the old active off: the board answers& exit /b 0
%ASK% status | "%SystemRoot%\System32\find.exe" " off" > nul && (echo the old active is switched off already& exit /b 0)
%ASK% off || (echo the board did not take the order& exit /b 1)
for /l %%i in (1,1,10) do (
  %ASK% status | "%SystemRoot%\System32\find.exe" " off" > nul && (echo the old active is switched off& exit /b 0)
  "%SystemRoot%\System32\ping.exe" -n 2 127.0.0.1 > nul
)
echo the old active is still on
exit /b 1
