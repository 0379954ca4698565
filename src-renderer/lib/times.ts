/** Points in time as the reader's language writes them. */
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

/** For `<time datetime>`. */
export function machineTime(at: number): string {
  return new Date(at).toISOString();
}
