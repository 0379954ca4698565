#!/bin/sh
# Before the files of the Debian package go. Only a removal stops the engine: over an upgrade it goes on until the new files are there.
[ "$1" = remove ] || exit 0
[ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ] || exit 0
if ! timeout 60 /usr/bin/estepe service uninstall; then
  # Whatever became of it, no program that is gone may be started at the next boot.
  systemctl disable --now estepe.service || true
fi
exit 0
