/**
 * Runbooks and their journal: intents before effects, results after. Holds the rules a table can hold (one open runbook,
 * no attempt twice, no result without an intent); what to do next is not known here.
 */
import { EstepeError } from '../contract/errors.ts';
import type { JournalEntry, RunbookRecord, StepResult, Store } from '../engine/ports.ts';
import type { Sqlite } from './runtime.ts';

export type RunbookStart = Parameters<Store['beginRunbook']>[0];
export type RunbookChange = Parameters<Store['setRunbook']>[1];
export type Intent = Parameters<Store['intent']>[1];

export interface RunbookTable {
  open(): RunbookRecord | null;
  last(): RunbookRecord | null;
  /** Throws `refused` when another one is open. */
  begin(start: RunbookStart): number;
  /** Throws `internal` for an attempt that is there already, or a runbook that is not open. */
  intent(runbook: number, entry: Intent): void;
  /** Throws `internal` without intent, or when another result is there. The same result again changes nothing. */
  result(runbook: number, entry: Pick<JournalEntry, 'step' | 'attempt'>, result: StepResult, at: number): void;
  set(id: number, change: RunbookChange): void;
}

interface RunbookRow extends Omit<RunbookRecord, 'overrides' | 'steps' | 'dryRun' | 'entries'> {
  overrides: string;
  steps: string;
  dryRun: number;
}

interface JournalRow extends Omit<JournalEntry, 'result'> {
  outcome: StepResult['outcome'] | null;
  sentence: string | null;
  output: string | null;
}

const report = 'This is a fault in Estepe. Keep the log and report it.';

export function runbookTable(db: Sqlite): RunbookTable {
  const columns = `SELECT id, kind, origin, by, because, overrides, status, reason, epoch, dry_run AS dryRun,
    started_at AS startedAt, ended_at AS endedAt, steps FROM runbook`;
  const findOpen = db.prepare<[], RunbookRow>(`${columns} WHERE status IN ('running', 'halted')`);
  const findLast = db.prepare<[], RunbookRow>(`${columns} ORDER BY id DESC LIMIT 1`);
  const find = db.prepare<[number], RunbookRow>(`${columns} WHERE id = ?`);
  const entries = db.prepare<[number], JournalRow>(
    `SELECT step, attempt, intent_at AS intentAt, run_token AS runToken, outcome, sentence, output, result_at AS resultAt
     FROM journal WHERE runbook = ? ORDER BY id`,
  );
  const insert = db.prepare(
    `INSERT INTO runbook (kind, origin, by, because, overrides, status, reason, epoch, dry_run, started_at, steps)
     VALUES (@kind, @origin, @by, @because, @overrides, 'running', '', @epoch, @dryRun, @startedAt, @steps)`,
  );
  const update = db.prepare(
    'UPDATE runbook SET status = @status, reason = @reason, epoch = @epoch, ended_at = @endedAt WHERE id = @id',
  );
  const addIntent = db.prepare(
    `INSERT INTO journal (runbook, step, attempt, intent_at, run_token)
     VALUES (@runbook, @step, @attempt, @intentAt, @runToken) ON CONFLICT DO NOTHING`,
  );
  const addResult = db.prepare(
    `UPDATE journal SET outcome = @outcome, sentence = @sentence, output = @output, result_at = @at
     WHERE runbook = @runbook AND step = @step AND attempt = @attempt AND result_at IS NULL`,
  );

  function recordOf(row: RunbookRow | undefined): RunbookRecord | null {
    if (row === undefined) return null;
    return {
      ...row,
      overrides: JSON.parse(row.overrides) as RunbookRecord['overrides'],
      steps: JSON.parse(row.steps) as RunbookRecord['steps'],
      dryRun: row.dryRun === 1,
      entries: entries.all(row.id).map(entryOf),
    };
  }

  function existing(id: number): RunbookRow {
    const row = find.get(id);
    if (row === undefined) throw new EstepeError('internal', `There is no runbook ${id} in the history.`, report);
    return row;
  }

  return {
    open: () => recordOf(findOpen.get()),
    last: () => recordOf(findLast.get()),
    begin(start) {
      const open = findOpen.get();
      if (open !== undefined) {
        throw new EstepeError(
          'refused',
          `Runbook ${open.id} (${open.kind}, ${open.status}) has not ended; a second one cannot begin.`,
          'Let it end, or cancel it first.',
          { runbook: open.id, status: open.status },
        );
      }
      const { lastInsertRowid } = insert.run({
        kind: start.kind,
        origin: start.origin,
        by: start.by,
        because: start.because,
        epoch: start.epoch,
        startedAt: Math.round(start.startedAt),
        dryRun: start.dryRun ? 1 : 0,
        overrides: JSON.stringify(start.overrides),
        steps: JSON.stringify(start.steps),
      });
      return Number(lastInsertRowid);
    },
    intent(runbook, entry) {
      const { status } = existing(runbook);
      if (status !== 'running' && status !== 'halted') {
        throw new EstepeError(
          'internal',
          `Runbook ${runbook} has ended (${status}): step ${entry.step} may not begin.`,
          report,
        );
      }
      const { step, attempt, runToken } = entry;
      const { changes } = addIntent.run({ runbook, step, attempt, runToken, intentAt: Math.round(entry.intentAt) });
      if (changes === 0) {
        throw new EstepeError(
          'internal',
          `Attempt ${attempt} of step ${step} in runbook ${runbook} was begun before.`,
          report,
        );
      }
    },
    result(runbook, { step, attempt }, { outcome, sentence, output }, at) {
      const { changes } = addResult.run({ runbook, step, attempt, outcome, sentence, output, at: Math.round(at) });
      if (changes === 1) return;
      const there = entries.all(runbook).find((entry) => entry.step === step && entry.attempt === attempt);
      if (there?.outcome === outcome && there.sentence === sentence && there.output === output) return;
      throw new EstepeError(
        'internal',
        there === undefined
          ? `A result came for attempt ${attempt} of step ${step} in runbook ${runbook}, which was never begun.`
          : `Attempt ${attempt} of step ${step} in runbook ${runbook} has a result already (${there.outcome}).`,
        report,
      );
    },
    set(id, change) {
      const row = existing(id);
      update.run({
        id,
        status: change.status,
        reason: change.reason,
        epoch: change.epoch ?? row.epoch,
        endedAt: change.endedAt === undefined ? row.endedAt : change.endedAt,
      });
    },
  };
}

function entryOf({ outcome, sentence, output, ...entry }: JournalRow): JournalEntry {
  return { ...entry, result: outcome === null ? null : { outcome, sentence: sentence ?? '', output: output ?? '' } };
}
