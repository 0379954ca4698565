/**
 * `decide`: the core. A pure function from what was and what is observed to what follows; see rules/ for the table.
 */
import type { GuardName, Phase } from '../contract/words.ts';
import { type Facts, factsOf, idle } from './facts.ts';
import { guardsOf } from './guards.ts';
import { absorb } from './judge.ts';
import type { CoreState, Effect, Observation } from './observation.ts';
import { type Context, type Rule, refusingGuards } from './rules/rule.ts';
import { rulesFor } from './rules/table.ts';

export interface Decision {
  state: CoreState;
  effects: Effect[];
  /** id of the one rule that matched */
  rule: string;
  reason: string;
  /** worth a row in history even where the phase stays */
  notable: boolean;
  facts: Facts;
}

/** The state of an engine that has seen nothing yet. */
export function initialState(phase: Phase, at: number): CoreState {
  return {
    phase,
    since: at,
    seenHealthy: false,
    verdict: null,
    failedRounds: 0,
    failingSince: null,
    countedBy: null,
    failedByTest: {},
    inconclusiveRounds: 0,
    unreferencedRounds: 0,
    lastRound: 0,
    round: null,
    lastGap: 0,
    lastOrder: 0,
    held: false,
    told: [],
  };
}

/** The state once it is judged otherwise what is watched: what was counted proves nothing by that. */
export function countingAnew(state: CoreState): CoreState {
  const nothing = {
    failedRounds: 0,
    failingSince: null,
    failedByTest: {},
    inconclusiveRounds: 0,
    unreferencedRounds: 0,
  };
  return { ...state, ...nothing, verdict: null, round: null };
}

/**
 * The state once something else is watched, or is judged by another rule: what was seen and counted before proves nothing of it.
 * A node that was about to decide begins anew, so that an edited configuration never takes over by itself.
 */
export function watchingAnew(state: CoreState, at: number): CoreState {
  const begun = idle.includes(state.phase) && state.phase !== 'starting' && state.phase !== 'stood-down';
  return {
    ...countingAnew(state),
    ...(begun ? { phase: 'starting' as const, since: at } : {}),
    seenHealthy: false,
  };
}

/**
 * One decision. Deciding again on the same observation yields the same phase and no effect twice, except where the rule
 * led to a phase in which another rule applies: callers repeat until `state.phase` stays (see `settle`).
 * Throws only when the table is incomplete, which check.ts excludes at build time.
 */
export function decide(before: CoreState, observation: Observation): Decision {
  const state = absorb(before, observation);
  const guards = guardsOf(state, observation);
  const facts = factsOf(state, observation, guards);
  const rule = ruleFor(facts);
  const context: Context = { state, o: observation, facts, guards };
  const effects = rule.effects?.(context) ?? [];
  const reason = rule.reason(context);
  const answer = answerOf(context, rule, reason);
  // First: should what follows fail, nobody is left waiting and the order is not met again.
  if (answer) effects.unshift(answer);

  const told = effects.flatMap((e) => (e.do === 'tell' ? [e.key] : []));
  const phase = rule.next === 'same' ? state.phase : rule.next;
  const changed = rule.change?.(context) ?? {};
  const next: CoreState = {
    ...state,
    ...changed,
    phase,
    since: phase === state.phase ? state.since : observation.at,
    lastOrder: observation.order ? Math.max(state.lastOrder, observation.order.id) : state.lastOrder,
    told: told.length > 0 ? [...new Set([...(changed.told ?? state.told), ...told])] : (changed.told ?? state.told),
  };
  return { state: next, effects, rule: rule.id, reason, notable: rule.notable ?? false, facts };
}

/** Every order is answered once, with the reason of the rule that met it. */
function answerOf(c: Context, rule: Rule, reason: string): Effect | null {
  const { order } = c.o;
  if (!order || order.id <= c.state.lastOrder) return null;
  const refused = rule.id === 'order.refused';
  // Where there is nothing to promote the phase refuses, and no override would help.
  const refusedBy: GuardName[] = refused ? refusingGuards(c).map((g) => g.name) : [];
  return { do: 'answer', order: order.id, accepted: !refused, reason, refusedBy };
}

function ruleFor(facts: Facts): Rule {
  const fitting = rulesFor(facts);
  const [rule] = fitting;
  if (!rule || fitting.length > 1) {
    throw new Error(`${fitting.length} rules match ${JSON.stringify(facts)}: ${fitting.map((r) => r.id).join(', ')}`);
  }
  return rule;
}
