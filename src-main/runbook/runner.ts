/**
 * Carries out a runbook: intent to the journal, effect, result to the journal, next (invariant 4). Resumes after a crash,
 * stops on request, never runs two. Knows nothing of what the steps do, nor of when a runbook is due.
 */
import { sentenceOf } from '../contract/errors.ts';
import type { RunbookStatus, StepId } from '../contract/words.ts';
import type { RunbookFacts } from '../engine/observation.ts';
import type { JournalEntry, RunbookRecord } from '../engine/ports.ts';
import { bounded } from './bounded.ts';
import { endLeftovers, fallenSteps, goneSince } from './fallen.ts';
import { type Ending, Journal, type RunbookStart } from './journal.ts';
import {
  committed,
  factsOf,
  haltedBecause,
  inDoubt,
  isToUndo,
  lastEntry,
  mustLook,
  nextStep,
  takenBackBecause,
} from './journal-view.ts';
import type { RunnerParts } from './runner-parts.ts';
import { type Step, type StepEnd, standDownStepIds } from './step.ts';

const retryPauseMs = 2_000;

export class Runner {
  readonly #p: RunnerParts;
  readonly #journal: Journal;
  #driving = false;
  #stopping = false;
  /** to be driven once the one that is being driven has come to its end */
  #next = false;
  /** the step under way undoes what earlier ones did */
  #goingBack = false;
  #ending: Ending | null = null;
  #control: AbortController | null = null;
  /** a resumed runbook is still to be looked after, once in this life */
  #toLookAfter = false;
  /** why the journal could not be written, when it could not: the runbook stands still in this process only */
  #stuck: string | null = null;
  #live: { step: StepId; attempt: number; output: string } | null = null;
  #resumedHere = false;
  /** what justified the runbook has to be seen again before its point of no return */
  #anew = false;
  /** a runbook that could not even be journaled: nothing of it was done */
  #unbegun: { start: RunbookStart; status: 'halted' | 'cancelled'; reason: string } | null = null;

  constructor(parts: RunnerParts) {
    this.#p = parts;
    this.#journal = new Journal(parts);
    this.#ending = this.#journal.decidedEnding();
  }

  /** The newest runbook with its journal; null when none was ever run. */
  get record(): RunbookRecord | null {
    return this.#journal.record;
  }

  /** Running or halted: what is done about the PBX now is this runbook's. */
  get isOpen(): boolean {
    if (this.#unbegun) return this.#unbegun.status === 'halted';
    const r = this.record;
    return r !== null && !r.dryRun && (r.status === 'running' || r.status === 'halted');
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
    const r = this.record;
    if (!r || r.dryRun) return null;
    const steps = r.status === 'running' || r.status === 'halted' ? this.#p.stepsFor(r) : [];
    const now = { stuck: this.#stuck, cancelling: this.#ending !== null, givenUp: this.#givenUp };
    return factsOf(r, steps, now);
  }

  /** Journals a new runbook and starts it. What cannot be journaled is not done: it counts as halted, with the reason. */
  begin(start: RunbookStart): void {
    this.#ending = null;
    this.#stuck = null;
    this.#resumedHere = false;
    this.#anew = false;
    try {
      this.#journal.begin(start);
      this.#unbegun = null;
    } catch (error) {
      this.#unbegun = {
        start,
        status: 'halted',
        reason: `it cannot be journaled (${sentenceOf(error)}); nothing was done`,
      };
      return;
    }
    this.#journal.event('runbook', 'info', `runbook.begun`, `${start.kind} begins: ${start.because}`);
    this.#go();
  }

  /** Goes on with a runbook that an earlier life of this engine left open. To be called once, after the start. */
  recover(): void {
    const r = this.record;
    if (r?.status !== 'running') return;
    this.#resumedHere = true;
    this.#toLookAfter = true;
    this.#anew = true;
    this.#journal.event(
      'runbook',
      'warning',
      'runbook.resumed',
      `the ${r.kind} of an earlier run of Estepe is resumed`,
    );
    this.#go();
  }

  /** A person goes on with a halted runbook: the failed step again, or without it (the core lets only an `ask` step go). */
  resume(ask: { skipStep: boolean; by: string; overrides: RunbookRecord['overrides'] }): void {
    if (this.#unbegun) return this.begin(this.#unbegun.start);
    const r = this.record;
    if (!r || (r.status !== 'halted' && !this.#stuck)) return;
    this.#attempt(() => {
      this.#stuck = null;
      // Services that are being stopped are not proven alive any more: what is given up can only be given up again.
      if (!this.#givenUp) {
        this.#journal.decideEnding(null);
        this.#ending = null;
      }
      r.goneOn = [...(r.goneOn ?? []), ...ask.overrides];
      // It stood still for as long as nobody came: what justified it has to be seen again.
      this.#anew = true;
      const step = nextStep(r, this.#p.stepsFor(r));
      if (ask.skipStep && step) this.#leaveOut(r, step, `left out by ${ask.by}`);
      this.#setStatus('running', '');
      this.#go();
    });
  }

  /** Asks the running step to end. Before the point of no return the runbook is taken back, after it it halts. */
  cancel(because: string): void {
    if (this.record?.status !== 'running' || this.#ending !== null) return;
    this.#ending = { how: 'cancel', because };
    try {
      this.#journal.decideEnding(this.#ending);
    } catch {
      // It is cancelled all the same; should this engine die before it is, the guards are asked again.
    }
    this.#control?.abort();
    if (!this.#driving) this.#go();
    this.#p.onChange();
  }

  /** This engine saw nothing for a while: what justified the runbook may be gone. */
  askAnew(): void {
    this.#anew = true;
  }

  /** A person gives a halted runbook up: what it started is stopped, then it counts as cancelled. */
  abandon(because: string): void {
    if (this.#unbegun) {
      this.#unbegun = { ...this.#unbegun, status: 'cancelled', reason: because };
      return this.#p.onChange();
    }
    const r = this.record;
    if (!r || (r.status !== 'halted' && !this.#stuck)) return;
    this.#attempt(() => {
      this.#stuck = null;
      this.#decideToGiveUp(because);
      this.#setStatus('running', because);
      this.#go();
    });
  }

  get #givenUp(): boolean {
    return this.#ending?.how === 'give-up';
  }

  #decideToGiveUp(because: string): void {
    this.#journal.decideEnding({ how: 'give-up', because });
    this.#ending = { how: 'give-up', because };
  }

  /** The engine ends: the running step is ended and the runbook left open, to be resumed at the next start. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#control?.abort();
    await this.#done;
  }

  #done: Promise<void> = Promise.resolve();

  #go(): void {
    if (this.#stopping) return;
    this.#next = this.#driving;
    if (this.#driving) return;
    this.#driving = true;
    this.#done = this.#drive()
      .catch((error: unknown) => {
        this.#stuck = `the journal cannot be written (${sentenceOf(error)}); nothing more was done`;
      })
      .finally(() => {
        this.#driving = false;
        this.#live = null;
        if (this.#next) this.#go();
        this.#p.onChange();
      });
  }

  async #drive(): Promise<void> {
    const record = this.record;
    if (!record) return;
    const steps = this.#p.stepsFor(record);
    const kept = new Set(steps.filter((s) => s.keepsLeftovers).map((s) => s.id));
    if (this.#resumedHere) await this.#endLeftovers(record.entries.filter((e) => !kept.has(e.step)));
    while (record.status === 'running' && !this.#stopping && !this.#next) {
      if (this.#ending && this.#givenUp) return this.#giveUp(record, steps, this.#ending.because);
      if (this.#ending) return this.#cancelled(record, steps, this.#ending.because);
      if (this.#anew && !committed(record, steps)) {
        this.#anew = false;
        await this.#repeatBeforeReturn(record, steps);
        continue;
      }
      const step = nextStep(record, steps);
      if (step && this.#anew && mustLook(record)) await this.#lookBeforeGoingLive(record);
      else if (this.#toLookAfter) await this.#repeatFallen(record, steps);
      else if (!step) return this.#setStatus('done', 'every step is done');
      else await this.#carryOut(record, step);
    }
  }

  /** Past the point of no return and blind for a while: the other node may have come back, and there must not be two. */
  async #lookBeforeGoingLive(record: RunbookRecord): Promise<void> {
    const seen = await this.#unlessEnded((signal) => this.#p.whyNotDown(record, signal));
    if (seen === null) return;
    this.#anew = false;
    if (seen.answer !== null) this.#halt(record, seen.answer);
  }

  /** What was started before this life may have ended with the machine: a node must not become active with a dead PBX. */
  async #repeatFallen(record: RunbookRecord, steps: readonly Step[]): Promise<void> {
    const seen = await this.#unlessEnded((signal) => fallenSteps(record, steps, signal));
    if (seen === null) return;
    this.#toLookAfter = false;
    for (const step of seen.answer) {
      if (record.status !== 'running') return;
      if (step.stillHolds) this.#journal.ofStep(step, 'warning', goneSince);
      await this.#carryOut(record, step);
    }
  }

  /** Null: it was to end meanwhile, and the answer says nothing. */
  async #unlessEnded<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<{ answer: T } | null> {
    const control = new AbortController();
    this.#control = control;
    if (this.#mustEnd) control.abort();
    const answer = await ask(control.signal);
    this.#control = null;
    return control.signal.aborted ? null : { answer };
  }

  #endLeftovers(entries: readonly JournalEntry[]): Promise<void> {
    return endLeftovers(this.#p.proc, entries, (step, text) => this.#journal.event('step', 'warning', step, text));
  }

  /** Resumed, or blind for a while, before the point of no return: what justified the runbook must be seen again. */
  async #repeatBeforeReturn(record: RunbookRecord, steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (!step.repeatOnResume || !lastEntry(record, step.id)) continue;
      await this.#carryOut(record, step);
      if (record.status !== 'running') return;
    }
  }

  #cancelled(record: RunbookRecord, steps: readonly Step[], because: string): void {
    const started = lastEntry(record, 'start-services') ? '; services may be running here already' : '';
    if (committed(record, steps)) this.#halt(record, because + started);
    else this.#takenBack(record, steps, because);
  }

  #takenBack(record: RunbookRecord, steps: readonly Step[], because: string): void {
    this.#setStatus('cancelled', takenBackBecause(record, steps, because));
  }

  #halt(record: RunbookRecord, because: string): void {
    this.#setStatus('halted', haltedBecause(record, this.#p.stepsFor(record), because));
  }

  /** Past the point of no return what was started is stopped first, and a standing that was flipped is flipped back. */
  async #giveUp(record: RunbookRecord, steps: readonly Step[], because: string): Promise<void> {
    const backwards = { kind: 'stand-down', steps: standDownStepIds, dryRun: record.dryRun } as const;
    for (const step of committed(record, steps) ? this.#p.stepsFor(backwards) : []) {
      if (!isToUndo(record, step.id)) continue;
      this.#goingBack = true;
      await this.#carryOut(record, step).finally(() => {
        this.#goingBack = false;
      });
      if (record.status !== 'running' || this.#stopping) return;
    }
    // The site's own stop goes first; what a cut-off start left and the stop did not reach is ended by force.
    if (this.#resumedHere) await this.#endLeftovers(record.entries);
    this.#takenBack(record, steps, because);
  }

  /** The step is to be left as soon as it can be; one that leads back is how a runbook ends, and goes on. */
  get #mustEnd(): boolean {
    return this.#stopping || (this.#ending !== null && !this.#goingBack);
  }

  /** All attempts of one step. Ends with the step behind the runbook, or with the runbook no longer running. */
  async #carryOut(record: RunbookRecord, step: Step): Promise<void> {
    for (let left = step.retries; ; left -= 1) {
      if (this.#mustEnd) return;
      const end = await this.#once(record, step);
      if (end.outcome !== 'failed' || this.#mustEnd) return;
      if (!end.again || left <= 0) return this.#failedFor(record, step, end);
      await new Promise<void>((go) => this.#p.clock.after(retryPauseMs, go));
    }
  }

  #failedFor(record: RunbookRecord, step: Step, end: StepEnd): void {
    if (end.takeBack) return this.#decideToGiveUp(end.sentence);
    if (step.onFail !== 'continue') this.#halt(record, `${step.title}: ${end.sentence}`);
  }

  async #once(record: RunbookRecord, step: Step): Promise<StepEnd> {
    const doubt = inDoubt(record, step.id);
    const entry = this.#journal.intend(record, step.id);
    this.#live = { step: step.id, attempt: entry.attempt, output: '' };
    const again = doubt ? '; the attempt before was cut off by the end of Estepe' : '';
    this.#journal.ofStep(step, doubt ? 'warning' : 'info', `, attempt ${entry.attempt}${again}`);
    this.#p.onChange();
    const end = await this.#run(record, step, entry, doubt);
    const { outcome, sentence, output } = end;
    // Before the result is written: told twice after a crash rather than never.
    const alert = end.alert ? this.#journal.alert(step.id, end.alert) : null;
    if (alert) this.#p.tell?.(alert);
    this.#journal.conclude(entry, { outcome, sentence, output });
    this.#live = null;
    this.#journal.ofStep(step, outcome === 'failed' ? 'warning' : 'info', `: ${sentence}`);
    this.#p.onChange();
    return end;
  }

  /** Runs the effect within its bounds; never rejects. */
  async #run(record: RunbookRecord, step: Step, entry: JournalEntry, doubt: boolean): Promise<StepEnd> {
    const control = new AbortController();
    this.#control = control;
    if (this.#mustEnd) control.abort();
    const end = await bounded(this.#p.clock, step.timeoutMs, control, () =>
      step.run({
        runbook: record,
        epoch: record.epoch,
        attempt: entry.attempt,
        dryRun: record.dryRun,
        inDoubt: doubt,
        runToken: entry.runToken,
        signal: control.signal,
        onOutput: (chunk) => this.#heard(chunk),
        goUnder: (epoch) => this.#journal.goUnder(record, epoch),
        endLeftovers: () =>
          this.#endLeftovers(record.entries.filter((e) => e.step === step.id && e.attempt < entry.attempt)),
      }),
    );
    this.#control = null;
    return end;
  }

  #heard(chunk: string): void {
    if (!this.#live) return;
    this.#live.output = (this.#live.output + chunk).slice(-16_384);
    this.#p.onChange();
  }

  #leaveOut(record: RunbookRecord, step: Step, sentence: string): void {
    this.#journal.conclude(this.#journal.intend(record, step.id), { outcome: 'skipped', sentence, output: '' });
    this.#journal.ofStep(step, 'warning', `: ${sentence}`);
  }

  #setStatus(status: RunbookStatus, reason: string): void {
    this.#journal.setStatus(status, reason);
    this.#p.onChange();
  }

  /** A change a person asked for; a journal that cannot be written leaves the runbook as it is. */
  #attempt(change: () => void): void {
    try {
      this.#journal.catchUp();
      change();
    } catch (error) {
      this.#stuck = `the journal cannot be written (${sentenceOf(error)})`;
      this.#p.onChange();
    }
  }
}
