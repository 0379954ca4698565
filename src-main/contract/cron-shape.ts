/**
 * What a schedule of five fields comes to where it has one of the usual shapes, so that screens can say it in words of any
 * language. Only says; when it is due next is croner's to work out.
 */

export interface TimeOfDay {
  hour: number;
  minute: number;
}

/** How often on the days on which it is due at all. */
export type CronTimes =
  | { kind: 'times'; times: readonly TimeOfDay[] }
  | { kind: 'minutes'; every: number }
  /** `from`: the first of a day; all further ones at the same minute */
  | { kind: 'hours'; every: number; from: TimeOfDay };

/**
 * `days`: 0 Sunday to 6 Saturday, in the order of a week that begins on Monday; null: every day.
 * `monthDay`: only on that day of a month, then `days` is null.
 */
export type CronShape = CronTimes & { days: readonly number[] | null; monthDay?: number };

/** More times than this a day are no words any more. */
const mostTimes = 6;

const dayNames = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** Null where it has none of the usual shapes: the five fields then speak for themselves. */
export function cronShape(cron: string): CronShape | null {
  const [minute, hour, day, month, weekday, ...more] = cron.trim().split(/ +/);
  if (minute === undefined || hour === undefined || weekday === undefined || more.length > 0) return null;
  const [monthDay, ...moreDays] = day === '*' ? [] : (valuesOf(day ?? '', 1, 31) ?? [0]);
  if (month !== '*' || monthDay === 0 || moreDays.length > 0) return null;
  const minutes = valuesOf(minute, 0, 59);
  const hours = valuesOf(hour, 0, 23);
  const days = daysOf(weekday);
  if (minutes === null || hours === null || days === null) return null;
  const times = timesOf(minutes, hours);
  if (times === null) return null;
  if (monthDay === undefined) return { ...times, days: days.length === 7 ? null : days };
  // beside a weekday cron means the one or the other (POSIX crontab)
  return days.length === 7 && times.kind === 'times' ? { ...times, days: null, monthDay } : null;
}

function timesOf(minutes: readonly number[], hours: readonly number[]): CronTimes | null {
  const [first] = minutes;
  const [begin] = hours;
  if (first === undefined || begin === undefined) return null;
  if (minutes.length > 1 && hours.length === 24 && first === 0) {
    const every = stepOf(minutes, 60);
    if (every !== null) return { kind: 'minutes', every };
  }
  if (minutes.length === 1 && hours.length > 2) {
    const every = stepOf(hours, 24);
    if (every !== null) return { kind: 'hours', every, from: { hour: begin, minute: first } };
  }
  if (minutes.length * hours.length > mostTimes) return null;
  return { kind: 'times', times: hours.flatMap((h) => minutes.map((m) => ({ hour: h, minute: m }))) };
}

/** The step by which these go round evenly, past the end as well: 0, 20, 40 of 60, but not 0, 25, 50. */
function stepOf(values: readonly number[], round: number): number | null {
  const every = round / values.length;
  const even = values.every((value, i) => i === 0 || value - (values[i - 1] ?? 0) === every);
  return even ? every : null;
}

function daysOf(field: string): number[] | null {
  const named = field.toUpperCase().replace(/[A-Z]+/g, (name) => String(dayNames.indexOf(name)));
  const values = valuesOf(named, 0, 7);
  const fromMonday = (day: number) => (day + 6) % 7;
  return values === null
    ? null
    : [...new Set(values.map((value) => value % 7))].sort((a, b) => fromMonday(a) - fromMonday(b));
}

/** The values of one field in order: `*`, `5`, `1-5`, with steps for `*` and ranges, lists of these. Null for anything else. */
function valuesOf(field: string, lowest: number, highest: number): number[] | null {
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const found = /^(?:(\d+)|(?:\*|(\d+)-(\d+))(?:\/(\d+))?)$/.exec(part);
    if (found === null) return null;
    const [, one, from, to, by] = found;
    const begin = Number(one ?? from ?? lowest);
    const end = Number(one ?? to ?? highest);
    const step = Number(by ?? 1);
    if (begin < lowest || end > highest || begin > end || step < 1) return null;
    for (let value = begin; value <= end; value += step) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}
