/**
 * The oracle: knows the truth of the simulated world and counts for itself what went over the wire, apart from the engine's
 * own counting. Asserts the invariants of the design after every event.
 */
import type { Policy } from '../../src-main/engine/observation.ts';
import type { Command, RunbookRecord } from '../../src-main/engine/ports.ts';
import type { Wire } from './sim-ports.ts';
import type { Disk } from './sim-store.ts';
import type { World } from './world.ts';

export interface Tally {
  right: number;
  /** the active served, but the path to it could not show that */
  blind: number;
  /** `failWhen: any` on a lossy path: one test failed every time by loss alone */
  lossyAny: number;
  /** the active came back while the last round was under way */
  race: number;
  byPerson: number;
  /** worst time from death to the promotion's begin, where nothing disturbed the watch; ms */
  worstDetectMs: number;
  violations: string[];
}

export const emptyTally = (): Tally => ({
  right: 0,
  blind: 0,
  lossyAny: 0,
  race: 0,
  byPerson: 0,
  worstDetectMs: 0,
  violations: [],
});

interface RoundSeen {
  startedAt: number;
  failed: Set<string>;
  tests: number;
  references: number;
  answered: number;
}

/** What the oracle is told of the engine's life and of what people did. */
export interface Circumstances {
  life: number;
  lifeSince: number;
  lastGapEnd: number;
  /** the wall clock was stepped since the last claim: a restarted engine can't know the cool-down exactly */
  wallStepped: boolean;
  maintenanceUntil: number;
  lastClaimAt: number;
  /** nothing hindered the watch since the active died */
  undisturbed: boolean;
  servingSince: number;
}

const effectSteps = new Set(['before-script', 'start-services', 'after-script']);
const wordFreshMs = (p: Policy): number => 2 * p.intervalMs + 5_000;

export class Oracle {
  readonly tally: Tally = emptyTally();
  readonly #world: World;
  readonly #disk: Disk;
  readonly #taken: ReadonlyMap<number, string>;
  #rounds: RoundSeen[] = [];
  #seenOkInLife = 0;
  #known = 0;
  #lifeOfToken = new Map<string, number>();
  #standingEpoch = 0;
  running = 0;

  constructor(world: World, disk: Disk, taken: ReadonlyMap<number, string>) {
    this.#world = world;
    this.#disk = disk;
    this.#taken = taken;
  }

  #say(text: string): void {
    this.tally.violations.push(`at ${(this.#world.time.now / 1000).toFixed(1)} s: ${text}`);
  }

  wire(w: Wire): void {
    let round = this.#rounds.at(-1);
    if (!round || round.startedAt !== w.startedAt) {
      round = { startedAt: w.startedAt, failed: new Set(), tests: 0, references: 0, answered: 0 };
      this.#rounds.push(round);
      if (this.#rounds.length > 64) this.#rounds.splice(0, 32);
    }
    round.tests += 1;
    if (w.failed) round.failed.add(w.test);
  }

  reference(startedAt: number, answered: boolean): void {
    const round = this.#rounds.at(-1);
    if (!round || round.startedAt !== startedAt) return;
    round.references += 1;
    if (answered) round.answered += 1;
  }

  #roundFailed(r: RoundSeen): boolean {
    if (this.#world.policy.failWhen === 'any') return r.failed.size > 0;
    return r.failed.has('sip') && r.failed.has('web');
  }

  /** An effect leaves the journal's shelter: its intent must stand there, and nothing may be repeated unknowingly. */
  effect(command: Command, at: 'start' | 'end', c: Circumstances, orphans: ReadonlyMap<string, Command>): void {
    if (at === 'end') return;
    if (orphans.size > 0)
      this.#say(`effect ${command.argv[0]} starts while ${[...orphans.values()][0]?.argv[0]} still runs`);
    const book = this.#disk.runbooks.find((r) => r.entries.some((e) => e.runToken === command.runToken));
    const entry = book?.entries.find((e) => e.runToken === command.runToken);
    if (!book || !entry || entry.result)
      return this.#say(`effect ${command.argv[0]} without an open intent in the journal`);
    if (book.status !== 'running') this.#say(`effect ${command.argv[0]} of a runbook that is ${book.status}`);
    this.#lifeOfToken.set(command.runToken, c.life);
    if (!effectSteps.has(entry.step)) return;
    for (const before of book.entries) {
      if (before === entry || before.step !== entry.step) continue;
      if (before.result?.outcome === 'done') this.#say(`step ${entry.step} repeated although it was done`);
      const sameLife = this.#lifeOfToken.get(before.runToken) === c.life;
      if (!before.result && sameLife)
        this.#say(`step ${entry.step} repeated unknowingly: the result of attempt ${before.attempt} is missing`);
    }
    if (command.argv[0] === 'start') this.#assertOwned(book, 'services are started');
  }

  #assertOwned(book: RunbookRecord, when: string): void {
    const { epoch } = book;
    const owner = epoch === null ? undefined : (this.#taken.get(epoch) ?? this.#disk.epochs.get(epoch));
    if (epoch === null || !owner?.endsWith(`-${book.id}`))
      this.#say(`${when} under epoch ${epoch}, which belongs to ${owner ?? 'nobody'}`);
  }

  /** Called after every event. */
  check(c: Circumstances): void {
    const books = this.#disk.runbooks;
    if (this.#known < books.length) {
      const book = books[this.#known] as RunbookRecord;
      this.#known += 1;
      this.#judgeBegin(book, c);
    }
    const { standing } = this.#disk;
    if (standing && standing.epoch > this.#standingEpoch) {
      this.#standingEpoch = standing.epoch;
      const highest = Math.max(...this.#disk.epochs.keys(), ...this.#taken.keys());
      if (standing.role === 'active' && standing.epoch < highest)
        this.#say(`active under epoch ${standing.epoch} although ${highest} was claimed`);
      const book = books.findLast((b) => b.epoch === standing.epoch);
      if (book) this.#assertOwned(book, 'this node is active');
    }
    if (this.#seenOkInLife !== c.life) {
      const last = this.#rounds.at(-1);
      if (last && last.startedAt >= c.lifeSince && last.tests >= 3 && !this.#roundFailed(last))
        this.#seenOkInLife = c.life;
    }
  }

  #judgeBegin(book: RunbookRecord, c: Circumstances): void {
    if (book.kind !== 'promotion') return;
    if (book.origin === 'person') {
      this.tally.byPerson += 1;
      return;
    }
    for (const fault of this.#autoFaults(c)) this.#say(`automatic promotion ${fault}`);
    this.#classify(c);
  }

  /** Invariant 2, from the oracle's own records. */
  #autoFaults(c: Circumstances): string[] {
    const { policy, time } = this.#world;
    const needed = 1 + policy.confirmTimes;
    const last = this.#rounds.filter((r) => r.startedAt >= Math.max(c.lifeSince, c.lastGapEnd)).slice(-needed);
    const faults: string[] = [];
    const every =
      policy.failWhen === 'all'
        ? last.every((r) => this.#roundFailed(r))
        : ['sip', 'web', 'tunnel'].some((t) => last.every((r) => r.failed.has(t)));
    if (last.length < needed || !every)
      faults.push(`after ${last.length} rounds since life or gap began, not all failed (needs ${needed})`);
    if ((last.at(-1)?.answered ?? 0) === 0) faults.push('while no reference answered');
    if (this.#seenOkInLife !== c.life) faults.push('although the active was never seen healthy in this life');
    const word = this.#world.word();
    if (word?.healthy && word.ageMs <= wordFreshMs(policy)) faults.push("against the other node's fresh word");
    if (c.maintenanceUntil > time.now) faults.push('in maintenance');
    if (policy.observeOnly) faults.push('in observe-only');
    if (policy.mode === 'manual') faults.push('in manual mode');
    if (!c.wallStepped && c.lastClaimAt + policy.cooldownMs > time.now) faults.push('in cool-down');
    const data = this.#world.maxData();
    if (policy.maxOffsetMs !== null && (!data?.verified || data.ageMs > policy.maxOffsetMs))
      faults.push('with stale or unverified data');
    return faults;
  }

  #classify(c: Circumstances): void {
    const { world, tally } = { world: this.#world, tally: this.tally };
    if (!world.activeServes()) {
      tally.right += 1;
      const died = world.truth.activeDiedAt;
      if (c.undisturbed && died !== null && world.policy.mode === 'automatic') {
        tally.worstDetectMs = Math.max(tally.worstDetectMs, world.time.now - died);
      }
      return;
    }
    const lastStart = this.#rounds.at(-1)?.startedAt ?? 0;
    if (world.pathIsBlind()) tally.blind += 1;
    else if (c.servingSince >= lastStart) tally.race += 1;
    else if (world.policy.failWhen === 'any' && world.lossy()) tally.lossyAny += 1;
    else this.#say('WRONG automatic promotion: the active serves and can be seen');
  }

  /** At the end, with the world repaired and the engine left in peace. */
  finish(): void {
    const open = this.#disk.runbooks.find((r) => r.status === 'running');
    if (open) this.#say(`runbook ${open.id} is still running at the end: neither active, nor halted, nor taken back`);
  }

  missed(text: string): void {
    this.#say(`MISSED: ${text}`);
  }
}
