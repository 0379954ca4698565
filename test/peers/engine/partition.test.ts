/** A2, B: host gone, cables cut one way and both ways. The engine runs inside the passive; its reference is the gateway. */
import { expect, it, vi } from 'vitest';
import { startKamailio } from '../fixtures/kamailio.ts';
import { type Lan, layLan } from '../fixtures/lan.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { type EngineUnderTest, startEngine } from './engine-process.ts';
import { decisions, expectGone, expectNothingLost, expectTakenOver, told } from './evidence.ts';
import type { Later } from './one-pbx.ts';
import { Site, type Wish, yamlOf } from './site.ts';
import { makeStandbyPbx, type StandbyPbx } from './standby-pbx.ts';

// Several at once; a busy machine takes its time.
vi.setConfig({ testTimeout: 180_000 });

const port = 5060;

describeWithPeers('the engine across a network', ['netns', 'kamailio', 'ping'], () => {
  interface Stage {
    lan: Lan;
    engine: EngineUnderTest;
    site: Site;
    pbx: StandbyPbx;
  }

  async function watching(later: Later, wish: Partial<Wish> = {}): Promise<Stage> {
    const lan = await layLan();
    later(() => lan.remove());
    const { netns, address } = lan.active;
    const active = await startKamailio({ netns, address, udpPort: port, tcpPort: port });
    later(() => active.stop());
    const site = new Site();
    later(() => site.remove());
    const pbx = makeStandbyPbx({ sip: { address: lan.passive.address, udpPort: port, tcpPort: port } });
    later(() => pbx.end());
    site.configure(
      yamlOf({
        active: lan.active.address,
        passive: lan.passive.address,
        tests: { sip: { port }, tunnel: { port } },
        services: pbx.services,
        ...wish,
        // refuses, and so lives; a ping takes whole seconds to say no
        heartbeat: { references: [`tcp:${lan.gateway}:9`], ...wish.heartbeat },
      }),
    );
    const engine = await startEngine(site, { netns: lan.passive.netns });
    later(() => engine.stop());
    await engine.phase('watching');
    return { lan, engine, site, pbx };
  }
  const asking = { mode: 'confirm', countdown: '1h', onSilence: 'hold' };

  it.concurrent('A2 host gone silent, no RST and no ICMP: every test ends by its time-out, the gateway answers: takeover', async ({
    onTestFinished: later,
  }) => {
    const { lan, engine } = await watching(later, { heartbeat: { references: ['gateway'] } });
    lan.active.cut('towards');
    lan.active.cut('from');
    const events = await expectTakenOver(engine, {
      rule: 'suspecting.down-automatic',
      reason:
        /^3 of 3 rounds in a row failed.*sip: (no answer within 400 ms|EHOSTUNREACH).*tunnel: (no connection|EHOSTUNREACH)/,
      told: ['promoted'],
    });
    expect(decisions(events, 'watchers.isolated')).toEqual([]);
  });

  it.concurrent('B2 the passive cut off: isolated, no promotion; told once, and told when it is back', async ({
    onTestFinished: later,
  }) => {
    const { lan, engine, pbx } = await watching(later, {
      heartbeat: { references: ['gateway', 'tcp:198.18.0.254:9'] },
    });
    lan.passive.pull();
    await engine.phase('isolated');
    await engine.rounds(3);
    const { core, runbook, guards } = await engine.snapshot();
    expect(core).toMatchObject({ phase: 'isolated', verdict: 'isolated', rule: 'isolated.still', failedRounds: 0 });
    expect(runbook).toBeNull();
    expect(guards.find(({ name }) => name === 'references')).toMatchObject({
      ok: false,
      evidence: '0 of 2 references answered',
    });
    expect(pbx.pids()).toEqual([]);
    lan.passive.heal();
    await engine.phase('watching');
    await engine.rounds(2);
    const events = await engine.events();
    expectNothingLost(events);
    const [isolated, ...again] = decisions(events, 'watchers.isolated');
    expect(again).toEqual([]);
    expect(isolated).toMatchObject({ phase: 'isolated', verdict: 'isolated', severity: 'alert' });
    expect(isolated?.reason).toMatch(/^no reference answers \(0 of 2\)/);
    // the gateway may be back a round before the active is
    const back = [...decisions(events, 'isolated.back'), ...decisions(events, 'suspecting.cleared')];
    expect(back).toHaveLength(1);
    expect(told(events)).toEqual(['isolated', 'recovered']);
  });

  it.concurrent.for(['towards', 'from'] as const)(
    'B3 the active cut one way (%s it): down by the tests although the other way is whole; a person is asked; healed: taken back',
    async (direction, { onTestFinished: later }) => {
      const { lan, engine, pbx } = await watching(later, { promotion: asking });
      lan.active.cut(direction);
      const { core } = await engine.phase('awaiting');
      expect(core.verdict).toBe('down');
      lan.active.heal();
      await engine.phase('watching');
      const events = await engine.events();
      expectNothingLost(events);
      const [asked] = decisions(events, 'suspecting.down-ask');
      expect(asked?.reason).toMatch(/^3 of 3 rounds in a row failed; a person is asked, because: mode confirm/);
      expect(decisions(events, 'awaiting.recovered')).toHaveLength(1);
      expect(told(events)).toEqual(['awaiting', 'recovered']);
      expect(pbx.pids()).toEqual([]);
    },
  );

  it.concurrent.for(['towards', 'from'] as const)(
    'B3 the passive cut one way (%s it): isolated, for the gateway is silent too; no promotion',
    async (direction, { onTestFinished: later }) => {
      const { lan, engine, pbx } = await watching(later);
      lan.passive.cut(direction);
      await engine.phase('isolated');
      await engine.rounds(3);
      expect((await engine.snapshot()).core).toMatchObject({ phase: 'isolated', verdict: 'isolated' });
      lan.passive.heal();
      await engine.phase('watching');
      const events = await engine.events();
      expect(decisions(events, 'watchers.isolated')).toHaveLength(1);
      expect(told(events)).toEqual(['isolated', 'recovered']);
      expect(pbx.pids()).toEqual([]);
    },
  );

  it.concurrent('B5 heals during the confirmation: no promotion, and the next failure is counted from the beginning', async ({
    onTestFinished: later,
  }) => {
    const { lan, engine, pbx } = await watching(later, { heartbeat: { confirm: { times: 5, every: '300ms' } } });
    lan.active.cut('towards');
    const { core } = await engine.until('half of the rounds to fail', (s) => s.core.failedRounds >= 3);
    expect(core.phase).toBe('suspecting');
    lan.active.heal();
    await engine.until('the active to answer', (s) => s.core.phase === 'watching' && s.core.failedRounds === 0);
    await engine.rounds(2);
    let events = await engine.events();
    expect(decisions(events, 'suspecting.cleared')).toHaveLength(1);
    expect(told(events)).toEqual([]);
    expect(pbx.pids()).toEqual([]);

    lan.active.cut('towards');
    events = await expectTakenOver(engine, {
      rule: 'suspecting.down-automatic',
      reason: /^6 of 6 rounds in a row failed/,
      told: ['promoted'],
    });
  });

  it.concurrent('B5 heals while the before-script still runs: before the point of no return it is taken back', async ({
    onTestFinished: later,
  }) => {
    const { lan, engine, site, pbx } = await watching(later, { promotion: { scripts: { before: 'wait.sh' } } });
    site.script('wait.sh', 'echo $$ >../waiting; while :; do sleep 0.1; done');
    lan.active.cut('towards');
    await engine.until('the before-script to run', () => site.has('waiting'));
    lan.active.heal();
    await engine.phase('watching');
    const events = await engine.events();
    expectNothingLost(events);
    const [back] = decisions(events, 'promoting.recovered');
    expect(back?.reason).toMatch(/^the verdict became healthy before the point of no return.*taken back/);
    expect((await engine.snapshot()).runbook).toMatchObject({ status: 'cancelled', epoch: 1 });
    expect(told(events)).toEqual(['cancelled']);
    expect(pbx.pids()).toEqual([]);
    expectGone(site.lines('waiting')[0]);
  });

  it.concurrent('B5 heals after the promotion: the old active that answers again is told of, once', async ({
    onTestFinished: later,
  }) => {
    const { lan, engine } = await watching(later);
    lan.active.cut('from');
    const rule = { rule: 'suspecting.down-automatic', reason: /rounds in a row failed/ };
    await expectTakenOver(engine, { ...rule, told: ['promoted'] });
    lan.active.heal();
    await engine.until('the old active to be seen', ({ core }) => core.rule === 'active.other-answers');
    await engine.rounds(3);
    const events = await expectTakenOver(engine, { ...rule, told: ['promoted', 'other-answers'] });
    const [both] = decisions(events, 'active.other-answers');
    expect(both).toMatchObject({ phase: 'active', verdict: 'healthy' });
    expect(both?.reason).toMatch(/^the old active answers .* while this node is active under epoch 1$/);
    const { core } = await engine.snapshot();
    expect(core.sentence).toBe('Both nodes answer. This one is active under epoch 1: switch the other one off.');
  });
});
