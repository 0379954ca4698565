/** The location, what lies in it, and what of it stands restored here. Pure. */
import type { RightProven } from '../../backup/check-location.ts';
import type { Backup } from '../../backup/shelf.ts';
import type { DoctorCheck } from '../../contract/doctor.ts';
import { inWords } from '../../engine/duration.ts';
import { begun, check, type Ends } from './check.ts';

/** @param claimNeeded a promotion wins its epoch in the location, or does not happen */
export function judgeLocation(title: string, rights: readonly RightProven[], claimNeeded: boolean): DoctorCheck[] {
  const failed = rights.filter(({ outcome }) => outcome === 'failed');
  const good = rights.filter(({ outcome }) => outcome === 'ok').map(({ right }) => right);
  if (failed.length === 0) {
    const seen = rights.map(({ right, sentence }) => `${right}: ${sentence}`).join('; ');
    return [check('storage', 'location').ok(`${title} can be used in every way that is needed.`, seen)];
  }
  return failed.map(({ right, sentence, todo }) => {
    const say = check('storage', `location.${right}`);
    const claims = right === 'claim' || right === 'claim-once';
    const what = claims
      ? `${title} cannot keep claims: two nodes could own one epoch (${right}).`
      : `${title} cannot be used as it is (${right}).`;
    const seen = `${sentence}${good.length === 0 ? '' : `; works: ${good.join(', ')}`}`;
    return say[claims && !claimNeeded ? 'warning' : 'problem'](what, seen, sentenceTodo(todo));
  });
}

const sentenceTodo = (todo: string): string => {
  const text = begun(todo);
  return text === '' || /[.!?]$/.test(text) ? text : `${text}.`;
};

/** What counts of the newest backup. */
export type Newest = Pick<Backup, 'name' | 'createdAt' | 'verified'>;

/** @param boundMs how old the newest may be */
export function judgeNewest(newest: Newest | null, boundMs: number, now: number): DoctorCheck[] {
  const say = check('storage', 'newest');
  const todo = 'Run `estepe backup run` on the active node, and see there why its schedule makes none.';
  if (newest === null) return [say.problem('There is no backup of this pair yet.', '', todo)];
  const age = inWords(Math.max(0, now - newest.createdAt));
  const late = now - newest.createdAt > boundMs;
  const proven = check('storage', 'verified');
  return [
    late
      ? say.problem(`The newest backup is ${age} old; ${inWords(boundMs)} are let pass.`, newest.name, todo)
      : say.ok(`The newest backup is ${age} old.`, newest.name),
    newest.verified
      ? proven.ok('The newest backup was read back equal to what was made.', newest.name)
      : proven.warning('The newest backup was never proven.', newest.name, 'Run `estepe backup verify`.'),
  ];
}

/** What stands restored on the passive node. */
export function judgeRestored(
  restored: { name: string; createdAt: number } | null,
  bound: { maxOffsetMs: number } | null,
  now: number,
  { self }: Ends,
): DoctorCheck {
  const say = check('storage', 'restored');
  if (self === 'active') return say.skipped('This node is the active one: nothing is restored here.');
  if (bound === null) {
    return say.warning(
      'Estepe keeps no copy of the data here: there is no section `restore`.',
      '',
      'Add one (`estepe config example` shows it), or see to it that the data gets here by other means.',
    );
  }
  const todo = 'Run `estepe restore run`, and see why the schedule does not.';
  if (restored === null) return say.problem('Nothing was restored here yet.', '', todo);
  const age = inWords(Math.max(0, now - restored.createdAt));
  if (now - restored.createdAt > bound.maxOffsetMs) {
    const what = `The data restored here is ${age} old; \`restore.maxOffset\` is ${inWords(bound.maxOffsetMs)}.`;
    return say.problem(what, restored.name, todo);
  }
  return say.ok(`The data restored here is ${age} old.`, restored.name);
}
