/**
 * The finite view of a moment that the rules match on. Few words per fact on purpose: the whole product is enumerated at
 * build time to prove that every combination is matched by exactly one rule (check.ts).
 */
import type { GuardView } from '../contract/snapshot.ts';
import { phasesToPromoteFrom } from '../contract/view.ts';
import { type Phase, phases, type RunbookKind, type Verdict, verdicts } from '../contract/words.ts';
import { refusing, refusingToGoOn } from './guards.ts';
import type { CoreState, Observation, Order, Policy } from './observation.ts';
import { plannedGuards, standDownGuards } from './planned-guards.ts';

export interface Facts {
  phase: Phase;
  verdict: Verdict | 'none';
  /** what a person's order means in this phase, once the guards have been asked */
  order: 'none' | 'promote' | 'planned' | 'stand-down' | 'hold' | 'abort' | 'resume' | 'abandon' | 'refuse';
  /** `self`: may promote by itself now. `ask`: a person must. `quiet`: maintenance. `observe`: observe-only. */
  go: 'self' | 'ask' | 'quiet' | 'observe';
  /** `revocable`: before the point of no return, and set off by the machine or while the other node was well */
  runbook: 'none' | 'revocable' | 'running' | 'done' | 'halted' | 'cancelled';
  /** what the newest runbook does */
  kind: 'promotion' | 'planned' | 'stand-down';
  epoch: 'mine' | 'higher';
}

/** Nothing is under way, and a person may promote. */
export const idle: readonly Phase[] = phasesToPromoteFrom;

/** It is the active node, and nothing is under way. */
export const serves = (phase: Phase): boolean => phase === 'active' || phase === 'serving';

/** The orders that can come out of `orderFact` in each phase. */
export function ordersIn(phase: Phase): readonly Facts['order'][] {
  if (phase === 'watching') return ['none', 'promote', 'planned', 'refuse'];
  if (phase === 'awaiting') return ['none', 'promote', 'refuse', 'hold'];
  if (idle.includes(phase)) return ['none', 'promote', 'refuse'];
  if (phase === 'promoting') return ['none', 'refuse', 'abort'];
  if (phase === 'halted') return ['none', 'resume', 'abandon', 'refuse'];
  return serves(phase) ? ['none', 'stand-down', 'refuse'] : ['none', 'refuse'];
}

export const domains = {
  phase: phases,
  verdict: ['none', ...verdicts],
  go: ['self', 'ask', 'quiet', 'observe'],
  runbook: ['none', 'revocable', 'running', 'done', 'halted', 'cancelled'],
  kind: ['promotion', 'planned', 'stand-down'],
  epoch: ['mine', 'higher'],
} as const satisfies { [K in Exclude<keyof Facts, 'order'>]: readonly Facts[K][] };

/**
 * Monotonic end of the confirmation's countdown; null where nothing is counted. Derived, not kept: it follows a changed
 * configuration.
 */
export function countdownEndsAt(state: CoreState, policy: Policy): number | null {
  if (state.phase !== 'awaiting' || state.held || policy.mode !== 'confirm') return null;
  return state.since + policy.countdownMs;
}

function orderFact(state: CoreState, o: Observation, guards: readonly GuardView[]): Facts['order'] {
  const { order } = o;
  if (!order || order.id <= state.lastOrder) return 'none';
  if (order.kind === 'cancel') {
    if (state.phase === 'awaiting') return 'hold';
    if (state.phase === 'promoting') return 'abort';
    // Half stood down is not a state to be left in: only trying again leads out of it.
    return state.phase === 'halted' && o.runbook?.kind !== 'stand-down' ? 'abandon' : 'refuse';
  }
  if (order.kind === 'stand-down') {
    const guarded = !serves(state.phase) || refusing(standDownGuards(state, o), order.overrides).length > 0;
    return guarded ? 'refuse' : 'stand-down';
  }
  if (order.kind !== 'promote') {
    const guarded =
      state.phase !== 'watching' || refusing(plannedGuards(order.kind, state, o), order.overrides).length > 0;
    return guarded ? 'refuse' : 'planned';
  }
  return promoteFact(order, state, o, guards);
}

function promoteFact(
  order: Order & { kind: 'promote' },
  state: CoreState,
  o: Observation,
  guards: readonly GuardView[],
): Facts['order'] {
  if (state.phase === 'halted') {
    if (order.skipStep && !o.runbook?.skippable) return 'refuse';
    return asksForLife(o, order.skipStep) && refusingToGoOn(state.verdict, guards, order.overrides).length > 0
      ? 'refuse'
      : 'resume';
  }
  if (!idle.includes(state.phase)) return 'refuse';
  return refusing(guards, order.overrides).length > 0 ? 'refuse' : 'promote';
}

/** To go on is to go live: not where this node stands down, nor at a step before which the other one is meant to live. */
export const asksForLife = ({ runbook }: Observation, skipStep: boolean): boolean =>
  runbook?.kind !== 'stand-down' && (!isPlanned(runbook?.kind) || skipStep);

const isPlanned = (kind: RunbookKind | undefined): boolean => kind === 'switchover' || kind === 'failback';

function goFact(state: CoreState, o: Observation, guards: readonly GuardView[]): Facts['go'] {
  if (o.maintenance) return 'quiet';
  if (o.policy.observeOnly) return 'observe';
  if (state.held || guards.some((guard) => !guard.ok)) return 'ask';
  if (o.policy.mode === 'automatic') return 'self';
  const ends = countdownEndsAt(state, o.policy);
  return ends !== null && o.at >= ends && o.policy.onSilence === 'promote' ? 'self' : 'ask';
}

function runbookFact(o: Observation): Facts['runbook'] {
  const r = o.runbook;
  if (!r) return 'none';
  if (r.status !== 'running') return r.status;
  return (r.origin !== 'person' || isPlanned(r.kind)) && !r.committed && !r.cancelling ? 'revocable' : 'running';
}

/** Another node goes under a higher epoch, or owns this very one where both can see it. */
export const isOutranked = ({ highestEpoch, standing, claims }: Observation): boolean =>
  highestEpoch > standing.epoch || (standing.epoch > 0 && claims.foreign === standing.epoch);

/** The facts of this moment. `state` has absorbed the observation already, and `guards` were asked over both. */
export function factsOf(state: CoreState, o: Observation, guards: readonly GuardView[]): Facts {
  return {
    phase: state.phase,
    verdict: state.verdict ?? 'none',
    order: orderFact(state, o, guards),
    go: goFact(state, o, guards),
    runbook: runbookFact(o),
    kind: isPlanned(o.runbook?.kind) ? 'planned' : o.runbook?.kind === 'stand-down' ? 'stand-down' : 'promotion',
    epoch: isOutranked(o) ? 'higher' : 'mine',
  };
}
