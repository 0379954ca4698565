/** Points in time as the reader's language writes them. */
import type { Span } from '../../src-main/contract/history-view.ts';
import { getLocale } from './paraglide/runtime.js';

const clock = new Intl.DateTimeFormat(getLocale(), {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const dated = new Intl.DateTimeFormat(getLocale(), {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

/** The time of day, with the day where it is not the same as `now`'s. */
export function timeWords(at: number, now: number): string {
  return new Date(at).toDateString() === new Date(now).toDateString() ? clock.format(at) : dated.format(at);
}

const ofYear = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
const day = new Intl.DateTimeFormat(getLocale(), { weekday: 'short', ...ofYear });
const dayOfYear = new Intl.DateTimeFormat(getLocale(), { year: 'numeric', ...ofYear });

/** Day and time to the minute; the year in place of the weekday where it is not the same as `now`'s. */
export function dateWords(at: number, now: number): string {
  return (new Date(at).getFullYear() === new Date(now).getFullYear() ? day : dayOfYear).format(at);
}

/** Below the axis of a chart, by how far back it reaches. */
export const axisWords: Record<Span, Intl.DateTimeFormat> = {
  '24h': new Intl.DateTimeFormat(getLocale(), { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
  '30d': new Intl.DateTimeFormat(getLocale(), { day: 'numeric', month: 'short' }),
  '1y': new Intl.DateTimeFormat(getLocale(), { month: 'short', year: 'numeric' }),
};

/** For `<time datetime>`. */
export function machineTime(at: number): string {
  return new Date(at).toISOString();
}
