/** Pure readings of a runbook's journal: what is done, what is in doubt, where it goes on. */
import type { RunbookFacts } from '../engine/observation.ts';
import type { JournalEntry, RunbookRecord } from '../engine/ports.ts';
import type { Step } from './step.ts';

/** Newest attempt of a step, if any was begun. */
export function lastEntry(record: RunbookRecord, step: Step['id']): JournalEntry | null {
  return record.entries.findLast((e) => e.step === step) ?? null;
}

/** Begun, and this process or an earlier one died before the result was known. */
export function inDoubt(record: RunbookRecord, step: Step['id']): boolean {
  const entry = lastEntry(record, step);
  return entry !== null && entry.result === null;
}

/** One of its attempts was done or is in doubt: a later one that failed does not undo that. */
export function mayHaveHappened(record: RunbookRecord, step: Step['id']): boolean {
  return record.entries.some((e) => e.step === step && e.result?.outcome !== 'failed');
}

/**
 * Whether a step that leads back has something to undo: a standing that was flipped, services that were started. A planned change of
 * roles is past its point of no return before it has started any.
 */
export function isToUndo(record: RunbookRecord, step: Step['id']): boolean {
  if (step === 'flip-standing') return mayHaveHappened(record, step);
  return step !== 'stop-services' || lastEntry(record, 'start-services') !== null;
}

/** Whether the other node must be proven down before this runbook goes on: in a planned one, once it has said that it stood down. */
export function mustLook(record: RunbookRecord): boolean {
  return record.kind === 'promotion' || lastEntry(record, 'stand-down-other')?.result?.outcome === 'done';
}

/** Whether the runbook passed over this step: done, left out, or failed where failing was allowed. */
export function isBehind(record: RunbookRecord, step: Step): boolean {
  const result = lastEntry(record, step.id)?.result;
  if (!result) return false;
  return result.outcome !== 'failed' || step.onFail === 'continue';
}

/** Past the point of no return: an intent of such a step stands in the journal. */
export function committed(record: RunbookRecord, steps: readonly Step[]): boolean {
  return steps.some((s) => s.pointOfNoReturn && lastEntry(record, s.id) !== null);
}

/** Why it was taken back. Nothing of it is undone by itself; what stays behind is said. */
export function takenBackBecause(record: RunbookRecord, steps: readonly Step[], because: string): string {
  const begun = steps.filter(({ id }) => lastEntry(record, id) !== null);
  const remains = begun.map(({ remains = '' }) => (typeof remains === 'string' ? remains : remains(record)));
  return [because, ...remains].filter(Boolean).join('; ');
}

/** Why it halted, and where that leaves the pair. */
export function haltedBecause(record: RunbookRecord, steps: readonly Step[], because: string): string {
  const begun = steps.filter(({ id }) => lastEntry(record, id) !== null);
  return [because, ...begun.map(({ ifHalted }) => ifHalted?.(record) ?? '')].filter(Boolean).join('; ');
}

/** Taken back because its claim failed: lost to another node, or not to be made. */
export function failedClaim(record: RunbookRecord): boolean {
  return record.status === 'cancelled' && lastEntry(record, 'claim')?.result?.outcome === 'failed';
}

/** The step at which the runbook goes on; null when all are behind it. */
export function nextStep(record: RunbookRecord, steps: readonly Step[]): Step | null {
  return steps.find((s) => !isBehind(record, s)) ?? null;
}

/** What the core is told of a runbook. */
export function factsOf(
  record: RunbookRecord,
  steps: readonly Step[],
  now: { stuck: string | null; cancelling: boolean; givenUp: boolean },
): RunbookFacts {
  const { id, kind, origin, goneOn, status } = record;
  const halted = status === 'halted' && now.stuck === null && !now.givenUp;
  return {
    ...{ id, kind, cancelling: now.cancelling, committed: committed(record, steps) },
    origin: goneOn ? 'person' : origin,
    status: now.stuck !== null && status === 'running' ? 'halted' : status,
    skippable: halted && nextStep(record, steps)?.onFail === 'ask',
    reason: now.stuck ?? record.reason,
  };
}
