/**
 * What is sent through a channel, when, and how often it is tried: pure. Knows no channel, no table and no clock.
 *
 * Whoever tells promises a key once for each incident of this life of the engine (`Interpreter`, `Storeroom`, `Drill`). What they
 * cannot know is what an earlier life said before a crash, who heard of the incident that is now over, and how many other messages
 * there are.
 */
import type { Severity } from '../contract/words.ts';

/** Something to be told to people. */
export interface Message {
  /** of the incident */
  key: string;
  severity: Severity;
  text: string;
}

/** What was told through one channel lately, by its key. */
export type Told = ReadonlyMap<string, { at: number; life: string; severity: Severity }>;

const ranks: Readonly<Record<Severity, number>> = { info: 0, warning: 1, alert: 2 };

/** The graver of two, and so on. */
export const gravest = (severities: readonly Severity[]): Severity =>
  severities.reduce((worst, one) => (ranks[one] > ranks[worst] ? one : worst), 'info');

/** A new life that says within so long what an earlier one has said is taken for the same incident. */
export const sameIncidentMs = 15 * 60_000;

/** What ends whatever the core was worried about. */
const coreEnds: ReadonlySet<string> = new Set(['recovered', 'promoted', 'cancelled', 'outranked']);
const coreWorries: ReadonlySet<string> = new Set([
  ...[
    'starting.never-seen',
    'isolated',
    'conflicting',
    'observe-only',
    'inconclusive',
    'asked-before',
    'other-answers',
  ],
]);
const isCoreWorry = (key: string): boolean =>
  coreWorries.has(key) || key === 'awaiting' || key.startsWith('awaiting.') || key.startsWith('halted.');

/** Whether a message of the one key tells that the incident of the other one is over. */
export function ends(key: string, incident: string): boolean {
  if (key === incident) return false;
  if (coreEnds.has(key)) return isCoreWorry(incident);
  if (key === 'references-back') return incident === 'references-silent';
  return key.endsWith('.recovered') && incident.startsWith(key.slice(0, -'recovered'.length));
}

export type Wanted = 'yes' | 'too-slight' | 'said-before';

/**
 * Whether a message goes through a channel. The end of an incident goes wherever its beginning went, however slight it is.
 * @param least of the channel
 * @param told through it
 */
export function wanted(message: Message, least: Severity, told: Told, now: { at: number; life: string }): Wanted {
  const endsOne = [...told.keys()].some((key) => ends(message.key, key));
  if (endsOne) return 'yes';
  if (ranks[message.severity] < ranks[least]) return 'too-slight';
  const before = told.get(message.key);
  const again = before !== undefined && before.life !== now.life && now.at - before.at < sameIncidentMs;
  // Graver than what was said is something else.
  return again && ranks[message.severity] <= ranks[before.severity] ? 'said-before' : 'yes';
}

/** What was told once this message was, too: what it ends may begin anew, and is then told again. */
export function afterTelling(told: Told, message: Message, now: { at: number; life: string }): Told {
  const left = [...told].filter(([key]) => !ends(message.key, key) && !ends(key, message.key));
  return new Map([...left, [message.key, { ...now, severity: message.severity }]]);
}

/** Of a failure: `passing` may be over at the next attempt; `person`: somebody has to mend something first. */
export type Fault = 'passing' | 'person';

const s = 1_000;
const min = 60 * s;
const pauses = [10 * s, 30 * s, min, 2 * min, 5 * min, 10 * min, 15 * min, 30 * min, 60 * min] as const;
/** A wrong password that is tried every few seconds locks the account, and the address out. */
const leastForPersonMs = 15 * min;
export const mostAttempts = 40;

/**
 * How long to wait after the attempt of that number (from 1), ms; null: it is not tried again.
 * @param ageMs since it was told
 * @param maxAgeMs older than that it helps nobody any more
 */
export function pauseAfter(attempt: number, fault: Fault, ageMs: number, maxAgeMs: number): number | null {
  if (attempt >= mostAttempts || ageMs >= maxAgeMs) return null;
  const usual = pauses[Math.min(attempt, pauses.length) - 1] ?? 60 * min;
  const pause = fault === 'person' ? Math.max(usual, leastForPersonMs) : usual;
  // The last attempt is made at the end of its time, not after it.
  return Math.min(pause, Math.max(s, maxAgeMs - ageMs));
}

/** So many in an hour go out as they come; after that, what came together goes together, every five minutes. */
export const calm = { atOnce: 10, withinMs: 60 * min, gatherMs: 5 * min } as const;

/** The earliest moment at which the next may go out. @param sentAt moments of what went out, oldest first */
export function notBefore(sentAt: readonly number[], now: number): number {
  const lately = sentAt.filter((at) => at > now - calm.withinMs);
  const last = lately.at(-1);
  return last === undefined || lately.length < calm.atOnce ? now : Math.max(now, last + calm.gatherMs);
}

/** More waiting than that helps nobody: the oldest of the slightest go first. Answers those to give up. */
export const mostWaiting = 200;
export function crowdedOut<T extends { id: number; severity: Severity }>(waiting: readonly T[]): T[] {
  const over = waiting.length - mostWaiting;
  if (over <= 0) return [];
  return [...waiting].sort((a, b) => ranks[a.severity] - ranks[b.severity] || a.id - b.id).slice(0, over);
}

/** A channel that fails so often in a row fails persistently; one that needs a person does at once. */
export const persistentAfter = 3;
export const isPersistent = (failures: number, fault: Fault): boolean =>
  failures >= (fault === 'person' ? 1 : persistentAfter);
