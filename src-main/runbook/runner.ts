/**
 * Carries out a runbook: intent to the journal, effect, result to the journal, next (invariant 4). Resumes after a crash,
 * stops on request, never runs two. Knows nothing of what the steps do, nor of when a runbook is due.
 */
import { sentenceOf } from '../contract/errors.ts';
import type { RunbookStatus, StepId } from '../contract/words.ts';
import { inWords } from '../engine/duration.ts';
import type { RunbookFacts } from '../engine/observation.ts';
import type { Cancel, Clock, JournalEntry, NewEvent, Proc, Random, RunbookRecord, Store } from '../engine/ports.ts';
import { committed, inDoubt, lastEntry, nextStep } from './journal-view.ts';
import { failure, type Step, type StepEnd } from './step.ts';

export interface RunnerParts {
  clock: Clock;
  store: Store;
  random: Random;
  proc: Proc;
  /** the steps of this runbook by the configuration as it is now, in order */
  stepsFor: (record: Pick<RunbookRecord, 'kind' | 'steps' | 'dryRun'>) => readonly Step[];
  /** something a screen or a rule may care about changed */
  onChange: () => void;
}

export type RunbookStart = Omit<RunbookRecord, 'id' | 'status' | 'reason' | 'endedAt' | 'entries' | 'startedAt'>;

/** Pause before a step is tried again. */
const retryPauseMs = 2_000;
/** A step that minds its signal ends well within this; one that doesn't is left behind and counted as failed. */
const abortGraceMs = 15_000;

export class Runner {
  readonly #p: RunnerParts;
  #record: RunbookRecord | null;
  #driving = false;
  #stopping = false;
  #cancelBecause: string | null = null;
  #control: AbortController | null = null;
  /** why the journal could not be written, when it could not: the runbook stands still in this process only */
  #stuck: string | null = null;
  #live: { step: StepId; attempt: number; output: string } | null = null;
  #resumedHere = false;
  /** a runbook that could not even be journaled: nothing of it was done */
  #unbegun: { start: RunbookStart; status: 'halted' | 'cancelled'; reason: string } | null = null;

  constructor(parts: RunnerParts) {
    this.#p = parts;
    this.#record = parts.store.openRunbook() ?? parts.store.lastRunbook();
  }

  /** The newest runbook with its journal; null when none was ever run. */
  get record(): RunbookRecord | null {
    return this.#record;
  }

  /** Output of the step that runs now, as far as it came. */
  get live(): { step: StepId; attempt: number; output: string } | null {
    return this.#live;
  }

  facts(): RunbookFacts | null {
    if (this.#unbegun) {
      const { start, status, reason } = this.#unbegun;
      const { kind, origin } = start;
      return { id: 0, kind, origin, status, committed: false, cancelling: false, skippable: false, reason };
    }
    const r = this.#record;
    if (!r || r.dryRun) return null;
    const steps = this.#p.stepsFor(r);
    return {
      id: r.id,
      kind: r.kind,
      origin: r.origin,
      status: this.#stuck && r.status === 'running' ? 'halted' : r.status,
      committed: committed(r, steps),
      cancelling: this.#cancelBecause !== null,
      skippable: r.status === 'halted' && !this.#stuck && nextStep(r, steps)?.onFail === 'ask',
      reason: this.#stuck ?? r.reason,
    };
  }

  /** Journals a new runbook and starts it. What cannot be journaled is not done: it counts as halted, with the reason. */
  begin(start: RunbookStart): void {
    const startedAt = this.#p.clock.wall();
    this.#cancelBecause = null;
    this.#stuck = null;
    this.#resumedHere = false;
    try {
      const id = this.#p.store.beginRunbook({ ...start, startedAt });
      this.#unbegun = null;
      this.#record = { ...start, id, startedAt, status: 'running', reason: '', endedAt: null, entries: [] };
    } catch (error) {
      this.#unbegun = {
        start,
        status: 'halted',
        reason: `it cannot be journaled (${sentenceOf(error)}); nothing was done`,
      };
      return;
    }
    this.#event('runbook', 'info', `runbook.begun`, `${start.kind} begins: ${start.because}`);
    this.#go();
  }

  /** Goes on with a runbook that an earlier life of this engine left open. To be called once, after the start. */
  recover(): void {
    const r = this.#record;
    if (r?.status !== 'running') return;
    this.#resumedHere = true;
    this.#event('runbook', 'warning', 'runbook.resumed', `the ${r.kind} of an earlier run of Estepe is resumed`);
    this.#go();
  }

  /** A person goes on with a halted runbook: the failed step again, or without it (the core lets only an `ask` step go). */
  resume(ask: { skipStep: boolean; by: string }): void {
    if (this.#unbegun) return this.begin(this.#unbegun.start);
    const r = this.#record;
    if (!r || (r.status !== 'halted' && !this.#stuck)) return;
    this.#attempt(() => {
      this.#stuck = null;
      this.#cancelBecause = null;
      const step = nextStep(r, this.#p.stepsFor(r));
      if (ask.skipStep && step) this.#leaveOut(r, step, `left out by ${ask.by}`);
      this.#setStatus('running', '');
      this.#go();
    });
  }

  /** Asks the running step to end. Before the point of no return the runbook is taken back, after it it halts. */
  cancel(because: string): void {
    if (this.#record?.status !== 'running' || this.#cancelBecause !== null) return;
    this.#cancelBecause = because;
    this.#control?.abort();
    if (!this.#driving) this.#go();
    this.#p.onChange();
  }

  /** A person gives a halted runbook up: what it started is stopped, then it counts as cancelled. */
  abandon(because: string): void {
    if (this.#unbegun) {
      this.#unbegun = { ...this.#unbegun, status: 'cancelled', reason: because };
      return this.#p.onChange();
    }
    const r = this.#record;
    if (!r || (r.status !== 'halted' && !this.#stuck)) return;
    this.#attempt(() => {
      this.#stuck = null;
      this.#cancelBecause = because;
      this.#setStatus('running', because);
      this.#go(true);
    });
  }

  /** The engine ends: the running step is ended and the runbook left open, to be resumed at the next start. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#control?.abort();
    await this.#done;
  }

  #done: Promise<void> = Promise.resolve();

  #go(givingUp = false): void {
    if (this.#driving || this.#stopping) return;
    this.#driving = true;
    this.#done = this.#drive(givingUp)
      .catch((error: unknown) => {
        this.#stuck = `the journal cannot be written (${sentenceOf(error)}); nothing more was done`;
      })
      .finally(() => {
        this.#driving = false;
        this.#live = null;
        this.#p.onChange();
      });
  }

  async #drive(givingUp: boolean): Promise<void> {
    const record = this.#record;
    if (!record) return;
    const steps = this.#p.stepsFor(record);
    if (this.#resumedHere) await this.#endLeftovers(record);
    if (givingUp) return this.#giveUp(record, steps);
    if (this.#resumedHere && !committed(record, steps)) await this.#repeatBeforeReturn(record, steps);
    for (;;) {
      if (record.status !== 'running' || this.#stopping) return;
      if (this.#cancelBecause !== null) return this.#cancelled(record, steps);
      const step = nextStep(record, steps);
      if (!step) return this.#setStatus('done', 'every step is done');
      await this.#carryOut(record, step);
    }
  }

  /** What an earlier life of this engine started may still run; nothing new begins beside it. */
  async #endLeftovers(record: RunbookRecord): Promise<void> {
    for (const entry of record.entries.filter((e) => e.result === null)) {
      const ended = await this.#p.proc.endLeftovers(entry.runToken);
      if (ended > 0) {
        const text = `${ended} process${ended === 1 ? '' : 'es'} of the earlier attempt of ${entry.step} ended`;
        this.#event('step', 'warning', `step.${entry.step}`, text);
      }
    }
  }

  /** Resumed before the point of no return: what justified the runbook must be seen again. */
  async #repeatBeforeReturn(record: RunbookRecord, steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (!step.repeatOnResume || !lastEntry(record, step.id)) continue;
      await this.#carryOut(record, step);
      if (record.status !== 'running') return;
    }
  }

  #cancelled(record: RunbookRecord, steps: readonly Step[]): void {
    const because = this.#cancelBecause ?? '';
    if (committed(record, steps)) this.#setStatus('halted', `${because}; services may be running here already`);
    else this.#takenBack(record, steps, because);
  }

  /** Nothing of it is undone by itself; what stays behind is said. */
  #takenBack(record: RunbookRecord, steps: readonly Step[], because: string): void {
    const remains = steps.flatMap((s) => (s.remains && lastEntry(record, s.id) !== null ? [s.remains] : []));
    this.#setStatus('cancelled', [because, ...remains].join('; '));
  }

  async #giveUp(record: RunbookRecord, steps: readonly Step[]): Promise<void> {
    const [stop] = this.#p.stepsFor({ kind: 'stand-down', steps: ['stop-services'], dryRun: record.dryRun });
    if (committed(record, steps) && stop) {
      this.#cancelBecause = null;
      await this.#carryOut(record, stop);
      if (record.status !== 'running') return;
      const result = lastEntry(record, 'stop-services')?.result;
      if (result?.outcome !== 'done')
        return this.#setStatus('halted', result?.sentence ?? 'the services were not stopped');
    }
    this.#setStatus('cancelled', record.reason || 'given up');
  }

  /** All attempts of one step. Ends with the step behind the runbook, or with the runbook no longer running. */
  async #carryOut(record: RunbookRecord, step: Step): Promise<void> {
    for (let left = step.retries; ; left -= 1) {
      if (this.#stopping || this.#cancelBecause !== null) return;
      const end = await this.#once(record, step);
      if (end.outcome !== 'failed') return;
      if (this.#stopping || this.#cancelBecause !== null) return;
      if (end.takeBack) return this.#takenBack(record, this.#p.stepsFor(record), end.sentence);
      if (!end.again || left <= 0) return this.#failedFor(step, end);
      await new Promise<void>((go) => this.#p.clock.after(retryPauseMs, go));
    }
  }

  #failedFor(step: Step, end: StepEnd): void {
    if (step.onFail !== 'continue') this.#setStatus('halted', `${step.title}: ${end.sentence}`);
  }

  async #once(record: RunbookRecord, step: Step): Promise<StepEnd> {
    const { clock, store } = this.#p;
    const doubt = inDoubt(record, step.id);
    const before = lastEntry(record, step.id);
    const entry: JournalEntry = {
      step: step.id,
      attempt: (before?.attempt ?? 0) + 1,
      intentAt: clock.wall(),
      runToken: this.#p.random.hex(8),
      result: null,
      resultAt: null,
    };
    store.intent(record.id, entry);
    (record.entries as JournalEntry[]).push(entry);
    this.#live = { step: step.id, attempt: entry.attempt, output: '' };
    const again = doubt ? '; the attempt before was cut off by the end of Estepe' : '';
    this.#event(
      'step',
      doubt ? 'warning' : 'info',
      `step.${step.id}`,
      `${step.title}, attempt ${entry.attempt}${again}`,
    );
    this.#p.onChange();

    const end = await this.#run(record, step, entry, doubt);
    // Sim and tests cut us off anywhere; the result is written after the effect and never before.
    const { outcome, sentence, output } = end;
    store.result(record.id, step.id, entry.attempt, { outcome, sentence, output }, clock.wall());
    entry.result = { outcome, sentence, output };
    entry.resultAt = clock.wall();
    this.#live = null;
    const severity = outcome === 'failed' ? 'warning' : 'info';
    this.#event('step', severity, `step.${step.id}`, `${step.title}: ${sentence}`);
    this.#p.onChange();
    return end;
  }

  /** Runs the effect under its time-out and the cancel signal; never rejects. */
  async #run(record: RunbookRecord, step: Step, entry: JournalEntry, doubt: boolean): Promise<StepEnd> {
    const control = new AbortController();
    this.#control = control;
    if (this.#stopping || this.#cancelBecause !== null) control.abort();
    const { clock, store } = this.#p;
    const late = `did not end within ${inWords(step.timeoutMs)}`;
    let timedOut = false;
    const work = step
      .run({
        runbook: record,
        epoch: record.epoch,
        attempt: entry.attempt,
        dryRun: record.dryRun,
        inDoubt: doubt,
        runToken: entry.runToken,
        signal: control.signal,
        onOutput: (chunk) => this.#heard(chunk),
        goUnder: (epoch) => {
          store.setRunbook(record.id, { status: record.status, reason: record.reason, epoch });
          record.epoch = epoch;
        },
      })
      .catch((error: unknown) => failure(sentenceOf(error)));
    const timers: Cancel[] = [];
    const limit = new Promise<StepEnd>((stop) => {
      const leave = (): void => stop(failure(`${late} and did not stop when told`));
      const hard = (): void => void timers.push(clock.after(abortGraceMs, leave));
      control.signal.addEventListener('abort', hard, { once: true });
      timers.push(
        clock.after(step.timeoutMs, () => {
          timedOut = true;
          control.abort();
        }),
      );
    });
    void work.then(() => timers.map((cancel) => cancel()));
    const end = await Promise.race([work, limit]);
    this.#control = null;
    return timedOut && end.outcome === 'failed' ? { ...end, sentence: `${late}: ${end.sentence}` } : end;
  }

  #heard(chunk: string): void {
    if (!this.#live) return;
    this.#live.output = (this.#live.output + chunk).slice(-16_384);
    this.#p.onChange();
  }

  #leaveOut(record: RunbookRecord, step: Step, sentence: string): void {
    const { clock, store, random } = this.#p;
    const at = clock.wall();
    const attempt = (lastEntry(record, step.id)?.attempt ?? 0) + 1;
    const entry: JournalEntry = {
      step: step.id,
      attempt,
      intentAt: at,
      runToken: random.hex(8),
      result: null,
      resultAt: null,
    };
    store.intent(record.id, entry);
    const result = { outcome: 'skipped', sentence, output: '' } as const;
    store.result(record.id, step.id, attempt, result, at);
    (record.entries as JournalEntry[]).push({ ...entry, result, resultAt: at });
    this.#event('step', 'warning', `step.${step.id}`, `${step.title}: ${sentence}`);
  }

  #setStatus(status: RunbookStatus, reason: string): void {
    const r = this.#record;
    if (!r) return;
    const endedAt = status === 'running' || status === 'halted' ? null : this.#p.clock.wall();
    this.#p.store.setRunbook(r.id, { status, reason, endedAt });
    r.status = status;
    r.reason = reason;
    r.endedAt = endedAt;
    const severity = status === 'done' || status === 'running' ? 'info' : 'alert';
    this.#event('runbook', severity, `runbook.${status}`, `${r.kind} ${status}${reason ? `: ${reason}` : ''}`);
    this.#p.onChange();
  }

  /** A change a person asked for; a journal that cannot be written leaves the runbook as it is. */
  #attempt(change: () => void): void {
    try {
      change();
    } catch (error) {
      this.#stuck = `the journal cannot be written (${sentenceOf(error)})`;
      this.#p.onChange();
    }
  }

  #event(kind: NewEvent['kind'], severity: NewEvent['severity'], rule: string, reason: string): void {
    const r = this.#record;
    const evidence = r ? { runbook: r.id, epoch: r.epoch, origin: r.origin, by: r.by } : {};
    this.#p.store.event({
      at: this.#p.clock.wall(),
      kind,
      severity,
      rule,
      reason,
      phase: null,
      verdict: null,
      evidence,
    });
  }
}
