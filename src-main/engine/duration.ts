/** Durations in words for reasons and sentences. Pure. */

/** How long ago something was heard: what travels in between makes less than a second nothing to speak of. */
export const agoInWords = (ms: number): string => `${inWords(Math.max(1_000, ms))} ago`;

/** `850 ms`, `12 s`, `4 min 30 s`, `7 h 12 min`, `3 d 4 h`. */
export function inWords(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s} s`;
  const pair = (a: number, au: string, b: number, bu: string): string =>
    b === 0 ? `${a} ${au}` : `${a} ${au} ${b} ${bu}`;
  if (s < 3600) return pair(Math.floor(s / 60), 'min', s % 60, 's');
  const min = Math.round(s / 60);
  if (min < 48 * 60) return pair(Math.floor(min / 60), 'h', min % 60, 'min');
  const h = Math.round(min / 60);
  return pair(Math.floor(h / 24), 'd', h % 24, 'h');
}
