@echo off
rem Stops the PBX on the old active over SSH (OpenSSH of Windows), and looks that it has stopped.
rem Settings beside this file, fence-ssh.conf (readable by Administrators and SYSTEM only), a line each:
rem   KEY=C:\ProgramData\Estepe\secrets\fence-ssh-key
rem   KNOWN_HOSTS=C:\ProgramData\Estepe\known_hosts
rem   LOGIN=root
rem   STOP=systemctl stop nginx 3CX\*
rem   IS_STOPPED=! systemctl is-active --quiet 3CX\*
setlocal
set KEY=
if not exist "%~dp0fence-ssh.conf" echo fence-ssh.conf is missing beside this script& exit /b 2
for /f "usebackq tokens=1,* delims==" %%a in ("%~dp0fence-ssh.conf") do set "%%a=%%b"
if not defined KEY echo KEY is missing in fence-ssh.conf& exit /b 2
set "THERE="%SystemRoot%\System32\OpenSSH\ssh.exe" -n -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile="%KNOWN_HOSTS%" -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o IdentitiesOnly=yes -i "%KEY%" %LOGIN%@%ESTEPE_OLD_ADDRESS%"
if "%ESTEPE_DRY_RUN%"=="1" (
  %THERE% true && (echo would stop the PBX there: the login works& exit /b 0)
  echo %ESTEPE_OLD_ADDRESS% does not let us in by SSH& exit /b 1
)
%THERE% "%IS_STOPPED%" && (echo the PBX there is stopped already& exit /b 0)
%THERE% "%STOP%"
%THERE% "%IS_STOPPED%" && (echo the PBX there is stopped& exit /b 0)
echo the PBX there is not known to be stopped
exit /b 1
