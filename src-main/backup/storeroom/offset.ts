/**
 * How old the data is that the pair would go on with, and who is told when it gets too old: once for each time it does. What the
 * schedule is about to mend is not told: with a backup a day the data is nearly a day old every evening, and whoever hears that
 * each day stops listening. The gauge and the guard know no such patience. Pure.
 */
import type { OffsetView } from '../../contract/snapshot.ts';
import { durationWords, roundDurationWords } from '../../contract/view.ts';
import type { Role, Severity } from '../../contract/words.ts';

/** Of the bound: from here on it is told. */
const lateShare = 0.75;

/** So long after its time newer data is still believed to be on its way, ms. */
export const onItsWayMs = 60 * 60_000;

/** When the schedule brings newer data, wall clock; null: never, or never yet. */
export interface Expected {
  what: 'backup' | 'restore';
  last: number | null;
  next: number | null;
  /** each may come later by so much, ms */
  jitterMs: number;
}

export type OffsetLevel = 'fine' | 'late' | 'over';

/** What was told of the incident that goes on; `fine`: nothing. */
export interface OffsetTold {
  level: OffsetLevel;
  /** wall clock since when there should have been data and was none; null: there is some */
  noneSince: number | null;
}

export const nothingTold: OffsetTold = { level: 'fine', noneSince: null };

export interface OffsetMessage {
  rule: 'offset.late' | 'offset.over' | 'offset.recovered';
  severity: Severity;
  text: string;
}

const rank: Record<OffsetLevel, number> = { fine: 0, late: 1, over: 2 };

/**
 * What is to be told now.
 * @param now wall clock
 */
export function offsetTurn(
  told: OffsetTold,
  offset: OffsetView,
  role: Role,
  now: number,
  expected: Expected,
): { told: OffsetTold; message: OffsetMessage | null } {
  const { maxMs, state } = offset;
  if (state === 'not-kept' || maxMs === null) return { told: nothingTold, message: null };
  const noneSince = state === 'never' ? Math.min(told.noneSince ?? now, now) : null;
  const ageMs = offset.ageMs ?? now - (noneSince ?? now);
  const level: OffsetLevel = ageMs > maxMs ? 'over' : ageMs >= lateShare * maxMs ? 'late' : 'fine';
  const age = durationWords(ageMs);
  const bound = roundDurationWords(maxMs);
  if (level === 'fine') {
    const message: OffsetMessage = { rule: 'offset.recovered', severity: 'info', text: '' };
    message.text = `${subject(role, state, age)}: within the bound of ${bound} again.`;
    return { told: { level, noneSince }, message: told.level === 'fine' ? null : message };
  }
  // Getting better is no news before it is good.
  if (rank[level] <= rank[told.level]) return { told: { level: told.level, noneSince }, message: null };
  if (isMended(level, now - ageMs, maxMs, now, expected))
    return { told: { level: told.level, noneSince }, message: null };
  const { next, what } = expected;
  const coming = next === null ? '' : ` The next ${what} is due in ${durationWords(Math.max(0, next - now))}.`;
  const message: OffsetMessage =
    level === 'over'
      ? {
          rule: 'offset.over',
          severity: 'alert',
          text: `${subject(role, state, age)}, more than the bound of ${bound}.${consequence(role)}${coming}`,
        }
      : {
          rule: 'offset.late',
          severity: 'warning',
          text: `${subject(role, state, age)}; the bound is ${bound}.${coming}`,
        };
  return { told: { level, noneSince }, message };
}

/** Whether the schedule, if it is kept to, brings newer data before the bound (late) or right now (over). */
function isMended(level: OffsetLevel, born: number, maxMs: number, now: number, expected: Expected): boolean {
  const { last, next, jitterMs } = expected;
  const patience = onItsWayMs + jitterMs;
  const soon = next !== null && next <= born + maxMs + patience;
  const underWay = last !== null && last > born && now - last < patience;
  return underWay || (soon && (level === 'late' || next - now < onItsWayMs));
}

function subject(role: Role, state: OffsetView['state'], age: string): string {
  if (role === 'active')
    return state === 'never'
      ? `There has been no verified backup for ${age}`
      : `The newest verified backup is ${age} old`;
  return state === 'never' ? `Nothing has been restored here for ${age}` : `The data restored here is ${age} old`;
}

const consequence = (role: Role): string =>
  role === 'active'
    ? ' Were this node lost, all since then would be.'
    : ' This node does not take over by itself with it; a person may, by overriding the guard restored-data.';
