/** What a row of the rule table is, and the words that several rows share. */
import type { GuardView } from '../../contract/snapshot.ts';
import type { Phase } from '../../contract/words.ts';
import { asksForLife, type Facts, idle, serves } from '../facts.ts';
import { holdingBack, refusing, refusingToGoOn } from '../guards.ts';
import { isBlind, roundsNeeded } from '../judge.ts';
import type { CoreState, Effect, Observation } from '../observation.ts';
import { plannedGuards, standDownGuards } from '../planned-guards.ts';

/** Everything a rule's effects and reason may speak of. */
export interface Context {
  /** has absorbed the observation */
  state: CoreState;
  o: Observation;
  facts: Facts;
  guards: readonly GuardView[];
}

type When = { readonly [K in Exclude<keyof Facts, 'phase'>]?: readonly Facts[K][] };

export interface Rule {
  id: string;
  phases: readonly Phase[];
  when: When;
  /** written to history when it begins to apply, even though the phase stays */
  notable?: true;
  /** `same`: the phase stays */
  next: Phase | 'same';
  effects?: (c: Context) => Effect[];
  /** kept in the state when the rule fires */
  change?: (c: Context) => Partial<CoreState>;
  reason: (c: Context) => string;
}

export const none = ['none'] as const;
export const proof = ({ state }: Context): string => state.round?.evidence ?? 'no complete round yet';
/** Rounds beyond those that are needed prove no more. */
export const rounds = (c: Context): string => {
  const needed = roundsNeeded(c.o.policy);
  return `${Math.min(c.state.failedRounds, needed)} of ${needed} rounds in a row failed`;
};
export const held = (c: Context): string =>
  holdingBack(c.guards)
    .map((g) => `${g.name} (${g.evidence})`)
    .join(', ');
export const tell =
  (key: string, severity: 'info' | 'warning' | 'alert', text: (c: Context) => string) =>
  (c: Context): Effect[] =>
    c.state.told.includes(key) ? [] : [{ do: 'tell', key, severity, text: text(c) }];
/** What wakes people and ends without anybody's doing. */
const alarms: readonly string[] = [
  'starting.never-seen',
  'isolated',
  'conflicting',
  'awaiting',
  'observe-only',
  'inconclusive',
  'asked-before',
];
/** Whoever was woken in this incident is told that it is over, whichever way it ended. */
export const over =
  (text: (c: Context) => string) =>
  (c: Context): Effect[] =>
    alarms.some((key) => c.state.told.includes(key)) ? tell('recovered', 'info', text)(c) : [];
/** The tests themselves say nothing, and go on saying nothing. */
export const blind = (c: Context): Effect[] =>
  isBlind(c.state, c.o.policy)
    ? tell(
        'inconclusive',
        'alert',
        (x) =>
          `The tests say nothing about the other node any more (${proof(x)}). Until they do there is no takeover by itself: look at the tests.`,
      )(c)
    : [];
export const start =
  (origin: 'automatic' | 'silence' | 'person', because: (c: Context) => string) =>
  (c: Context): Effect[] => {
    const order = origin === 'person' && c.o.order?.kind === 'promote' ? c.o.order : null;
    return [
      {
        do: 'start-promotion',
        origin,
        by: order?.by ?? 'Estepe',
        because: because(c),
        overrides: order?.overrides ?? [],
      },
    ];
  };
/** The guards that refuse the order of this moment; none where it is the phase that refuses. */
export function refusingGuards({ state, o, guards }: Context): GuardView[] {
  const { order } = o;
  if (order?.kind === 'switchover' || order?.kind === 'failback')
    return state.phase === 'watching' ? refusing(plannedGuards(order.kind, state, o), order.overrides) : [];
  if (order?.kind === 'stand-down')
    return serves(state.phase) ? refusing(standDownGuards(state, o), order.overrides) : [];
  if (order?.kind !== 'promote') return [];
  if (idle.includes(state.phase)) return refusing(guards, order.overrides);
  const goesOn = state.phase === 'halted' && asksForLife(o, false) && !order.skipStep;
  return goesOn || (order.skipStep && o.runbook?.skippable)
    ? refusingToGoOn(state.verdict, guards, order.overrides)
    : [];
}
export const runbookReason = (c: Context): string => c.o.runbook?.reason || 'no reason was given';
export const orderWhy = (c: Context): string => (c.o.order?.reason ? `: ${c.o.order.reason}` : '');

export const watchers: readonly Phase[] = ['watching', 'suspecting', 'awaiting'];

/** Whether a rule's pattern fits; a fact it doesn't name may be anything. */
export function matches(rule: Rule, facts: Facts): boolean {
  if (!rule.phases.includes(facts.phase)) return false;
  return (Object.keys(rule.when) as (keyof When)[]).every((key) =>
    (rule.when[key] as readonly string[] | undefined)?.includes(facts[key]),
  );
}
