/** What the history's tests share: a folder of their own that goes away, beats and runbooks to put in. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Outcome } from '../../../src-main/contract/words.ts';
import type { NewEvent, StoredBeat } from '../../../src-main/engine/ports.ts';
import { type History, type HistoryOptions, openHistory } from '../../../src-main/history/history.ts';
import type { RestoreStart } from '../../../src-main/history/restores.ts';
import type { RunbookStart } from '../../../src-main/history/runbooks.ts';
import { connect, type Sqlite } from '../../../src-main/history/runtime.ts';

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;
/** a Friday at noon, UTC */
export const noon = Date.UTC(2026, 4, 1, 12);

/** A folder that is removed after the test. */
export function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'estepe-history-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A history that is closed after the test. */
export function opened(file: string, options: HistoryOptions = {}): History {
  const history = openHistory(file, options);
  onTestFinished(() => history.close());
  return history;
}

/** A history in a folder of its own. */
export function newHistory(options: HistoryOptions = {}): History {
  return opened(join(ownFolder(), 'estepe.db'), options);
}

/** A second look at the file, as a database browser would take it. */
export function lookInto<T>(file: string, look: (db: Sqlite) => T): T {
  const db = connect(file);
  try {
    return look(db);
  } finally {
    db.close();
  }
}

export function beat(
  at: number,
  outcome: Outcome = 'alive',
  ms = 20,
  test = 'sip',
  evidence = 'SIP/2.0 200 OK',
): StoredBeat {
  return { test, at, beat: { test, outcome, ms, evidence } };
}

export const decision: NewEvent = {
  at: noon,
  kind: 'decision',
  severity: 'warning',
  rule: 'W1',
  reason: 'sip: no answer within 4 s',
  phase: 'suspecting',
  verdict: 'suspect',
  evidence: { failed: ['sip'], round: 7 },
};

export const promotion: RunbookStart = {
  kind: 'promotion',
  origin: 'person',
  by: 'console',
  because: 'the active is dead',
  overrides: [{ guard: 'cool-down', reason: 'second outage today' }],
  epoch: null,
  dryRun: false,
  startedAt: noon,
  steps: ['guards', 'claim', 'start-services'],
};

export const aRestore: RestoreStart = {
  name: 'head-office-192.0.2.1-20260501T100000Z.zip',
  createdAt: noon - 2 * hour,
  begunAt: noon,
  by: 'schedule',
  epoch: 2,
  runToken: 'ab12',
};

/** What the call throws, or undefined. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}
