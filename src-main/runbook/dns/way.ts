/** What each way of changing a record offers, and the words they share. */
import type { DnsChange, DnsContext } from '../../engine/ports.ts';
import type { Standing } from './ask-record.ts';
import type { Authority } from './authoritative.ts';
import { sameSpelling } from './message.ts';

export type WayEnd =
  /** `ttlS`: what the record said before, seconds; null where that is not known */
  /** `isProven`: who keeps the zone says himself that all its servers have it */
  | { how: 'changed' | 'already'; words: string; ttlS: number | null; output?: string; isProven?: boolean }
  | { how: 'failed'; words: string; again?: boolean; output?: string };

/** One way to one record. Nothing here rejects. */
export interface Way {
  /** the authoritative servers of the record, those of the configuration left out */
  authorities(signal: AbortSignal): Promise<Authority[]>;
  /** Changes the record where it holds `from` and nothing else. */
  change(change: DnsChange, context: DnsContext): Promise<WayEnd>;
  /** Whether `change` would be let; changes nothing. */
  rehearse(change: DnsChange, context: DnsContext): Promise<WayEnd>;
}

export const failed = (words: string, more: { again?: boolean; output?: string } = {}): WayEnd => ({
  how: 'failed',
  words,
  ...more,
});

/** Why a record that holds neither the one nor the other is left alone. */
export function notOurs(name: string, addresses: readonly string[], { from, to }: DnsChange): string {
  const left = `it was left as it is; set it to ${to} by hand if that is right, then try again`;
  if (addresses.length === 0) return `there is no record ${name} where ${from} was expected: ${left}`;
  return `${name} points to ${addresses.join(' and ')}, not to ${from}: somebody switched it already, so ${left}`;
}

/** What the record that stands means for a change. */
export function readStanding(
  addresses: readonly string[],
  { from, to }: DnsChange,
): 'before' | 'after' | 'nothing' | 'other' {
  if (addresses.length === 0) return 'nothing';
  if (addresses.length > 1) return 'other';
  if (addresses[0] === sameSpelling(from)) return 'before';
  return addresses[0] === sameSpelling(to) ? 'after' : 'other';
}

export const isAt = (standing: Standing, change: DnsChange, where: 'before' | 'after'): boolean =>
  standing.how === 'stands' && readStanding(standing.addresses, change) === where;

export const ttlOf = (standing: Standing): number | null => (standing.how === 'stands' ? standing.ttlS : null);
