#!/bin/sh
# Switches the old active off through its management board (IPMI, iDRAC, iLO), and looks that it is off.
# Settings beside this file, fence-ipmi.conf (mode 600):
#   BOARD=192.0.2.101                            address of the board, not of the server
#   BOARD_USER=estepe  BOARD_PASSWORD_FILE=/var/lib/estepe/secrets/board   (mode 600)
# Needs ipmitool.
here=$(dirname -- "$0")
. "$here/fence-settings.sh"
settings fence-ipmi.conf BOARD BOARD_USER BOARD_PASSWORD_FILE
command -v ipmitool >/dev/null || say "ipmitool is not installed" 2
# -f: the password stays out of the process list
board() { ipmitool -I lanplus -H "$BOARD" -U "$BOARD_USER" -f "$BOARD_PASSWORD_FILE" -N 3 -R 2 chassis power "$1"; }
state=$(board status) || say "the board $BOARD does not answer, or does not let us in" 1
case $state in
  *" off") [ "$ESTEPE_DRY_RUN" = 1 ] || say "the old active is switched off already" 0 ;;
  *" on") ;;
  *) say "the board $BOARD says neither on nor off: $state" 1 ;;
esac
[ "$ESTEPE_DRY_RUN" = 1 ] && say "would switch the old active off: $state" 0
board off || say "the board $BOARD did not take the order" 1
for _ in 1 2 3 4 5 6 7 8 9 10; do
  case $(board status) in *" off") say "the old active is switched off" 0 ;; esac
  sleep 1
done
say "the old active is still on" 1
