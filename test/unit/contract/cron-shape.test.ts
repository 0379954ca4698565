/** Schedules of five fields by their shape, against croner: what the shape says is when it is really due. */
import { Cron } from 'croner';
import { describe, expect, it } from 'vitest';
import { type CronShape, cronShape } from '../../../src-main/contract/cron-shape.ts';

const at = (...times: readonly (readonly [hour: number, minute: number])[]) => ({
  kind: 'times' as const,
  times: times.map(([hour, minute]) => ({ hour, minute })),
});
const from = (hour: number, minute: number) => ({ hour, minute });

const shapes: readonly (readonly [string, CronShape])[] = [
  ['0 1 * * *', { ...at([1, 0]), days: null }],
  ['30 1,13 * * *', { ...at([1, 30], [13, 30]), days: null }],
  ['0,30 1 * * *', { ...at([1, 0], [1, 30]), days: null }],
  ['0 * * * *', { kind: 'hours', every: 1, from: from(0, 0), days: null }],
  ['5 */1 * * *', { kind: 'hours', every: 1, from: from(0, 5), days: null }],
  ['0 */4 * * *', { kind: 'hours', every: 4, from: from(0, 0), days: null }],
  ['15 1-23/6 * * *', { kind: 'hours', every: 6, from: from(1, 15), days: null }],
  ['0 0,8,16 * * *', { kind: 'hours', every: 8, from: from(0, 0), days: null }],
  ['0 */5 * * *', { ...at([0, 0], [5, 0], [10, 0], [15, 0], [20, 0]), days: null }],
  ['*/15 * * * *', { kind: 'minutes', every: 15, days: null }],
  ['* * * * *', { kind: 'minutes', every: 1, days: null }],
  ['0,20,40 * * * *', { kind: 'minutes', every: 20, days: null }],
  ['0 2 * * 0', { ...at([2, 0]), days: [0] }],
  ['0 2 * * 7', { ...at([2, 0]), days: [0] }],
  ['0 2 * * sun,SAT', { ...at([2, 0]), days: [6, 0] }],
  ['0 2 * * 1-5', { ...at([2, 0]), days: [1, 2, 3, 4, 5] }],
  ['0 2 * * mon-fri', { ...at([2, 0]), days: [1, 2, 3, 4, 5] }],
  ['0 2 * * 1,3,5', { ...at([2, 0]), days: [1, 3, 5] }],
  ['0 2 * * 0-6', { ...at([2, 0]), days: null }],
  ['0 2 * * 1-7', { ...at([2, 0]), days: null }],
  ['0 4 1 * *', { ...at([4, 0]), days: null, monthDay: 1 }],
  ['0 2,14 15 * *', { ...at([2, 0], [14, 0]), days: null, monthDay: 15 }],
  ['0 */12 * * 6,0', { ...at([0, 0], [12, 0]), days: [6, 0] }],
];

const withoutShape = [
  '0 1 * 6 *',
  '0 1 1 * 1',
  '5/15 * * * *',
  '*/25 * * * *',
  '0 1/6 * * *',
  '*/10 8-17 * * *',
  '0-59 1 * * *',
  '61 1 * * *',
  '0 25 * * *',
  '0 1 * * 9',
  '0 1 * * FOO',
  '0 1 * * 1-FOO',
  '0 1 * * fri-mon',
  '0 5-1 * * *',
  '0 */0 * * *',
  '0 1 * *',
  '0 0 1 * * *',
  '@daily',
  '',
];

/** The instants of a week (UTC, from Monday the 15th) at which the shape says it is due, in minutes. */
function minutesOf(shape: CronShape): number[] {
  const due: number[] = [];
  for (let day = 0; day < 7; day += 1) {
    if (shape.days !== null && !shape.days.includes((day + 1) % 7)) continue;
    if (shape.monthDay !== undefined && shape.monthDay !== 15 + day) continue;
    const begin = day * 1440;
    if (shape.kind === 'times') due.push(...shape.times.map(({ hour, minute }) => begin + hour * 60 + minute));
    else {
      const [first, step] =
        shape.kind === 'minutes' ? [0, shape.every] : [shape.from.hour * 60 + shape.from.minute, shape.every * 60];
      for (let minute = first; minute < 1440; minute += step) due.push(begin + minute);
    }
  }
  return due;
}

/** The same from croner, that really runs them. */
function minutesByCroner(cron: string): number[] {
  const monday = Date.UTC(2026, 5, 15);
  const due: number[] = [];
  const job = new Cron(cron, { timezone: 'UTC', paused: true });
  for (let next = job.nextRun(new Date(monday - 1)); next !== null; next = job.nextRun(next)) {
    const minute = (next.getTime() - monday) / 60_000;
    if (minute >= 7 * 1440) break;
    due.push(minute);
  }
  return due;
}

describe('the shape of a schedule', () => {
  it.each(shapes)('%s', (cron, shape) => {
    expect(cronShape(cron)).toEqual(shape);
    expect(minutesOf(shape)).toEqual(minutesByCroner(cron));
  });

  it.each(withoutShape)('%s has none', (cron) => {
    expect(cronShape(cron)).toBeNull();
  });
});
