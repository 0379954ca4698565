/**
 * The guards: what must hold before this node may take over (invariant 2), each by its name with its evidence. A person
 * overrides one by name and with a reason (invariant 3). The claim is not here: it is won or lost in the runbook.
 */
import type { GuardView } from '../contract/snapshot.ts';
import type { GuardName } from '../contract/words.ts';
import { agoInWords, inWords } from './duration.ts';
import { contradicts, roundsNeeded } from './judge.ts';
import type { CoreState, Observation, Override } from './observation.ts';

export type Check = (state: CoreState, o: Observation) => readonly [ok: boolean, evidence: string];

const verdictEvidence: Check = (state, o) => {
  if (state.verdict === 'down')
    return [true, `${state.failedRounds} rounds in a row failed (${state.round?.evidence})`];
  if (state.verdict === null) return [false, 'no complete round of tests yet'];
  if (state.verdict === 'healthy') return [false, `the other node answers (${state.round?.evidence})`];
  return [false, `${state.failedRounds} of ${roundsNeeded(o.policy)} rounds in a row failed; verdict ${state.verdict}`];
};

const referencesEvidence: Check = (state, o) => {
  if (o.policy.references === 0) return [false, 'no reference is configured (heartbeat.references)'];
  if (!state.round) return [false, 'no reference was asked yet'];
  const { referencesAnswered: yes, referencesAsked: all } = state.round;
  return [yes > 0, `${yes} of ${all} references answered`];
};

const dataEvidence: Check = (_state, o) => {
  const { data, policy } = o;
  if (policy.maxOffsetMs === null || data.state === 'not-kept')
    return [true, 'Estepe keeps no copy of the data here (no `restore` section)'];
  if (data.state === 'never') return [false, 'nothing has been restored here yet'];
  const age = `the restored data is ${inWords(data.ageMs)} old, bound ${inWords(policy.maxOffsetMs)}`;
  if (!data.verified) return [false, `${age}, and it is not verified`];
  return [data.ageMs <= policy.maxOffsetMs, age];
};

const claimEvidence: Check = (_state, o) => {
  const { state, evidence } = o.claims;
  if (state !== 'unreachable') return [true, evidence];
  return o.policy.claim === 'best-effort'
    ? [true, `${evidence}; promotion.claim is best-effort: the takeover would not be seen there`]
    : [false, `${evidence}: the other node could not see that this one takes over`];
};

/** What a proven death of the other node settles by itself, or what has words of its own. */
const settledThen: readonly GuardName[] = ['proven-down', 'no-contradiction', 'no-maintenance', 'not-observe-only'];

/** `bindsPerson`: a person's order has to override it by name; the others hold back automatic promotion only. */
export interface Guard {
  name: GuardName;
  bindsPerson: boolean;
  check: Check;
}

const table: readonly Guard[] = [
  {
    name: 'seen-healthy',
    bindsPerson: false,
    check: (s) =>
      s.seenHealthy
        ? [true, 'the other node was seen healthy since it is watched as now']
        : [
            false,
            'the other node was never seen healthy since this engine started, or since what is watched was changed',
          ],
  },
  {
    name: 'standing-known',
    bindsPerson: true,
    check: (_s, o) =>
      o.standing.lost
        ? [
            false,
            `role and epoch of this node were lost with a damaged history; role ${o.standing.role} and epoch ${o.standing.epoch} are a guess`,
          ]
        : [true, `${o.standing.role} under epoch ${o.standing.epoch}`],
  },
  { name: 'proven-down', bindsPerson: true, check: verdictEvidence },
  { name: 'references', bindsPerson: true, check: referencesEvidence },
  {
    name: 'no-contradiction',
    bindsPerson: true,
    check: (_s, o) =>
      contradicts(o.word, o)
        ? [
            false,
            `the other node's word, heard ${agoInWords(o.word?.ageMs ?? 0)} through the ${o.word?.via.replace('-', ' ')}, says that it is active and serves`,
          ]
        : [
            true,
            o.word ? `the other node's word is ${inWords(o.word.ageMs)} old` : 'no word of the other node contradicts',
          ],
  },
  { name: 'claim-keeper', bindsPerson: true, check: claimEvidence },
  { name: 'restored-data', bindsPerson: true, check: dataEvidence },
  {
    name: 'no-maintenance',
    bindsPerson: true,
    check: (_s, o) =>
      o.maintenance ? [false, `maintenance for another ${inWords(o.maintenance.leftMs)}`] : [true, 'no maintenance'],
  },
  {
    name: 'not-observe-only',
    bindsPerson: true,
    check: (_s, o) =>
      o.policy.observeOnly ? [false, 'observe-only is configured (promotion.observeOnly)'] : [true, 'not observe-only'],
  },
  {
    name: 'cool-down',
    bindsPerson: false,
    check: (_s, o) =>
      o.cooldownLeftMs > 0
        ? [false, `the last promotion was recent; cool-down for another ${inWords(o.cooldownLeftMs)}`]
        : [true, 'no cool-down'],
  },
];

/** The guard of that name, for another table. */
export const guardNamed = (wanted: GuardName): readonly Guard[] => table.filter(({ name }) => name === wanted);

/** All guards with their evidence, in the order an admin reads them. */
export function guardsOf(state: CoreState, observation: Observation): GuardView[] {
  return askedOf(table, state, observation);
}

/** Each guard of a table with its evidence. */
export function askedOf(guards: readonly Guard[], state: CoreState, observation: Observation): GuardView[] {
  return guards.map(({ name, bindsPerson, check }) => {
    const [ok, evidence] = check(state, observation);
    return { name, ok, bindsPerson, evidence };
  });
}

/** Guards that refuse a person's order, after the overrides they gave. An override without a reason is none. */
export function refusing(guards: readonly GuardView[], overrides: readonly Override[]): GuardView[] {
  const overridden = new Set(overrides.filter((o) => o.reason.trim() !== '').map((o) => o.guard));
  return guards.filter((g) => !g.ok && g.bindsPerson && !overridden.has(g.name));
}

const lifeGuards: readonly GuardName[] = ['proven-down', 'references', 'no-contradiction'];

/**
 * Guards that refuse a person who goes on with a halted promotion. What has begun is not begun anew, so only this is asked: does
 * something say now that the other node lives, or that this one is cut off? A verdict that is not there yet is waited for.
 */
export function refusingToGoOn(
  verdict: CoreState['verdict'],
  guards: readonly GuardView[],
  overrides: readonly Override[],
): GuardView[] {
  if (verdict !== 'healthy' && verdict !== 'conflicting' && verdict !== 'isolated') return [];
  return refusing(guards, overrides).filter(({ name }) => lifeGuards.includes(name));
}

/** Guards that hold back an automatic promotion. */
export function holdingBack(guards: readonly GuardView[]): GuardView[] {
  return guards.filter((g) => !g.ok);
}

/** Guards that would still hold back an automatic promotion if the other node were proven dead now. */
export function holdingBackThen(guards: readonly GuardView[]): GuardView[] {
  return holdingBack(guards).filter(({ name }) => !settledThen.includes(name));
}
