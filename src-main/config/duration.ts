/**
 * Durations as the configuration writes them (`30s`, `24h`) and as the engine counts them (milliseconds).
 * Must not know which key a duration belongs to.
 */
import type { z } from 'zod';

/** A duration in milliseconds. The brand keeps seconds and bare numbers from slipping in. */
export type Ms = number & z.core.$brand<'Ms'>;

/** What may be written: a whole number and one unit, nothing between them. */
export const durationPattern = /^(\d{1,7})(ms|s|m|h|d)$/;

/** How the forms are named to people. */
export const durationForms = '500ms, 30s, 5m, 24h or 7d';

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of `30s`, `5m`, `24h`, `500ms`, `7d`; null when the text is none of these. */
export function parseDuration(text: string): Ms | null {
  const [, count, unit] = durationPattern.exec(text) ?? [];
  if (count === undefined || unit === undefined) return null;
  return (Number(count) * unitMs[unit as keyof typeof unitMs]) as Ms;
}

/** The shortest exact way to write a duration: 90000 → `90s`, 120000 → `2m`. */
export function writeDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms >= unitMs[unit] && ms % unitMs[unit] === 0) return `${ms / unitMs[unit]}${unit}`;
  }
  return `${Math.round(ms)}ms`;
}
