/** Schedules in the reader's language. */
import type { ScheduleView } from '../../src-main/contract/backups.ts';
import { type CronShape, cronShape, type TimeOfDay } from '../../src-main/contract/cron-shape.ts';
import { roundDurationWords } from '../../src-main/contract/view.ts';
import { m } from './paraglide/messages.js';
import { getLocale } from './paraglide/runtime.js';

const list = new Intl.ListFormat(getLocale(), { type: 'conjunction' });
const weekday = new Intl.DateTimeFormat(getLocale(), { weekday: 'long', timeZone: 'UTC' });

/** The 4th of January 1970 was a Sunday. */
const dayWord = (day: number) => weekday.format(Date.UTC(1970, 0, 4 + day));
const timeOf = ({ hour, minute }: TimeOfDay) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;

/** `every day at 01:00`; null where the five fields have to speak for themselves. */
export function cronWords(cron: string): string | null {
  const shape = cronShape(cron);
  if (shape === null) return null;
  const { monthDay } = shape;
  const monthly = monthDay === undefined ? null : m.cron_monthly({ day: String(monthDay) });
  const days = shape.days === null ? monthly : daysWords(shape.days);
  if (shape.kind === 'times') {
    return m.cron_at({ days: days ?? m.cron_daily(), times: list.format(shape.times.map(timeOf)) });
  }
  return days === null ? oftenWords(shape) : m.cron_on({ often: oftenWords(shape), days });
}

function oftenWords(shape: Exclude<CronShape, { kind: 'times' }>): string {
  if (shape.kind === 'minutes') return m.cron_minutes({ n: String(shape.every) });
  const { hour, minute } = shape.from;
  if (shape.every === 1) return minute === 0 ? m.cron_hourly() : m.cron_hourly_at({ minute: String(minute) });
  const n = String(shape.every);
  return hour === 0 && minute === 0 ? m.cron_hours({ n }) : m.cron_hours_from({ n, time: timeOf(shape.from) });
}

/** `Monday to Friday` for three and more in a row, else each by its name. */
function daysWords(days: readonly number[]): string {
  const [first, last] = [days[0] ?? 0, days.at(-1) ?? 0];
  const inRow = days.every((day, i) => day === (first + i) % 7);
  return days.length > 2 && inRow
    ? m.cron_days_range({ from: dayWord(first), to: dayWord(last) })
    : m.cron_days({ days: list.format(days.map(dayWord)) });
}

/** `next in 3 h`, by the engine's clock. */
export function nextWords({ nextAt }: Pick<ScheduleView, 'nextAt'>, engineNow: number): string {
  if (nextAt === null) return m.schedule_never();
  return nextAt <= engineNow ? m.schedule_due() : m.schedule_next({ left: roundDurationWords(nextAt - engineNow) });
}
