/** When what failed by schedule is tried again in the same night. Pure. */
import { ArchiveError, type ArchiveFault } from '../archive/faults.ts';

/** After the first failure, after the second; then a person has to look. */
const pausesMs = [10 * 60_000, 30 * 60_000];

/** Refusals that another try of the same would meet again; one that is damaged has lost its word by then. */
const final: ReadonlySet<ArchiveFault> = new Set([
  'damaged',
  'other-pair',
  'other-fqdn',
  'newer-version',
  'wrong-key',
  'unsafe',
  'bomb',
  'unknown-format',
]);

/** @param failures in a row, this one included. Ms until the next try; null: none, it is told instead */
export function pauseBeforeNext(failures: number, error: unknown): number | null {
  if (error instanceof ArchiveError && final.has(error.fault)) return null;
  return pausesMs[failures - 1] ?? null;
}
