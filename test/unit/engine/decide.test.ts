import { describe, expect, it } from 'vitest';
import type { Phase, Verdict } from '../../../src-main/contract/words.ts';
import { type Decision, decide } from '../../../src-main/engine/decide.ts';
import type { CoreState, Effect, Observation, Override } from '../../../src-main/engine/observation.ts';
import { rules } from '../../../src-main/engine/rules/table.ts';
import { inPhase, now, observed, order, policy, runbook, servingWord } from './moments.ts';

interface Given {
  o?: Partial<Observation>;
  state?: Partial<CoreState>;
}

const standDown = { kind: 'stand-down', reason: '`stop` ended with 1' } as const;
const downOrder = (overrides: readonly Override[]) =>
  ({ id: 7, by: 'console', reason: 'the rack moves', kind: 'stand-down', overrides }) as const;
const planned = {
  link: { paired: true, heardAgoMs: 9_000, trouble: null },
  whyNoRestore: null,
  unsaved: null,
  home: true,
};
const planOrder = (kind: 'switchover' | 'failback') =>
  ({ id: 1, by: 'console', reason: 'new disks', kind, overrides: [] }) as const;
const because = { reason: 'the rack moves' };

/** What the third column of the matrix says; `+` joins several. */
const givens: Record<string, Given> = {
  '': {},
  confirm: { o: { policy: { ...policy, mode: 'confirm' } } },
  manual: { o: { policy: { ...policy, mode: 'manual' } } },
  hold: { o: { policy: { ...policy, mode: 'confirm', onSilence: 'hold' } } },
  'observe-only': { o: { policy: { ...policy, observeOnly: true } } },
  maintenance: { o: { maintenance: { leftMs: 600_000 } } },
  'no data': { o: { data: { state: 'never' } } },
  'cool-down': { o: { cooldownLeftMs: 60_000 } },
  'never seen': { state: { seenHealthy: false } },
  'told before': { state: { told: ['starting.never-seen', 'isolated', 'awaiting'] } },
  held: { state: { held: true } },
  gap: { o: { gap: { id: 1, at: now, ms: 60_000, kind: 'sleep' } }, state: { lastGap: 1 } },
  '1 s counted': { state: { since: now - 1_000 } },
  over: { state: { since: now - policy.countdownMs } },
  'epoch 2': { o: { standing: { role: 'active', epoch: 2 }, highestEpoch: 2 } },
  'epoch 3 elsewhere': { o: { standing: { role: 'active', epoch: 2 }, highestEpoch: 3 } },
  revocable: { o: { runbook: runbook('running') } },
  'by a person': { o: { runbook: runbook('running', { origin: 'person' }) } },
  'past no return': { o: { runbook: runbook('running', { committed: true }) } },
  'cancel under way': { o: { runbook: runbook('running', { cancelling: true }) } },
  done: { o: { runbook: runbook('done') } },
  halted: { o: { runbook: runbook('halted') } },
  skippable: { o: { runbook: runbook('halted', { skippable: true }) } },
  cancelled: { o: { runbook: runbook('cancelled') } },
  stopping: { o: { runbook: runbook('running', standDown) } },
  stopped: { o: { runbook: runbook('done', standDown) } },
  'not stopped': { o: { runbook: runbook('halted', standDown) } },
  'promote!': { o: { order: order('promote', because) } },
  'leave out!': { o: { order: order('promote', { ...because, skipStep: true }) } },
  'both well': { o: { word: servingWord, planned } },
  unpaired: { o: { word: servingWord, planned: { ...planned, link: { ...planned.link, paired: false } } } },
  'newer data here': { o: { word: servingWord, planned: { ...planned, unsaved: 'it served' } } },
  'away from home': { o: { word: servingWord, planned: { ...planned, home: false } } },
  'minutes ago': { state: { since: now - 11 * 60_000 } },
  'switching over': { o: { runbook: runbook('running', { kind: 'switchover', origin: 'person' }) } },
  'past its claim': { o: { runbook: runbook('running', { kind: 'switchover', origin: 'person', committed: true }) } },
  'switched over': { o: { runbook: runbook('done', { kind: 'switchover', origin: 'person' }) } },
  'halted past its claim': {
    o: { runbook: runbook('halted', { kind: 'failback', committed: true, skippable: true }) },
  },
  'switch!': { o: { order: planOrder('switchover') } },
  'home!': { o: { order: planOrder('failback') } },
  'stand down!': { o: { order: downOrder([]) } },
  'stand down, overridden!': { o: { order: downOrder([{ guard: 'other-serves', reason: 'moving house' }]) } },
  'cancel!': { o: { order: order('cancel', because) } },
};

/** Under each phase: verdict | given | next phase | rule | effects. */
const matrix = `
starting
  none        |                          | starting      | starting.waiting              |
  suspect     |                          | starting      | starting.waiting              |
  healthy     |                          | watching      | starting.healthy              |
  down        | never seen               | starting      | starting.never-seen           | alert starting.never-seen
  isolated    | told before              | starting      | starting.never-seen           |
watching
  healthy     |                          | watching      | watching.healthy              |
  none        |                          | watching      | watching.healthy              |
  suspect     |                          | suspecting    | watching.failed-round         |
  down        |                          | suspecting    | watching.failed-round         |
  isolated    |                          | isolated      | watchers.isolated             | alert isolated
  healthy     | promote!                 | watching      | order.refused                 | refused
  healthy     | stand down!              | watching      | order.refused                 | refused
  healthy     | cancel!                  | watching      | order.refused                 | refused
  healthy     | both well + switch!      | promoting     | order.planned                 | accepted, start switchover
  healthy     | switch!                  | watching      | order.refused                 | refused
  healthy     | unpaired + switch!       | watching      | order.refused                 | refused
  healthy     | newer data here + switch! | watching     | order.refused                 | refused
  healthy     | both well + maintenance + switch! | watching | order.refused            | refused
  suspect     | both well + switch!      | watching      | order.refused                 | refused
  healthy     | both well + home!        | watching      | order.refused                 | refused
  healthy     | away from home + minutes ago + home! | watching | order.refused         | refused
  healthy     | both well + minutes ago + home! | promoting | order.planned              | accepted, start failback
awaiting
  isolated    | told before              | isolated      | watchers.isolated             |
  healthy     |                          | watching      | awaiting.recovered            | info recovered
  none        | gap                      | suspecting    | awaiting.anew                 |
  suspect     |                          | suspecting    | awaiting.anew                 |
  down        |                          | promoting     | awaiting.go                   | start automatic
  down        | confirm + over           | promoting     | awaiting.go                   | start silence
  down        | confirm + 1 s counted    | awaiting      | awaiting.asking               |
  down        | hold + over              | awaiting      | awaiting.asking               | alert awaiting.silence-held
  down        | manual + over            | awaiting      | awaiting.asking               |
  down        | confirm + held + over    | awaiting      | awaiting.asking               |
  down        | no data + confirm + over | awaiting      | awaiting.asking               | alert awaiting.silence-held
  down        | maintenance              | suspecting    | awaiting.overlaid             |
  down        | observe-only             | suspecting    | awaiting.overlaid             |
  down        | confirm + cancel!        | awaiting      | awaiting.held                 | accepted
  down        | confirm + promote!       | promoting     | order.promote                 | accepted, start person
suspecting
  conflicting |                          | conflicting   | watchers.contradicted         | alert conflicting
  healthy     |                          | watching      | suspecting.cleared            |
  none        |                          | suspecting    | suspecting.counting           |
  suspect     |                          | suspecting    | suspecting.counting           |
  down        |                          | promoting     | suspecting.down-automatic     | start automatic
  down        | no data                  | awaiting      | suspecting.down-ask           | alert awaiting
  down        | cool-down                | awaiting      | suspecting.down-ask           | alert awaiting
  down        | confirm                  | awaiting      | suspecting.down-ask           | alert awaiting
  down        | manual + told before     | awaiting      | suspecting.down-ask           |
  down        | held                     | awaiting      | suspecting.down-ask           | alert awaiting
  down        | maintenance              | suspecting    | suspecting.down-maintenance   |
  down        | observe-only             | suspecting    | suspecting.down-observe-only  | alert observe-only
  down        | manual + promote!        | promoting     | order.promote                 | accepted, start person
isolated
  healthy     |                          | watching      | isolated.back                 | info recovered
  none        |                          | isolated      | isolated.still                |
  isolated    |                          | isolated      | isolated.still                |
  suspect     |                          | suspecting    | doubt.counting-anew           |
  conflicting |                          | conflicting   | isolated.contradicted         |
conflicting
  down        |                          | suspecting    | doubt.counting-anew           |
  conflicting |                          | conflicting   | conflicting.still             |
  isolated    |                          | isolated      | conflicting.isolated          |
  healthy     |                          | watching      | isolated.back                 | info recovered
promoting
  down        | revocable                | promoting     | promoting.revocable           |
  none        | revocable                | promoting     | promoting.revocable           |
  healthy     | revocable                | promoting     | promoting.recovered           | cancel
  isolated    | revocable                | promoting     | promoting.recovered           | cancel
  conflicting | revocable                | promoting     | promoting.recovered           | cancel
  healthy     | by a person              | promoting     | promoting.running             |
  healthy     | past no return           | promoting     | promoting.running             |
  healthy     | cancel under way         | promoting     | promoting.running             |
  down        | revocable + cancel!      | promoting     | promoting.cancelled-by-person | accepted, cancel
  down        | revocable + promote!     | promoting     | order.refused                 | refused
  down        | done + epoch 2           | active        | promoting.done                | alert promoted
  down        | halted                   | halted        | promoting.halted              | alert halted.7
  down        | cancelled                | suspecting    | promoting.cancelled           | warning cancelled
  healthy     | switching over           | promoting     | promoting.planned             |
  suspect     | switching over           | promoting     | promoting.planned             |
  down        | switching over           | promoting     | promoting.planned-lost        | cancel
  isolated    | switching over           | promoting     | promoting.planned-lost        | cancel
  down        | past its claim           | promoting     | promoting.running             |
  healthy     | past its claim           | promoting     | promoting.running             |
  healthy     | switching over + switch! | promoting     | order.refused                 | refused
  down        | switched over + epoch 2  | active        | promoting.done                | alert promoted
halted
  healthy     | halted past its claim + promote! | promoting | halted.resumed            | accepted, resume
  healthy     | halted past its claim + leave out! | halted | order.refused              | refused
  down        | halted past its claim + leave out! | promoting | halted.resumed          | accepted, resume without step
  down        | halted                   | halted        | halted.waiting                |
  healthy     | not stopped              | halted        | halted.waiting                |
  down        | halted + promote!        | promoting     | halted.resumed                | accepted, resume
  down        | skippable + leave out!   | promoting     | halted.resumed                | accepted, resume without step
  down        | halted + leave out!      | halted        | order.refused                 | refused
  down        | not stopped + promote!   | standing-down | halted.stand-down-resumed     | accepted, resume
  down        | halted + cancel!         | promoting     | halted.abandoned              | accepted, abandon
  down        | not stopped + cancel!    | halted        | order.refused                 | refused
active
  down        | epoch 2                  | active        | active.serving                |
  healthy     | epoch 2                  | active        | active.other-answers          | alert other-answers
  down        | epoch 3 elsewhere        | standing-down | serving.outranked             | stand-down 3, alert outranked
  down        | epoch 2 + promote!       | active        | order.refused                 | refused
  down        | epoch 2 + stand down!    | active        | order.refused                 | refused
  healthy     | epoch 2 + stand down!    | standing-down | order.stand-down              | accepted, stand-down 2
serving
  none        | epoch 2                  | serving       | serving.mine                  |
  none        | epoch 3 elsewhere        | standing-down | serving.outranked             | stand-down 3, alert outranked
  none        | epoch 2 + promote!       | serving       | order.refused                 | refused
  none        | epoch 2 + stand down!    | serving       | order.refused                 | refused
  none        | epoch 2 + stand down, overridden! | standing-down | order.stand-down     | accepted, stand-down 2
  none        | epoch 2 + both well + stand down! | standing-down | order.stand-down     | accepted, stand-down 2
  none        | epoch 3 elsewhere + stand down, overridden! | standing-down | order.stand-down | accepted, stand-down 3
standing-down
  none        | stopping                 | standing-down | standing-down.running         |
  none        | stopped                  | stood-down    | standing-down.done            |
  none        | not stopped              | halted        | standing-down.halted          | alert halted.7
stood-down
  down        |                          | stood-down    | stood-down.resting            |
  healthy     |                          | watching      | stood-down.watching           |
  down        | manual + promote!        | promoting     | order.promote                 | accepted, start person
  healthy     | promote!                 | stood-down    | order.refused                 | refused`;

interface Row {
  name: string;
  phase: Phase;
  verdict: Verdict | 'none';
  given: string;
  expected: { verdict: string; phase: string; rule: string; does: string[] };
}

const rows: Row[] = [...matrix.matchAll(/^([a-z-]+)\n((?: {2}.*(?:\n|$))+)/gm)].flatMap(([, phase = '', lines = '']) =>
  lines
    .trim()
    .split('\n')
    .map((line) => {
      const [verdict = '', given = '', next = '', rule = '', effects = ''] = line.split('|').map((cell) => cell.trim());
      return {
        name: [phase, verdict, given, '→', next, rule].filter((word) => word !== '').join(' '),
        phase: phase as Phase,
        verdict: verdict as Verdict | 'none',
        given,
        expected: { verdict, phase: next, rule, does: effects === '' ? [] : effects.split(', ') },
      };
    }),
);

function decided(phase: Phase, verdict: Verdict | 'none', given: string): Decision & { before: CoreState } {
  const all = given.split(' + ').map((name) => {
    const found = givens[name];
    if (!found) throw new Error(`the matrix says "${name}", which is not among the givens`);
    return found;
  });
  const o: Partial<Observation> = verdict === 'conflicting' ? { word: servingWord } : {};
  const state: Partial<CoreState> = {};
  for (const one of all) {
    Object.assign(o, one.o);
    Object.assign(state, one.state);
  }
  const before = inPhase(phase, verdict, state);
  return { before, ...decide(before, observed(o)) };
}

/** An effect without its words. */
function inShort(effect: Effect): string {
  switch (effect.do) {
    case 'start-promotion':
      return `start ${effect.origin}`;
    case 'start-planned':
      return `start ${effect.kind}`;
    case 'resume-runbook':
      return `resume${effect.skipStep ? ' without step' : ''}`;
    case 'stand-down':
      return `stand-down ${effect.epoch}`;
    case 'tell':
      return `${effect.severity} ${effect.key}`;
    case 'answer':
      return effect.accepted ? 'accepted' : 'refused';
    case 'cancel-runbook':
      return 'cancel';
    case 'abandon-runbook':
      return 'abandon';
  }
}

describe('decide, row by row', () => {
  it.each(rows.map((row) => [row.name, row] as const))('%s', (_, { phase, verdict, given, expected }) => {
    const { before, state, rule, effects, reason } = decided(phase, verdict, given);
    expect({ verdict: state.verdict ?? 'none', phase: state.phase, rule, does: effects.map(inShort) }).toEqual(
      expected,
    );
    expect(reason).not.toMatch(/undefined|null|NaN|\[object|\(\)/);
    expect(state.since).toBe(state.phase === phase ? before.since : now);
  });

  it('has a row for every rule of the table', () => {
    expect([...new Set(rows.map((row) => row.expected.rule))].sort()).toEqual(rules.map((r) => r.id).sort());
  });
});

describe('the reason says why, with its evidence', () => {
  it.each<[Phase, Verdict | 'none', string, RegExp]>([
    ['starting', 'down', 'never seen', /never seen healthy, so there is no automatic takeover; verdict down \(sip: no/],
    ['watching', 'healthy', '', /answers \(sip: SIP\/2.0 200 OK\)/],
    ['watching', 'suspect', '', /looking every 5 s now \(sip: no answer within 4 s\)/],
    [
      'watching',
      'isolated',
      '',
      /no reference answers \(0 of 2\): more likely this node is cut off than the other dead/,
    ],
    ['suspecting', 'conflicting', '', /the other node's own word of 12 s ago says that it serves/],
    ['suspecting', 'suspect', '', /^2 of 4 rounds in a row failed \(sip: no answer within 4 s\)$/],
    ['suspecting', 'down', '', /^4 of 4 rounds in a row failed, every guard holds, mode automatic: taking over/],
    ['suspecting', 'down', 'no data', /because: restored-data \(nothing has been restored here yet\)/],
    [
      'suspecting',
      'down',
      'cool-down',
      /because: cool-down \(the last promotion was recent; cool-down for another 1 min/,
    ],
    ['suspecting', 'down', 'confirm', /because: mode confirm/],
    ['suspecting', 'down', 'held', /because: a person said not to take over/],
    ['suspecting', 'down', 'maintenance', /but maintenance is on for another 10 min/],
    ['suspecting', 'down', 'observe-only', /^would fail over now, because 4 of 4 rounds in a row failed/],
    ['awaiting', 'none', 'gap', /saw nothing for 1 min \(sleep\); a full confirmation is observed anew/],
    ['awaiting', 'suspect', '', /no longer proven: 2 of 4/],
    ['awaiting', 'down', 'confirm + over', /nobody answered within 5 min and onSilence is promote: taking/],
    ['awaiting', 'down', 'confirm + cancel!', /console said not to take over: the rack moves; until the other node/],
    ['awaiting', 'down', 'maintenance', /maintenance was switched on: nobody is asked any more/],
    ['isolated', 'suspect', '', /a reference answers again, but its tests fail: 2 of 4/],
    ['conflicting', 'down', '', /the other node no longer says that it serves, but its tests fail/],
    [
      'promoting',
      'healthy',
      'revocable',
      /became healthy before the point of no return .*: the promotion is taken back/,
    ],
    ['promoting', 'down', 'halted', /halted: Start the services: `start` ended with 2/],
    ['halted', 'down', 'halted + promote!', /console tries the failed step again: the rack moves/],
    ['halted', 'down', 'halted + cancel!', /console gave the runbook up: the rack moves; it had started nothing/],
    ['halted', 'down', 'not stopped + cancel!', /standing down cannot be given up half-way/],
    ['halted', 'down', 'halted + leave out!', /may not be left out/],
    ['active', 'healthy', 'epoch 2', /the old active answers .* while this node is active under epoch 2/],
    ['serving', 'none', 'epoch 3 elsewhere', /epoch 3 is higher than ours \(2\): standing down/],
    ['serving', 'none', 'epoch 2 + promote!', /this node is serving; there is nothing to promote/],
    ['watching', 'healthy', 'promote!', /refused by proven-down \(the other node answers \(sip: SIP/],
    ['watching', 'healthy', 'cancel!', /there is no takeover to cancel/],
    ['promoting', 'down', 'revocable + promote!', /a promotion is already running/],
  ])('%s, %s, %s', (phase, verdict, given, reason) => {
    expect(decided(phase, verdict, given).reason).toMatch(reason);
  });
});

describe('what is kept from one decision to the next', () => {
  it('an alert is told once an incident, and again in the next', () => {
    const o = observed({ policy: { ...policy, mode: 'manual' } });
    const asked = decide(inPhase('suspecting', 'down'), o);
    expect(asked.effects.map(inShort)).toEqual(['alert awaiting']);
    expect(decide({ ...asked.state, phase: 'suspecting' }, o).effects).toEqual([]);
    const { told } = decide({ ...inPhase('watching', 'healthy'), told: asked.state.told }, o).state;
    expect(decide(inPhase('suspecting', 'down', { told }), o).effects.map(inShort)).toEqual(['alert awaiting']);
  });

  it('an order is answered once', () => {
    const o = observed({ order: order('cancel') });
    const first = decide(inPhase('watching', 'healthy'), o);
    expect(first.effects.map(inShort)).toEqual(['refused']);
    expect(decide(first.state, o)).toMatchObject({ rule: 'watching.healthy', effects: [] });
  });

  it('"do not take over" holds until the other node was healthy again', () => {
    const held = decided('awaiting', 'down', 'cancel!').state;
    expect(decide(held, observed()).rule).toBe('awaiting.asking');
    const well = decide({ ...held, lastRound: 0 }, observed({ round: healthyRound() }));
    expect(well.state).toMatchObject({ phase: 'watching', held: false });
  });

  it('a promotion that a person ordered carries their overrides, and nobody else’s does', () => {
    const overrides = [{ guard: 'restored-data', reason: 'we have the recordings' }] as const;
    const stale = observed({ data: { state: 'never' }, order: order('promote', { overrides: [...overrides] }) });
    expect(decide(inPhase('awaiting', 'down'), stale).effects).toContainEqual(
      expect.objectContaining({
        do: 'start-promotion',
        by: 'console',
        overrides,
      }),
    );
    expect(decide(inPhase('suspecting', 'down'), observed()).effects[0]).toMatchObject({ by: 'Estepe', overrides: [] });
  });
});

function healthyRound(): Observation['round'] {
  const beats = [{ test: 'sip', outcome: 'alive', ms: 3, evidence: 'SIP/2.0 200 OK' }] as const;
  return { seq: 1, startedAt: now - 10, endedAt: now, beats, references: [] };
}
