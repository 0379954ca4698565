/**
 * What screens, the tray and the command line work out from a snapshot alone: enablement, gauges, labels that are not
 * text of one language. Pure: no clock (callers pass `now`), no I/O, no words to translate.
 */
import type { BackupWorkView } from './backups.ts';
import type { BeatView, FeedFrame, GuardView, OffsetView, Snapshot, StepView } from './snapshot.ts';
import type { GuardName, Phase, PlannedKind } from './words.ts';

/** The snapshot after a frame. Null until the first whole one; slices older than what is held change nothing. */
export function afterFrame(held: Snapshot | null, frame: FeedFrame): Snapshot | null {
  if (frame.kind === 'snapshot') return frame.snapshot;
  if (held === null || frame.version < held.version) return held;
  if (frame.kind === 'pulse') return { ...held, version: frame.version, at: frame.at };
  // `undefined` means "not in this slice", never "now without value".
  const change = Object.fromEntries(Object.entries(frame.change).filter(([, value]) => value !== undefined));
  return { ...held, ...change, version: frame.version, at: frame.at };
}

/** How the state looks from afar; a shape and a word go with each, so colour never stands alone. */
export type Standing = 'good' | 'busy' | 'attention' | 'alarm' | 'off';

const standingOfPhase: Record<Phase, Standing> = {
  starting: 'busy',
  watching: 'good',
  suspecting: 'attention',
  isolated: 'attention',
  conflicting: 'alarm',
  awaiting: 'alarm',
  promoting: 'busy',
  active: 'good',
  halted: 'alarm',
  serving: 'good',
  'standing-down': 'busy',
  'stood-down': 'off',
};

/**
 * The phase's look, made graver by the severity of the sentence and by troubles of the engine itself. A runbook under way
 * is grave by nature and still looks busy: alarm is for what waits for somebody.
 */
export function standingOf(snapshot: Pick<Snapshot, 'core' | 'troubles'>): Standing {
  const { phase, severity } = snapshot.core;
  const standing = standingOfPhase[phase];
  if ((phase === 'promoting' || phase === 'standing-down') && blindedBy(snapshot) === null) return standing;
  if (severity === 'alert') return 'alarm';
  const calm = standing === 'good' || standing === 'busy';
  return calm && (severity === 'warning' || snapshot.troubles.length > 0) ? 'attention' : standing;
}

/**
 * The trouble that keeps the engine from watching, or null. Such troubles have keys that begin with `watch`
 * (`watch-stalled`); everything else is said, but the watch goes on.
 */
export function blindedBy(snapshot: Pick<Snapshot, 'troubles'>): Snapshot['troubles'][number] | null {
  return snapshot.troubles.find((trouble) => trouble.key.startsWith('watch')) ?? null;
}

/** From where a person may promote. A node that stood down may have to go back to serving when the other one dies for good. */
export const phasesToPromoteFrom: readonly Phase[] = [
  'starting',
  'watching',
  'suspecting',
  'isolated',
  'conflicting',
  'awaiting',
  'stood-down',
];

/** Whether a person may ask for a promotion at all; guards may still refuse it. A halted one is continued, not begun. */
export function canPromote(snapshot: Pick<Snapshot, 'core' | 'runbook'>): boolean {
  return phasesToPromoteFrom.includes(snapshot.core.phase) && snapshot.runbook?.status !== 'running';
}

/** The ways in which a person has the roles change while both nodes live. */
export type ChangeKind = PlannedKind | 'stand-down';

/**
 * Which of them can be ordered here now; guards may still refuse them. Without a paired node there is nobody to ask. The node that the configuration has start as the active one is
 * led home, the other one taken over to.
 */
export function changesToOrder({
  core,
  runbook,
  nodes,
  peer,
}: Pick<Snapshot, 'core' | 'runbook' | 'nodes' | 'peer'>): ChangeKind[] {
  if (runbook?.status === 'running' || runbook?.status === 'halted') return [];
  if (core.phase === 'active' || core.phase === 'serving') return ['stand-down'];
  if (core.phase !== 'watching' || !peer.paired) return [];
  return nodes.some(({ self, place }) => self && place === 'active') ? ['failback'] : ['switchover'];
}

/** Guards that a person's order has to override by name, in the engine's order. */
export function guardsToOverride(guards: readonly GuardView[]): GuardView[] {
  return guards.filter((guard) => !guard.ok && guard.bindsPerson);
}

/** One guard's override as a form holds it. */
export interface OverrideDraft {
  ticked: boolean;
  reason: string;
}

/** The shortest reason that the contract takes for an override. */
export const shortestReason = 3;

/** Names of the guards that still stand in the way: not ticked, or ticked without a reason. */
export function stillBlocking(
  guards: readonly GuardView[],
  drafts: Readonly<Partial<Record<GuardName, OverrideDraft>>>,
): GuardName[] {
  return guardsToOverride(guards)
    .filter(({ name }) => {
      const draft = drafts[name];
      return draft === undefined || !draft.ticked || draft.reason.trim().length < shortestReason;
    })
    .map((guard) => guard.name);
}

/** What a person can do about the runbook that is open. */
export interface RunbookOrders {
  cancel: boolean;
  retry: boolean;
  skip: boolean;
  giveUp: boolean;
}

/**
 * `skip` only where the failed step says `ask`; a half-done stand-down cannot be given up. Nothing at all once the runbook
 * has ended.
 */
export function runbookOrders(runbook: Snapshot['runbook']): RunbookOrders {
  const halted = runbook?.status === 'halted' && !runbook.dryRun;
  return {
    cancel: runbook?.status === 'running' && runbook.cancellable,
    retry: halted,
    skip: halted && stoppedAt(runbook)?.onFail === 'ask',
    giveUp: halted && runbook.kind !== 'stand-down',
  };
}

/** Verdicts under which the engine asks for an override before a halted promotion goes on: the other node may serve. */
const verdictsOfLife: readonly Snapshot['core']['verdict'][] = ['healthy', 'conflicting', 'isolated'];

/** Whether going on with what halted would meet a guard: then a person is shown which before they are asked. */
export function goingOnIsGuarded({ core, runbook }: Pick<Snapshot, 'core' | 'runbook'>): boolean {
  return core.phase === 'halted' && runbook?.kind === 'promotion' && verdictsOfLife.includes(core.verdict);
}

/** The step at which a halted runbook stopped. */
export function stoppedAt(runbook: NonNullable<Snapshot['runbook']>): StepView | null {
  const stops = ({ state, onFail }: StepView) => state === 'in-doubt' || (state === 'failed' && onFail !== 'continue');
  return runbook.steps.find(stops) ?? null;
}

/** Whether "do not take over" makes sense: the engine waits for a person, and nobody said so yet. */
export function canHold(snapshot: Pick<Snapshot, 'core' | 'confirmation'>): boolean {
  return snapshot.core.phase === 'awaiting' && snapshot.confirmation !== null && !snapshot.confirmation.held;
}

/** The offset as a gauge shows it. `share` is age against the bound, 0 to 1; null where there is no bound. */
export type OffsetGauge =
  | { kind: 'not-kept' }
  | { kind: 'never' }
  | { kind: 'within' | 'near' | 'beyond' | 'unverified'; ageMs: number; maxMs: number | null; share: number | null };

/** From this share of the bound on a person is warned: a quarter of it is left to do something. */
export const nearBound = 0.75;

/** `never` also stands for "known" without an age, which the engine never sends. */
export function offsetGauge(offset: OffsetView): OffsetGauge {
  if (offset.state === 'not-kept') return { kind: 'not-kept' };
  if (offset.state === 'never' || offset.ageMs === null) return { kind: 'never' };
  const { ageMs, maxMs, verified } = offset;
  const beyond = maxMs !== null && ageMs > maxMs;
  const near = maxMs !== null && ageMs >= maxMs * nearBound;
  return {
    kind: beyond ? 'beyond' : !verified ? 'unverified' : near ? 'near' : 'within',
    ageMs,
    maxMs,
    share: maxMs === null || maxMs <= 0 ? null : Math.min(1, ageMs / maxMs),
  };
}

/** How a gauge looks; a shape and a word go with each. */
export const gaugeStanding: Record<OffsetGauge['kind'], Standing> = {
  'not-kept': 'off',
  never: 'alarm',
  within: 'good',
  near: 'attention',
  beyond: 'alarm',
  unverified: 'alarm',
};

/** The offset of a snapshot, grown older since by the engine's clock. */
export function offsetAt({ offset, at }: Pick<Snapshot, 'offset' | 'at'>, engineNow: number): OffsetView {
  return offset.ageMs === null ? offset : { ...offset, ageMs: offset.ageMs + Math.max(0, engineNow - at) };
}

/** How much of its phase is done, 0 to 1; null where it is not known beforehand how much there is. */
export function shareDone({ bytes, total }: Pick<BackupWorkView, 'bytes' | 'total'>): number | null {
  if (total === null) return null;
  return total <= 0 ? 1 : Math.min(1, Math.max(0, bytes / total));
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * A duration in its two largest units, in unit symbols that are alike in our languages: `45 s`, `4 min 05 s`, `23 h 59 min`,
 * `3 d 4 h`. Rounded down, so that a bound never looks reached before it is. Negative counts as zero.
 */
export function durationWords(ms: number): string {
  const left = Math.max(0, Math.floor(ms / second)) * second;
  const two = (value: number) => String(value).padStart(2, '0');
  const whole = (unit: number) => Math.floor(left / unit);
  const rest = (of: number, unit: number) => Math.floor((left % of) / unit);
  if (left < minute) return `${whole(second)} s`;
  if (left < hour) return `${whole(minute)} min ${two(rest(minute, second))} s`;
  if (left < day) return `${whole(hour)} h ${two(rest(hour, minute))} min`;
  return `${whole(day)} d ${rest(day, hour)} h`;
}

/** Two nodes' clocks may differ by so much, ms: what is dated later was made by a clock that was wrong. */
const clockSlackMs = 3600_000;

/** Whether data can have no age: its clock was wrong. Both wall clock, ms. */
export const isFuture = (createdAt: number, now: number): boolean => createdAt > now + clockSlackMs;

/** A round duration without a minor unit of zero: `30 min`, `24 h`, `2 d`; whole days up to one are said in hours. */
export function roundDurationWords(ms: number): string {
  return ms === day ? '24 h' : durationWords(ms).replace(/ 0+ \S+$/, '');
}

/**
 * A countdown as a clock shows it: `4:05`, `1:00:00`. Rounded up: it shows 0:00 only when it is over, but for the tenth of a
 * second by which its end is known; else five minutes would begin at 5:01.
 */
export function countdownWords(ms: number): string {
  const total = Math.max(0, Math.ceil((ms - second / 10) / second));
  const two = (value: number) => String(value).padStart(2, '0');
  const [h, m, s] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60), total % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Milliseconds until the countdown's end by the engine's clock; null where nothing is counted. */
export function countdownLeft(confirmation: Snapshot['confirmation'], engineNow: number): number | null {
  if (confirmation === null || confirmation.endsAt === null) return null;
  return Math.max(0, confirmation.endsAt - engineNow);
}

/** A beat's latency: whole milliseconds, tenths below ten. */
export function msWords(ms: number): string {
  return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
}

/** What is read out for one beat; `time` and `word` are the caller's, in the reader's language. */
export function beatLabel(beat: BeatView, time: string, word: string): string {
  return [time, word, msWords(beat.ms), beat.evidence].filter((part) => part !== '').join(', ');
}

/** How long a step took or has been running, or null before it began. */
export function stepMs(step: Pick<StepView, 'startedAt' | 'endedAt'>, engineNow: number): number | null {
  return step.startedAt === null ? null : Math.max(0, (step.endedAt ?? engineNow) - step.startedAt);
}
