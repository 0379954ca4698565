/** What a record's time to live means for a switch. Pure. */
import { inWords } from '../../engine/duration.ts';
import type { DnsAnswer, DnsRecord } from '../../engine/ports.ts';

const words = (s: number): string => inWords(s * 1000);

/** For the sentence of a switch: how long the old address may be gone by; empty where that is as configured. */
export function staleText(record: Pick<DnsRecord, 'ttlS'>, seenS: number | null): string {
  if (seenS === null || seenS <= record.ttlS) return '';
  return `; whoever asked before may keep the old address for up to ${words(seenS)}, the TTL it had (configured: ${words(record.ttlS)})`;
}

/**
 * For the doctor, before the incident: the TTL that the servers give against the configured one.
 * @returns a sentence and what to do, or null where all is well or nothing is known
 */
export function ttlTrouble(
  record: Pick<DnsRecord, 'name' | 'ttlS'>,
  answers: readonly DnsAnswer[],
): { sentence: string; todo: string } | null {
  const [longest] = answers
    .filter(({ ttlS }) => ttlS !== null && ttlS > record.ttlS)
    .sort((a, b) => (b.ttlS ?? 0) - (a.ttlS ?? 0));
  if (!longest) return null;
  const seen = words(longest.ttlS ?? 0);
  return {
    sentence: `${record.name} has a TTL of ${seen} at ${longest.server}, and \`promotion.dns\` says ${words(record.ttlS)}: after a switch phones may keep the old address for up to ${seen}.`,
    todo: `Lower the TTL of the record to ${words(record.ttlS)} now; it takes the old ${seen} until that holds everywhere.`,
  };
}
