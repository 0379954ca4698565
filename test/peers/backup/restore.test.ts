/** Whole restores against real peers: over SFTP with a line that breaks, on full disks, killed at each step, by 3CX's own command. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isAlive, processRow } from '../../../src-main/runbook/process-table.ts';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';
import { type BackupWish, day, firstWall, type RestoreWish, Spare } from '../../unit/backup/spare.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { startSshd } from '../fixtures/sshd.ts';
import { until } from '../fixtures/until.ts';
import { noteCommand, points } from './restore-points.ts';
import { newName, type Rig, serverRig, shortSilenceMs } from './rig.ts';
import { StandIns } from './stand-ins.ts';

let spare: Spare;
beforeEach(() => {
  spare = new Spare();
  spare.write('new');
  spare.write('old', 'here');
});
afterEach(() => spare[Symbol.dispose]());

const child = (name: string): string => fileURLToPath(new URL(`./${name}`, import.meta.url));
const restores = () => spare.history.restores;

describeWithPeers('restore over SFTP', ['mounts', 'sshd', 'ssh-keygen'], () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await serverRig(await startSshd(), (at) => ({ kind: 'sftp', ...at, password: 'location' }));
  });
  afterAll(() => rig.stop());
  afterEach(() => rig.wire?.heal());

  /** A backup of so many bytes that nothing compresses. */
  async function stored(bytes = 3_000_000) {
    const folder = newName();
    writeFileSync(spare.at('active', 'data', 'noise'), randomBytes(bytes));
    const proof = await spare.backup({ location: rig.open({ folder }) });
    return { proof, wired: rig.open({ folder, wired: true, silenceMs: shortSilenceMs }) };
  }

  it('generic, byte for byte, with owners and modes', async () => {
    const { proof, wired } = await stored();
    expect(await spare.restore({ location: wired })).toMatchObject({ name: proof.name, files: 3, troubles: [] });
    expect(spare.tree('here')).toEqual(spare.tree('active'));
  });

  it('D5 the line is cut at 50 % while it fetches: it goes on from there, told, and good in the end', async () => {
    // Far more than what is on its way at once: that is asked for again.
    const { proof, wired } = await stored(24_000_000);
    const setbacks: string[] = [];
    let most = 0;
    await spare.restore({
      location: wired,
      onProgress: ({ phase, bytes }) => {
        if (phase === 'fetch' && bytes === 0) rig.wire?.cutAfter('down', proof.size / 2);
        if (phase === 'fetch') most = Math.max(most, bytes);
      },
      onSetback: ({ error }) => {
        setbacks.push(error.fault);
        // How much went through the healed line tells whether it began anew.
        rig.wire?.heal();
      },
    });
    expect(setbacks.length).toBeGreaterThan(0);
    expect(rig.wire?.passed().down).toBeLessThan(proof.size * 0.75);
    expect(most).toBe(proof.size);
    expect(spare.tree('here')).toEqual(spare.tree('active'));
    expect(restores().list(9)).toMatchObject([{ outcome: 'restored', sha256: proof.sha256 }]);
  });

  it('D5 cut for good: the old state, the spool empty, on record', async () => {
    const { proof, wired } = await stored();
    const old = spare.tree('here');
    const restore = spare.restore({
      location: wired,
      onProgress: ({ phase, bytes }) => {
        if (phase === 'fetch' && bytes === 0) rig.wire?.cutAfter('down', proof.size / 2);
      },
    });
    await expect(restore).rejects.toMatchObject({
      code: 'location',
      detail: { fault: expect.stringMatching(/^(connection|timeout)$/) },
    });
    expect(spare.tree('here')).toEqual(old);
    expect(spare.leftovers()).toEqual([]);
    expect(restores().list(9)).toMatchObject([{ outcome: 'failed', stands: 'old' }]);
  });

  it('cancelled while it fetches, the line silent: at once, the old state', async () => {
    const { wired } = await stored();
    const old = spare.tree('here');
    const stop = new AbortController();
    const restore = spare.restore({
      location: wired,
      signal: stop.signal,
      onProgress: ({ phase, bytes }) => {
        if (phase === 'fetch' && bytes > 0) stop.abort();
      },
    });
    await expect(restore).rejects.toMatchObject({ detail: { fault: 'cancelled' } });
    expect(spare.tree('here')).toEqual(old);
    expect(spare.leftovers()).toEqual([]);
    expect(restores().list(9)).toMatchObject([{ outcome: 'cancelled', stands: 'old' }]);
  });
});

describeWithPeers('D6 the disk of the spool is full', ['mounts'], () => {
  function onSmallDisk(mib: number, how: string): Record<string, unknown> {
    const shell = `set -e; d=$(mktemp -d); mount -t tmpfs -o size=${mib}m none "$d"; trap 'umount "$d"; rmdir "$d"' EXIT; "$0" "$1" "$d" "$2"`;
    const words = ['--mount', 'sh', '-c', shell, process.execPath, child('full-spool.ts'), how];
    const { stdout, stderr, status } = spawnSync('unshare', words, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  it('D6 too little room beforehand: refused without fetching', () => {
    expect(onSmallDisk(12, 'as-it-is')).toEqual({
      fault: 'disk',
      message: expect.stringMatching(/^On the disk of .* MiB are missing\.$/),
      ...{ same: true, left: [], outcomes: [['failed', 'old']] },
    });
  });

  it('D6 somebody else fills it while it fetches: the old state, the spool empty', () => {
    expect(onSmallDisk(32, 'fill')).toEqual({
      fault: 'disk',
      message: expect.stringContaining('ENOSPC'),
      ...{ same: true, left: [], outcomes: [['failed', 'old']] },
    });
  });
});

describe('F1 a whole restore killed at each step', () => {
  function die(last: string): string[] {
    const passed = spare.at('passed');
    appendFileSync(passed, '');
    spare.closeHistory();
    const words = [child('dying-restore-backup.ts'), spare.bench.folder, last];
    const { signal, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    expect([signal, stderr]).toEqual([last === 'none' ? null : 'SIGKILL', '']);
    return readFileSync(passed, 'utf8').trim().split('\n');
  }

  it('F1 passes the points that are named here, all of them', async () => {
    await spare.backup();
    const ran = die('none').filter((name) => !name.endsWith(' ran'));
    // `restore` is told right before the boundary of its beginning or right after it.
    expect(ran.filter((name) => name !== 'restore')).toEqual(points.filter((name) => name !== 'restore'));
    expect(ran).toContain('restore');
  });

  it.each(points)('F1 killed at `%s`: the next start ends it, and history tells what stands here', async (last) => {
    const proof = await spare.backup();
    const old = spare.tree('here');
    const ran = die(last);
    const after = noteCommand(spare.at('passed'), 'after ran');
    const recovered = await spare.recover({ after: [after] });
    const isNew = points.indexOf(last) >= points.indexOf('swapped');
    expect(spare.tree('here')).toEqual(isNew ? spare.tree('active') : old);
    if (isNew) expect(restores().restoredNow()).toMatchObject({ name: proof.name, verified: true });
    else expect(restores().restoredNow()).toBeNull();
    expect(restores().open()).toBeNull();
    const known = last === 'list' || last === 'end';
    if (known) expect(recovered).toBeNull();
    else expect(recovered).toMatchObject({ name: proof.name, stands: isNew ? 'new' : 'old' });
    if (ran.includes('before ran')) expect(readFileSync(spare.at('passed'), 'utf8')).toContain('after ran');
    expect(spare.leftovers()).toEqual([]);
    expect(await spare.recover()).toBeNull();
    expect((await spare.restore()).already).toBe(false);
    expect(spare.tree('here')).toEqual(spare.tree('active'));
  });

  it('F1 ended in the new state and killed again before history says so: it still knows', async () => {
    await spare.backup();
    die('swapped');
    const real = restores();
    const dying = {
      ...real,
      closeOpen: () => {
        throw new Error('cut off again');
      },
    };
    await expect(spare.recover({}, dying)).rejects.toThrow('cut off again');
    expect(existsSync(spare.here.journal)).toBe(false);
    expect(await spare.recover()).toMatchObject({ stands: 'new' });
    expect(real.restoredNow()).toMatchObject({ verified: true });
  });
});

describe("restore by 3CX's own command", () => {
  let standIns: StandIns;
  beforeEach(() => {
    standIns = new StandIns(spare.bench);
    standIns.working3cx();
    standIns.add('dpkg-query', 'printf "3cxpbx\\t18.0.9.20\\n"');
    spare.proc = standIns.proc();
  });

  const of3cx: BackupWish['source'] = {
    profile: '3cx-linux',
    settings: { options: ['LIC', 'VM'], password: 'open sesame' },
  };
  const make = () => spare.backup({ source: { ...of3cx, running: running() } });
  const running = () => ({ proc: spare.proc, runToken: 'backup', timeoutMs: 20_000, signal: spare.bench.signal });
  const restore = (wish: RestoreWish = {}) =>
    spare.restore({ ...wish, here: { profile: '3cx-linux', password: 'open sesame', ...wish.here } });
  const restored = () => readFileSync(spare.at('restored'), 'utf8');

  it('with --failover, services left stopped; told as restored and proven', async () => {
    const { name } = await make();
    const done = await restore();
    expect(restored()).toBe('backup of LIC,VM with open sesame');
    expect(done).toMatchObject({ name, proven: 'its SHA-256 as in its proof; 1 file by the hashes in its manifest' });
    expect(restores().restoredNow()).toMatchObject({ name, verified: true });
    expect(spare.leftovers()).toEqual([]);
  });

  it('D3 made by a newer version than is installed here: refused before it is fetched, the command never runs', async () => {
    await make();
    standIns.add('dpkg-query', 'printf "3cxpbx\\t18.0.8.1\\n"');
    const phases: string[] = [];
    await expect(restore({ onProgress: ({ phase }) => void phases.push(phase) })).rejects.toMatchObject({
      detail: { fault: 'newer-version' },
      message: expect.stringContaining('version 18.0.9.20 of the PBX; here version 18.0.8.1 is installed'),
      todo: expect.stringContaining('update the PBX here'),
    });
    expect([existsSync(spare.at('restored')), phases.includes('fetch')]).toEqual([false, false]);
    expect(restores().list(9)).toMatchObject([{ outcome: 'refused', stands: 'old' }]);
  });

  it('it fails: what stands here is unknown, not verified, and no younger than it was; the next good one mends that', async () => {
    const first = await make();
    await restore();
    spare.wall += day;
    const { name } = await make();
    standIns.restore3cx('echo "database is locked"; exit 3');
    await expect(restore()).rejects.toMatchObject({
      message: expect.stringMatching(
        /database is locked\. What stands here now may be parts of the old and of the new\.$/,
      ),
      todo: expect.stringContaining('restore again'),
    });
    expect(restores().restoredNow()).toMatchObject({ name, verified: false, createdAt: firstWall });
    expect(restores().list(1)).toMatchObject([{ outcome: 'failed', stands: 'unknown' }]);
    standIns.working3cx();
    expect((await restore({ force: false, name: first.name })).already).toBe(false);
    expect(restores().restoredNow()).toMatchObject({ name: first.name, verified: true });
  });

  it('it cannot even be started: the old state', async () => {
    await make();
    spare.proc = new RealProc({ environment: { ...process.env, PATH: spare.at('empty') } });
    await expect(restore()).rejects.toThrow('could not be started');
    expect(restores().restoredNow()).toBeNull();
    expect(restores().list(1)).toMatchObject([{ stands: 'old' }]);
  });

  it('cancelled while it runs: it is brought to its end, since half of it would be neither', async () => {
    await make();
    const go = spare.at('go');
    standIns.restore3cx(
      `touch ${spare.at('begun')}; while [ ! -e ${go} ]; do sleep 0.05; done; cat "$file" >${spare.at('restored')}`,
    );
    const stop = new AbortController();
    const restoring = restore({ signal: stop.signal });
    await until('the command runs', () => existsSync(spare.at('begun')));
    expect(restores().restoredNow()).toMatchObject({ verified: false });
    stop.abort();
    writeFileSync(go, '');
    await restoring;
    expect(restored()).toContain('backup of');
    expect(restores().restoredNow()).toMatchObject({ verified: true });
  });

  it('cancelled right before it: it never runs, the old state', async () => {
    await make();
    const stop = new AbortController();
    const cancel = (name: string): void => {
      if (name === 'proven') stop.abort();
    };
    const wish = { signal: stop.signal, boundary: cancel };
    await expect(restore(wish)).rejects.toMatchObject({ detail: { fault: 'cancelled' } });
    expect(existsSync(spare.at('restored'))).toBe(false);
    expect(restores().list(9)).toMatchObject([{ outcome: 'cancelled', stands: 'old' }]);
  });

  it('F1 killed while it runs: what it left running is ended, what stands here is unknown, and the next one mends that', async () => {
    await make();
    standIns.restore3cx(`echo $$ >${spare.at('pid')}; exec sleep 600`);
    spare.closeHistory();
    const words = [child('dying-3cx-restore.ts'), spare.bench.folder];
    const { signal, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    expect([signal, stderr]).toEqual(['SIGKILL', '']);
    const pid = Number(readFileSync(spare.at('pid'), 'utf8'));
    const isRunning = () => {
      const row = processRow(pid);
      return row !== null && isAlive(row);
    };
    expect(isRunning()).toBe(true);
    expect(await spare.recover()).toMatchObject({
      stands: 'unknown',
      sentence: expect.stringContaining('restore again'),
    });
    expect(isRunning()).toBe(false);
    expect(restores().restoredNow()).toMatchObject({ verified: false });
    standIns.working3cx();
    await restore();
    expect(restores().restoredNow()).toMatchObject({ verified: true });
    expect(spare.leftovers()).toEqual([]);
  });
});
