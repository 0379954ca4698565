/** Events as files for other programs: CSV (RFC 4180) and JSON. Pure. */
import type { EventView } from './snapshot.ts';

const columns = ['id', 'time', 'kind', 'severity', 'phase', 'verdict', 'rule', 'reason', 'evidence'] as const;

/**
 * One cell. What a spreadsheet would take for a formula begins with an apostrophe instead: an event may hold what a stranger
 * on the network sent (OWASP, CSV injection).
 */
export function csvCell(value: string): string {
  const plain = /^[\s\p{C}]*[=+\-@＝＋－＠]|^[\t\r\n]/u.test(value) ? `'${value}` : value;
  return /[",;\r\n\t]/.test(plain) || plain !== plain.trim() ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/** Newest first; times in UTC (ISO 8601); begins with a byte order mark, by which Excel knows that it is UTF-8. */
export function eventsCsv(events: readonly EventView[]): string {
  const lines = events.map((event) =>
    [
      String(event.id),
      new Date(event.at).toISOString(),
      event.kind,
      event.severity,
      event.phase ?? '',
      event.verdict ?? '',
      event.rule,
      event.reason,
      JSON.stringify(event.evidence),
    ]
      .map(csvCell)
      .join(','),
  );
  return `\ufeff${[columns.join(','), ...lines].join('\r\n')}\r\n`;
}

/** The same as one document, with what they were taken from. */
export function eventsJson(events: readonly EventView[], about: Readonly<Record<string, unknown>>): string {
  const rows = events.map((event) => ({ ...event, at: new Date(event.at).toISOString() }));
  return `${JSON.stringify({ ...about, events: rows }, null, 2)}\n`;
}
