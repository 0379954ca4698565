; What Estepe's installer does beyond electron-builder's own: the engine that starts with the machine is stopped before the files are
; replaced and set up again after them; what the engine keeps is left over an upgrade and asked about when it is uninstalled.
; electron-builder inserts the macros at their places (docs: NSIS, "Custom NSIS script").

; The builder leaves these out where a script has its own check of what runs.
!include "getProcessInfo.nsh"
Var pid

; The task that `Estepe.exe service install` makes.
!define ESTEPE_TASK "Estepe"

LangString estepeKeepOrDelete 1033 "Delete Estepe's data as well? It is in $R7: the configuration, the secrets, the history, and which of the two nodes serves. Choose No to keep it for a later installation."
LangString estepeKeepOrDelete 1046 "Apagar também os dados do Estepe? Estão em $R7: a configuração, os segredos, o histórico e qual dos dois nós está em serviço. Escolha Não para guardá-los para uma instalação posterior."
LangString estepeKeepOrDelete 3082 "¿Borrar también los datos de Estepe? Están en $R7: la configuración, los secretos, el historial y cuál de los dos nodos está en servicio. Elija No para guardarlos para una instalación posterior."
LangString estepeNoTask 1033 "Estepe is installed, but it could not be set up to start with the machine. Run 'Estepe.exe service install' as an administrator."
LangString estepeNoTask 1046 "O Estepe está instalado, mas não foi possível configurá-lo para iniciar com a máquina. Execute 'Estepe.exe service install' como administrador."
LangString estepeNoTask 3082 "Estepe está instalado, pero no se pudo configurar para que inicie con la máquina. Ejecute 'Estepe.exe service install' como administrador."

; The builder tests its own flags with $R9, so nothing may be kept there.

; Runs one of our commands, at most a minute. $R8: its exit code, or `error` or `timeout`.
!macro estepeRun WORDS
  nsExec::ExecToLog /TIMEOUT=60000 '"$INSTDIR\${APP_EXECUTABLE_FILENAME}" ${WORDS}'
  Pop $R8
!macroend

; Asks the engine of the boot task to end in order, before its files go; what it was in the midst of is in its journal. Then whatever
; window is still open is closed in the builder's own way.
!macro customCheckAppRunning
  ${If} ${FileExists} "$INSTDIR\${APP_EXECUTABLE_FILENAME}"
    !insertmacro estepeRun "service stop"
  ${EndIf}
  !insertmacro IS_POWERSHELL_AVAILABLE
  !insertmacro _CHECK_APP_RUNNING
!macroend

!ifndef BUILD_UNINSTALLER
  ; `yes`: this installs over an Estepe that is there already
  Var estepeBefore

  !macro customInit
    StrCpy $estepeBefore "no"
    ReadRegStr $R8 SHELL_CONTEXT "${INSTALL_REGISTRY_KEY}" InstallLocation
    ${If} $R8 != ""
      StrCpy $estepeBefore "yes"
    ${EndIf}
  !macroend

  !macro customInstall
    ${If} $estepeBefore == "yes"
      ; The task is as it was, with its account; where somebody took it away on purpose it is not made again.
      !insertmacro estepeRun "service start"
    ${Else}
      !insertmacro estepeRun "service install"
      ${If} $R8 != "0"
        DetailPrint "$(estepeNoTask)"
        MessageBox MB_OK|MB_ICONEXCLAMATION "$(estepeNoTask)" /SD IDOK
      ${EndIf}
    ${EndIf}
  !macroend
!endif

!macro customUnInstall
  ; The installer of a newer version runs this, too, with --updated: then the task stays and the data is not asked about.
  ${IfNot} ${isUpdated}
    !insertmacro estepeRun "service uninstall"
    ${If} $R8 != "0"
      ; No program that is gone may be started at the next boot.
      nsExec::ExecToLog /TIMEOUT=60000 '"$SYSDIR\schtasks.exe" /Delete /F /TN "${ESTEPE_TASK}"'
      Pop $R8
    ${EndIf}
    ReadEnvStr $R7 ProgramData
    ${If} $R7 != ""
      StrCpy $R7 "$R7\Estepe"
      ${If} ${FileExists} "$R7\*.*"
        ; No is what a silent uninstallation answers, and what Enter does.
        MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 "$(estepeKeepOrDelete)" /SD IDNO IDNO estepeKept
        RMDir /r "$R7"
        estepeKept:
      ${EndIf}
    ${EndIf}
  ${EndIf}
!macroend
