/**
 * What the runner writes: intents, results, the runbook's status, how it is to end, and the rows of history beside them. Holds the
 * record as it stands on disk, or ahead of it by the one result that could not be written yet. Decides nothing.
 */
import type { RunbookStatus, StepId } from '../contract/words.ts';
import type { Clock, JournalEntry, NewEvent, Random, RunbookRecord, Store } from '../engine/ports.ts';
import { lastEntry } from './journal-view.ts';
import type { Step } from './step.ts';

export type RunbookStart = Omit<RunbookRecord, 'id' | 'status' | 'reason' | 'endedAt' | 'entries' | 'startedAt'>;

/** How a runbook is to end before its last step. */
export interface Ending {
  how: 'cancel' | 'give-up';
  because: string;
}

const endingKey = 'runbookEnding';

export class Journal {
  readonly #clock: Clock;
  readonly #store: Store;
  readonly #random: Random;
  #record: RunbookRecord | null;
  /** its result is known and could not be written yet */
  #unwritten: JournalEntry | null = null;

  constructor({ clock, store, random }: { clock: Clock; store: Store; random: Random }) {
    this.#clock = clock;
    this.#store = store;
    this.#random = random;
    this.#record = store.openRunbook() ?? store.lastRunbook();
  }

  /** The newest runbook; null when none was ever run. */
  get record(): RunbookRecord | null {
    return this.#record;
  }

  /** A new runbook, on disk when this returns. Throws when it cannot be written. */
  begin(start: RunbookStart): void {
    const startedAt = this.#clock.wall();
    const id = this.#store.beginRunbook({ ...start, startedAt });
    this.#unwritten = null;
    this.#record = { ...start, id, startedAt, status: 'running', reason: '', endedAt: null, entries: [] };
  }

  /** The intent of a further attempt, on disk before this returns. */
  intend(record: RunbookRecord, step: StepId): JournalEntry {
    const attempt = (lastEntry(record, step)?.attempt ?? 0) + 1;
    const [intentAt, runToken] = [this.#clock.wall(), this.#random.hex(8)];
    const entry: JournalEntry = { step, attempt, intentAt, runToken, result: null, resultAt: null };
    this.#store.intent(record.id, entry);
    (record.entries as JournalEntry[]).push(entry);
    return entry;
  }

  /** What came of an attempt. Should it not be writable, this throws, and it is written before anything that follows. */
  conclude(entry: JournalEntry, result: NonNullable<JournalEntry['result']>): void {
    entry.result = result;
    entry.resultAt = this.#clock.wall();
    this.#unwritten = entry;
    this.catchUp();
  }

  /** Writes the result that could not be written; throws when it still cannot. */
  catchUp(): void {
    const [record, entry] = [this.#record, this.#unwritten];
    if (!record || !entry?.result) return;
    this.#store.result(record.id, entry.step, entry.attempt, entry.result, entry.resultAt ?? entry.intentAt);
    this.#unwritten = null;
  }

  setStatus(status: RunbookStatus, reason: string): void {
    const r = this.#record;
    if (!r) return;
    const endedAt = status === 'running' || status === 'halted' ? null : this.#clock.wall();
    this.#store.setRunbook(r.id, { status, reason, endedAt });
    r.status = status;
    r.reason = reason;
    r.endedAt = endedAt;
    const severity = status === 'done' || status === 'running' ? 'info' : 'alert';
    this.event('runbook', severity, `runbook.${status}`, `${r.kind} ${status}${reason ? `: ${reason}` : ''}`);
  }

  goUnder(record: RunbookRecord, epoch: number): void {
    this.#store.setRunbook(record.id, { status: record.status, reason: record.reason, epoch });
    record.epoch = epoch;
  }

  /** Kept beside the runbook, so that a crash does not undo the decision; null when it goes on after all. */
  decideEnding(ending: Ending | null): void {
    if (ending) this.#store.remember(endingKey, { ...ending, runbook: this.#record?.id });
    else if (this.#store.recall(endingKey)) this.#store.remember(endingKey, null);
  }

  /** What was decided about this runbook, be it by an earlier life of this engine. */
  decidedEnding(): Ending | null {
    const kept = this.#store.recall(endingKey) as (Ending & { runbook: number }) | null | undefined;
    return kept && kept.runbook === this.#record?.id ? { how: kept.how, because: kept.because } : null;
  }

  /** A risk of this runbook, into history; answers what people are told. */
  alert(step: StepId, text: string): { key: string; severity: 'alert'; text: string } {
    const key = `${step}.${this.#record?.id}`;
    this.event('alert', 'alert', key, text);
    return { key, severity: 'alert', text };
  }

  /** A row about a step: its title, and what is said of it behind that. */
  ofStep({ id, title }: Pick<Step, 'id' | 'title'>, severity: NewEvent['severity'], said: string): void {
    this.event('step', severity, `step.${id}`, title + said);
  }

  event(kind: NewEvent['kind'], severity: NewEvent['severity'], rule: string, reason: string): void {
    const r = this.#record;
    const evidence = r ? { runbook: r.id, epoch: r.epoch, origin: r.origin, by: r.by } : {};
    const at = this.#clock.wall();
    this.#store.event({ at, kind, severity, rule, reason, phase: null, verdict: null, evidence });
  }
}
