/** The states of the overview for screens and clients under test: what of the healthy snapshot is different in each. */
import type { Snapshot } from '../../../src-main/contract/snapshot.ts';
import type { GuardName } from '../../../src-main/contract/words.ts';
import { awaiting, type Change, guardsAllOk, healthySnapshot, runbookAt } from './desk-double.ts';
import { someChannels } from './notify-double.ts';
import { peerUp } from './peer-double.ts';

const minute = 60_000;

/** Each by the name of its picture; `now` is the engine's wall clock. */
export const states: Readonly<Record<string, (now: number) => Change>> = {
  healthy: (now) => ({ peer: peerUp(now), notify: someChannels(now) }),
  suspect: (now) => ({
    ...core(now, {
      ...{
        phase: 'suspecting',
        since: now - 7_000,
        verdict: 'suspect',
        severity: 'warning',
        rule: 'first-failed-round',
      },
      ...{
        failedRounds: 1,
        cadence: 'confirming',
        reason: 'sip, web, tunnel: no answer within 4 s; checking every 5 s',
      },
      sentence:
        'The active fails its tests; the spare looks closer. If the active died now, it would ask you for 5 min, then take over.',
    }),
    ...silent(now, 2),
    guards: blocked(['proven-down', '1 of 3 rounds failed']),
  }),
  confirm: (now) => ({ ...awaiting(now, 272_000), peer: peerUp(now) }),
  promoting: (now) => ({
    ...awaiting(now, 0),
    ...core(now, {
      ...{
        phase: 'promoting',
        since: now - 8_000,
        verdict: 'down',
        severity: 'alert',
        rule: 'order.promote',
        failedRounds: 3,
      },
      ...{ reason: 'ordered by console: confirmed', sentence: 'This node is taking over; see its steps below.' },
    }),
    confirmation: null,
    runbook: runbookAt(now, 4),
  }),
  active: (now) => {
    const { nodes } = healthySnapshot(now);
    return {
      ...core(now, {
        ...{ phase: 'active', since: now - 42 * minute, verdict: 'down', severity: 'info', rule: 'promotion.done' },
        ...{ reason: 'promotion 7 ended: every step done', cadence: 'steady', failedRounds: 3 },
        sentence: 'This node is active under epoch 4. Make sure that the other one stays off.',
      }),
      ...silent(now, 60),
      nodes: nodes.map((node) =>
        node.self
          ? { ...node, role: 'active', epoch: 4, sentence: 'Serves calls; its own tests answer.' }
          : { ...node, role: 'passive', epoch: 3, sentence: 'Silent for 44 min 10 s: no test answers.' },
      ),
      peer: { ...peerUp(now), state: 'down', lastHeardAt: now - 44 * minute },
      runbook: ended(now),
    };
  },
  isolated: (now) => ({
    ...core(now, {
      ...{ phase: 'isolated', since: now - 4 * minute, verdict: 'isolated', severity: 'warning', rule: 'isolated' },
      ...{ failedRounds: 8, reason: 'sip, web, tunnel: no answer; gateway and tcp:9.9.9.9:53 are silent, too' },
      sentence: 'This node seems cut off: neither the active nor any reference answers. It does not take over.',
    }),
    ...silent(now, 9),
    references: healthySnapshot(now).references.map((one) => ({
      ...{ ...one, answered: false, evidence: 'no answer within 2 s (EHOSTUNREACH)' },
    })),
    guards: blocked(['references', 'no reference answers'], ['proven-down', 'this node seems cut off']),
    peer: { ...peerUp(now), state: 'down', lastHeardAt: now - 5 * minute },
  }),
  conflicting: (now) => ({
    ...core(now, {
      ...{
        phase: 'conflicting',
        since: now - 3 * minute,
        verdict: 'conflicting',
        severity: 'alert',
        rule: 'conflicting',
      },
      ...{
        failedRounds: 6,
        reason: 'all tests fail from here; the word of the other node, 12 s old, says that it serves',
      },
      sentence: 'The active fails its tests but says itself that it serves. The spare does not take over.',
    }),
    ...silent(now, 7),
    guards: blocked(['no-contradiction', 'the other node said 12 s ago that it serves']),
    peer: peerUp(now),
  }),
  halted: (now) => {
    const reason = 'switch pbx.example.com to 192.0.2.2: the server refused the update (BADKEY)';
    const runbook = runbookAt(now, 6, { status: 'halted', reason, cancellable: true });
    return {
      ...awaiting(now, 0),
      ...core(now, {
        ...{
          phase: 'halted',
          since: now - 90_000,
          verdict: 'down',
          severity: 'alert',
          rule: 'runbook.halted',
          failedRounds: 3,
        },
        ...{ reason, sentence: `The runbook stopped: ${reason}. Try again, leave the step out, or give it up.` },
      }),
      confirmation: null,
      runbook: {
        ...runbook,
        steps: runbook.steps.map((step, i) =>
          i === 6
            ? {
                ...step,
                state: 'failed',
                attempt: 3,
                endedAt: now - 90_000,
                result: reason,
                output: ';; TSIG error\nBADKEY',
              }
            : step,
        ),
      },
    };
  },
  maintenance: (now) => ({
    ...core(now, {
      sentence:
        'The active answers and the spare is watching. For another 1 h 40 min there is maintenance: it takes over only by your order.',
    }),
    overlays: {
      maintenance: { until: now + 100 * minute, leftMs: 100 * minute, by: 'console', reason: 'update of the firewall' },
      observeOnly: true,
    },
    guards: blocked(
      ['no-maintenance', 'maintenance until 13:40: update of the firewall'],
      ['not-observe-only', 'observe-only'],
      ['proven-down', 'the active answers: sip 200 OK, web 200, tunnel accepts'],
    ),
    peer: peerUp(now),
  }),
};

function core(now: number, change: Partial<Snapshot['core']>): Pick<Snapshot, 'core'> {
  return { core: { ...healthySnapshot(now).core, ...change } };
}

/** The last `count` beats of every test without an answer. */
function silent(now: number, count: number): Pick<Snapshot, 'tests' | 'nodes'> {
  const { tests, nodes } = healthySnapshot(now);
  const dead = { outcome: 'dead' as const, ms: 4000, evidence: 'no answer within 4 s (ETIMEDOUT)' };
  return {
    tests: tests.map((test) => ({
      ...test,
      beats: test.beats.map((beat, i) => (i >= test.beats.length - count ? { ...beat, ...dead } : beat)),
    })),
    nodes: nodes.map((node) => (node.self ? node : { ...node, sentence: 'No test answers.' })),
  };
}

function blocked(...by: readonly (readonly [GuardName, evidence: string])[]): Snapshot['guards'] {
  return guardsAllOk.map((guard) => {
    const found = by.find(([name]) => name === guard.name);
    return found === undefined ? guard : { ...guard, ok: false, evidence: found[1] };
  });
}

/** A promotion that went well. */
function ended(now: number): Snapshot['runbook'] {
  const runbook = runbookAt(now - 42 * minute, 9, { status: 'done', endedAt: now - 42 * minute, cancellable: false });
  return { ...runbook, steps: runbook.steps.map((step) => ({ ...step, state: 'done', endedAt: step.endedAt ?? now })) };
}
