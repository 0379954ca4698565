/**
 * The guards of a planned change of roles (switchover, failback): both nodes live, and everything it needs is ready; and of standing
 * down by hand. Each binds the person who ordered it, who may override it by its name.
 */
import type { GuardView } from '../contract/snapshot.ts';
import type { PlannedKind } from '../contract/words.ts';
import { inWords } from './duration.ts';
import { askedOf, type Check, type Guard, guardNamed } from './guards.ts';
import type { CoreState, Observation } from './observation.ts';

/** The link counts as up while a word came within so many intervals. */
const heardWithin = 2;

const link: Check = (_state, { planned, policy }) => {
  if (!planned) return [false, 'there is no peer link here'];
  const { paired, heardAgoMs, trouble } = planned.link;
  const why = trouble === null ? '' : `: ${trouble.replace(/\.$/, '')}`;
  if (!paired) return [false, `the two nodes are not paired${why}`];
  if (heardAgoMs === null) return [false, `the other node was not heard over the peer link yet${why}`];
  const ok = heardAgoMs <= heardWithin * policy.intervalMs;
  return [ok, `the other node was heard over the peer link ${inWords(heardAgoMs)} ago${ok ? '' : why}`];
};

const serves: Check = ({ verdict, round }, { word }) => {
  if (verdict !== 'healthy') return [false, `verdict ${verdict ?? 'none yet'} (${round?.evidence ?? 'no round yet'})`];
  if (!word) return [false, 'it answers, but said nothing of itself yet'];
  const said = `it said ${inWords(word.ageMs)} ago, through the ${word.via}`;
  if (word.role !== 'active') return [false, `${said}, that it is ${word.role}`];
  return word.healthy
    ? [true, `${said}, that it is active and well; ${round?.evidence ?? ''}`]
    : [false, `${said}, that its own tests fail`];
};

/** A person who stops the active node is asked whether anybody goes on serving. */
const somebodyServes: Check = ({ verdict, round }, { word }) => {
  if (word?.role === 'active' && word.healthy)
    return [true, `it said ${inWords(word.ageMs)} ago, through the ${word.via}, that it is active and well`];
  if (verdict === 'healthy') return [true, `it answers: ${round?.evidence ?? 'no round yet'}`];
  const seen = round ? ` (${round.evidence})` : '';
  return [false, `nothing says that the other node serves: verdict ${verdict ?? 'none yet'}${seen}`];
};

const restore: Check = (_state, { planned }) =>
  planned?.whyNoRestore == null
    ? [true, 'backups of the other node can be restored here']
    : [false, planned.whyNoRestore.replace(/\.$/, '')];

const nothingNewer: Check = (_state, { planned }) =>
  planned?.unsaved == null
    ? [true, 'nothing stands here that a restore would destroy']
    : [false, `${planned.unsaved}: the restore would destroy it`];

const stable: Check = (state, o) => {
  const neededMs = o.policy.failbackStableMs ?? 0;
  const sinceMs = state.phase === 'watching' ? o.at - state.since : 0;
  const seen = `the other node has been seen healthy without a break for ${inWords(sinceMs)}`;
  return [sinceMs >= neededMs, `${seen}, needed ${inWords(neededMs)} (promotion.failback.stable)`];
};

const home: Check = (_state, { planned }) =>
  planned?.home === false
    ? [
        false,
        'by the configuration (role) this node is the passive one, so the way home leads to the other one: order it there, or `estepe switchover` here',
      ]
    : [true, 'by the configuration (role) this node is the active one'];

const table: readonly Guard[] = [
  ...guardNamed('standing-known'),
  { name: 'peer-link', bindsPerson: true, check: link },
  { name: 'other-serves', bindsPerson: true, check: serves },
  ...guardNamed('claim-keeper'),
  { name: 'restore-ready', bindsPerson: true, check: restore },
  { name: 'newer-data-here', bindsPerson: true, check: nothingNewer },
  ...guardNamed('no-maintenance'),
  ...guardNamed('not-observe-only'),
];
const wayHome: readonly Guard[] = [
  ...table,
  { name: 'home-node', bindsPerson: true, check: home },
  { name: 'stable-for', bindsPerson: true, check: stable },
];

/** All guards of that kind with their evidence. */
export function plannedGuards(kind: PlannedKind, state: CoreState, observation: Observation): GuardView[] {
  return askedOf(kind === 'failback' ? wayHome : table, state, observation);
}

/** What is asked before a person takes the active node down without another one taking over from it. */
export function standDownGuards(state: CoreState, observation: Observation): GuardView[] {
  return askedOf([{ name: 'other-serves', bindsPerson: true, check: somebodyServes }], state, observation);
}
