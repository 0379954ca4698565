/**
 * Sources and restores through the PBX's own commands, with stand-ins for these: they check every argument as the real ones
 * would, write what those write, and end as those end. Real processes through the port `Proc`.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Location } from '../../../src-main/backup/location.ts';
import { FileLocation } from '../../../src-main/backup/locations/file-location.ts';
import { LocalDoor } from '../../../src-main/backup/locations/local.ts';
import { restoreByCommand } from '../../../src-main/backup/restoring/restore-by-command.ts';
import { pbxVersion } from '../../../src-main/backup/sources/pbx-version.ts';
import type { Running } from '../../../src-main/backup/sources/run-line.ts';
import { readySource, type SourceSettings, type SourceWork } from '../../../src-main/backup/sources/source.ts';
import { RealClock } from '../../../src-main/heartbeat/real-clock.ts';
import { isAlive, processRow } from '../../../src-main/runbook/process-table.ts';
import { Bench, expected, python } from '../../unit/backup/workbench.ts';
import { arguments3cx, StandIns } from './stand-ins.ts';

let bench: Bench;
let clock: RealClock;
let standIns: StandIns;
const standIn = (name: string, body: string): void => standIns.add(name, body);
beforeEach(() => {
  bench = new Bench();
  clock = new RealClock();
  standIns = new StandIns(bench);
});
afterEach(() => {
  bench[Symbol.dispose]();
});

const running = (more: Partial<Running> = {}): Running => ({
  proc: standIns.proc(),
  runToken: `sources-${process.pid}-${bench.folder.slice(-6)}`,
  timeoutMs: 20_000,
  signal: bench.signal,
  ...more,
});

const work = (
  profile: SourceWork['profile'],
  settings: Partial<SourceSettings>,
  more: Partial<SourceWork> = {},
): SourceWork => ({
  profile,
  settings: { password: null, ...settings },
  running: running(),
  clock,
  scratch: bench.at('scratch'),
  scheduled: null,
  settleMs: 20,
  ...more,
});

const left = (): string[] => [
  ...(existsSync(bench.at('scratch')) ? readdirSync(bench.at('scratch')) : []),
  ...readdirSync(tmpdir()).filter((name) => name.startsWith('estepe-3cx-')),
];

const some3cx = { options: ['LIC', 'VM'], password: 'open sesame' };

describe('3cx-linux', () => {
  it('its backup, archived, restored by its own command with services left stopped', async () => {
    standIns.working3cx();
    const before = left();
    const ready = await readySource(work('3cx-linux', some3cx));
    expect(ready.options).toEqual({ from: 'command', options: ['LIC', 'VM'], password: true });
    const { file } = await bench.archive('a.zip', ready.paths, null, { profile: '3cx-linux', options: ready.options });
    await ready.leave();
    const done = await restoreByCommand({
      profile: '3cx-linux',
      file,
      key: null,
      expect: expected,
      scratch: bench.at('scratch'),
      password: 'open sesame',
      running: running(),
    });
    expect(readFileSync(bench.at('restored'), 'utf8')).toBe('backup of LIC,VM with open sesame');
    expect(done.output).toBe('Restore completed\n');
    expect(left()).toEqual(before);
  });

  it('H4 a failure is told with what the tool said, without the password, and leaves nothing', async () => {
    standIn('3CXBackupCmd', `${arguments3cx}\necho "cannot use $pwd: database is locked"; exit 1`);
    const before = left();
    const error = await readySource(work('3cx-linux', some3cx)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'backup',
      message: expect.stringMatching(
        /3CXBackupCmd .*--pwd=\[secret\]` ended with exit code 1: cannot use \[secret\]: database is locked$/,
      ),
    });
    expect(JSON.stringify(error)).not.toContain('sesame');
    expect(left()).toEqual(before);
  });

  it('what a process that died left of its own is removed, what another one works in is not', async () => {
    standIns.working3cx();
    const { pid } = spawnSync('true');
    const [dead, living] = [join(tmpdir(), `estepe-3cx-${pid}-a`), join(tmpdir(), `estepe-3cx-${process.ppid}-a`)];
    for (const folder of [dead, living]) mkdirSync(folder);
    try {
      await (await readySource(work('3cx-linux', some3cx))).leave();
      expect([existsSync(dead), existsSync(living)]).toEqual([false, true]);
    } finally {
      rmSync(living, { recursive: true });
    }
  });

  it('success reported though nothing was written is a failure', async () => {
    standIn('3CXBackupCmd', `${arguments3cx}\necho "Backup completed"`);
    await expect(readySource(work('3cx-linux', some3cx))).rejects.toThrow('reported success, but wrote nothing');
  });

  it('a tool that hangs is ended, and so is its child', async () => {
    standIn('3CXBackupCmd', `sleep 600 & echo $! >${bench.at('child')}; wait`);
    const hanging = work('3cx-linux', some3cx, { running: running({ timeoutMs: 500 }) });
    await expect(readySource(hanging)).rejects.toThrow('did not end within');
    const row = processRow(Number(readFileSync(bench.at('child'), 'utf8')));
    expect(row !== null && isAlive(row)).toBe(false);
  });

  it('a refused archive never reaches the restore command', async () => {
    standIns.working3cx();
    const ready = await readySource(work('3cx-linux', some3cx));
    const { file } = await bench.archive('a.zip', ready.paths, null, { profile: '3cx-linux', pbxVersion: '20.0.0.1' });
    await ready.leave();
    const restore = restoreByCommand({
      profile: '3cx-linux',
      file,
      key: null,
      expect: expected,
      scratch: bench.at('scratch'),
      password: 'open sesame',
      running: running(),
    });
    await expect(restore).rejects.toMatchObject({ fault: 'newer-version' });
    expect(existsSync(bench.at('restored'))).toBe(false);
  });
});

describe("3CX's own schedule", () => {
  /** A whole zip, made by another tool, at that moment. */
  function stored(name: string, text: string, at: number): void {
    python(
      'import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], "w") as z: z.writestr("backup", sys.argv[2])',
      bench.at('3CX', name),
      text,
    );
    utimesSync(bench.at('3CX', name), at, at);
  }
  const place = () =>
    new FileLocation(new LocalDoor({ folder: bench.at('3CX'), title: bench.at('3CX'), clock, silenceMs: 5000 }), clock);

  beforeEach(() => mkdirSync(bench.at('3CX')));

  it('the newest is taken, and the age of its data is its own', async () => {
    stored('3CXScheduledBackup.1.zip', 'older', 1_700_000_000);
    stored('3CXScheduledBackup.zip', 'newest', 1_700_086_400);
    const ready = await readySource(work('3cx-linux', { from: 'folder' }, { scheduled: place() }));
    expect(ready.createdAt).toBe(1_700_086_400_000);
    expect(readFileSync(ready.paths[0] ?? '').equals(readFileSync(bench.at('3CX', '3CXScheduledBackup.zip')))).toBe(
      true,
    );
    await ready.leave();
    expect(readdirSync(bench.at('scratch'))).toEqual([]);
  });

  it('D7 one that is still being written is passed over', async () => {
    stored('3CXScheduledBackup.1.zip', 'older', 1_700_000_000);
    stored('3CXScheduledBackup.zip', 'newest', 1_700_086_400);
    const bytes = readFileSync(bench.at('3CX', '3CXScheduledBackup.zip'));
    writeFileSync(bench.at('3CX', '3CXScheduledBackup.zip'), bytes.subarray(0, bytes.length - 5));
    const ready = await readySource(work('3cx-linux', { from: 'folder' }, { scheduled: place() }));
    expect(ready).toMatchObject({
      createdAt: 1_700_000_000_000,
      options: { name: '3CXScheduledBackup.1.zip', passedOver: ['3CXScheduledBackup.zip'] },
    });
  });

  it('D7 one that 3CX begins anew between the look and the taking is not taken half', async () => {
    stored('3CXScheduledBackup.zip', 'newest', 1_700_086_400);
    const real = place();
    let reads = 0;
    const read: Location['read'] = (name, from, transfer) => {
      reads += 1;
      // The first looks at its end.
      if (reads === 2) {
        const bytes = readFileSync(bench.at('3CX', name));
        renameSync(bench.at('3CX', name), bench.at('3CX', '3CXScheduledBackup.1.zip'));
        writeFileSync(bench.at('3CX', name), bytes.subarray(0, 50));
      }
      return real.read(name, from, transfer);
    };
    const scheduled = { title: real.title, list: real.list.bind(real), read };
    const taking = readySource(work('3cx-linux', { from: 'folder' }, { scheduled }));
    await expect(taking).rejects.toThrow('none is complete (3CXScheduledBackup.zip');
    expect(readdirSync(bench.at('scratch'))).toEqual([]);
  });

  it('none at all: said, with the place', async () => {
    await expect(readySource(work('3cx-linux', { from: 'folder' }, { scheduled: place() }))).rejects.toThrow(
      `stores in ${bench.at('3CX')}, there is none`,
    );
  });
});

describe('freepbx', () => {
  it('its job, the file that the job left, and back', async () => {
    const folder = bench.make('spool', 'nightly');
    writeFileSync(bench.at('spool', 'nightly', 'old.tar.gz'), 'old');
    utimesSync(bench.at('spool', 'nightly', 'old.tar.gz'), 1_600_000_000, 1_600_000_000);
    standIn(
      'fwconsole',
      `case "$1 $2" in
  "backup --backup=b7a1") echo new >${folder}/new.tar.gz ;;
  "backup --restore="*.tar.gz) cat "\${2#*=}" >${bench.at('restored')} ;;
  *) echo "no such option" >&2; exit 255 ;;
esac`,
    );
    const ready = await readySource(work('freepbx', { job: 'b7a1', folder: bench.at('spool') }));
    expect(ready.paths).toEqual([bench.at('spool', 'nightly', 'new.tar.gz')]);
    const { file } = await bench.archive('a.zip', ready.paths, null, { profile: 'freepbx' });
    const scratch = bench.at('scratch');
    await restoreByCommand({
      profile: 'freepbx',
      file,
      key: null,
      expect: expected,
      scratch,
      password: null,
      running: running(),
    });
    expect(readFileSync(bench.at('restored'), 'utf8')).toBe('new\n');
  });

  it('a job that stores elsewhere: said', async () => {
    bench.make('spool');
    standIn('fwconsole', 'exit 0');
    await expect(readySource(work('freepbx', { job: 'b7a1', folder: bench.at('spool') }))).rejects.toThrow(
      `left no new file below ${bench.at('spool')}`,
    );
  });
});

describe('generic', () => {
  it('before, the files, after; after also when before failed, and once', async () => {
    standIn('note', `echo "$1" >>${bench.at('notes')}; [ "$1" != bad ]`);
    const settings = { folders: ['/a'], files: ['/b'], before: [['note', 'dump']], after: [['note', 'go on']] };
    const ready = await readySource(work('generic', settings));
    expect(ready.paths).toEqual(['/a', '/b']);
    await ready.leave();
    await ready.leave();
    await expect(readySource(work('generic', { ...settings, before: [['note', 'bad']] }))).rejects.toThrow(
      'exit code 1',
    );
    expect(readFileSync(bench.at('notes'), 'utf8')).toBe('dump\ngo on\nbad\ngo on\n');
  });
});

describe('the installed version', () => {
  it('as the package or the tool says it; unknown where nobody does', async () => {
    standIn('dpkg-query', '[ "$*" = "--show 3cxpbx" ] && printf "3cxpbx\\t18.0.9.20\\n"');
    standIn('fwconsole', '[ "$*" = --version ] && echo "FreePBX Framework 16.0.40.7"');
    expect(await pbxVersion('3cx-linux', running())).toBe('18.0.9.20');
    expect(await pbxVersion('freepbx', running())).toBe('16.0.40.7');
    expect(await pbxVersion('generic', running())).toBeNull();
    standIn('dpkg-query', 'echo "no packages found matching 3cxpbx" >&2; exit 1');
    expect(await pbxVersion('3cx-linux', running())).toBeNull();
  });
});
