#!/bin/sh
# After the files of the Debian package are in place, for the first time or over an older version.
# electron-builder writes the names in braces; DPKG_ROOT is set where dpkg works on another root.
set -e
root="$DPKG_ROOT"
program='/opt/${sanitizedProductName}'
command="$root/usr/bin/${executable}"

ln -sfn "$program/resources/bin/estepe" "$command"

# Chromium's sandbox needs user namespaces, or else this program with the rights of root.
if [ -e "$root$program/chrome-sandbox" ]; then
  if unshare --user true 2>/dev/null; then
    chmod 0755 "$root$program/chrome-sandbox"
  else
    chmod 4755 "$root$program/chrome-sandbox"
  fi
fi

# Ubuntu 24.04 lets only named programs have user namespaces; an older AppArmor does not understand the profile and needs none.
profile="$root$program/resources/apparmor-profile"
if [ -z "$root" ] && [ -f "$profile" ] && apparmor_status --enabled >/dev/null 2>&1; then
  if apparmor_parser --skip-kernel-load --debug "$profile" >/dev/null 2>&1; then
    cp -f "$profile" '/etc/apparmor.d/${executable}'
    apparmor_parser --replace --write-cache --skip-read-cache '/etc/apparmor.d/${executable}' || true
  fi
fi

if [ -z "$root" ] && command -v update-desktop-database >/dev/null 2>&1; then
  update-desktop-database /usr/share/applications || true
fi

# Another root, or no systemd (a container, a chroot): there is nothing to start.
if [ "$1" != configure ] || [ -n "$root" ] || [ ! -d /run/systemd/system ]; then
  exit 0
fi
systemctl daemon-reload || true
if [ -n "$2" ]; then
  # An upgrade: the engine went on with the old files until here, and is begun anew only where it runs. What it was in the
  # midst of is in its journal.
  systemctl try-restart estepe.service || true
elif ! timeout 60 "$command" service install; then
  echo "Estepe is installed but does not start with the machine yet: \`estepe service install\` as root sets that up." >&2
fi
exit 0
