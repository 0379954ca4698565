# Turns the old active's virtual machine off in Hyper-V, and looks that it is off.
# Settings beside this file, fence-hyperv.json (readable by Administrators and SYSTEM only):
#   { "Host": "hyperv1", "Vm": "pbx-a" }
# The account that Estepe runs under must be a Hyper-V administrator on that host. Needs the Hyper-V PowerShell module.
$ErrorActionPreference = 'Stop'
function Say($text, $code) { Write-Output $text; exit $code }
$file = Join-Path $PSScriptRoot 'fence-hyperv.json'
if (-not (Test-Path -LiteralPath $file)) { Say "$file is missing: write it as the head of this script says" 2 }
$s = Get-Content -LiteralPath $file -Raw | ConvertFrom-Json
if (-not $s.Host -or -not $s.Vm) { Say "Host or Vm is missing in $file" 2 }
try {
  $vm = Get-VM -ComputerName $s.Host -Name $s.Vm
  if ($env:ESTEPE_DRY_RUN -eq '1') { Say "would turn $($s.Vm) off: it is $($vm.State)" 0 }
  if ($vm.State -eq 'Off') { Say "$($s.Vm) is off already" 0 }
  # A machine that starts with its host would be back after the host's own restart.
  Set-VM -VM $vm -AutomaticStartAction Nothing -ErrorAction Continue
  Stop-VM -VM $vm -TurnOff -Force
  if ((Get-VM -ComputerName $s.Host -Name $s.Vm).State -eq 'Off') { Say "$($s.Vm) is off" 0 }
  Say "$($s.Vm) is not off" 1
} catch { Say "Hyper-V on $($s.Host): $($_.Exception.Message)" 1 }
