/** D4, F1, C3: the pair's data on real engines, while nodes die in the middle of it. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type EngineClient, findEngine } from '../../../src-main/console/engine-client.ts';
import type { Snapshot } from '../../../src-main/contract/snapshot.ts';
import { user } from '../fixtures/file-server.ts';
import { newFolder } from '../fixtures/peer-process.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { startSshd } from '../fixtures/sshd.ts';
import { until } from '../fixtures/until.ts';
import { type EngineUnderTest, estepe, startEngine } from './engine-process.ts';
import { expectTakenOver } from './evidence.ts';
import { type Later, putUp } from './one-pbx.ts';
import { Site, yamlOf } from './site.ts';

const by = 'the test';
const never = '0 1 1 1 *';

interface Wish {
  /** commands of the passive's `restore` */
  restore?: (at: (...names: string[]) => string) => Record<string, unknown>;
  /** bytes of the PBX's data */
  size?: number;
}

/** Both nodes with their engines; the passive watches a real SIP server that the active runs. */
async function pairOf(later: Later, { restore = () => ({}), size = 1000 }: Wish = {}) {
  const root = newFolder('replica');
  later(() => rmSync(root, { recursive: true, force: true }));
  const at = (...names: string[]): string => join(root, ...names);
  mkdirSync(at('pbx'));
  writeFileSync(at('pbx', 'recording.wav'), randomBytes(size));
  const write = (text: string): void => writeFileSync(at('pbx', 'sip.conf'), text);
  write('first');
  const sections = (own: string, other: string) => ({
    backup: { location: { kind: 'local', folder: at('nas') }, source: { folders: [at(own)] }, schedule: never },
    restore: { into: [{ from: at(other), to: at(own) }], schedule: never, whenNewer: true, poll: '1s' },
  });
  const passive = sections('copy', 'pbx');
  const more = { ...passive, restore: { ...passive.restore, ...restore(at) } };
  const stage = await putUp(later, { more });
  const nodes = (await stage.engine.snapshot()).nodes;
  const address = nodes.find(({ place }) => place === 'active')?.address ?? '';
  const site = new Site();
  later(() => site.remove());
  const tests = { sip: { port: stage.port } };
  const role = { role: 'active', ...sections('pbx', 'copy') };
  const promotion = { mode: 'manual' };
  site.configure(yamlOf({ active: address, passive: stage.passive, tests, promotion, more: role }));
  const active = await startEngine(site);
  later(() => active.stop());
  return { ...stage, at, write, node: { engine: active, site } };
}

const call = <T>(site: Site, ask: (client: EngineClient) => Promise<T>): Promise<T> =>
  findEngine(site.folder).call(ask);

async function backUp({ engine, site }: { engine: EngineUnderTest; site: Site }): Promise<string> {
  const { accepted } = await call(site, (client) => client.backups.run({ by }));
  expect(accepted).toBe(true);
  const { backups } = await engine.until('the backup', ended);
  expect(backups.last.backup).toMatchObject({ ok: true });
  return backups.last.backup?.name ?? '';
}
const ended = ({ backups }: Snapshot): boolean => backups.work === null && backups.last.backup !== null;

const standing = (engine: EngineUnderTest, name: string): Promise<Snapshot> =>
  engine.until(
    `${name} to be restored`,
    ({ backups, offset }) => backups.work === null && backups.restored?.name === name && offset.verified,
  );

/** Waits where a file says so, once; for a section of commands. */
const hook = (at: (...names: string[]) => string): string[][] => [
  ['/bin/sh', '-c', `[ -e ${at('armed')} ] || exit 0; touch ${at('waits')}; exec sleep 600`],
];

describeWithPeers('the pair’s data', ['kamailio'], () => {
  it('is backed up, restored, shown, and promoted with; then this side makes the backups', async ({
    onTestFinished: later,
  }) => {
    const { engine, active, at, write, node } = await pairOf(later);
    expect((await engine.snapshot()).offset.state).toBe('never');
    await standing(engine, await backUp(node));
    write('too late for the backup');
    const { offset, guards } = await engine.snapshot();
    expect(offset).toMatchObject({ state: 'known', maxMs: 86_400_000, verified: true });
    expect(guards.find(({ name }) => name === 'restored-data')?.ok).toBe(true);
    expect((await engine.cli('status')).out).toMatch(/Offset: \d+ s \(bound 1 d 0 h\)/);
    await active.kill();
    await engine.phase('active');
    expect(readFileSync(at('copy', 'sip.conf'), 'utf8')).toBe('first');
    expect(readFileSync(at('copy', 'recording.wav'))).toEqual(readFileSync(at('pbx', 'recording.wav')));
    const { backups } = await engine.snapshot();
    expect(backups.schedules.backup).toMatchObject({ nextAt: expect.any(Number), paused: '' });
    expect(backups.schedules.restore).toMatchObject({ nextAt: null, paused: expect.stringMatching(/./) });
    expect(backups.refusals.restore).toContain('This node is the active one');
    await node.engine.stop();
    const name = await backUp({ engine, site: engine.site });
    await engine.until('it is listed', ({ backups: { rows } }) => rows[0]?.name === name && rows[0].verified);
  });

  it('D4 the active dies while a restore runs: it is taken back first, then the old data is promoted', async ({
    onTestFinished: later,
  }) => {
    const stage = await pairOf(later, { restore: (at) => ({ before: hook(at) }) });
    const { engine, active, at, write, node } = stage;
    const first = await backUp(node);
    await standing(engine, first);
    write('second');
    writeFileSync(at('armed'), '');
    await backUp(node);
    await until('the restore is at its swap', () => existsSync(at('waits')), 30_000);
    await active.kill();
    const events = await expectTakenOver(engine, {
      rule: 'suspecting.down-automatic',
      reason: /rounds in a row failed/,
      told: ['promoted'],
    });
    expect(readFileSync(at('copy', 'sip.conf'), 'utf8')).toBe('first');
    expect(readdirSync(at()).filter((name) => name.startsWith('copy'))).toEqual(['copy']);
    const rules = events.map(({ rule }) => rule);
    expect(rules.indexOf('restore.cancelled')).toBeGreaterThan(rules.indexOf('runbook.begun'));
    expect(rules.indexOf('restore.cancelled')).toBeLessThan(rules.indexOf('step.claim'));
    const { backups } = await engine.snapshot();
    expect(backups.restored?.name).toBe(first);
  });

  it('F1 killed in the middle of a restore: the next start ends it before anything else, and promotes with it', async ({
    onTestFinished: later,
  }) => {
    const { engine, active, at, write, node } = await pairOf(later, { restore: (at) => ({ after: hook(at) }) });
    await standing(engine, await backUp(node));
    write('second');
    writeFileSync(at('armed'), '');
    const second = await backUp(node);
    await until('the new data is swapped in', () => existsSync(at('waits')), 30_000);
    await engine.kill();
    rmSync(at('armed'));
    const next = await startEngine(engine.site);
    later(() => next.stop());
    await standing(next, second);
    const recovered = (await next.events()).find(({ rule }) => rule === 'restore.recovered');
    expect(recovered).toMatchObject({ severity: 'warning', evidence: { name: second, stands: 'new' } });
    await next.phase('watching');
    await active.kill();
    await next.phase('active');
    expect(readFileSync(at('copy', 'sip.conf'), 'utf8')).toBe('second');
  });

  it('D4 the active is killed while it uploads: nothing half is listed, and the next start says so', async ({
    onTestFinished: later,
  }) => {
    const { node, at } = await pairOf(later, { size: 150_000_000 });
    const { site, engine } = node;
    await call(site, (client) => client.backups.run({ by }));
    // a node's word is written under such a name, too, and is small
    const half = (): string[] =>
      (existsSync(at('nas')) ? readdirSync(at('nas')) : []).filter(
        (name) => name.startsWith('.') && (statSync(at('nas', name), { throwIfNoEntry: false })?.size ?? 0) > 1_000_000,
      );
    await until('the upload runs', () => half().length > 0, 30_000);
    await engine.kill();
    expect(half()).toHaveLength(1);
    const next = await startEngine(site);
    later(() => next.stop());
    const { backups } = await next.until('the list', ({ backups: { listedAt } }) => listedAt !== null);
    expect(backups).toMatchObject({ rows: [], work: null, last: { backup: { ok: false, cancelled: false } } });
    expect(backups.last.backup?.sentence).toContain('cut off');
    expect(existsSync(join(site.folder, 'spool', 'backup'))).toBe(false);
    const name = await backUp({ engine: next, site });
    await next.until('it is listed', ({ backups: { rows } }) => rows[0]?.name === name && rows[0].verified);
  });

  it('C3 beats keep their cadence while 150 MB are restored and read back', async ({ onTestFinished: later }) => {
    const { engine, node } = await pairOf(later, { size: 150_000_000 });
    const name = await backUp(node);
    await standing(engine, name);
    await call(engine.site, (client) => client.backups.verify({ by, name }));
    await engine.until('the proof', ({ backups }) => backups.work === null && backups.last.verify?.ok === true);
    await engine.rounds(2);
    const events = await engine.events();
    const strange = events.filter(({ rule }) => rule === 'watch.gap' || rule === 'watching.failed-round');
    expect(strange.map(({ reason }) => reason)).toEqual([]);
  });
});

describeWithPeers('estepe lab --location', ['sshd'], () => {
  it('over SFTP: promoted with the last backup’s data, and nothing is left on the server', async ({
    onTestFinished: later,
  }) => {
    const server = await startSshd();
    later(() => server.stop());
    const where = `sftp://${user.name}@127.0.0.1:${server.port}/lab-backups`;
    const env = { ESTEPE_LAB_PASSWORD: user.password };
    const { exit, out, err } = await estepe(['lab', '--scenario', 'kill-active', '--location', where, '--json'], {
      env,
    });
    // the document first: it says why
    expect(JSON.parse(out)).toMatchObject({ right: true, data: { same: true, files: 14, differences: [] } });
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(out).not.toContain(user.password);
    expect(readdirSync(join(server.home, 'lab-backups'))).toEqual([]);
    const wrong = await estepe(['lab', '--location', where, '--json'], { env: { ESTEPE_LAB_PASSWORD: 'another' } });
    expect(wrong.exit).toBe(1);
    expect(JSON.parse(wrong.out)).toMatchObject({ error: { message: expect.stringContaining('backup failed') } });
  }, 240_000); // two labs, each with a bound of its own that says what it waited for
});
