/** Backups from end to end on a real local folder: made, listed, read back, rotated. */
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkLocation, rights } from '../../../src-main/backup/check-location.ts';
import { type Location, LocationError } from '../../../src-main/backup/location.ts';
import { openLocation } from '../../../src-main/backup/locations/open.ts';
import { type BackupPhase, type BackupWork, makeBackup } from '../../../src-main/backup/make-backup.ts';
import { proofNameOf } from '../../../src-main/backup/names.ts';
import { type Backup, listBackups, tooMany, verifyBackup } from '../../../src-main/backup/shelf.ts';
import type { SourceSettings, SourceWork } from '../../../src-main/backup/sources/source.ts';
import type { Clock } from '../../../src-main/engine/ports.ts';
import { RealClock } from '../../../src-main/heartbeat/real-clock.ts';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';
import { Bench } from './workbench.ts';

vi.setConfig({ testTimeout: 60_000 });

const pair = 'head-office';
const day = 86_400_000;
const never = new AbortController().signal;
let bench: Bench;
let real: RealClock;
/** real durations; the wall clock is set by hand */
let wall = 0;
let clock: Clock;
beforeEach(() => {
  bench = new Bench();
  real = new RealClock();
  wall = Date.UTC(2026, 10, 24, 1);
  clock = { now: () => real.now(), wall: () => wall, after: (ms, call) => real.after(ms, call), onGap: () => () => {} };
  bench.make('pbx');
  writeFileSync(bench.at('pbx', 'sip.conf'), 'sip '.repeat(100_000));
});
afterEach(() => {
  real.close();
  bench[Symbol.dispose]();
});

const open = (folder = bench.at('nas')): Location =>
  openLocation(
    { kind: 'local', folder },
    { clock, secretOf: () => '', hostKeys: { pinned: () => null, pin: () => {} } },
  );

interface Wish extends Partial<Omit<BackupWork, 'source'>>, Partial<Pick<SourceWork, 'profile' | 'scheduled'>> {
  signal?: AbortSignal;
  settings?: Partial<SourceSettings>;
}

function make({ signal = never, settings = {}, profile = 'generic', scheduled = null, ...more }: Wish = {}) {
  return makeBackup({
    location: open(),
    about: { pair, node: '192.0.2.1', epoch: 3, fqdn: 'pbx.example.com' },
    encryption: null,
    keep: 7,
    clock,
    patience: { attempts: 2, firstPauseMs: 1, longestPauseMs: 1 },
    source: {
      profile,
      settings: { folders: [bench.at('pbx')], password: null, ...settings },
      running: { proc: new RealProc(), runToken: 'test', timeoutMs: 20_000, signal },
      clock,
      scratch: bench.at('spool'),
      scheduled,
      settleMs: 1,
    },
    ...more,
  });
}

const shelf = () => ({ location: open(), pair });
const list = () => listBackups(shelf(), never);
const verify = (name: string | null = null) => verifyBackup(shelf(), name, { clock, signal: never }, () => {});
const there = () => (existsSync(bench.at('nas')) ? readdirSync(bench.at('nas')).sort() : []);

/** A location in which one call does something else first. */
function tampered(call: 'read' | 'list' | 'write', before: (name: string) => void): Location {
  const location = open();
  return new Proxy(location, {
    get(target, key) {
      const value = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) => {
        if (key === call) before(String(given[0]));
        return value.apply(target, given);
      };
    },
  });
}

describe('a backup', () => {
  it('is made, proven by reading it back, listed, and verified again later', async () => {
    const phases: BackupPhase[] = [];
    const { proof, already, troubles } = await make({ onProgress: ({ phase }) => void phases.push(phase) });
    expect([...new Set(phases)]).toEqual(['source', 'hash', 'store', 'verify', 'rotate']);
    expect({ already, troubles }).toEqual({ already: false, troubles: [] });
    expect(proof).toMatchObject({ pair, epoch: 3, files: 1, bytes: 400_000, createdAt: wall, verifiedAt: wall });
    expect(there()).toEqual([proof.name, proofNameOf(proof.name)]);
    expect((await bench.verify(join(bench.at('nas'), proof.name), { pbxVersion: null })).proven.files).toBe(1);
    wall += day;
    expect(await list()).toMatchObject([{ name: proof.name, verified: true, size: proof.size, createdAt: wall - day }]);
    expect((await verify()).verifiedAt).toBe(wall);
  });

  it('that was changed there is said to be so, and loses its word', async () => {
    const { proof } = await make();
    const file = join(bench.at('nas'), proof.name);
    const bytes = readFileSync(file);
    bytes[200] = (bytes[200] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    await expect(verify(proof.name)).rejects.toMatchObject({
      code: 'backup',
      message: expect.stringContaining('SHA-256'),
    });
    expect(await list()).toMatchObject([{ name: proof.name, verified: false }]);
    truncateSync(file, 100);
    await expect(verify()).rejects.toThrow('it has 100 bytes');
  });

  it('that cannot be read for once keeps its word, and is not removed', async () => {
    const location = tampered('read', (name) => {
      if (!name.endsWith('.json')) throw new LocationError('other', 'the server says "Failure".', 'look into its log');
    });
    await expect(make({ location })).rejects.toThrow('could not be read back');
    expect(await list()).toMatchObject([{ verified: false }]);
    await verify();
    await expect(verifyBackup({ location, pair }, null, { clock, signal: never }, () => {})).rejects.toThrow('Failure');
    expect(await list()).toMatchObject([{ verified: true }]);
  });

  it('that the other node removes while the list is read does not spoil the list', async () => {
    const { proof } = await make();
    wall += day;
    const kept = await make();
    const location = tampered('read', (name) => {
      if (name === proofNameOf(proof.name)) rmSync(join(bench.at('nas'), name));
    });
    const listed = await listBackups({ location, pair }, never);
    expect(listed).toMatchObject([{ name: kept.proof.name, verified: true }, { verified: false }]);
  });

  it('without a proof is listed as not verified; others files are not listed, nor a backup that is not there verified', async () => {
    const { proof } = await make();
    rmSync(join(bench.at('nas'), proofNameOf(proof.name)));
    writeFileSync(join(bench.at('nas'), '3CXScheduledBackup.zip'), 'x');
    expect(await list()).toMatchObject([{ name: proof.name, verified: false, proof: null }]);
    await expect(verify()).rejects.toThrow('no proof');
    await expect(verify('nothing.zip')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('of the very same second, since the clock was set back, is another one; the one before stays', async () => {
    const first = await make();
    writeFileSync(bench.at('pbx', 'sip.conf'), 'what came since');
    const second = await make();
    expect(second).toMatchObject({ already: false, proof: { bytes: 15, createdAt: wall + 1000 } });
    expect(await list()).toMatchObject([
      { name: second.proof.name, verified: true },
      { name: first.proof.name, verified: true },
    ]);
  });

  it("of the very same file of 3CX's own is not made twice", async () => {
    bench.make('3CX');
    await bench.archive(join('3CX', '3CXScheduledBackup.zip'), [bench.at('pbx')]);
    const source = { from: 'folder', folder: bench.at('3CX'), folders: undefined } as const;
    const like3cx = { profile: '3cx-windows', settings: source, scheduled: open(bench.at('3CX')) } as const;
    const first = await make(like3cx);
    const second = await make(like3cx);
    expect(second).toMatchObject({ already: true, proof: first.proof });
    expect(there()).toHaveLength(2);
  });

  it('without a single file is none: a disk that is not mounted looks like that', async () => {
    await make();
    rmSync(bench.at('pbx', 'sip.conf'));
    bench.make('pbx', 'voice');
    wall += day;
    await expect(make()).rejects.toMatchObject({ fault: 'source', message: expect.stringContaining('not one file') });
    expect(await list()).toMatchObject([{ verified: true, proof: { files: 1 } }]);
  });

  it('that is damaged on its way is taken back', async () => {
    const location = tampered('read', (name) => {
      if (name.endsWith('.zip')) truncateSync(join(bench.at('nas'), name), 10);
    });
    await expect(make({ location })).rejects.toMatchObject({ detail: { fault: 'differs' } });
    expect(there()).toEqual([]);
  });
});

describe('cancelled', () => {
  for (const phase of ['source', 'hash', 'store', 'verify'] as const) {
    it(`in phase ${phase} it leaves nothing listed, and the site's \`after\` still runs`, async () => {
      const stop = new AbortController();
      const after = [[process.execPath, '-e', `fs.writeFileSync(${JSON.stringify(bench.at('after'))}, '')`]];
      const before = [[process.execPath, '-e', '']];
      const making = make({
        signal: stop.signal,
        settings: { before, after },
        onProgress: (progress) => progress.phase === phase && stop.abort(),
      });
      await expect(making).rejects.toMatchObject({ fault: 'cancelled', message: 'The backup was cancelled.' });
      expect(there().filter((name) => !name.startsWith('.'))).toEqual([]);
      expect(
        await open()
          .list('', never)
          .catch(() => []),
      ).toEqual([]);
      expect(existsSync(bench.at('after'))).toBe(true);
    });
  }
});

describe('what goes wrong', () => {
  it('the folder above is missing: said, with what to do', async () => {
    const making = make({ location: open(bench.at('mnt', 'nas')) });
    await expect(making).rejects.toMatchObject({ fault: 'missing', todo: expect.stringContaining('mount the share') });
  });

  it('the source is missing: said, nothing is listed', async () => {
    await expect(make({ settings: { folders: [bench.at('nowhere')] } })).rejects.toMatchObject({ fault: 'source' });
    expect(await open().list('', never)).toEqual([]);
  });

  it('the line breaks in each direction once: tried again, told, and good in the end', async () => {
    for (const call of ['write', 'read'] as const) {
      let cuts = 0;
      const location = tampered(call, () => {
        cuts += 1;
        if (cuts === 1) throw new LocationError('connection', 'cut', 'wait');
      });
      const setbacks: string[] = [];
      const onSetback = ({ error }: { error: Error }): void => void setbacks.push(error.message);
      const { proof } = await make({ location, onSetback });
      expect({ setbacks, verifiedAt: proof.verifiedAt }).toEqual({ setbacks: ['cut'], verifiedAt: wall });
      wall += day;
    }
    expect((await list()).map(({ verified }) => verified)).toEqual([true, true]);
  });

  it('it breaks for good before anything was read back: listed as not verified, and that is said', async () => {
    const location = tampered('read', () => {
      throw new LocationError('connection', 'cut', 'wait');
    });
    await expect(make({ location })).rejects.toMatchObject({
      todo: expect.stringContaining('estepe backup verify head-'),
    });
    expect(await list()).toMatchObject([{ verified: false }]);
    expect((await verify()).verifiedAt).toBe(wall);
    expect(await list()).toMatchObject([{ verified: true }]);
  });

  it('`after` fails: the backup is good, the trouble is told', async () => {
    const { proof, troubles } = await make({ settings: { after: [[process.execPath, '-e', 'process.exit(3)']] } });
    expect(proof.verifiedAt).toBe(wall);
    expect(troubles).toMatchObject([{ sentence: expect.stringContaining('exit code 3') }]);
  });
});

describe('D7 rotation', () => {
  it('keeps so many verified ones, removes proofs with their backups, and touches nobody else’s files', async () => {
    const names: string[] = [];
    bench.make('nas');
    const foreign = ['3CXScheduledBackup.zip', 'branch-192.0.2.9-20200101T000000Z.zip', 'notes.txt'];
    for (const name of foreign) writeFileSync(join(bench.at('nas'), name), 'x');
    for (let i = 0; i < 4; i++) {
      names.push((await make({ keep: 2 })).proof.name);
      wall += day;
    }
    expect((await list()).map(({ name }) => name)).toEqual([names[3], names[2]]);
    expect(there()).toEqual(
      [...foreign, ...[2, 3].flatMap((i) => [names[i] ?? '', proofNameOf(names[i] ?? '')])].sort(),
    );
  });

  it('never removes the one just made, whatever the clock said before', async () => {
    wall += 400 * day;
    await make({ keep: 1 });
    wall -= 400 * day;
    const { proof } = await make({ keep: 1 });
    expect((await list()).map(({ name }) => name)).toContain(proof.name);
  });

  it('never removes the last verified one', () => {
    const backup = (day: number, verified: boolean): Backup => ({
      name: `${day}`,
      createdAt: day,
      size: 1,
      verified,
      proof: null,
    });
    const newest = [backup(9, false), backup(8, false), backup(7, true), backup(6, false), backup(5, true)];
    const names = (keep: number) => tooMany(newest, keep, '', 9).map(({ name }) => name);
    expect(names(1)).toEqual(['6', '5']);
    expect(names(2)).toEqual([]);
    expect(names(0)).toEqual(['6', '5']);
    expect(tooMany([backup(2, false), backup(1, false)], 1, '', 9)).toEqual([]);
  });

  it('by a node of a lower epoch, that came back and still makes backups, leaves those of the active', async () => {
    const about = { pair, node: '192.0.2.2', epoch: 4, fqdn: 'pbx.example.com' };
    const { proof } = await make({ about, keep: 2 });
    for (let i = 0; i < 3; i++) {
      wall += day;
      await make({ keep: 2 });
    }
    const left = await list();
    expect(left).toContainEqual(expect.objectContaining({ name: proof.name, verified: true }));
    expect(left).toHaveLength(2);
  });

  it('keeps so many that can be told the age of: what a wrong clock dated in the future does not count', async () => {
    wall += 400 * day;
    const future = [(await make({ keep: 2 })).proof.name];
    wall += day;
    future.unshift((await make({ keep: 2 })).proof.name);
    wall -= 401 * day;
    const names: string[] = [];
    for (let i = 0; i < 3; i++) {
      names.unshift((await make({ keep: 2 })).proof.name);
      wall += day;
    }
    expect((await list()).map(({ name }) => name)).toEqual([...future, names[0], names[1]]);
  });

  it('that fails leaves a good backup, and says so', async () => {
    const location = tampered('list', () => {
      throw new Error('no list today');
    });
    const { proof, troubles } = await make({ location });
    expect(proof.verifiedAt).toBe(wall);
    expect(troubles).toMatchObject([{ sentence: 'Older backups could not be removed: no list today' }]);
  });
});

describe('location check', () => {
  it('proves every right and leaves nothing behind', async () => {
    const proven = await checkLocation(open(), clock, never);
    expect(proven.map(({ right, outcome }) => [right, outcome])).toEqual(rights.map((right) => [right, 'ok']));
    expect(there()).toEqual([]);
  });

  it('names what fails and skips what builds on it', async () => {
    const proven = await checkLocation(open(bench.at('mnt', 'nas')), clock, never);
    const outcomes = Object.fromEntries(proven.map(({ right, outcome }) => [right, outcome]));
    expect(outcomes).toMatchObject({ write: 'failed', read: 'skipped', claim: 'failed', 'claim-once': 'skipped' });
    expect(proven.find(({ right }) => right === 'write')?.todo).toContain('mount the share');
  });
});
