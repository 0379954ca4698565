#!/bin/sh
# Switches the old active's virtual machine off in vSphere, and looks that it is off.
# Settings beside this file, fence-vmware.conf (mode 600):
#   GOVC_URL=https://vcenter.example.com  GOVC_USERNAME=estepe  GOVC_PASSWORD=...
#   VM=pbx-a                                     name or inventory path
#   GOVC_TLS_CA_CERTS=/etc/ssl/vcenter.pem       where the certificate is the site's own
# Needs govc.
here=$(dirname -- "$0")
. "$here/fence-settings.sh"
settings fence-vmware.conf GOVC_URL GOVC_USERNAME GOVC_PASSWORD VM
command -v govc >/dev/null || say "govc is not installed" 2
# By the environment: what stands in a command line is read by everybody on this machine
export GOVC_URL GOVC_USERNAME GOVC_PASSWORD
[ -z "${GOVC_TLS_CA_CERTS:-}" ] || export GOVC_TLS_CA_CERTS
power() { govc object.collect -s "$(govc find / -type m -name "${VM##*/}" | head -n 1)" runtime.powerState; }
state=$(power) || say "vCenter does not answer, does not let us in, or knows no machine $VM" 1
[ -n "$state" ] || say "vCenter knows no machine $VM" 2
[ "$ESTEPE_DRY_RUN" = 1 ] && say "would switch $VM off: it is $state" 0
[ "$state" = poweredOff ] && say "$VM is switched off already" 0
govc vm.power -off -force "$VM" || say "vCenter did not take the order for $VM" 1
[ "$(power)" = poweredOff ] && say "$VM is switched off" 0
say "$VM is still on" 1
