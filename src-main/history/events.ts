/**
 * The table of events: what was decided or happened, by which rule, why, with its evidence. Knows nothing of
 * transactions or failures.
 */
import type { EventFilter, EventQuery } from '../contract/history.ts';
import type { EventView } from '../contract/snapshot.ts';
import type { NewEvent } from '../engine/ports.ts';
import type { Sqlite, Statement } from './runtime.ts';

/** An event's evidence is cut to a remark beyond this many characters of JSON. */
export const evidenceJsonLimit = 64 * 1024;

export interface EventTable {
  insert(event: EventView): void;
  /** Newest first: those that `eventMatches` (contract/history.ts) says; `before` is an id (excluded). */
  list(query: EventQuery): EventView[];
  /** The highest id that was ever given, pruned ones included. */
  highestId(): number;
}

type Row = Omit<EventView, 'evidence'> & { evidence: string };

const conditions: readonly (readonly [keyof EventFilter, string])[] = [
  ['severity', 'severity = ?'],
  ['kind', 'kind = ?'],
  ['from', 'at >= ?'],
  ['to', 'at < ?'],
  // last: it is the dearest
  ['text', 'instr(lower(rule || char(10) || reason || char(10) || evidence), lower(?)) > 0'],
];

export function eventTable(db: Sqlite): EventTable {
  const insert = db.prepare<Row>(
    `INSERT INTO event (id, at, kind, severity, rule, reason, phase, verdict, evidence)
     VALUES (@id, @at, @kind, @severity, @rule, @reason, @phase, @verdict, @evidence)`,
  );
  const columns = 'SELECT id, at, kind, severity, rule, reason, phase, verdict, evidence FROM event';
  /** one statement for each set of conditions that was ever asked for */
  const lists = new Map<string, Statement<unknown[], Row>>();
  const highest = db
    .prepare<[], number>(
      `SELECT max(coalesce((SELECT max(id) FROM event), 0), coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0))`,
    )
    .pluck();

  return {
    insert(event) {
      insert.run({ ...event, evidence: JSON.stringify(event.evidence) });
    },
    list(query) {
      const { before = Number.MAX_SAFE_INTEGER, limit } = query;
      const asked = conditions.filter(([name]) => query[name] !== undefined && query[name] !== '');
      const where = ['id < ?', ...asked.map(([, sql]) => sql)].join(' AND ');
      const list = lists.get(where) ?? db.prepare(`${columns} WHERE ${where} ORDER BY id DESC LIMIT ?`);
      lists.set(where, list);
      const rows = list.all(before, ...asked.map(([name]) => query[name]), limit);
      return rows.map((row) => ({ ...row, evidence: evidenceFrom(row.evidence) }));
    },
    highestId: () => highest.get() ?? 0,
  };
}

/**
 * The event as it will be read back: a whole time, evidence that JSON can hold (else a remark in its place). Never
 * throws: an event that cannot be told fully is still told.
 */
export function eventAsStored(id: number, event: NewEvent): EventView {
  return { ...event, id, at: Math.round(event.at), evidence: plainEvidence(event.evidence) };
}

function plainEvidence(evidence: Record<string, unknown>): Record<string, unknown> {
  try {
    const json = JSON.stringify(evidence);
    if (json.length > evidenceJsonLimit) return { leftOut: `${json.length} characters of evidence` };
    return evidenceFrom(json);
  } catch {
    return { leftOut: 'the evidence could not be written as JSON' };
  }
}

function evidenceFrom(json: string): Record<string, unknown> {
  const value: unknown = JSON.parse(json);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
