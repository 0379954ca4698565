/**
 * The oracle's eye on the journal (invariant 4): an intent before each effect, its result before the next step, no step
 * lost, none repeated unknowingly, and every runbook ends with a reason.
 */
import type { StepId } from '../../src-main/contract/words.ts';
import type { Command, JournalEntry, RunbookRecord } from '../../src-main/engine/ports.ts';
import type { Circumstances } from './oracle.ts';
import type { Commit, Disk } from './sim-store.ts';
import type { Tally } from './tally.ts';
import { testIds, type World } from './world.ts';

const effectSteps: readonly StepId[] = ['before-script', 'start-services', 'after-script'];
/** a failure of these does not stop the runbook (see the plan in sim-site.ts) */
const mayFail: readonly StepId[] = ['after-script'];
/** asking again does no harm, and a resumed runbook has to */
const mayRepeat: readonly StepId[] = ['guards'];

export class JournalWatch {
  readonly #world: World;
  readonly #disk: Disk;
  readonly #c: Circumstances;
  readonly #say: (text: string) => void;
  readonly #lifeOf = new Map<string, number>();
  readonly #resumed = new Set<number>();
  readonly #cancelled = new Set<number>();
  /** attempts that begin a start again whose PBX was gone: nothing answered here, and that is why */
  readonly #startedAnew = new Set<string>();
  /** attempt in which it was asked whether the services run */
  #asked = '';

  constructor(world: World, disk: Disk, circumstances: Circumstances, say: (text: string) => void) {
    this.#world = world;
    this.#disk = disk;
    this.#c = circumstances;
    this.#say = say;
  }

  /** A person goes on with it: what they cancelled before is no longer cancelled, and the proof is their own. */
  resumed(book: RunbookRecord): void {
    this.#resumed.add(book.id);
    this.#cancelled.delete(book.id);
  }

  resumedByPerson(book: RunbookRecord): boolean {
    return this.#resumed.has(book.id);
  }

  /** A person's cancellation was accepted. */
  cancelled(book: RunbookRecord, rule: string): void {
    if (rule === 'promoting.cancelled-by-person' || rule === 'halted.abandoned') this.#cancelled.add(book.id);
  }

  /** The newest promotion came to nothing because another node owns its epoch. */
  claimWasLost(): boolean {
    // The newest one is the one that begins now.
    const before = this.#disk.runbooks.at(-2);
    const claim = before?.entries.findLast((e) => e.step === 'claim');
    return before?.status === 'cancelled' && claim?.result?.outcome === 'failed';
  }

  /**
   * An effect leaves the journal's shelter: its intent must stand there, and nothing may be repeated unknowingly.
   * @returns its runbook, and whether the step was begun before; null for an effect without a runbook
   */
  effect(command: Command, orphans: ReadonlyMap<string, Command>): { book: RunbookRecord; again: boolean } | null {
    const [name] = command.argv;
    const orphan = orphans.values().next().value;
    // Asking changes nothing; what a cut-off start left running may be the very PBX that is asked after.
    if (orphan && name !== 'query') this.#say(`4: effect ${name} starts while ${orphan.argv[0]} still runs`);
    const book = this.#disk.runbooks.findLast((r) => r.entries.some((e) => e.runToken === command.runToken));
    const entry = book?.entries.find((e) => e.runToken === command.runToken);
    if (!book || !entry || entry.result) {
      this.#say(`4: effect ${name} without an open intent in the journal`);
      return null;
    }
    if (book.status !== 'running') this.#say(`4: effect ${name} of a runbook that is ${book.status}`);
    if (
      name === 'start' &&
      this.#asked !== command.runToken &&
      book.entries.some((e) => e !== entry && e.step === entry.step)
    )
      this.#say('4: the services are started again without asking whether they run');
    if (name === 'query') this.#asked = command.runToken;
    const earlier = book.entries.filter((e) => e !== entry && e.step === entry.step);
    const anew = this.#startedAnew.has(command.runToken);
    if (effectSteps.includes(entry.step) && earlier.some((e) => e.result?.outcome === 'done') && !anew)
      this.#say(`4: step ${entry.step} repeated although it was done`);
    return { book, again: earlier.length > 0 };
  }

  committed(what: Commit, tally: Tally): void {
    const book = this.#disk.runbooks.at(-1);
    if (!book) return;
    if (what === 'intent') this.#intended(book);
    if (what === 'status') this.#turned(book, tally);
    if (what === 'result') {
      this.#proven(book);
      this.#switched(book);
    }
  }

  #intended(book: RunbookRecord): void {
    const entry = book.entries.at(-1) as JournalEntry;
    const { step } = entry;
    this.#lifeOf.set(entry.runToken, this.#c.life);
    for (const before of book.entries) {
      if (before === entry || before.result || this.#lifeOf.get(before.runToken) !== this.#c.life) continue;
      this.#say(
        before.step === step
          ? `4: step ${step} repeated unknowingly: the result of attempt ${before.attempt} is missing`
          : `4: step ${step} begins although the result of ${before.step} is not journaled`,
      );
    }
    // Going back: what was started is stopped, and a flipped standing flipped back.
    if (book.entries.some((e) => e.step === 'stop-services')) {
      if (step !== 'stop-services' && step !== 'flip-standing') this.#say(`4: step ${step} begins after giving up`);
      return;
    }
    const place = book.steps.indexOf(step);
    const lost = book.steps.slice(0, place).find((s) => !this.#isBehind(book, s));
    if (place < 0 || lost) this.#say(`4: step ${step} begins although ${lost ?? step} is not behind the runbook`);
    const done = book.entries.some((e) => e !== entry && e.step === step && e.result && e.result.outcome !== 'failed');
    if (done && !mayRepeat.includes(step) && !this.#isStartedAnew(book, entry))
      this.#say(`4: step ${step} is begun again although it was done`);
    if (this.#cancelled.has(book.id) && !mayRepeat.includes(step))
      this.#say(`3: step ${step} begins although a person cancelled the runbook`);
  }

  /** What was started and has died is started again, and proven again; a PBX of which anything answers is left alone. */
  #isStartedAnew(book: RunbookRecord, { step, runToken }: JournalEntry): boolean {
    if (step === 'prove-alive') return book.entries.some((e) => this.#startedAnew.has(e.runToken));
    if (step !== 'start-services' || testIds.some((t) => this.#world.here[t] === 'up')) return false;
    this.#startedAnew.add(runToken);
    return true;
  }

  /** Proof is of the truth: two rounds in a row in which everything answered here. */
  #proven(book: RunbookRecord): void {
    const last = book.entries.at(-1);
    if (last?.step !== 'prove-alive' || last.result?.outcome !== 'done') return;
    const not = testIds.find((t) => this.#world.here[t] !== 'up');
    if (not) this.#say(`4: proven alive, it is said, and ${not} here is ${this.#world.here[not]}`);
  }

  #switched(book: RunbookRecord): void {
    const last = book.entries.at(-1);
    if (last?.step !== 'switch-dns' || last.result?.outcome !== 'done') return;
    if (this.#world.pointsTo !== 'here') this.#say('4: DNS was switched, it is said, and leads elsewhere');
  }

  #isBehind(book: RunbookRecord, step: StepId): boolean {
    const result = book.entries.findLast((e) => e.step === step)?.result;
    return result !== null && result !== undefined && (result.outcome !== 'failed' || mayFail.includes(step));
  }

  #turned(book: RunbookRecord, tally: Tally): void {
    if (book.status === 'running') return;
    if (book.reason.trim() === '') this.#say(`4: runbook ${book.id} is ${book.status} without a reason`);
    const last = book.entries.at(-1);
    if (last && !last.result && this.#lifeOf.get(last.runToken) === this.#c.life)
      this.#say(`4: runbook ${book.id} is ${book.status} although the result of ${last.step} is not journaled`);
    if (book.status === 'done') {
      const lost = book.steps.find((s) => !this.#isBehind(book, s));
      if (lost) this.#say(`4: runbook ${book.id} is done without its step ${lost}`);
      if (book.kind === 'promotion' && book.entries.some((e) => e.step === 'stop-services'))
        this.#say(`4: runbook ${book.id} is done although its services were stopped`);
    }
    if (book.status === 'cancelled' && book.kind === 'promotion') {
      tally.takenBack += 1;
      const started = book.entries.some((e) => e.step === 'start-services');
      if (started && testIds.some((t) => this.#world.here[t] !== 'refusing'))
        this.#say(`4: runbook ${book.id} was given up, and its services run here`);
      const { standing } = this.#disk;
      if (standing?.role === 'active' && standing.epoch === book.epoch)
        this.#say(`1: runbook ${book.id} was given up, and this node still stands as active under its epoch`);
    }
  }
}
