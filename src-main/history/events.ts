/**
 * The table of events: what was decided or happened, by which rule, why, with its evidence. Knows nothing of
 * transactions or failures.
 */
import type { EventView } from '../contract/snapshot.ts';
import type { NewEvent } from '../engine/ports.ts';
import type { Sqlite } from './runtime.ts';

/** An event's evidence is cut to a remark beyond this many characters of JSON. */
export const evidenceJsonLimit = 64 * 1024;

export interface EventTable {
  insert(event: EventView): void;
  /** Newest first; `before` is an id (excluded), `severity` exactly that one. */
  list(query: { before?: number; limit: number; severity?: string }): EventView[];
  /** The highest id that was ever given, pruned ones included. */
  highestId(): number;
}

type Row = Omit<EventView, 'evidence'> & { evidence: string };

export function eventTable(db: Sqlite): EventTable {
  const insert = db.prepare<Row>(
    `INSERT INTO event (id, at, kind, severity, rule, reason, phase, verdict, evidence)
     VALUES (@id, @at, @kind, @severity, @rule, @reason, @phase, @verdict, @evidence)`,
  );
  const columns = 'SELECT id, at, kind, severity, rule, reason, phase, verdict, evidence FROM event';
  const all = db.prepare<[number, number], Row>(`${columns} WHERE id < ? ORDER BY id DESC LIMIT ?`);
  const severe = db.prepare<[string, number, number], Row>(
    `${columns} WHERE severity = ? AND id < ? ORDER BY id DESC LIMIT ?`,
  );
  const highest = db
    .prepare<[], number>(
      `SELECT max(coalesce((SELECT max(id) FROM event), 0), coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0))`,
    )
    .pluck();

  return {
    insert(event) {
      insert.run({ ...event, evidence: JSON.stringify(event.evidence) });
    },
    list({ before = Number.MAX_SAFE_INTEGER, limit, severity }) {
      const rows = severity === undefined ? all.all(before, limit) : severe.all(severity, before, limit);
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
