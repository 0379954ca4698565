/** G: people and the engine. Orders given twice, taken back, refused by name, or not given at all. */
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { findEngine } from '../../../src-main/console/engine-client.ts';
import type { OrderAnswer } from '../../../src-main/contract/contract.ts';
import type { EventView } from '../../../src-main/contract/snapshot.ts';
import type { StepId } from '../../../src-main/contract/words.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { callDesk } from './desk-calls.ts';
import type { EngineUnderTest } from './engine-process.ts';
import { decisions, expectGone, expectNothingLost, expectTakenOver, told } from './evidence.ts';
import { type Later, putUp, type StageWish } from './one-pbx.ts';
import { makeStandbyPbx } from './standby-pbx.ts';

/** Notes that it ran, then waits for the file `go` beside the scripts folder. */
const waits = 'echo "$ESTEPE_STEP $ESTEPE_ATTEMPT $$" >>../ran; while [ ! -e ../go ]; do sleep 0.05; done';

const orders = (events: readonly EventView[], rule: string): EventView[] =>
  events.filter((event) => event.kind === 'order' && event.rule === rule);

describeWithPeers('G1 ordered twice', ['kamailio'], () => {
  it.concurrent('G1 a double click, a second console and the command line at once: exactly one runbook', async ({
    onTestFinished: later,
  }) => {
    const { engine, active, site } = await putUp(later, {
      scripts: { 'before.sh': waits },
      promotion: { mode: 'manual', scripts: { before: 'before.sh' } },
    });
    await active.kill();
    await engine.phase('awaiting');
    const other = findEngine(site.folder);
    const ask = { call: 'promote', reason: '', overrides: [], skipStep: false, dryRun: false } as const;
    const answers: OrderAnswer[] = await Promise.all([
      engine.promote(),
      engine.promote(),
      other.call((client) => callDesk(client, { ...ask, overrides: [] })),
      other.call((client) => callDesk(client, { ...ask, overrides: [] })),
    ]);
    expect(answers.filter(({ accepted }) => accepted)).toHaveLength(1);
    const refused = answers.filter(({ accepted }) => !accepted);
    expect(new Set(refused.map(({ rule, reason }) => `${rule}: ${reason}`))).toEqual(
      new Set(['order.refused: a promotion is already running']),
    );
    const late = await engine.cli('promote', '--no-wait', '--json');
    expect(late.exit).toBe(1);
    expect(JSON.parse(late.out)).toMatchObject({ accepted: false, reason: 'a promotion is already running' });
    writeFileSync(site.path('go'), '');
    const events = await expectTakenOver(engine, {
      rule: 'order.promote',
      reason: /^the test ordered the promotion; \d+ of 3 rounds in a row failed/,
      told: ['awaiting', 'promoted'],
      origin: 'person',
    });
    expect(orders(events, 'order.promote').map(({ severity }) => severity)).toEqual([
      'info',
      ...Array.from({ length: 4 }, () => 'warning'),
    ]);
    expect(site.lines('ran').map((line) => line.replace(/ \d+$/, ''))).toEqual(['before-script 1']);
    expect(events.filter(({ rule }) => rule === 'runbook.begun')).toHaveLength(1);
  });
});

describeWithPeers('G2 cancelled', ['kamailio'], () => {
  interface Cancelled {
    wish: StageWish;
    step: StepId;
  }
  async function cancelledAt(later: Later, { wish, step }: Cancelled) {
    const stage = await putUp(later, wish);
    const { engine, active, site } = stage;
    await active.kill();
    const scripted = step.endsWith('script');
    await engine.until(`${step} to run`, ({ runbook }) => {
      const state = runbook?.steps.find(({ id }) => id === step)?.state;
      return state === 'running' && (!scripted || site.has('ran'));
    });
    const answer = await engine.cancel('not now');
    expect(answer).toMatchObject({ accepted: true, rule: 'promoting.cancelled-by-person' });
    return stage;
  }

  /** Nothing happens by itself any more, although the active is dead and the mode is automatic. */
  async function staysHeld(engine: EngineUnderTest): Promise<EventView[]> {
    await engine.phase('awaiting');
    await engine.rounds(4);
    const { confirmation, runbook } = await engine.snapshot();
    expect(confirmation).toMatchObject({ held: true });
    expect(runbook).toMatchObject({ id: 1, status: 'cancelled' });
    const events = await engine.events();
    expectNothingLost(events);
    return events;
  }

  it.concurrent('G2 in the before-script: taken back, the script is gone, nothing was started', async ({
    onTestFinished: later,
  }) => {
    const { engine, site, pbx } = await cancelledAt(later, {
      wish: { scripts: { 'before.sh': waits }, promotion: { scripts: { before: 'before.sh' } } },
      step: 'before-script',
    });
    const events = await staysHeld(engine);
    expect((await engine.snapshot()).runbook?.reason).toMatch(
      /^the test cancelled it: not now; before\.sh had been run/,
    );
    expect(told(events)).toEqual(['cancelled', 'awaiting']);
    expect(pbx.pids()).toEqual([]);
    expectGone(site.lines('ran')[0]?.split(' ').at(-1));
  });

  /** Past the point of no return a cancelled runbook halts; given up, what it started is stopped. */
  async function givenUp(later: Later, wish: StageWish, step: StepId): Promise<void> {
    const { engine, site, pbx } = await cancelledAt(later, { wish, step });
    const { runbook } = await engine.phase('halted');
    expect(runbook?.reason).toBe('the test cancelled it: not now; services may be running here already');
    const answer = await engine.cancel('stop it all');
    expect(answer).toMatchObject({ accepted: true, rule: 'halted.abandoned' });
    const events = await staysHeld(engine);
    expect(site.lines('stopped')).toEqual(['stopped']);
    expect(pbx.pids()).toEqual([]);
    expect(told(events)).toEqual(['halted.1', 'cancelled', 'awaiting']);
  }
  const stopsTold: StageWish['services'] = ({ pbx, site }) => ({
    stop: [...pbx.services.stop, ['/bin/sh', '-c', `echo stopped >>${site.path('stopped')}`]],
  });

  it.concurrent('G2 while the services start: halted, for some may run; given up: stopped', ({
    onTestFinished: later,
  }) =>
    givenUp(
      later,
      {
        services: (known) => ({
          ...stopsTold(known),
          start: [
            ...known.pbx.services.start,
            ['/bin/sh', '-c', `while [ ! -e ${known.site.path('go')} ]; do sleep 0.05; done`],
          ],
        }),
      },
      'start-services',
    ));

  it.concurrent('G2 while it is proven alive: halted; given up: stopped', ({ onTestFinished: later }) =>
    givenUp(
      later,
      {
        services: (known) => {
          const mute = makeStandbyPbx({ sip: { address: known.passive, udpPort: known.port, reply: 'none' } });
          later(() => mute.end());
          const { stop } = stopsTold(known) as { stop: string[][] };
          return { ...mute.services, stop: [...mute.services.stop, ...stop] };
        },
      },
      'prove-alive',
    ));

  it.concurrent('G2 in the after-script: halted, and a person lets it go on: active', async ({
    onTestFinished: later,
  }) => {
    const { engine, site } = await cancelledAt(later, {
      wish: { scripts: { 'after.sh': waits }, promotion: { scripts: { after: 'after.sh' } } },
      step: 'after-script',
    });
    await engine.phase('halted');
    writeFileSync(site.path('go'), '');
    expect(await engine.promote({ reason: 'after all' })).toMatchObject({ accepted: true, rule: 'halted.resumed' });
    await engine.phase('active');
    const events = await engine.events();
    expectNothingLost(events);
    expect(told(events)).toEqual(['halted.1', 'promoted']);
    expect((await engine.snapshot()).runbook).toMatchObject({ id: 1, status: 'done', epoch: 1 });
  });
});

describeWithPeers('G3 ordered against a guard', ['kamailio'], () => {
  const because = 'I stand in front of it';

  it.concurrent('G3 while the active is healthy: refused by name; with the override it is done and recorded', async ({
    onTestFinished: later,
  }) => {
    const { engine } = await putUp(later, { promotion: { mode: 'manual' } });
    const refused = await engine.promote({ reason: 'a try' });
    expect(refused).toMatchObject({ accepted: false, rule: 'order.refused', refusedBy: ['proven-down'] });
    expect(refused.reason).toMatch(/^refused by proven-down \(the other node answers \(sip: SIP\/2\.0 200 OK/);
    expect((await engine.snapshot()).runbook).toBeNull();

    const done = await engine.cli('promote', '--json', '--because', 'a move', '--override', `proven-down=${because}`);
    expect(done).toMatchObject({ exit: 0, err: '' });
    const events = await expectTakenOver(engine, {
      rule: 'order.promote',
      reason: /ordered the promotion: a move/,
      told: ['fence.1', 'promoted', 'other-answers'],
      origin: 'person',
      overrides: ['proven-down'],
    });
    const [first, second] = orders(events, 'order.promote');
    expect(first).toMatchObject({ severity: 'warning', evidence: { refusedBy: ['proven-down'] } });
    expect(second).toMatchObject({
      severity: 'info',
      evidence: { reason: 'a move', overrides: [{ guard: 'proven-down', reason: because }] },
    });
  });

  it.concurrent('G3 while isolated: refused by both guards; one override is not enough, both are', async ({
    onTestFinished: later,
  }) => {
    // a DNS server that says nothing, then answers
    const dns = createSocket('udp4');
    let silent = false;
    dns.on('message', (question, from) => {
      if (silent) return;
      question[2] = (question[2] ?? 0) | 0x80;
      dns.send(question, from.port, from.address);
    });
    await new Promise<void>((ready) => dns.bind(0, '127.0.0.1', ready));
    later(() => {
      dns.close();
    });
    const reference = `dns:127.0.0.1:${dns.address().port}`;
    const { engine, active, pbx } = await putUp(later, { heartbeat: { references: [reference] } });
    silent = true;
    await active.kill();
    await engine.phase('isolated');
    const refused = await engine.promote();
    expect(refused).toMatchObject({ accepted: false, refusedBy: ['proven-down', 'references'] });
    const half = await engine.promote({ overrides: [{ guard: 'proven-down', reason: because }] });
    expect(half).toMatchObject({ accepted: false, refusedBy: ['references'] });
    expect(half.reason).toContain('references (0 of 1 references answered)');
    expect(pbx.pids()).toEqual([]);
    const both = [
      { guard: 'proven-down', reason: because } as const,
      { guard: 'references', reason: 'the line to the provider is down' } as const,
    ];
    expect(await engine.promote({ overrides: both })).toMatchObject({ accepted: true, rule: 'order.promote' });
    const events = await expectTakenOver(engine, {
      rule: 'order.promote',
      reason: /the test ordered the promotion/,
      told: ['isolated', 'promoted'],
      origin: 'person',
      overrides: ['proven-down', 'references'],
    });
    expect(orders(events, 'order.promote').at(-1)?.evidence).toMatchObject({ overrides: both });
    expect(decisions(events, 'order.refused')).toHaveLength(2);
  });

  it.concurrent('G3 in maintenance: nothing by itself, refused by name; with the override it is done', async ({
    onTestFinished: later,
  }) => {
    const { engine, active } = await putUp(later);
    await engine.maintenanceOn(600_000);
    await active.kill();
    await engine.until('the death to be proven', ({ core }) => core.rule === 'suspecting.down-maintenance');
    await engine.rounds(3);
    expect((await engine.snapshot()).runbook).toBeNull();
    const refused = await engine.promote();
    expect(refused).toMatchObject({ accepted: false, refusedBy: ['no-maintenance'] });
    expect(refused.reason).toMatch(
      /no-maintenance \(maintenance for another 10 min\)|no-maintenance \(maintenance for another 9 min/,
    );
    const overrides = [{ guard: 'no-maintenance', reason: because } as const];
    expect(await engine.promote({ overrides })).toMatchObject({ accepted: true });
    await expectTakenOver(engine, {
      rule: 'order.promote',
      reason: /the test ordered the promotion/,
      told: ['promoted'],
      origin: 'person',
      overrides: ['no-maintenance'],
    });
  });
});

describeWithPeers('G4 nobody answers', ['kamailio'], () => {
  it.concurrent('G4 onSilence promote: a countdown that is shown, then the takeover', async ({
    onTestFinished: later,
  }) => {
    const { engine, active } = await putUp(later, {
      promotion: { mode: 'confirm', countdown: '3s', onSilence: 'promote' },
    });
    await active.kill();
    const { confirmation } = await engine.phase('awaiting');
    expect(confirmation).toMatchObject({ onSilence: 'promote', held: false, blockedBy: [] });
    const counted = await engine.until('a second to be counted', (s) => Number(s.confirmation?.leftMs) < 2000);
    expect(counted.confirmation?.endsAt).toBe(confirmation?.endsAt);
    const events = await expectTakenOver(engine, {
      rule: 'awaiting.go',
      reason: /^nobody answered within 3 s and onSilence is promote: taking over/,
      told: ['awaiting', 'promoted'],
      origin: 'silence',
    });
    const asked = events.find(({ kind, rule }) => kind === 'alert' && rule === 'awaiting');
    expect(asked?.reason).toMatch(/Take over\? Without an answer Estepe takes over in 3 s\.$/);
  });

  it.concurrent('G4 onSilence hold: the countdown ends, it is said once, nothing happens; a person may still promote', async ({
    onTestFinished: later,
  }) => {
    const { engine, active, pbx } = await putUp(later, {
      promotion: { mode: 'confirm', countdown: '1s', onSilence: 'hold' },
    });
    await active.kill();
    await engine.until('the silence to be over', ({ confirmation }) => confirmation?.leftMs === 0);
    await engine.rounds(4);
    const { core, confirmation, runbook } = await engine.snapshot();
    expect(core).toMatchObject({ phase: 'awaiting', verdict: 'down' });
    expect(confirmation).toMatchObject({ onSilence: 'hold', leftMs: 0 });
    expect(runbook).toBeNull();
    expect(pbx.pids()).toEqual([]);
    expect(told(await engine.events())).toEqual(['awaiting', 'awaiting.silence-held']);
    expect(await engine.promote({ reason: 'on site now' })).toMatchObject({ accepted: true });
    await expectTakenOver(engine, {
      rule: 'order.promote',
      reason: /^the test ordered the promotion: on site now/,
      told: ['awaiting', 'awaiting.silence-held', 'promoted'],
      origin: 'person',
    });
  });
});
