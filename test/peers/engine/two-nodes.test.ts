/** Two real engines across a network, and a folder that both reach: each one's word there, epochs claimed there. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Snapshot } from '../../../src-main/contract/snapshot.ts';
import { type Lan, layLan } from '../fixtures/lan.ts';
import { newFolder } from '../fixtures/peer-process.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { until } from '../fixtures/until.ts';
import { type Ended, type EngineUnderTest, startEngine } from './engine-process.ts';
import { decisions, told } from './evidence.ts';
import type { Later } from './one-pbx.ts';
import { forgetTheMachine, Site, type Wish, yamlOf } from './site.ts';
import { endProcessesOf, makeStandbyPbx, type StandbyPbx } from './standby-pbx.ts';

const port = 5060;

interface NodeHere {
  site: Site;
  pbx: StandbyPbx;
  engine: EngineUnderTest;
  /** a further life of its engine */
  start(): Promise<EngineUnderTest>;
}

interface PairHere {
  lan: Lan;
  /** `pbx` is the data of the active, `copy-of-passive` what is restored on the passive */
  root: string;
  /** the location */
  nas: string;
  active: NodeHere;
  passive: NodeHere;
}

/** Both nodes with PBX and engine; the active one serves, the passive one has seen it and heard its word. */
async function serving(
  later: Later,
  promotion: Wish['promotion'] = {},
  { restore, letOn, selfFence }: { restore?: object; letOn?: object; selfFence?: object } = {},
): Promise<PairHere> {
  const lan = await layLan();
  later(() => lan.remove());
  const root = newFolder('two-nodes');
  later(() => rmSync(root, { recursive: true, force: true }));
  for (const name of ['nas', 'pbx']) mkdirSync(join(root, name));
  const nas = join(root, 'nas');
  const node = async (role: 'active' | 'passive'): Promise<NodeHere> => {
    const { netns, address } = lan[role];
    const pbx = makeStandbyPbx({ sip: { address, udpPort: port, tcpPort: port } });
    later(() => pbx.end());
    const site = new Site();
    later(() => site.remove());
    const start = async (): Promise<EngineUnderTest> => {
      const engine = await startEngine(site, { netns });
      later(() => engine.stop());
      return engine;
    };
    site.configure(
      yamlOf({
        active: lan.active.address,
        passive: lan.passive.address,
        tests: { sip: { port }, tunnel: { port } },
        services: { ...pbx.services, ...letOn },
        heartbeat: { references: [`tcp:${lan.gateway}:9`] },
        promotion,
        more: {
          role,
          ...(selfFence === undefined ? {} : { selfFence }),
          ...(restore === undefined
            ? {}
            : { restore: { ...restore, into: [{ from: join(root, 'pbx'), to: join(root, `copy-of-${role}`) }] } }),
          backup: { location: { kind: 'local', folder: nas }, source: { folders: [join(root, 'pbx')] } },
        },
      }),
    );
    if (role === 'active') pbx.startByHand(netns);
    return { site, pbx, start, engine: await start() };
  };
  const active = await node('active');
  await active.engine.phase('serving');
  const passive = await node('passive');
  await passive.engine.phase('watching');
  await passive.engine.until('what only it can know to be shown', ({ nodes, peer }) => {
    const other = nodes.find(({ self }) => !self)?.sentence ?? '';
    return (
      /ago, says that it is active and serves\. Its services are running\./.test(other) &&
      !peer.unprotected.includes('standing')
    );
  });
  await passive.engine.until('its word to be heard', ({ guards }) =>
    guards.some(({ name, evidence }) => name === 'no-contradiction' && evidence.includes('says')),
  );
  return { lan, root, nas, active, passive };
}

/** It stood down under that epoch. */
const isPassive =
  (epoch: number) =>
  (snapshot: Snapshot): boolean =>
    snapshot.nodes.some((node) => node.self && node.role === 'passive' && node.epoch === epoch);
const epochsIn = (nas: string): string[] =>
  readdirSync(join(nas, 'estepe-head-office')).filter((name) => name.startsWith('epoch-'));

describeWithPeers('two nodes and their location', ['netns', 'kamailio'], () => {
  it('B1 the active cut from the passive, its own word in the location fresh: conflicting, no promotion; healed, it is watched', async ({
    onTestFinished: later,
  }) => {
    const { lan, nas, passive } = await serving(later);
    lan.active.cut('towards');
    lan.active.cut('from');
    await passive.engine.phase('conflicting');
    await passive.engine.rounds(6);
    const { core, guards } = await passive.engine.snapshot();
    expect(core).toMatchObject({ phase: 'conflicting', verdict: 'conflicting' });
    expect(guards.find(({ name }) => name === 'no-contradiction')).toMatchObject({ ok: false });
    lan.active.heal();
    await passive.engine.phase('watching');
    const events = await passive.engine.events();
    expect(told(events).filter((key) => key === 'conflicting')).toHaveLength(1);
    expect(events.some(({ rule }) => rule === 'runbook.begun')).toBe(false);
    expect(epochsIn(nas)).toEqual([]);
  });

  it('B1 the PBX of the active ends, its engine lives and says so itself: that contradicts nothing, the epoch is claimed in the location', async ({
    onTestFinished: later,
  }) => {
    const { nas, active, passive } = await serving(later);
    await active.pbx.end();
    await passive.engine.phase('active');
    expect(epochsIn(nas)).toEqual(['epoch-1']);
    expect(readFileSync(join(nas, 'estepe-head-office', 'epoch-1', '.estepe-claim'), 'utf8')).toContain(
      `"owner":"head-office@`,
    );
    // It hears that it was outranked, although it is cut from nothing.
    await active.engine.until('it to stand down', isPassive(1));
  });

  it('B5 heals after the promotion: the old active stands down by itself and stops its PBX; the new one stays', async ({
    onTestFinished: later,
  }) => {
    const { lan, active, passive } = await serving(later);
    lan.active.cut('towards');
    lan.active.cut('from');
    await active.engine.freeze();
    await passive.engine.phase('active');
    expect(active.pbx.pids().length).toBeGreaterThan(0);
    active.engine.thaw();
    await active.engine.until('it to stand down', isPassive(1));
    await until('its PBX is stopped', () => active.pbx.pids().length === 0);
    lan.active.heal();
    await active.engine.phase('watching');
    const events = await active.engine.events();
    expect(decisions(events, 'serving.outranked')).toHaveLength(1);
    expect(told(events)).toContain('outranked');
    expect((await passive.engine.snapshot()).core.phase).toBe('active');
  });

  it('a backup is restored as soon as the word of the active tells of it, however rarely the location is looked at', async ({
    onTestFinished: later,
  }) => {
    const { root, active, passive } = await serving(later, {}, { restore: { schedule: '0 0 1 1 *', poll: '24h' } });
    writeFileSync(join(root, 'pbx', 'sip.conf'), 'of the active');
    expect((await active.engine.cli('backup', 'run')).exit).toBe(0);
    await passive.engine.until('it to be restored', ({ offset }) => offset.state === 'known' && offset.verified);
    expect(readFileSync(join(root, 'copy-of-passive', 'sip.conf'), 'utf8')).toBe('of the active');
  });

  it('the old active that was off starts again, and stands down before anything else', async ({
    onTestFinished: later,
  }) => {
    const { active, passive } = await serving(later);
    await active.engine.kill();
    await active.pbx.end();
    await passive.engine.phase('active');
    const back = await active.start();
    await back.until('it to stand down', isPassive(1));
    await back.phase('watching');
    expect((await passive.engine.snapshot()).core.phase).toBe('active');
  });

  const byEstepe = { letOn: 'estepe', letOnWithin: '6s' };

  it('the old active starts again with its machine: its PBX is not let on, it stands down before SIP answers', async ({
    onTestFinished: later,
  }) => {
    const { active, passive } = await serving(later, {}, { letOn: byEstepe });
    await until('its PBX to be let on', async () =>
      (await active.engine.events()).some(({ rule }) => rule === 'services.are-on'),
    );
    await active.engine.kill();
    await endProcessesOf(active.pbx.folder);
    await passive.engine.phase('active');
    forgetTheMachine(active.site);
    const begun = Date.now();
    const back = await active.start();
    await back.until('it to stand down', isPassive(1));
    const since = (await back.events()).filter(({ at }) => at >= begun).map(({ rule }) => rule);
    expect(since).not.toContain('services.let-on');
    expect(active.pbx.pids()).toEqual([]);
    expect((await passive.engine.snapshot()).core.phase).toBe('active');
  });

  it.for([
    ['answers', 'services.let-on'],
    ['is away', 'let-on-unseen'],
  ] as const)(
    'the active starts again with its machine, the location %s: its PBX is let on (%s)',
    async ([how, rule], { onTestFinished: later }) => {
      const { active, nas, passive } = await serving(later, { mode: 'manual' }, { letOn: byEstepe });
      await passive.engine.stop();
      await active.engine.kill();
      await endProcessesOf(active.pbx.folder);
      if (how === 'is away') {
        rmSync(nas, { recursive: true });
        writeFileSync(nas, 'no folder');
      }
      forgetTheMachine(active.site);
      const begun = Date.now();
      const back = await active.start();
      if (how === 'is away') {
        await back.until('it is said why', ({ troubles }) => troubles.some(({ key }) => key === 'held-at-boot'));
        expect(active.pbx.pids()).toEqual([]);
      }
      // the history first: a look at the services is a process of the PBX's folder too, for a moment
      await until(`${rule} in the history`, async () =>
        (await back.events()).some((event) => event.at >= begun && event.rule === rule),
      );
      await until('its PBX to run', () => active.pbx.pids().length > 0);
      await back.until(
        'no trouble of it is left',
        ({ troubles }) => !troubles.some(({ key }) => key === 'held-at-boot'),
      );
      // A further life of the engine alone, the PBX stopped by hand: that is left alone.
      await back.stop();
      await endProcessesOf(active.pbx.folder);
      const third = await active.start();
      await third.rounds(2);
      expect(active.pbx.pids()).toEqual([]);
    },
  );

  it('the active cut off from everybody for selfFence.after stops its PBX, and lets it on when one is back', async ({
    onTestFinished: later,
  }) => {
    const { active, nas, passive } = await serving(later, { mode: 'manual' }, { selfFence: { after: '4s' } });
    await passive.engine.stop();
    renameSync(nas, `${nas}-away`);
    writeFileSync(nas, 'no folder');
    await until('its PBX to be stopped', () => active.pbx.pids().length === 0);
    await active.engine.until('it is said why', ({ troubles }) => troubles.some(({ key }) => key === 'self-fenced'));
    // Dead in the middle: the next life knows that it must not serve.
    await active.engine.kill();
    const back = await active.start();
    await back.until('it is said why', ({ troubles }) => troubles.some(({ key }) => key === 'self-fenced'));
    expect(active.pbx.pids()).toEqual([]);
    rmSync(nas);
    renameSync(`${nas}-away`, nas);
    await until('its PBX to run again', () => active.pbx.pids().length > 0);
    await back.until('it is over', ({ troubles }) => !troubles.some(({ key }) => key === 'self-fenced'));
  });

  it('stand-down by hand: refused while nobody else serves, by name; overridden the PBX is stopped, and the other node can be promoted', async ({
    onTestFinished: later,
  }) => {
    const { active, passive } = await serving(later, { mode: 'manual' });
    const ask = (...more: string[]) => active.engine.cli('stand-down', '--json', ...more);
    const of = ({ exit, out }: Ended) => ({ exit, ...JSON.parse(out) });
    expect(of(await passive.engine.cli('stand-down', '--json'))).toMatchObject({
      ...{ exit: 1, accepted: false, refusedBy: [] },
      reason: expect.stringContaining('only the active node stands down'),
    });
    expect(of(await ask())).toMatchObject({ exit: 1, accepted: false, refusedBy: ['other-serves'] });
    expect(active.pbx.pids()).not.toEqual([]);
    const override = ['--override', 'other-serves=the rack moves'];
    const plan = [expect.stringMatching(/^Stop the services/), 'Become the passive node'];
    expect(of(await ask('--dry-run', ...override))).toMatchObject({ exit: 0, accepted: true, plan });
    expect(active.pbx.pids()).not.toEqual([]);
    expect(of(await ask(...override))).toMatchObject({ exit: 0, accepted: true, stoodDown: true });
    await active.engine.until('it to be passive', isPassive(0));
    await until('its PBX to be gone', () => active.pbx.pids().length === 0);
    await passive.engine.phase('awaiting');
    expect((await passive.engine.promote()).accepted).toBe(true);
    await passive.engine.phase('active');
    await active.engine.phase('watching');
  });

  it.for([
    ['required', 'awaiting'],
    ['best-effort', 'active'],
  ] as const)(
    'B4 the location away while the active dies, claim %s: %s',
    async ([claim, phase], { onTestFinished: later }) => {
      const { nas, active, passive } = await serving(later, { claim });
      rmSync(nas, { recursive: true });
      writeFileSync(nas, 'no folder');
      await passive.engine.until('it is seen', ({ guards }) =>
        guards.some(({ name, evidence }) => name === 'claim-keeper' && evidence.includes(nas)),
      );
      await active.engine.kill();
      await active.pbx.end();
      const { guards } = await passive.engine.phase(phase);
      const guard = guards.find(({ name }) => name === 'claim-keeper');
      expect(guard?.ok).toBe(claim === 'best-effort');
      if (claim === 'best-effort') {
        const events = await passive.engine.events();
        expect(events.some(({ reason }) => /epoch [89] is ours, on this node alone: /.test(reason))).toBe(true);
        return;
      }
      const answer = await passive.engine.promote();
      expect(answer).toMatchObject({ accepted: false, refusedBy: ['claim-keeper'] });
      const overrides = [{ guard: 'claim-keeper' as const, reason: 'the NAS burned, too' }];
      expect((await passive.engine.promote({ overrides })).accepted).toBe(true);
      await passive.engine.phase('active');
      rmSync(nas);
      mkdirSync(nas);
      await until('the claim stands there afterwards', () => {
        try {
          return epochsIn(nas).some((name) => /^epoch-[89]$/.test(name));
        } catch {
          return false;
        }
      });
    },
  );
});
