# Switches the old active's virtual machine off in vSphere, and looks that it is off.
# Settings beside this file, fence-vmware.json (readable by Administrators and SYSTEM only):
#   { "Server": "vcenter.example.com", "Vm": "pbx-a", "Credential": "C:\\ProgramData\\Estepe\\secrets\\vcenter.xml" }
# The credential is made once, as the account that Estepe runs under: Get-Credential | Export-Clixml FILE
# Needs VMware PowerCLI.
$ErrorActionPreference = 'Stop'
function Say($text, $code) { Write-Output $text; exit $code }
$file = Join-Path $PSScriptRoot 'fence-vmware.json'
if (-not (Test-Path -LiteralPath $file)) { Say "$file is missing: write it as the head of this script says" 2 }
$s = Get-Content -LiteralPath $file -Raw | ConvertFrom-Json
if (-not $s.Server -or -not $s.Vm -or -not $s.Credential) { Say "Server, Vm or Credential is missing in $file" 2 }
try {
  Connect-VIServer -Server $s.Server -Credential (Import-Clixml -LiteralPath $s.Credential) | Out-Null
  $vm = Get-VM -Name $s.Vm
  if ($env:ESTEPE_DRY_RUN -eq '1') { Say "would switch $($s.Vm) off: it is $($vm.PowerState)" 0 }
  if ($vm.PowerState -eq 'PoweredOff') { Say "$($s.Vm) is switched off already" 0 }
  Stop-VM -VM $vm -Kill -Confirm:$false | Out-Null
  if ((Get-VM -Name $s.Vm).PowerState -eq 'PoweredOff') { Say "$($s.Vm) is switched off" 0 }
  Say "$($s.Vm) is still on" 1
} catch { Say "vSphere on $($s.Server): $($_.Exception.Message)" 1 }
