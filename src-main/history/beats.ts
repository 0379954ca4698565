/**
 * Stores beats in compact rows, keeps the minute, hour and day rollups current in the same transaction, and reads beats
 * back. Knows nothing of transactions (its caller opens them), of failures, of what a beat means for a verdict.
 */

import type { BeatRow } from '../contract/desk.ts';
import { type Outcome, outcomes } from '../contract/words.ts';
import type { StoredBeat } from '../engine/ports.ts';
import type { Sqlite } from './runtime.ts';

export const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;

/** The rollups, finest first: table and the length of its unit in milliseconds. */
export const rollups = [
  { table: 'minute', ms: minuteMs },
  { table: 'hour', ms: hourMs },
  { table: 'day', ms: dayMs },
] as const;

/** Longer evidence is cut: it is one line, and a row per beat must stay small. */
export const evidenceLimit = 300;
/** Interned texts kept in memory. */
const cacheLimit = 1_000;

type RollupValues = [
  test: number,
  t: number,
  alive: number,
  degraded: number,
  dead: number,
  strange: number,
  unknown: number,
  ms: number,
  max: number,
];

export interface BeatTable {
  /**
   * Inserts rows and their rollups. To be called inside a transaction. A beat of the same test and time that is there
   * already is left as it is and counted nowhere twice: repeating a call is harmless.
   */
  insert(rows: readonly StoredBeat[]): void;
  /** To be called when the transaction around `insert` was rolled back: ids handed out in it do not exist. */
  forget(): void;
  /** Beats of a test in [from, to), at most the `limit` newest of them, oldest first. */
  rows(query: { test: string; from: number; to: number; limit: number }): BeatRow[];
  /** The id behind a test's name, or null when it was never stored. */
  testId(name: string): number | null;
}

function whole(value: number): number {
  return Number.isFinite(value) ? Math.max(0, Math.round(value)) : 0;
}

/** Evidence as stored: one line, bounded. */
export function trimmedEvidence(text: string): string {
  return text.length > evidenceLimit ? `${text.slice(0, evidenceLimit - 1)}…` : text;
}

export function beatTable(db: Sqlite): BeatTable {
  const addTest = db
    .prepare<[string], number>(
      'INSERT INTO test (name) VALUES (?) ON CONFLICT (name) DO UPDATE SET name = name RETURNING id',
    )
    .pluck();
  const findTest = db.prepare<[string], number>('SELECT id FROM test WHERE name = ?').pluck();
  const addEvidence = db
    .prepare<[string, number], number>(
      'INSERT INTO evidence (text, day) VALUES (?, ?) ON CONFLICT (text) DO UPDATE SET day = max(day, excluded.day) RETURNING id',
    )
    .pluck();
  const addBeat = db.prepare<[number, number, number, number, number]>(
    'INSERT INTO beat (test, t, outcome, ms, evidence) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const addRollups = rollups.map(({ table, ms }) => ({
    ms,
    upsert: db.prepare<RollupValues>(
      `INSERT INTO ${table} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
         alive = alive + excluded.alive, degraded = degraded + excluded.degraded, dead = dead + excluded.dead,
         strange = strange + excluded.strange, unknown = unknown + excluded.unknown,
         ms_sum = ms_sum + excluded.ms_sum, ms_max = max(ms_max, excluded.ms_max)`,
    ),
  }));
  const newest = db.prepare<
    [number, number, number, number],
    { at: number; outcome: number; ms: number; evidence: string }
  >(
    `SELECT t AS at, outcome, ms, coalesce(text, '') AS evidence FROM beat LEFT JOIN evidence ON evidence.id = beat.evidence
     WHERE test = ? AND t >= ? AND t < ? ORDER BY t DESC LIMIT ?`,
  );

  const testIds = new Map<string, number>();
  const evidenceIds = new Map<string, { id: number; day: number }>();

  function testIdFor(name: string): number {
    const known = testIds.get(name);
    if (known !== undefined) return known;
    const id = addTest.get(name) as number;
    testIds.set(name, id);
    return id;
  }

  function evidenceIdFor(text: string, day: number): number {
    const known = evidenceIds.get(text);
    if (known !== undefined && known.day >= day) return known.id;
    const id = addEvidence.get(text, day) as number;
    // Evidence that never repeats would fill the memory: begin again rather than keep an order of use.
    if (evidenceIds.size >= cacheLimit) evidenceIds.clear();
    evidenceIds.set(text, { id, day });
    return id;
  }

  function insertOne({ test, at, beat }: StoredBeat): void {
    const id = testIdFor(test);
    const t = whole(at);
    const ms = whole(beat.ms);
    const outcome = outcomes.indexOf(beat.outcome);
    const evidence = evidenceIdFor(trimmedEvidence(beat.evidence), Math.floor(t / dayMs));
    if (addBeat.run(id, t, outcome, ms, evidence).changes === 0) return;
    const is = (word: Outcome): number => (beat.outcome === word ? 1 : 0);
    const answered = is('alive') + is('degraded');
    for (const rollup of addRollups) {
      rollup.upsert.run(
        id,
        Math.floor(t / rollup.ms),
        is('alive'),
        is('degraded'),
        is('dead'),
        is('foreign'),
        is('unknown'),
        answered * ms,
        answered * ms,
      );
    }
  }

  return {
    insert(rows) {
      for (const row of rows) insertOne(row);
    },
    forget() {
      testIds.clear();
      evidenceIds.clear();
    },
    rows({ test, from, to, limit }) {
      const id = findTest.get(test);
      if (id === undefined) return [];
      return newest
        .all(id, whole(from), whole(to), limit)
        .map((row) => ({ ...row, outcome: outcomes[row.outcome] ?? ('unknown' as const) }))
        .reverse();
    },
    testId: (name) => findTest.get(name) ?? null,
  };
}
