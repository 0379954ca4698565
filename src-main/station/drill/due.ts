/**
 * Whether a takeover by itself was rehearsed lately. Says so and nothing more: a spare that refuses at night for a missing rehearsal
 * would be worse than one that was never rehearsed. Pure.
 */
import type { Snapshot } from '../../contract/snapshot.ts';
import { isFuture, roundDurationWords } from '../../contract/view.ts';
import type { Mode, Role } from '../../contract/words.ts';

export interface Rehearsed {
  mode: Mode;
  role: Role;
  /** in a laboratory nothing is at stake */
  lab: boolean;
  maxAgeMs: number;
  /** wall clock; null: none passed yet */
  lastPassedAt: number | null;
}

/** @param now wall clock */
export function drillTroubles(
  { mode, role, lab, maxAgeMs, lastPassedAt }: Rehearsed,
  now: number,
): Snapshot['troubles'] {
  if (mode !== 'automatic' || role !== 'passive' || lab) return [];
  const todo = 'Run `estepe drill`, and mend what it finds. A takeover does not wait for it.';
  if (lastPassedAt === null || isFuture(lastPassedAt, now)) {
    const sentence = 'No drill has passed here yet: whether this node can take over by itself was never rehearsed.';
    return [{ key: 'drill-due', sentence, todo }];
  }
  // by the hour: a sentence that changes every second would be news every second
  const ageMs = Math.floor((now - lastPassedAt) / 3600_000) * 3600_000;
  if (ageMs <= maxAgeMs) return [];
  const sentence = `The last drill that passed here was ${roundDurationWords(ageMs)} ago; \`drill.maxAge\` is ${roundDurationWords(maxAgeMs)}.`;
  return [{ key: 'drill-due', sentence, todo }];
}
