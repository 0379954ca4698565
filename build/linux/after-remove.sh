#!/bin/sh
# After the files of the Debian package went. `remove` leaves the data folder, and `purge` takes it: configuration, history, secrets.
root="$DPKG_ROOT"
case "$1" in
  remove)
    rm -f "$root/usr/bin/${executable}"
    if [ -f "$root/etc/apparmor.d/${executable}" ]; then
      [ -n "$root" ] || apparmor_parser --remove '/etc/apparmor.d/${executable}' 2>/dev/null || true
      rm -f "$root/etc/apparmor.d/${executable}"
    fi
    [ -n "$root" ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload || true
    ;;
  purge)
    rm -rf "$root/var/lib/estepe"
    ;;
esac
exit 0
