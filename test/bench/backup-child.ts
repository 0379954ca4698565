/**
 * One backup or restore in a process of its own, so that its peak of memory is its own: `backup-child.ts backup|restore DATA`.
 * Prints one JSON line: milliseconds until each phase began, the whole, and the peak of resident memory, with and without the work.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLocation } from '../../src-main/backup/locations/open.ts';
import { pinnedHosts, pinnedHostsFile } from '../../src-main/backup/locations/pinned-hosts.ts';
import { makeBackup } from '../../src-main/backup/make-backup.ts';
import { restoreBackup } from '../../src-main/backup/restore-backup.ts';
import { backupWork, meansOf } from '../../src-main/backup/work-of-config.ts';
import { restoreWork } from '../../src-main/backup/work-of-restore.ts';
import { openDataFolder } from '../../src-main/config/data-folder.ts';
import { loadConfig } from '../../src-main/config/load.ts';
import { RealClock } from '../../src-main/heartbeat/real-clock.ts';
import { openHistory } from '../../src-main/history/history.ts';
import { RealProc } from '../../src-main/runbook/real-proc.ts';

export interface ChildReport {
  /** milliseconds from the beginning until the first word of each phase */
  begun: Record<string, number>;
  ms: number;
  peakMb: number;
  /** the same before anything was done: Node itself and the program's modules */
  loadedMb: number;
}

const peak = (): number => {
  const kb = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  return Math.round(kb / 1024);
};
const loadedMb = peak();

const [kind, root = ''] = process.argv.slice(2);
const folder = openDataFolder(root);
const { config } = loadConfig(folder.root);
if (config.backup === null) throw new Error('no section backup');
const clock = new RealClock();
const means = meansOf(folder, clock);
const smbPort = Number(process.env.BENCH_SMB_PORT ?? 445);
const hostKeys = pinnedHosts(join(folder.root, pinnedHostsFile));
const location = openLocation(config.backup.location, { ...means, hostKeys, clock, smbPort });
const { signal } = new AbortController();
const given = { config, location, clock, proc: new RealProc(), epoch: 0, runToken: 'bench', signal, ...means };
const begun: Record<string, number> = {};
const start = performance.now();
const onProgress = ({ phase }: { phase: string }): void => {
  begun[phase] ??= Math.round(performance.now() - start);
};
if (kind === 'backup') {
  await makeBackup({ ...backupWork({ ...given, backup: config.backup, spool: folder.spool }), onProgress });
} else {
  const history = openHistory(folder.db);
  const work = restoreWork({ ...given, folder, history: history.restores, role: 'passive' });
  await restoreBackup({ ...work, name: null, force: true, by: 'bench', onProgress });
  history.close();
}
const ms = Math.round(performance.now() - start);
const report: ChildReport = { begun, ms, peakMb: peak(), loadedMb };
console.log(JSON.stringify(report));
await location.close();
clock.close();
