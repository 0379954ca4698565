#!/bin/sh
# Cuts the old active's power at a smart plug, and looks that it is cut. A server with two power supplies needs two.
# Settings beside this file, fence-smart-plug.conf (mode 600):
#   KIND=shelly | shelly-gen1 | tasmota          shelly: Plus, Pro, and newer (RPC)
#   PLUG=http://192.0.2.111                      without a slash at its end
#   LOGIN_FILE=/var/lib/estepe/secrets/plug      optional, curl's form: user = "admin:password"  (mode 600)
# Needs curl.
here=$(dirname -- "$0")
. "$here/fence-settings.sh"
settings fence-smart-plug.conf KIND PLUG
command -v curl >/dev/null || say "curl is not installed" 2
case $KIND in
  shelly) ask='/rpc/Switch.GetStatus?id=0' cut='/rpc/Switch.Set?id=0&on=false' on='"output": *true' off='"output": *false' ;;
  shelly-gen1) ask='/relay/0' cut='/relay/0?turn=off' on='"ison": *true' off='"ison": *false' ;;
  tasmota) ask='/cm?cmnd=Power' cut='/cm?cmnd=Power%20Off' on='"POWER1*": *"ON"' off='"POWER1*": *"OFF"' ;;
  *) say "KIND=$KIND is not known: shelly, shelly-gen1 or tasmota" 2 ;;
esac
plug() { curl -q -fsS --max-time 8 ${LOGIN_FILE:+--anyauth --config "$LOGIN_FILE"} "$PLUG$1"; }
is() { printf %s "$state" | grep -q "$1"; }
state=$(plug "$ask") || say "the plug $PLUG does not answer, or does not let us in" 1
is "$on" || is "$off" || say "the plug $PLUG says neither on nor off" 2
if [ "$ESTEPE_DRY_RUN" = 1 ]; then
  is "$on" && say "would cut the power: the plug is on" 0
  say "the plug is off, so the old active does not hang on it, or is off already" 0
fi
is "$off" && say "the power is cut already" 0
plug "$cut" >/dev/null || say "the plug $PLUG did not take the order" 1
state=$(plug "$ask") && is "$off" && say "the power is cut" 0
say "the plug is still on" 1
