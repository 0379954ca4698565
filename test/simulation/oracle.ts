/**
 * The oracle: knows the truth of the simulated world and counts for itself what went over the wire, apart from the engine's
 * own counting. Asserts the invariants of the design after every event and every durable write; each sentence begins with
 * the number of the invariant that it is about.
 */
import type { OrderAnswer } from '../../src-main/contract/contract.ts';
import type { Phase } from '../../src-main/contract/words.ts';
import type { Override, Policy } from '../../src-main/engine/observation.ts';
import type { Command, RunbookRecord } from '../../src-main/engine/ports.ts';
import type { OrderAsk } from '../../src-main/runbook/interpreter.ts';
import { JournalWatch } from './journal-watch.ts';
import type { RoundSeen } from './sim-ports.ts';
import type { Commit, Disk } from './sim-store.ts';
import { emptyTally, type Tally } from './tally.ts';
import { type TestId, testIds, type World, wordFreshMs } from './world.ts';

/** What the oracle is told of the engine's life and of what people did. */
export interface Circumstances {
  life: number;
  lifeSince: number;
  /** when the engine noticed its last gap; monotonic, the world's */
  lastGapEnd: number;
  maintenanceUntil: number;
  lastClaimAt: number;
  /** when services were last started for a promotion */
  lastCommitAt: number;
  /** the wall clock was stepped and the engine restarted since: what is kept by the wall clock cannot be exact any more */
  maintenanceUnsure: boolean;
  cooldownUnsure: boolean;
  commitUnsure: boolean;
  /** nothing hindered the watch since the active died */
  undisturbed: boolean;
  /** the engine's own monotonic clock */
  mono(): number;
}

export const nothingYet = (mono: Circumstances['mono']): Circumstances => ({
  life: 0,
  lifeSince: 0,
  lastGapEnd: 0,
  maintenanceUntil: 0,
  lastClaimAt: Number.NEGATIVE_INFINITY,
  lastCommitAt: Number.NEGATIVE_INFINITY,
  maintenanceUnsure: false,
  cooldownUnsure: false,
  commitUnsure: false,
  undisturbed: false,
  mono,
});

/** whoever won the claim is given the time to come up; one taken back holds no longer */
export const afterClaim = 300_000;
/** the longest that any step may take without a word to the journal: ten minutes of asking the guards, and some */
const longestStepMs = 660_000;
/** rounds kept; the longest confirmation that is drawn is shorter */
const ring = 16;

export class Oracle {
  readonly tally: Tally = emptyTally();
  readonly #world: World;
  readonly #disk: Disk;
  readonly #taken: ReadonlyMap<number, string>;
  readonly #c: Circumstances;
  readonly #journal: JournalWatch;
  readonly #onSaid: (violation: string) => void;
  /** complete rounds, newest last */
  #rounds: RoundSeen[] = [];
  #seenOkInLife = 0;
  #known = 0;
  #claimed = new Map<number, string>();
  /** by the engine's clock, since it last began to ask a person */
  #askingSince: number | null = null;
  #writtenAt = 0;
  /** what was configured when the newest promotion began by itself */
  #begunBy: Policy;
  #held = false;
  #told = new Set<string>();
  #toldInLife = 0;
  /** the order that the engine is being given at this very moment */
  #order: OrderAsk | null = null;
  /** that order goes on with what was halted */
  #resuming = false;

  constructor(
    world: World,
    disk: Disk,
    taken: ReadonlyMap<number, string>,
    circumstances: Circumstances,
    onSaid: (violation: string) => void,
  ) {
    this.#onSaid = onSaid;
    this.#world = world;
    this.#begunBy = world.policy;
    this.#disk = disk;
    this.#taken = taken;
    this.#c = circumstances;
    this.#journal = new JournalWatch(world, disk, circumstances, (text) => this.say(text));
  }

  say(text: string): void {
    this.#onSaid(text);
    this.tally.violations.push(`at ${(this.#world.time.now / 1000).toFixed(1)} s: ${text}`);
  }

  round(r: RoundSeen): void {
    this.#rounds.push(r);
    if (this.#rounds.length > 2 * ring) this.#rounds.splice(0, ring);
    if (this.failed(r)) return;
    if (r.startedAt < this.#c.lastGapEnd) return;
    this.#seenOkInLife = r.life;
    this.#held = false;
  }

  /** By the pair's rule: does this round say that the active is dead? */
  failed(r: RoundSeen, { failWhen }: Policy = this.#world.policy): boolean {
    if (failWhen === 'any') return r.failed.length > 0;
    const both = r.failed.includes('sip') && r.failed.includes('web');
    return both && (r.failed.includes('tunnel') || (r.silent.includes('sip') && r.silent.includes('web')));
  }

  /** The engine begins an effect outside. */
  effect(command: Command, orphans: ReadonlyMap<string, Command>): void {
    const found = this.#journal.effect(command, orphans);
    if (!found || command.argv[0] !== 'start') return;
    const { book, again } = found;
    this.#assertOwned(book, 'services are started');
    const highest = this.#highestClaim();
    if (highest > (book.epoch ?? 0))
      this.say(`1: services are started under epoch ${book.epoch} although ${highest} was claimed`);
    // Of its own accord it starts services on a proof of its own: not older than its last gap, nor than its last start.
    if (again || book.origin === 'person' || this.#journal.resumedByPerson(book)) return;
    const { needed, ever, rounds } = this.#confirmation();
    // The rule may have been changed since it began: then what it began on is proof as well.
    const before = this.#confirmation(this.#begunBy);
    if (ever < needed && before.ever < before.needed)
      this.say(`5: services are started of its own accord, on ${ever} of ${needed} rounds (${rounds} seen)`);
  }

  #assertOwned(book: RunbookRecord, when: string): void {
    const { epoch } = book;
    const owner = epoch === null ? undefined : (this.#taken.get(epoch) ?? this.#disk.epochs.get(epoch));
    if (epoch === null || !owner?.endsWith(`-${book.id}`))
      this.say(`1: ${when} under epoch ${epoch}, which belongs to ${owner ?? 'nobody'}`);
  }

  /** A runbook runs, as the engine sees it: is it getting on? */
  running(book: RunbookRecord): void {
    const quietSince = Math.max(this.#writtenAt, this.#c.lastGapEnd, this.#c.lifeSince);
    if (this.#world.time.now - quietSince < longestStepMs) return;
    this.say(`4: runbook ${book.id} is running, and nobody drives it`);
    this.#writtenAt = this.#world.time.now;
  }

  /** Something is on disk now. */
  committed(what: Commit): void {
    this.#writtenAt = this.#world.time.now;
    if (what === 'begin') this.#begun();
    else if (what === 'claim') this.#claimedNow();
    else if (what === 'standing') this.#standingNow();
    else this.#journal.committed(what, this.tally);
  }

  #begun(): void {
    const books = this.#disk.runbooks;
    const book = books.at(-1) as RunbookRecord;
    if (books.length !== this.#known + 1) this.say(`4: ${books.length - this.#known} runbooks began at once`);
    if (books.filter((b) => b.status === 'running' || b.status === 'halted').length > 1) this.say('4: two are open');
    this.#known = books.length;
    if (book.kind === 'promotion') this.#judgeBegin(book);
  }

  #highestClaim(): number {
    return Math.max(0, ...this.#disk.epochs.keys(), ...this.#taken.keys());
  }

  #claimedNow(): void {
    if (new Set(this.#disk.epochs.values()).size < this.#disk.epochs.size) this.say('1: one runbook claims two epochs');
    for (const [epoch, owner] of this.#disk.epochs) {
      const before = this.#claimed.get(epoch);
      if (before !== undefined && before !== owner) this.say(`1: epoch ${epoch} changed its owner`);
      if (before === undefined && this.#taken.has(epoch)) this.say(`1: epoch ${epoch} is claimed a second time`);
      this.#claimed.set(epoch, owner);
    }
  }

  #standingNow(): void {
    const { standing } = this.#disk;
    if (standing?.role !== 'active') return;
    const highest = this.#highestClaim();
    if (standing.epoch < highest) this.say(`1: active under epoch ${standing.epoch} although ${highest} was claimed`);
    const book = this.#disk.runbooks.findLast((b) => b.epoch === standing.epoch && b.kind === 'promotion');
    if (book) this.#assertOwned(book, 'this node is active');
  }

  /** The engine has settled on a phase. */
  decided(phase: Phase): void {
    const { standing } = this.#disk;
    if (phase === 'active' || phase === 'serving') {
      const word = this.#world.word();
      if (word && standing && word.epoch > standing.epoch)
        this.say(`1: ${phase} under epoch ${standing.epoch} although the other node's word says ${word.epoch}`);
      if (phase === 'active' && standing?.role !== 'active') this.say('1: phase active, but no such standing on disk');
    }
    if (phase === 'awaiting') this.#askingSince ??= this.#c.mono();
    else this.#askingSince = null;
    if (phase === 'watching') this.#told.clear();
    // An overlay takes the question back; once it is asked again, people are told again.
    if (phase !== 'awaiting' && (this.#inMaintenance() || this.#world.policy.observeOnly))
      for (const key of this.#told) if (key.startsWith('awaiting')) this.#told.delete(key);
  }

  /** A person is given an order's answer. */
  answered(ask: OrderAsk, a: OrderAnswer): void {
    const { lastBook } = this;
    if (a.reason.trim() === '' || a.rule === '') this.say(`3: an order was answered without a reason (${ask.kind})`);
    if (!a.accepted) {
      if (a.refusedBy.some((guard) => overridden(ask, guard)))
        this.say(`3: refused by a guard that was overridden (${a.refusedBy.join(', ')})`);
      return;
    }
    if (ask.kind === 'cancel') {
      this.#held = true;
      // On a full disk nothing can be kept of it: people are told that it halted, and a restart resumes what the journal says.
      if (lastBook && !this.#disk.full) this.#journal.cancelled(lastBook, a.rule);
    }
  }

  get lastBook(): RunbookRecord | null {
    return this.#disk.runbooks.at(-1) ?? null;
  }

  /** An order goes in; what begins until it was met (null) is on that person's account. */
  ordered(ask: OrderAsk | null, phase: Phase): void {
    this.#order = ask;
    this.#resuming = ask?.kind === 'promote' && phase === 'halted';
    if (!ask) return;
    const { lastBook } = this;
    if (this.#resuming && lastBook) this.#journal.resumed(lastBook);
    // A person set something going: should it stop again, people are told again.
    for (const key of this.#told) if (key.startsWith('halted.')) this.#told.delete(key);
  }

  told(key: string): void {
    if (this.#toldInLife !== this.#c.life) this.#told.clear();
    this.#toldInLife = this.#c.life;
    if (key === 'promoted') this.#told.clear();
    // Each attempt of a takeover is told its own end.
    if (key === 'cancelled') return;
    if (key === 'awaiting' && this.#inMaintenance()) this.say('people are asked to take over in maintenance');
    if (this.#told.has(key)) this.say(`people are told "${key}" twice in one incident`);
    this.#told.add(key);
  }

  #judgeBegin(book: RunbookRecord): void {
    if (book.origin === 'person' || this.#resuming) this.tally.byPerson += 1;
    // What could not even be journaled before is begun now by a person's word: they judged, and its guards are asked again.
    if (this.#resuming) return this.#journal.resumed(book);
    if (book.origin === 'person') {
      for (const fault of this.#personFaults(book, this.#order)) this.say(`3: promotion by a person ${fault}`);
      return;
    }
    this.#begunBy = this.#world.policy;
    for (const fault of this.#autoFaults(book)) this.say(`2: automatic promotion ${fault}`);
    this.#classify();
  }

  /**
   * How many rounds in a row failed by the rule, in the oracle's own records, since the engine's start and its last gap: now,
   * and at most since one succeeded. Rounds in which no reference answered prove nothing.
   */
  #confirmation(policy = this.#world.policy): { needed: number; now: number; ever: number; rounds: number } {
    const mine = this.#rounds.filter((r) => r.life === this.#c.life && r.startedAt >= this.#c.lastGapEnd);
    const counts = new Map<TestId, number>();
    let [now, ever] = [0, 0];
    for (const r of mine) {
      const proves = this.failed(r, policy) && (r.references === 0 || r.answered > 0);
      if (!proves) {
        counts.clear();
        [now, ever] = [0, 0];
        continue;
      }
      for (const t of testIds) counts.set(t, r.failed.includes(t) ? (counts.get(t) ?? 0) + 1 : 0);
      now = policy.failWhen === 'all' ? now + 1 : Math.max(...counts.values());
      ever = Math.max(ever, now);
    }
    return { needed: 1 + policy.confirmTimes, now, ever, rounds: mine.length };
  }

  /** Invariant 2, from the oracle's own records. */
  #autoFaults(book: RunbookRecord): string[] {
    const { policy } = this.#world;
    const c = this.#c;
    const faults: string[] = [];
    const { needed, now, rounds } = this.#confirmation();
    if (now < needed)
      faults.push(`after ${now} of ${needed} failed rounds in a row (${rounds} since life or gap began)`);
    if (this.#rounds.at(-1)?.answered === 0) faults.push('while no reference answered');
    if (policy.references === 0) faults.push('although no reference is configured');
    if (this.#seenOkInLife !== c.life) faults.push('although the active was never seen healthy in this life');
    if (this.#wordContradicts()) faults.push("against the other node's fresh word");
    if (this.#inMaintenance()) faults.push('in maintenance');
    if (policy.observeOnly) faults.push('in observe-only');
    faults.push(...this.#cooldownFaults());
    if (this.#dataIsStale()) faults.push('with stale or unverified data');
    if (this.#held) faults.push('although a person said not to take over');
    const asked = this.#askingSince === null ? 0 : c.mono() - this.#askingSince;
    if (book.origin === 'automatic' && policy.mode !== 'automatic') faults.push(`in mode ${policy.mode}`);
    if (book.origin === 'silence' && (policy.mode !== 'confirm' || policy.onSilence !== 'promote'))
      faults.push(`by silence in mode ${policy.mode}, onSilence ${policy.onSilence}`);
    if (book.origin === 'silence' && asked < policy.countdownMs)
      faults.push(`by silence after ${asked} ms of ${policy.countdownMs}`);
    return faults;
  }

  #cooldownFaults(): string[] {
    const { policy, time } = this.#world;
    const c = this.#c;
    const lost = this.#journal.claimWasLost();
    const afterClaimMs = lost ? Math.max(policy.cooldownMs, afterClaim) : Math.min(policy.cooldownMs, afterClaim);
    const faults: string[] = [];
    if (!c.cooldownUnsure && c.lastClaimAt + afterClaimMs > time.now) faults.push('too soon after a claim');
    if (!c.commitUnsure && c.lastCommitAt + policy.cooldownMs > time.now) faults.push('in cool-down');
    return faults;
  }

  /** Invariant 3: what certainly stands against it was overridden by name, with a reason, and is recorded so. */
  #personFaults(book: RunbookRecord, order: OrderAsk | null): string[] {
    if (order?.kind !== 'promote') return ['whom nobody asked'];
    const faults: string[] = [];
    const key = (list: readonly Override[]): string => list.map((o) => `${o.guard}:${o.reason}`).join('|');
    if (book.by !== order.by || key(book.overrides) !== key(order.overrides)) faults.push('is not recorded as ordered');
    const { needed, now } = this.#confirmation();
    const against: [Override['guard'], boolean][] = [
      ['proven-down', now < needed],
      ['references', this.#world.policy.references === 0 || this.#rounds.at(-1)?.answered === 0],
      ['no-contradiction', this.#wordContradicts()],
      ['restored-data', this.#dataIsStale()],
      ['no-maintenance', this.#inMaintenance()],
      ['not-observe-only', this.#world.policy.observeOnly],
    ];
    for (const [guard, stands] of against)
      if (stands && !overridden(order, guard)) faults.push(`although ${guard} was not overridden`);
    return faults;
  }

  #inMaintenance(): boolean {
    return this.#c.maintenanceUntil > this.#world.time.now && !this.#c.maintenanceUnsure;
  }

  #wordContradicts(): boolean {
    const word = this.#world.word();
    if (!word?.healthy || word.epoch < (this.#disk.standing?.epoch ?? 0)) return false;
    return word.ageMs <= wordFreshMs(this.#world.policy);
  }

  #dataIsStale(): boolean {
    const { maxOffsetMs } = this.#world.policy;
    const data = this.#world.dataNow();
    return maxOffsetMs !== null && data !== null && (!data.verified || data.ageMs > maxOffsetMs);
  }

  #classify(): void {
    const { tally } = this;
    const world = this.#world;
    if (!world.activeServes()) {
      tally.right += 1;
      if (this.#c.undisturbed && world.diedAt !== null && world.policy.mode === 'automatic')
        tally.worstDetectMs = Math.max(tally.worstDetectMs, world.time.now - world.diedAt);
      // Should this one be taken back, the next does not begin by detecting.
      this.#c.undisturbed = false;
      return;
    }
    const lastStart = this.#rounds.at(-1)?.startedAt ?? 0;
    if (world.pathIsBlind()) tally.blind += 1;
    else if (world.servingSince >= lastStart || world.clearSince >= lastStart) tally.race += 1;
    else if (world.policy.failWhen === 'any' && world.lossy()) tally.lossyAny += 1;
    else {
      tally.wrong += 1;
      this.say('WRONG automatic promotion: the active serves and can be seen');
    }
  }

  /** At the end, with the world repaired and the engine left in peace. */
  finish(phase: Phase | null): void {
    const open = this.#disk.runbooks.find((r) => r.status === 'running' || r.status === 'halted');
    const role = this.#disk.standing?.role;
    if (phase === null) return this.say('at the end no engine runs');
    if (phase === 'halted') return;
    if (open) return this.say(`4: runbook ${open.id} is ${open.status} at the end, and the phase is ${phase}`);
    const fits = role === 'active' ? phase === 'active' || phase === 'serving' : phase === 'watching';
    if (!fits) this.say(`at the end the phase is ${phase}, as ${role}, although all is well`);
  }
}

function overridden(ask: OrderAsk, guard: Override['guard']): boolean {
  return ask.kind === 'promote' && ask.overrides.some((o) => o.guard === guard && o.reason.trim() !== '');
}
