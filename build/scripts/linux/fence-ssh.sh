#!/bin/sh
# Stops the PBX on the old active over SSH, and looks that it has stopped.
# Settings beside this file, fence-ssh.conf (mode 600):
#   KEY=/var/lib/estepe/secrets/fence-ssh-key    private key, for this purpose only
#   KNOWN_HOSTS=/var/lib/estepe/known_hosts      its host key, as `ssh-keyscan` wrote it and you compared it
#   LOGIN=root  PORT=22
#   STOP='systemctl stop nginx "3CX*"'           what stops the PBX there
#   IS_STOPPED='! systemctl is-active --quiet "3CX*"'   exit 0 when nothing of it runs there
here=$(dirname -- "$0")
. "$here/fence-settings.sh"
settings fence-ssh.conf KEY KNOWN_HOSTS LOGIN STOP IS_STOPPED
there() {
  # -n: no terminal, nothing is asked; BatchMode: no password is waited for
  ssh -n -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile="$KNOWN_HOSTS" \
    -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o IdentitiesOnly=yes \
    -i "$KEY" -p "${PORT:-22}" "$LOGIN@$ESTEPE_OLD_ADDRESS" "$1"
}
if [ "$ESTEPE_DRY_RUN" = 1 ]; then
  there true && say "would stop the PBX on $ESTEPE_OLD_ADDRESS by SSH: the login works" 0
  say "$ESTEPE_OLD_ADDRESS does not let us in by SSH" 1
fi
there "$IS_STOPPED" && say "the PBX on $ESTEPE_OLD_ADDRESS is stopped already" 0
there "$STOP"
there "$IS_STOPPED" && say "the PBX on $ESTEPE_OLD_ADDRESS is stopped" 0
say "the PBX on $ESTEPE_OLD_ADDRESS is not known to be stopped" 1
