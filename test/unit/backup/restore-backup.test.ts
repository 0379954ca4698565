/** Restores from end to end on a real local folder, with a real history: chosen, fetched, proven, put in place, told. */
import { chmodSync, existsSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LocationError } from '../../../src-main/backup/location.ts';
import { proofNameOf } from '../../../src-main/backup/names.ts';
import { type RestorePhase, restorePhases } from '../../../src-main/backup/restore-backup.ts';
import { day, firstWall, pair, Spare } from './spare.ts';

vi.setConfig({ testTimeout: 60_000 });

let spare: Spare;
beforeEach(() => {
  spare = new Spare();
  spare.write('new');
  spare.write('old', 'here');
});
afterEach(() => spare[Symbol.dispose]());

const restores = () => spare.history.restores;
const node = (program: string): string[] => [process.execPath, '-e', program];
/** A command of the site's that leaves a mark of its name. */
const leaves = (name: string) => node(`fs.appendFileSync(${JSON.stringify(spare.at(name))}, 'x')`);
const times = (name: string) => (existsSync(spare.at(name)) ? readFileSync(spare.at(name)).length : 0);

describe('a restore', () => {
  it('brings back byte for byte what was backed up, with owners, modes, times and links, and tells it', async () => {
    chmodSync(spare.at('active', 'data', 'sip.conf'), 0o640);
    chmodSync(spare.at('active', 'data', 'voice'), 0o750);
    symlinkSync('sip.conf', spare.at('active', 'data', 'link'));
    const proof = await spare.backup();
    spare.wall += 60_000;
    const phases: RestorePhase[] = [];
    const done = await spare.restore({ onProgress: ({ phase }) => void phases.push(phase) });
    expect(spare.tree('here')).toEqual(spare.tree('active'));
    expect([...new Set(phases)]).toEqual(restorePhases);
    const proven = 'its SHA-256 as in its proof; 2 files by the hashes in its manifest';
    const told = { name: proof.name, createdAt: firstWall, proven };
    expect(done).toMatchObject({ ...told, already: false, files: 2, bytes: 60_007, troubles: [] });
    expect(restores().restoredNow()).toEqual({
      ...told,
      sha256: proof.sha256,
      restoredAt: spare.wall,
      verified: true,
      epoch: 0,
    });
    expect(restores().list(9)).toMatchObject([{ outcome: 'restored', stands: 'new', by: 'test', reason: '' }]);
    expect(spare.leftovers()).toEqual([]);
  });

  it('by schedule what stands here already is not done again; by a person it is', async () => {
    await spare.backup();
    await spare.restore();
    spare.write('changed by hand', 'here');
    const scheduled = await spare.restore({ force: false });
    expect(scheduled.already).toBe(true);
    expect(spare.tree('here')).not.toEqual(spare.tree('active'));
    expect((await spare.restore()).already).toBe(false);
    expect(spare.tree('here')).toEqual(spare.tree('active'));
    expect(restores().list(9)).toHaveLength(2);
  });

  it('by schedule it never goes back to older data than what stands here', async () => {
    const older = await spare.backup();
    spare.wall += day;
    const newest = await spare.backup();
    await spare.restore();
    rmSync(spare.inLocation(newest.name));
    expect(await spare.restore({ force: false })).toMatchObject({ already: true, name: older.name });
    expect(await spare.restore()).toMatchObject({ already: false, name: older.name });
  });

  it('another backup of the same name is another one', async () => {
    const proof = await spare.backup();
    await spare.restore();
    rmSync(spare.inLocation(proof.name));
    spare.write('newer');
    expect((await spare.backup()).name).toBe(proof.name);
    expect((await spare.restore({ force: false })).already).toBe(false);
    expect(spare.tree('here')).toEqual(spare.tree('active'));
  });

  it('encrypted: with the passphrase of the pair, and refused by name without it or with another', async () => {
    const passphrase = 'correct horse battery';
    const { name } = await spare.backup({ encryption: { passphrase } });
    const old = spare.tree('here');
    for (const key of [null, { passphrase: 'another passphrase' }]) {
      await expect(spare.restore({ key })).rejects.toMatchObject({
        detail: { fault: 'wrong-key' },
        message: expect.stringContaining(`${name} is refused (wrong-key): It is encrypted`),
        todo: expect.stringContaining('backup.encrypt'),
      });
    }
    expect(spare.tree('here')).toEqual(old);
    await spare.restore({ key: { passphrase } });
    expect(spare.tree('here')).toEqual(spare.tree('active'));
    expect(
      restores()
        .list(9)
        .map(({ outcome }) => outcome),
    ).toEqual(['restored', 'refused', 'refused']);
  });

  it('is refused on the active node, before anything is read', async () => {
    await spare.backup();
    const restore = spare.restore({ role: 'active', location: spare.open('/nowhere/at/all') });
    await expect(restore).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining('active one') });
    expect(restores().list(9)).toEqual([]);
  });

  it('where its intent cannot be written, nothing is changed', async () => {
    await spare.backup();
    const old = spare.tree('here');
    const { restores: real } = spare.history;
    const failing = (stands: string) => ({
      ...real,
      mark: (id: number, now: 'old' | 'new' | 'unknown') => {
        if (now === stands) throw new Error('the disk is full');
        real.mark(id, now);
      },
    });
    const here = { before: [leaves('before')], after: [leaves('after')] };
    await expect(spare.restore({ history: failing('unknown'), here })).rejects.toThrow('the disk is full');
    expect([spare.tree('here'), times('before'), times('after')]).toEqual([old, 1, 1]);
    expect(restores().list(1)).toMatchObject([{ outcome: 'taken-back', stands: 'old' }]);
    // Once decided it is not taken back for want of a note.
    await spare.restore({ history: failing('new'), here });
    expect(spare.tree('here')).toEqual(spare.tree('active'));
    expect(restores().restoredNow()).toMatchObject({ verified: true });
  });
});

describe('which one', () => {
  const chosen = (name: string | null = null) => spare.plan({ name });
  const unverify = (name: string): void => {
    const file = spare.inLocation(proofNameOf(name));
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), verifiedAt: null }));
  };
  const made = async (epoch = 0) => {
    spare.wall += day;
    const about = { pair: pair.name, fqdn: pair.fqdn, node: '192.0.2.1', epoch };
    return (await spare.backup({ about })).name;
  };

  it('the newest that was read back; a newer one that was not is passed over, and that is said', async () => {
    const [first, second] = [await made(), await made()];
    expect(await chosen()).toMatchObject({ backup: { name: second }, why: 'it is the newest that was read back' });
    unverify(second);
    expect(await chosen()).toMatchObject({
      backup: { name: first },
      why: 'it is the newest that was read back; 1 newer one not read back passed over',
    });
    unverify(first);
    expect(await chosen()).toMatchObject({
      backup: { name: second },
      why: 'it is the newest with a proof: none was read back',
    });
    rmSync(spare.inLocation(proofNameOf(second)));
    expect((await chosen()).backup.name).toBe(first);
    expect((await chosen(second)).backup.name).toBe(second);
    rmSync(spare.inLocation(proofNameOf(first)));
    await expect(chosen()).rejects.toMatchObject({ code: 'not-found', message: expect.stringContaining('proof') });
    await expect(chosen('nothing.zip')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('one by its name that has no proof is proven by its manifest alone, and that is said', async () => {
    const name = await made();
    rmSync(spare.inLocation(proofNameOf(name)));
    const { proven } = await spare.restore({ name });
    expect(proven).toBe('no proof stood beside it; 2 files by the hashes in its manifest');
    expect(spare.tree('here')).toEqual(spare.tree('active'));
  });

  it('who has the lower epoch is no longer the active: a newer backup of it is passed over', async () => {
    const right = await made(2);
    await made(1);
    expect(await chosen()).toMatchObject({
      backup: { name: right },
      why: 'it is the newest that was read back; 1 newer one of a lower epoch passed over',
    });
  });

  it('what a clock that was wrong dated in the future is not the newest for ever', async () => {
    const right = await made();
    spare.wall += 400 * day;
    const wrong = await made();
    spare.wall = firstWall + 2 * day;
    expect(await chosen()).toMatchObject({
      backup: { name: right },
      why: expect.stringContaining('future passed over'),
    });
    await spare.restore({ name: wrong });
    expect(await spare.restore({ force: false })).toMatchObject({ already: false, name: right });
  });
});

describe('D2, D3 a backup that is refused', () => {
  const refusal = async (fault: string, wish: Parameters<Spare['restore']>[0] = {}) => {
    const old = spare.tree('here');
    const error = await spare.restore(wish).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'backup', detail: { fault }, message: expect.stringContaining(`(${fault})`) });
    expect((error as { todo: string }).todo).not.toBe('');
    expect(spare.tree('here')).toEqual(old);
    expect(spare.leftovers()).toEqual([]);
    expect(restores().list(1)).toMatchObject([{ outcome: 'refused', stands: 'old', reason: expect.any(String) }]);
    expect(restores().restoredNow()).toBeNull();
  };

  it('D2 a flipped byte: refused, and it loses its word, so that the next one takes the one before', async () => {
    const first = await spare.backup();
    spare.wall += day;
    const { name } = await spare.backup();
    const bytes = readFileSync(spare.inLocation(name));
    bytes[300] = (bytes[300] ?? 0) ^ 1;
    writeFileSync(spare.inLocation(name), bytes);
    await refusal('damaged');
    expect(await spare.restore({ force: false })).toMatchObject({ name: first.name });
  });

  it('D2 a truncated one: refused by its size, without fetching it', async () => {
    const { name } = await spare.backup();
    truncateSync(spare.inLocation(name), 500);
    const phases: string[] = [];
    await refusal('damaged', { onProgress: ({ phase }) => void phases.push(phase) });
    expect(phases).not.toContain('fetch');
  });

  it('D2 one with a proof made to fit: its manifest tells', async () => {
    const { name } = await spare.backup();
    truncateSync(spare.inLocation(name), 500);
    rmSync(spare.inLocation(proofNameOf(name)));
    await refusal('damaged', { name });
    writeFileSync(spare.inLocation(name), 'no archive at all, but a name like one');
    await refusal('unknown-format', { name });
  });

  it('D3 other FQDN: refused, whether its proof tells or its manifest', async () => {
    const { name } = await spare.backup();
    const other = { name: pair.name, fqdn: 'pbx.example.org' };
    await refusal('other-fqdn', { pair: other });
    rmSync(spare.inLocation(proofNameOf(name)));
    await refusal('other-fqdn', { pair: other, name });
    expect(restores().list(1)[0]?.reason).toContain('It is of pbx.example.com; this pair is pbx.example.org.');
  });

  it('D3 other pair: not even listed by its proof; without one its manifest tells', async () => {
    const { name } = await spare.backup();
    // Of this name the location's letters leave what looks like the other's.
    const other = { ...pair, name: 'head office' };
    const lookalike = name.replace('head-office', 'head_office');
    writeFileSync(spare.inLocation(lookalike), readFileSync(spare.inLocation(name)));
    await refusal('other-pair', { pair: other, name: lookalike });
    const proof = { ...JSON.parse(readFileSync(spare.inLocation(proofNameOf(name)), 'utf8')), name: lookalike };
    writeFileSync(spare.inLocation(proofNameOf(lookalike)), JSON.stringify(proof));
    await expect(spare.restore({ pair: other, name: lookalike })).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('cancelled', () => {
  for (const phase of restorePhases) {
    it(`in phase ${phase}: the old state, nothing left over, and it is told so`, async () => {
      await spare.backup();
      const old = spare.tree('here');
      const stop = new AbortController();
      const here = { before: [leaves('before')], after: [leaves('after')] };
      const cancel = (progress: { phase: RestorePhase }): void => {
        if (progress.phase === phase) stop.abort();
      };
      const error = await spare.restore({ signal: stop.signal, here, onProgress: cancel }).catch((e: unknown) => e);
      expect(error).toMatchObject({
        detail: { fault: 'cancelled' },
        message: 'The restore was cancelled; the old state stands here.',
      });
      expect(spare.tree('here')).toEqual(old);
      expect(spare.leftovers()).toEqual([]);
      expect(restores().restoredNow()).toBeNull();
      if (phase !== 'list') expect(restores().list(9)).toMatchObject([{ outcome: 'cancelled', stands: 'old' }]);
      expect([times('before'), times('after')]).toEqual([0, 0]);
    });
  }

  it.each(['stopped', 'swapped', 'after done'])('at `%s`: taken back, what was stopped goes on', async (at) => {
    await spare.backup();
    const old = spare.tree('here');
    const stop = new AbortController();
    const here = { before: [leaves('before')], after: [leaves('after')] };
    const boundary = (name: string): void => {
      if (name === at) stop.abort();
    };
    const restore = spare.restore({ signal: stop.signal, here, boundary });
    await expect(restore).rejects.toMatchObject({ detail: { fault: 'cancelled' } });
    expect(spare.tree('here')).toEqual(old);
    expect([times('before'), times('after')]).toEqual([1, at === 'after done' ? 2 : 1]);
    expect(restores().list(9)).toMatchObject([{ outcome: 'cancelled', stands: 'old' }]);
  });

  it.each(['before', 'after'] as const)(
    'while `%s` runs: it is ended, the old state, and `after` runs',
    async (which) => {
      await spare.backup();
      const old = spare.tree('here');
      const stop = new AbortController();
      const begun = spare.at('begun');
      // The first time it hangs; the second time, to put things in order, it does not.
      const hangs = node(
        `if (fs.existsSync(${JSON.stringify(begun)})) process.exit(0); fs.writeFileSync(${JSON.stringify(begun)}, ''); setTimeout(() => {}, 60000)`,
      );
      const here = {
        before: [],
        after: [leaves('after')],
        [which]: which === 'before' ? [hangs] : [hangs, leaves('after')],
      };
      const restoring = spare.restore({ signal: stop.signal, here }).catch((reason: unknown) => reason);
      await vi.waitUntil(() => existsSync(begun), { timeout: 20_000 });
      stop.abort();
      expect(await restoring).toMatchObject({ detail: { fault: 'cancelled' } });
      expect(spare.tree('here')).toEqual(old);
      expect(times('after')).toBe(1);
    },
  );

  it('when it is decided it is too late: the new state, and it is told so', async () => {
    await spare.backup();
    const stop = new AbortController();
    const boundary = (name: string): void => {
      if (name === 'cleaning') stop.abort();
    };
    await spare.restore({ signal: stop.signal, boundary });
    expect(spare.tree('here')).toEqual(spare.tree('active'));
    expect(restores().restoredNow()).toMatchObject({ verified: true });
  });
});

describe('what goes wrong', () => {
  it('`after` fails: taken back, with what it said', async () => {
    await spare.backup();
    const old = spare.tree('here');
    const fails = node(
      `if (!fs.existsSync(${JSON.stringify(spare.at('twice'))})) { fs.writeFileSync(${JSON.stringify(spare.at('twice'))}, ''); console.log('no such database'); process.exit(3) }`,
    );
    await expect(spare.restore({ here: { after: [fails] } })).rejects.toThrow('no such database');
    expect(spare.tree('here')).toEqual(old);
    expect(restores().list(9)).toMatchObject([
      { outcome: 'taken-back', stands: 'old', reason: expect.stringContaining('no such database') },
    ]);
  });

  it('the location is gone: said as it is, and no restore is on record', async () => {
    const gone = Object.assign(spare.open(), {
      list: async () => {
        throw new LocationError('connection', 'cut', 'wait');
      },
    });
    const setbacks: string[] = [];
    const restore = spare.restore({ location: gone, onSetback: ({ error }) => void setbacks.push(error.message) });
    await expect(restore).rejects.toThrow('cut');
    expect(setbacks).toEqual(['cut', 'cut']);
    expect(restores().list(9)).toEqual([]);
  });

  it('a folder that the backup does not hold, although it is named here: restored, and that it is not of it is told', async () => {
    await spare.backup();
    const targets = new Map([...spare.here.targets, ['/srv/voice', spare.at('here', 'voice')]]);
    const { troubles } = await spare.restore({ here: { targets } });
    expect(troubles).toMatchObject([{ sentence: expect.stringContaining('/srv/voice') }]);
    expect(spare.tree('here')).toEqual(spare.tree('active'));
  });

  it('a folder that the configuration here does not name: refused', async () => {
    await spare.backup();
    await expect(spare.restore({ here: { targets: new Map() } })).rejects.toMatchObject({
      detail: { fault: 'unsafe' },
    });
  });
});
