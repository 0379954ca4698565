/**
 * One drill at a time: ordered by a person or due by schedule, followed in the snapshot, cancelled by a person, by a runbook that opens,
 * and by the end of the engine. What a crash left of one is removed at the next start. Must not know what a drill looks at.
 */
import { join } from 'node:path';
import { newTrial, removeTrial } from '../../backup/check-location.ts';
import { remove } from '../../backup/restoring/swap.ts';
import { Schedule, type Timetable } from '../../backup/schedule.ts';
import type { Means } from '../../backup/work-of-config.ts';
import type { DataFolder } from '../../config/data-folder.ts';
import type { Config } from '../../config/schema.ts';
import type { BackupAnswer } from '../../contract/backups.ts';
import type { DrillDesk } from '../../contract/desk.ts';
import type { DrillEnd, DrillReport, DrillRunning, DrillView } from '../../contract/drill.ts';
import { sentenceOf } from '../../contract/errors.ts';
import type { Snapshot } from '../../contract/snapshot.ts';
import type { Role, Severity } from '../../contract/words.ts';
import type { Cancel, Clock, NewEvent, Store } from '../../engine/ports.ts';
import { within } from '../../peer/within.ts';
import { drillTroubles } from './due.ts';
import { KeptFacts } from './facts.ts';
import { type Rehearsing, sentenceOfReport } from './rehearse.ts';

export interface DrillParts {
  clock: Clock;
  folder: Pick<DataFolder, 'spool'>;
  means: Pick<Means, 'openBackups'>;
  config: () => Config;
  /** by the standing */
  role: () => Role;
  /**
   * One drill; rejects only when it was cancelled.
   * @param trial under which the location is tried
   */
  rehearse: (how: Rehearsing, trial: string) => Promise<DrillReport>;
  store: Pick<Store, 'remember' | 'recall'>;
  runbookOpen: () => boolean;
  /** the piece of work that the storeroom is at, as a word; null: none */
  storeroomAt: () => string | null;
  /** to history */
  note: (rule: string, severity: Severity, sentence: string, kind: NewEvent['kind']) => void;
  /** to people; once for each incident */
  tell: (message: { key: string; severity: Severity; text: string }) => void;
  clean: (text: string) => string;
  /** something a screen may show changed */
  onChange: () => void;
}

type Cause = 'person' | 'runbook' | 'engine';
const causeWords: Record<Cause, string> = {
  person: 'by a person',
  runbook: 'because a runbook began, which comes first',
  engine: 'by the end of Estepe',
};

interface Running {
  view: DrillRunning;
  control: AbortController;
  /** who or what cancelled it */
  cause: Cause | null;
  /** when all of it is over; never rejects */
  over: Promise<void>;
}

const bySchedule = 'schedule';
/** Progress is shown at most so often, ms. */
const showEveryMs = 200;
/** A scheduled one that was cut off or cancelled is begun again after so long, so many times in a row. */
const againMs = 10 * 60_000;
const mostCutOffs = 3;
const tidyingMs = 60_000;

export class Drill {
  readonly #p: DrillParts;
  readonly #facts: KeptFacts;
  readonly #schedule: Schedule;
  #running: Running | null = null;
  #again: Cancel = () => {};
  #tidyAgain: Cancel = () => {};
  #tidied: Promise<void> = Promise.resolve();
  #role: Role;
  #shownAt = Number.NEGATIVE_INFINITY;
  readonly #closing = new AbortController();

  readonly desk: DrillDesk = {
    start: ({ by }) => this.#ordered(by),
    cancel: ({ by }) => this.#cancelled(by),
    report: () => this.#facts.now.last,
  };

  constructor(parts: DrillParts) {
    this.#p = parts;
    this.#facts = new KeptFacts(parts.store);
    this.#role = parts.role();
    this.#schedule = new Schedule({
      clock: parts.clock,
      kept: this.#facts.now.schedule?.until ?? null,
      due: () => this.#due(),
      keep: (until) => {
        const { cron, timeZone } = this.#timetable() ?? { cron: '', timeZone: '' };
        this.#facts.change({ schedule: { until, cron, timeZone } });
      },
    });
  }

  /** First what a crash left, then the schedule. */
  start(): void {
    const { begun, trials } = this.#facts.now;
    if (begun !== null) {
      this.#facts.change({ begun: null, trials: [...trials, begun.trial] });
      const sentence = 'A drill was cut off by the end of Estepe; what it left is removed.';
      this.#p.note('drill.cut-off', 'info', sentence, 'engine');
      this.#ended('cancelled', sentence);
      if (begun.by === bySchedule) this.#tryAgain();
    }
    this.#tidied = this.#removeSandbox();
    this.#tidyTrials();
    this.#setSchedule(false);
  }

  /** Another configuration is used from now on. */
  reconfigured(): void {
    this.#setSchedule(false);
  }

  /** Something of the engine changed: a runbook ends the drill, another role turns the schedule. */
  look(): void {
    if (this.#closed) return;
    if (this.#p.runbookOpen()) this.#cancel('runbook');
    const role = this.#p.role();
    if (role === this.#role) return;
    this.#role = role;
    this.#again();
    this.#setSchedule(true);
  }

  view(): DrillView {
    const { last, lastPassed, ended } = this.#facts.now;
    return {
      running: this.#running && { ...this.#running.view },
      last: last && sumOf(last),
      lastPassedAt: lastPassed?.at ?? null,
      ended,
      maxAgeMs: this.#p.config().drill.maxAge,
      schedule: this.#scheduleView(),
      refusal: this.#whyNot(),
    };
  }

  troubles(): Snapshot['troubles'] {
    const { promotion, drill, lab } = this.#p.config();
    const lastPassedAt = this.#facts.now.lastPassed?.at ?? null;
    const asked = { mode: promotion.mode, role: this.#p.role(), lab, maxAgeMs: drill.maxAge, lastPassedAt };
    return drillTroubles(asked, this.#p.clock.wall());
  }

  /** What is under way is cancelled, and its sandbox gone. Again does nothing. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#schedule.close();
    this.#again();
    this.#tidyAgain();
    this.#cancel('engine');
    await Promise.all([this.#running?.over, this.#tidied]);
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  get #sandbox(): string {
    return join(this.#p.folder.spool, 'drill');
  }

  #whyNot(): string | null {
    if (this.#closed) return 'This engine is ending.';
    if (this.#running !== null) return 'A drill is under way; one at a time.';
    if (this.#p.runbookOpen()) return 'A runbook is open: nothing begins before it has ended.';
    const work = this.#p.storeroomAt();
    return work === null ? null : `A ${work} is under way: wait for its end, or cancel it.`;
  }

  #ordered(by: string): BackupAnswer {
    const answer = this.#begin(by);
    const said = answer.accepted ? 'accepted' : `refused: ${answer.reason}`;
    this.#p.note('order.drill', answer.accepted ? 'info' : 'warning', `${by}: drill: ${said}`, 'order');
    return answer;
  }

  #cancelled(by: string): BackupAnswer {
    if (this.#running === null) return { accepted: false, reason: 'No drill is under way.' };
    if (this.#running.cause !== null) return { accepted: false, reason: 'It is being cancelled already.' };
    this.#p.note('order.cancel-drill', 'info', `${by}: cancel the drill: accepted`, 'order');
    this.#cancel('person');
    return { accepted: true, reason: 'the drill is being cancelled' };
  }

  #cancel(cause: Cause): void {
    const running = this.#running;
    if (running === null || running.cause !== null) return;
    running.cause = cause;
    running.view.cancelling = true;
    running.control.abort();
    this.#p.onChange();
  }

  #begin(by: string): BackupAnswer {
    const why = this.#whyNot();
    if (why !== null) return { accepted: false, reason: why };
    this.#again();
    const trial = newTrial();
    const startedAt = Math.round(this.#p.clock.wall());
    const progress = { done: 0, total: 0, waitsFor: [], bytes: null, bytesTotal: null };
    const view: DrillRunning = { startedAt, by, ...progress, cancelling: false };
    const running: Running = { view, control: new AbortController(), cause: null, over: Promise.resolve() };
    this.#running = running;
    // Before its effects: whoever comes after a crash knows what to remove.
    this.#facts.change({ begun: { by, trial } });
    if (by === bySchedule) this.#p.note('drill.begun', 'info', 'the drill that is due by schedule begins', 'engine');
    running.over = this.#run(running, trial).finally(() => {
      this.#running = null;
      if (!this.#closed) this.#schedule.look();
      this.#p.onChange();
    });
    this.#p.onChange();
    return { accepted: true, reason: 'the drill begins' };
  }

  async #run(running: Running, trial: string): Promise<void> {
    const { view } = running;
    const { by } = view;
    const { signal } = running.control;
    try {
      await this.#tidied;
      await this.#removeSandbox();
      const how: Rehearsing = {
        ...{ by, sandbox: this.#sandbox, signal, clean: this.#p.clean },
        onProgress: ({ done, total, waitsFor }) => {
          Object.assign(view, { done, total, waitsFor, bytes: null, bytesTotal: null });
          this.#p.onChange();
        },
        onBytes: (bytes, bytesTotal) => {
          Object.assign(view, { bytes, bytesTotal });
          const now = this.#p.clock.now();
          if (now - this.#shownAt < showEveryMs) return;
          this.#shownAt = now;
          this.#p.onChange();
        },
      };
      const report = await this.#p.rehearse(how, trial);
      this.#reported(report);
    } catch (error) {
      this.#cutShort(running, error);
    } finally {
      await this.#removeSandbox();
      // Cut short in the middle of its trial, the location may not have been tidied up in time.
      const trials = running.cause === null ? [] : [trial];
      // Ended with the engine, one that was due stays begun: the next start takes it up.
      const begun = running.cause === 'engine' && by === bySchedule ? { by, trial } : null;
      this.#facts.change({ begun, trials: [...this.#facts.now.trials, ...(begun === null ? trials : [])] });
      if (!this.#closed) this.#tidyTrials();
    }
  }

  #reported(report: DrillReport): void {
    const { at, by, passed, role } = report;
    const sentence = sentenceOfReport(report);
    const counts = role === 'passive';
    this.#facts.change({ last: report, cutOffs: 0, ...(passed && counts ? { lastPassed: { at, by } } : {}) });
    this.#ended(passed ? 'passed' : 'failed', sentence);
    const rule = passed ? 'drill.passed' : 'drill.failed';
    const { failureTold } = this.#facts.now;
    if (passed && failureTold && counts) {
      this.#facts.change({ failureTold: false });
      return this.#tell('drill.recovered', 'info', sentence);
    }
    if (passed || by !== bySchedule || failureTold)
      return this.#p.note(rule, passed ? 'info' : 'warning', sentence, 'engine');
    this.#facts.change({ failureTold: true });
    this.#tell(
      rule,
      'warning',
      `${sentence} What to do: see its report (\`estepe drill --last\`), mend it, drill again.`,
    );
  }

  #cutShort({ cause, view: { by } }: Running, error: unknown): void {
    if (cause === null) {
      const sentence = this.#p.clean(`The drill itself failed: ${sentenceOf(error)}`);
      this.#ended('broken', sentence);
      return this.#p.note('drill.broken', 'warning', sentence, 'engine');
    }
    const sentence = `The drill was cancelled ${causeWords[cause]}.`;
    this.#ended('cancelled', sentence);
    this.#p.note('drill.cancelled', 'info', sentence, 'engine');
    if (by === bySchedule && cause === 'runbook') this.#tryAgain();
  }

  #tell(rule: string, severity: Severity, text: string): void {
    this.#p.note(rule, severity, text, 'alert');
    this.#p.tell({ key: rule, severity, text: this.#p.clean(text) });
  }

  #ended(how: DrillEnd['how'], sentence: string): void {
    this.#facts.change({ ended: { at: Math.round(this.#p.clock.wall()), how, sentence } });
  }

  #due(): boolean {
    return this.#begin(bySchedule).accepted;
  }

  #tryAgain(): void {
    this.#again();
    const { cutOffs } = this.#facts.now;
    if (this.#closed || cutOffs >= mostCutOffs) return;
    this.#facts.change({ cutOffs: cutOffs + 1 });
    const again = (): void => {
      if (this.#timetable() === null || this.#begin(bySchedule).accepted) return;
      this.#again = this.#p.clock.after(againMs, again);
    };
    this.#again = this.#p.clock.after(againMs, again);
  }

  async #removeSandbox(): Promise<void> {
    try {
      await remove(this.#sandbox);
    } catch (error) {
      const sentence = `The sandbox of the drill, ${this.#sandbox}, could not be removed: ${sentenceOf(error)}`;
      this.#p.note('drill.left', 'warning', this.#p.clean(sentence), 'engine');
    }
  }

  /** What trials that were cut off left in the location; again later where it does not answer. */
  #tidyTrials(): void {
    this.#tidyAgain();
    const [trial] = this.#facts.now.trials;
    const { backup } = this.#p.config();
    if (trial === undefined || backup === null || this.#closed) return;
    const work = async (signal: AbortSignal): Promise<void> => {
      const location = this.#p.means.openBackups(backup);
      try {
        await removeTrial(location, trial, signal);
      } finally {
        await location.close();
      }
    };
    void within(this.#p.clock, tidyingMs, this.#closing.signal, work).then(
      () => {
        this.#facts.change({ trials: this.#facts.now.trials.filter((one) => one !== trial) });
        this.#tidyTrials();
      },
      () => {
        if (!this.#closed) this.#tidyAgain = this.#p.clock.after(againMs, () => this.#tidyTrials());
      },
    );
  }

  #setSchedule(turned: boolean): void {
    const timetable = this.#timetable();
    const kept = this.#facts.now.schedule;
    const another = timetable !== null && (kept?.cron !== timetable.cron || kept.timeZone !== timetable.timeZone);
    this.#schedule.set(timetable, turned || another);
  }

  /** Null: none runs by itself here. */
  #timetable(): Timetable | null {
    return this.#p.role() === 'passive' ? this.#configured() : null;
  }

  #configured(): Timetable | null {
    const { drill, pair } = this.#p.config();
    if (drill.schedule === 'off') return null;
    const { timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone } = drill;
    return { cron: drill.schedule, timeZone, jitterMs: 0, seed: `${pair.name} drill` };
  }

  #scheduleView(): DrillView['schedule'] {
    const timetable = this.#configured();
    if (timetable === null) return null;
    const { cron, timeZone } = timetable;
    const passive = this.#p.role() === 'passive';
    const nextAt = passive ? this.#schedule.nextAt() : null;
    const never = nextAt === null ? 'by this schedule it never falls due' : '';
    const paused = passive ? never : 'this node is the active one: the passive one drills';
    return { cron, timeZone, nextAt, paused, whenNewer: false };
  }
}

const sumOf = ({ at, by, role, passed, backup, counts }: DrillReport): DrillView['last'] => ({
  ...{ at, by, role, passed, backup, counts },
});
