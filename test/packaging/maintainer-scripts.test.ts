/**
 * What the Debian package does beside its files: the real dpkg installs, upgrades, removes and purges it on a copy of this machine's
 * files that goes with the test. The scripts are those that the builder's configuration names, filled in as the builder does;
 * Estepe itself and systemctl are stand-ins that note what they are asked.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Configuration } from 'electron-builder';
import { afterEach, beforeEach, expect, test } from 'vitest';
import configuration from '../../electron-builder.config.ts';
import { withoutDisplay } from '../../src-main/station/boot/plan.ts';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { repository } from './fixtures/packed.ts';

const { deb } = configuration as Configuration;
const launched = ['estepe', ...withoutDisplay].join(' ');

/** Notes its words; says no where the file /refuses is there. */
const noting = (name: string): string => `#!/bin/sh
echo "${name} $*" >>/asked
[ ! -e /refuses ]
`;

/** The root's copy is gone with the namespace; what was asked is printed after `--`, and each command's exit before it. */
const inCopy = `set -e
top="$1"; shift
mount -t tmpfs none "$top/copy"
mkdir "$top/copy/upper" "$top/copy/work" "$top/copy/root"
mount -t overlay none -o "lowerdir=/,upperdir=$top/copy/upper,workdir=$top/copy/work" "$top/copy/root"
root="$top/copy/root"
rm -rf "$root/run"; mkdir -p "$root/run/systemd/system" "$root/debs"
cp "$top"/*.deb "$root/debs/"
cp "$top/systemctl" "$root/usr/bin/systemctl"
exec chroot "$root" sh -c "$1"
`;

let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'estepe-deb-'));
  mkdirSync(join(top, 'copy'));
  program('systemctl', noting('systemctl'));
  makePackage('1.0.0');
  makePackage('1.1.0');
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function program(path: string, text: string): void {
  mkdirSync(dirname(join(top, path)), { recursive: true });
  writeFileSync(join(top, path), text);
  chmodSync(join(top, path), 0o755);
}

/** As the builder does with the templates of a package. */
function filledIn(path: string): string {
  const names: Record<string, string> = { executable: 'estepe', sanitizedProductName: 'Estepe' };
  return readFileSync(join(repository, path.replace(`${repository}/`, '')), 'utf8').replace(
    /\$\{([a-zA-Z]+)\}/g,
    (_all, name: string) => {
      if (names[name] === undefined) throw new Error(`the builder knows no ${name}`);
      return names[name];
    },
  );
}

function makePackage(version: string): void {
  const root = `package-${version}`;
  program(`${root}/opt/Estepe/estepe`, noting('estepe'));
  mkdirSync(join(top, root, 'opt/Estepe/resources/bin'), { recursive: true });
  cpSync(join(repository, 'build/linux/estepe'), join(top, root, 'opt/Estepe/resources/bin/estepe'));
  program(
    `${root}/DEBIAN/control`,
    `Package: estepe\nVersion: ${version}\nArchitecture: all\nMaintainer: Estepe <estepe@estepe.invalid>\nDescription: the spare\n`,
  );
  const beforeRemove = (deb?.fpm ?? []).find((option) => option.startsWith('--before-remove='))?.split('=')[1];
  program(`${root}/DEBIAN/postinst`, filledIn(deb?.afterInstall ?? ''));
  program(`${root}/DEBIAN/postrm`, filledIn(deb?.afterRemove ?? ''));
  program(`${root}/DEBIAN/prerm`, filledIn(beforeRemove ?? ''));
  const made = spawnSync('dpkg-deb', ['--build', '--root-owner-group', '-Znone', join(top, root), top], {
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(made.stderr);
}

/** Runs the commands on a copy of this machine's files; each must succeed. */
function onCopy(...commands: string[]): string[] {
  const script = ['set -e', 'exec 2>&1', ...commands].join('\n');
  const ran = spawnSync('unshare', ['--mount', 'sh', '-c', inCopy, 'sh', top, script], {
    encoding: 'utf8',
    timeout: 120_000,
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  expect(ran.status, ran.stdout + ran.stderr).toBe(0);
  return ran.stdout.split('\n');
}

const install = (version: string): string => `dpkg --force-depends -i /debs/estepe_${version}_all.deb`;
/** What was asked since the last time. */
const asked = 'echo --; cat /asked; echo ==; : >/asked';
/** What stands between `--` and `==`, once for each time. */
function askedIn(lines: readonly string[]): string[][] {
  const found: string[][] = [];
  lines.forEach((line, i) => {
    if (line === '--') found.push(lines.slice(i + 1, lines.indexOf('==', i)));
  });
  return found;
}

describeWithPeers('the Debian package', ['dpkg', 'dpkg-deb', 'unshare', 'mounts'], () => {
  test('installed: the command is there, and the engine starts with the machine; no display is asked for', () => {
    const lines = onCopy(
      install('1.0.0'),
      asked,
      'readlink /usr/bin/estepe',
      'estepe status --json',
      asked,
      'estepe',
      asked,
    );
    const [atInstall, command, window] = askedIn(lines);
    expect(atInstall).toEqual(['systemctl daemon-reload', `${launched} service install`]);
    expect(lines).toContain('/opt/Estepe/resources/bin/estepe');
    expect(command).toEqual([`${launched} status --json`]);
    expect(window).toEqual(['estepe ']);
  });

  test('upgraded: the engine goes on until the new files are there, begins anew only where it runs, and the data stays', () => {
    const data = 'mkdir -p /var/lib/estepe && echo kept >/var/lib/estepe/estepe.yaml';
    const lines = onCopy(install('1.0.0'), data, asked, install('1.1.0'), asked, 'cat /var/lib/estepe/estepe.yaml');
    expect(askedIn(lines)[1]).toEqual(['systemctl daemon-reload', 'systemctl try-restart estepe.service']);
    expect(lines).toContain('kept');
  });

  test('removed: the start at boot is taken back while the program is there, and the data stays; purged: it goes', () => {
    const lines = onCopy(
      ...[install('1.0.0'), 'mkdir -p /var/lib/estepe && echo kept >/var/lib/estepe/estepe.yaml', asked],
      ...['dpkg --force-depends -r estepe', asked, '[ ! -e /usr/bin/estepe ]', 'cat /var/lib/estepe/estepe.yaml'],
      ...['dpkg --force-depends --purge estepe', '[ ! -e /var/lib/estepe ]'],
    );
    expect(askedIn(lines)[1]).toEqual([`${launched} service uninstall`, 'systemctl daemon-reload']);
    expect(lines).toContain('kept');
  });

  test('an engine that cannot be set up, or taken back, fails neither the installation nor the removal', () => {
    const lines = onCopy('touch /refuses', install('1.0.0'), asked, 'dpkg --force-depends -r estepe', asked);
    expect(lines.join('\n')).toContain('`estepe service install` as root sets that up');
    expect(askedIn(lines)[1]).toEqual([
      `${launched} service uninstall`,
      'systemctl disable --now estepe.service',
      'systemctl daemon-reload',
    ]);
  });

  test('without systemd, as in a container, nothing is asked', () => {
    const lines = onCopy(
      'rmdir /run/systemd/system',
      ': >/asked',
      install('1.0.0'),
      'dpkg --force-depends -r estepe',
      asked,
    );
    expect(askedIn(lines)).toEqual([[]]);
  });
});
