/**
 * A double of systemctl: unit files, their states and enabling are the real program's own, on a folder as its root; what runs is
 * kept in files, since no systemd is process 1 here. Exit codes and words as systemctl(1) gives them.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { onTestFinished } from 'vitest';

export const realSystemctl = ['/usr/bin/systemctl', '/bin/systemctl'].find((path) => existsSync(path)) ?? null;

export interface SystemctlDouble {
  folder: string;
  /** a unit file; without `[Install]` it is static */
  unit(name: string, install?: boolean): void;
  runs(name: string): void;
}

/** On PATH, before the real one, until the test is over. */
export function systemctlDouble(): SystemctlDouble {
  const folder = mkdtempSync(join(tmpdir(), 'estepe-systemctl-'));
  const units = join(folder, 'root/etc/systemd/system');
  for (const path of [units, join(folder, 'root/usr/lib/systemd/system'), join(folder, 'active'), join(folder, 'bin')])
    mkdirSync(path, { recursive: true });
  const program = join(folder, 'bin/systemctl');
  const lines = [
    '#!/bin/sh',
    'verb=$1; shift',
    'for last; do :; done',
    'case $verb in',
    `is-active) if [ -e "${folder}/active/$last" ]; then echo active; else echo inactive; exit 3; fi;;`,
    `start) : >"${folder}/active/$last";;`,
    `stop) rm -f "${folder}/active/$last";;`,
    `enable|disable) [ -e "${folder}/refuses" ] && { echo "Failed to $verb unit: Access denied" >&2; exit 1; }`,
    `  exec ${realSystemctl} --root="${folder}/root" "$verb" "$@";;`,
    `*) exec ${realSystemctl} --root="${folder}/root" "$verb" "$@";;`,
    'esac',
  ];
  writeFileSync(program, `${lines.join('\n')}\n`);
  chmodSync(program, 0o755);
  const before = process.env.PATH;
  process.env.PATH = `${join(folder, 'bin')}${delimiter}${before}`;
  onTestFinished(() => {
    process.env.PATH = before;
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    folder,
    unit: (name, install = true) =>
      writeFileSync(
        join(units, name),
        `[Service]\nExecStart=/bin/true\n${install ? '[Install]\nWantedBy=multi-user.target\n' : ''}`,
      ),
    runs: (name) => writeFileSync(join(folder, 'active', name), ''),
  };
}
