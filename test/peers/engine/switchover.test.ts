/** Two real engines, paired over TLS, each with its PBX and its data, and a folder that both reach: roles change while both live. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Snapshot } from '../../../src-main/contract/snapshot.ts';
import { freePort } from '../fixtures/free-port.ts';
import { newFolder } from '../fixtures/peer-process.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { until } from '../fixtures/until.ts';
import { type Ended, type EngineUnderTest, startEngine } from './engine-process.ts';
import type { Later } from './one-pbx.ts';
import { newPair, Site, yamlOf } from './site.ts';
import { makeStandbyPbx, type StandbyPbx } from './standby-pbx.ts';

const minutes = 60_000;

interface NodeHere {
  site: Site;
  pbx: StandbyPbx;
  engine: EngineUnderTest;
  /** what its PBX keeps */
  data: string;
}

interface PairHere {
  nas: string;
  /** as they are configured */
  active: NodeHere;
  passive: NodeHere;
  /** while it exists, a backup that is being made waits */
  gate: string;
}

async function paired(later: Later, { pair = true, stable = '0s' } = {}): Promise<PairHere> {
  const root = newFolder('switchover');
  later(() => rmSync(root, { recursive: true, force: true }));
  const addresses = newPair();
  const port = await freePort(addresses.active);
  const [nas, gate] = [join(root, 'nas'), join(root, 'gate')];
  mkdirSync(nas);
  const node = async (role: 'active' | 'passive'): Promise<NodeHere> => {
    const address = addresses[role];
    const [data, others] = [join(root, role), join(root, role === 'active' ? 'passive' : 'active')];
    mkdirSync(data, { recursive: true });
    const pbx = makeStandbyPbx({ sip: { address, udpPort: port, tcpPort: port } });
    later(() => pbx.end());
    const site = new Site();
    later(() => site.remove());
    // As a PBX does: what it still had in memory is written when it is stopped.
    const lastWords = ['/bin/sh', '-c', `[ ! -e ${data}/memory ] || mv ${data}/memory ${data}/at-the-end`];
    const waits = ['/bin/sh', '-c', `while [ -e ${gate} ]; do sleep 0.1; done`];
    site.configure(
      yamlOf({
        ...addresses,
        tests: { sip: { port }, tunnel: { port } },
        services: { ...pbx.services, stop: [...pbx.services.stop, lastWords] },
        promotion: { mode: 'manual', failback: { stable } },
        more: {
          role,
          peer: {},
          backup: { location: { kind: 'local', folder: nas }, source: { folders: [data], before: [waits] } },
          restore: { into: [{ from: others, to: data }] },
        },
      }),
    );
    if (role === 'active') pbx.startByHand();
    const engine = await startEngine(site);
    later(() => engine.stop());
    return { site, pbx, engine, data };
  };
  const [active, passive] = [await node('active'), await node('passive')];
  await active.engine.phase('serving');
  await passive.engine.phase('watching', minutes);
  const here = { nas, active, passive, gate };
  if (pair) await pairUp(here);
  return here;
}

async function pairUp({ active, passive }: PairHere): Promise<void> {
  await active.engine.until('it to listen', ({ peer }) => peer.listening !== null);
  const opened = await active.engine.cli('pair', 'open', '--json');
  const { code } = JSON.parse(opened.out) as { code: string };
  expect(await passive.engine.cli('pair', 'join', code)).toMatchObject({ exit: 0 });
  await passive.engine.until('the other one to say that it serves well', saysWell, minutes);
}

const saysWell = ({ nodes, peer }: Snapshot): boolean =>
  peer.state === 'up' && nodes.some(({ self, sentence }) => !self && sentence.includes('that it is active'));

/** Once both know of each other, from where it has not heard that yet it is refused. */
async function ordered(engine: EngineUnderTest, ...words: string[]): Promise<Ended> {
  let ended: Ended | null = null;
  await until(
    'the order to be taken',
    async () => {
      ended = await engine.cli(...words);
      return ended.exit === 0 || !ended.out.includes('other-serves');
    },
    minutes,
  );
  if (ended === null) throw new Error('not ordered');
  return ended;
}

const read = (node: NodeHere, name: string): string => readFileSync(join(node.data, name), 'utf8');
const write = (node: NodeHere, name: string, text: string): void => writeFileSync(join(node.data, name), text);
const epochs = (nas: string): string[] =>
  readdirSync(join(nas, 'estepe-head-office')).filter((n) => n.startsWith('epoch-'));

describeWithPeers('switchover and failback', ['kamailio'], () => {
  it(
    'G6 switchover: final backup, restored, no data lost; failback the same, the old active verified first',
    async ({ onTestFinished: later }) => {
      const { nas, active, passive } = await paired(later);
      write(active, 'calls', 'until the final backup');
      write(active, 'memory', 'written while it was stopped');
      const over = await ordered(passive.engine, 'switchover', '--because', 'new disks');
      expect(over).toMatchObject({ exit: 0 });
      expect((await passive.engine.snapshot()).core.phase).toBe('active');
      expect(active.pbx.pids()).toEqual([]);
      expect(passive.pbx.pids().length).toBeGreaterThan(0);
      expect(read(passive, 'calls')).toBe('until the final backup');
      expect(read(passive, 'at-the-end')).toBe('written while it was stopped');
      expect(epochs(nas)).toEqual(['epoch-1']);
      await active.engine.phase('watching');

      // The way home, with what the other one wrote meanwhile.
      write(passive, 'calls', 'from the other side');
      write(passive, 'memory', 'and its last words');
      await active.engine.until('the other one to say that it serves well', saysWell);
      const back = await ordered(active.engine, 'failback', '--json');
      expect(back).toMatchObject({ exit: 0 });
      expect(JSON.parse(back.out)).toMatchObject({ promoted: true, runbook: { kind: 'failback', status: 'done' } });
      expect(read(active, 'calls')).toBe('from the other side');
      expect(read(active, 'at-the-end')).toBe('and its last words');
      expect(passive.pbx.pids()).toEqual([]);
      expect(active.pbx.pids().length).toBeGreaterThan(0);
      expect(epochs(nas)).toEqual(['epoch-1', 'epoch-2']);
      await passive.engine.phase('watching');
    },
    4 * minutes,
  );

  it(
    'G6 stopped before the point of no return, which the plan names: the pair is as it was',
    async ({ onTestFinished: later }) => {
      const { nas, active, passive, gate } = await paired(later);
      write(active, 'calls', 'here');
      const plan = await ordered(passive.engine, 'switchover', '--dry-run');
      expect(plan).toMatchObject({ exit: 0 });
      expect(plan.out).toMatch(/3\. Restore it here and verify it\n.*point of no return.*\n.*4\. Claim the epoch/);
      const pids = active.pbx.pids();
      writeFileSync(gate, '');
      expect(await ordered(passive.engine, 'switchover', '--no-wait')).toMatchObject({ exit: 0 });
      await active.engine.until('the final backup to be under way', ({ backups }) => backups.work?.kind === 'backup');
      expect((await passive.engine.cancel('not today')).accepted).toBe(true);
      await passive.engine.until('it to be taken back', ({ runbook }) => runbook?.status === 'cancelled');
      rmSync(gate);
      await passive.engine.phase('watching');
      await passive.engine.rounds(4);
      expect((await active.engine.snapshot()).core.phase).toBe('serving');
      expect(active.pbx.pids()).toEqual(pids);
      expect(passive.pbx.pids()).toEqual([]);
      expect(epochs(nas)).toEqual([]);
      expect(existsSync(join(passive.data, 'calls'))).toBe(false);
    },
    3 * minutes,
  );

  it(
    'G6 refused by a named guard: not paired, maintenance, not healthy for long enough',
    async ({ onTestFinished: later }) => {
      const here = await paired(later, { pair: false, stable: '1h' });
      const { active, passive } = here;
      const alone = await passive.engine.cli('switchover', '--json');
      expect(alone.exit).toBe(1);
      expect((JSON.parse(alone.out) as { refusedBy: string[] }).refusedBy).toContain('peer-link');
      await pairUp(here);
      const early = await ordered(passive.engine, 'failback');
      expect(early).toMatchObject({ exit: 1, out: expect.stringContaining('stable-for') });
      await passive.engine.maintenanceOn(10 * minutes);
      const during = await passive.engine.cli('switchover');
      expect(during).toMatchObject({ exit: 1, out: expect.stringContaining('no-maintenance') });
      expect((await active.engine.snapshot()).core.phase).toBe('serving');
      expect((await passive.engine.snapshot()).runbook).toBeNull();
    },
    3 * minutes,
  );
});
