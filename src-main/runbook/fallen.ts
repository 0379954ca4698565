/**
 * What an earlier life of this engine leaves to a resumed runbook: what it started and what still runs, and what it had done and is no more,
 * since the machine was started again meanwhile (F3).
 */
import type { JournalEntry, Proc, RunbookRecord } from '../engine/ports.ts';
import { lastEntry } from './journal-view.ts';
import type { Step } from './step.ts';

/**
 * The steps to be repeated, in order: those that were done and whose effect does not hold any more, and those that prove it. None
 * where all of it holds, or where the step itself is still to be done. Never rejects.
 */
export async function fallenSteps(
  record: RunbookRecord,
  steps: readonly Step[],
  signal: AbortSignal,
): Promise<readonly Step[]> {
  const isDone = (step: Step): boolean => lastEntry(record, step.id)?.result?.outcome === 'done';
  for (const step of steps) {
    if (!step.stillHolds || !isDone(step)) continue;
    if (await step.stillHolds(signal)) continue;
    return [step, ...steps.filter((other) => other.proves === step.id && isDone(other))];
  }
  return [];
}

/** What was started and never ended may still run; nothing new begins beside it. */
export async function endLeftovers(
  proc: Pick<Proc, 'endLeftovers'>,
  entries: readonly JournalEntry[],
  say: (rule: string, text: string) => void,
): Promise<void> {
  for (const { step, runToken } of entries.filter((e) => e.result === null)) {
    const ended = await proc.endLeftovers(runToken);
    if (ended > 0)
      say(`step.${step}`, `${ended} process${ended === 1 ? '' : 'es'} of the earlier attempt of ${step} ended`);
  }
}

/** Why a step that was done is done again, behind its title in history. */
export const goneSince =
  ': done before Estepe ended, and nothing of it answers any more, as after a start of the machine; done again';
