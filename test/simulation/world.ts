/**
 * The world around one passive node: the active's services, the paths between, references, the location's word, the PBX
 * here, scripts. Plain state that world events change; the simulated ports read it.
 */
import type { Policy, Word } from '../../src-main/engine/observation.ts';
import type { ClaimsSeen } from '../../src-main/engine/ports.ts';
import type { Seeded } from './random.ts';
import type { SimTime } from './sim-clock.ts';

export const testIds = ['sip', 'web', 'tunnel'] as const;
export type TestId = (typeof testIds)[number];
/** `refusing`: RST or ICMP. `hung`: accepts, never answers. `silent`: nothing at all comes back. */
export type Service = 'up' | 'refusing' | 'hung' | 'silent';

export const scriptsAreFine = { beforeFails: 0, startFails: 0, startDies: 0, startDeaf: 0, afterFails: 0, hangs: 0 };

/** How long a word counts as a sign of life. */
export const keeperWords = {
  alone: 'no keeper',
  reachable: 'it answers',
  unreachable: 'it does not answer',
} as const;

export const wordFreshMs = (policy: Policy): number => 2 * policy.intervalMs + 5_000;

export class World {
  readonly time: SimTime;
  readonly random: Seeded;
  policy: Policy;

  /** the active, as it truly is */
  readonly active: Record<TestId, Service> = { sip: 'up', web: 'up', tunnel: 'up' };
  /** loss on the path to the active, per direction */
  #lossOut = 0;
  #lossIn = 0;
  /** since when the path is as good as it is now, where it was worse before */
  clearSince = 0;
  /** loss on the path to everything outside the pair */
  referenceLoss = 0;
  /** the active writes its word into the location */
  readonly hasWord: boolean;
  /** who keeps claims where both nodes see them: `alone`, nobody */
  keeper: ClaimsSeen['state'] = 'alone';
  /** this node can read the location */
  #wordReadable = true;
  /** the newest word that this node could read */
  #word = { at: 0, healthy: true, epoch: 0 };
  /** the epoch under which the other node serves */
  otherEpoch = 0;
  /** the PBX on this node */
  readonly here: Record<TestId, Service> = { sip: 'refusing', web: 'refusing', tunnel: 'refusing' };
  /** the node that the pair's name leads to */
  pointsTo: 'there' | 'here' = 'there';
  /** chances that scripts and services go wrong */
  scripts = scriptsAreFine;
  /** the copy restored here, where one is kept */
  data: { createdAt: number; verified: boolean } | null = null;
  /** when the active ceased to serve, and since when it serves again */
  diedAt: number | null = null;
  servingSince = 0;

  constructor(time: SimTime, random: Seeded, policy: Policy, hasWord: boolean) {
    this.time = time;
    this.random = random;
    this.policy = policy;
    this.hasWord = hasWord;
    if (policy.maxOffsetMs !== null) this.data = { createdAt: 0, verified: true };
  }

  /**
   * By the pair's rule and by what truly is: does the active serve? Of the tunnel the rule knows the accepting port only; with
   * `all` that is no service where both real ones hang or are gone in silence.
   */
  activeServes(): boolean {
    const { sip, web } = this.active;
    const tunnel = this.accepts('tunnel');
    if (this.policy.failWhen === 'any') return sip === 'up' && web === 'up' && tunnel;
    return sip === 'up' || web === 'up' || (tunnel && (sip === 'refusing' || web === 'refusing'));
  }

  get lossOut(): number {
    return this.#lossOut;
  }

  get lossIn(): number {
    return this.#lossIn;
  }

  setLoss(out: number, back: number): void {
    if (out < this.#lossOut || back < this.#lossIn) this.clearSince = this.time.now;
    this.#lossOut = out;
    this.#lossIn = back;
  }

  /** The path to the active is so bad that no tests through it can tell death from distance. */
  pathIsBlind(): boolean {
    return this.lossOut > 0.25 || this.lossIn > 0.25;
  }

  lossy(): boolean {
    return this.lossOut > 0 || this.lossIn > 0;
  }

  setActive(state: Service, tests: readonly TestId[] = testIds): void {
    this.noteWord();
    for (const t of tests) this.active[t] = state;
    this.noteService();
  }

  /** To be called after anything that decides whether the active serves: services, or the rule itself. */
  noteService(): void {
    const serves = this.activeServes();
    if (serves && this.diedAt !== null) this.servingSince = this.time.now;
    if (!serves) this.diedAt ??= this.time.now;
    else this.diedAt = null;
  }

  /** A port accepts even when its server hangs: the tunnel test alone cannot see that. */
  accepts(test: TestId): boolean {
    const state = this.active[test];
    return state === 'up' || (state === 'hung' && test === 'tunnel');
  }

  /** Chance that one test fails although its service is up: retransmissions within the time-out (see heartbeat/sip.ts). */
  lossChance(test: TestId): number {
    const through = (1 - this.lossOut) * (1 - this.lossIn);
    if (through === 1) return 0;
    // SIP sends four times in 4 s. TCP sends its SYN at 0, 1 and 3 s; the HTTPS exchange needs one more round trip.
    if (test === 'sip') return (1 - through) ** 4;
    const connect = 1 - (1 - through) ** 3;
    return test === 'tunnel' ? 1 - connect : 1 - connect * (1 - (1 - through) ** 3);
  }

  /** Chance that one test fails, by whatever cause. */
  failChance(test: TestId): number {
    return this.accepts(test) ? this.lossChance(test) : 1;
  }

  referenceAnswers(): boolean {
    const through = (1 - this.referenceLoss) ** 2;
    return through === 1 || this.random.chance(through);
  }

  hostLives(): boolean {
    return testIds.some((t) => this.active[t] !== 'silent');
  }

  get wordReadable(): boolean {
    return this.#wordReadable;
  }

  set wordReadable(readable: boolean) {
    this.noteWord();
    this.#wordReadable = readable;
  }

  /** The other node serves under a new epoch from now on; its next word says so. */
  setOtherEpoch(epoch: number): void {
    this.noteWord();
    this.otherEpoch = epoch;
  }

  /** The other node writes its word once an interval, with the tests against itself as they are at that moment. */
  noteWord(): void {
    if (!this.hasWord || !this.#wordReadable || !this.hostLives()) return;
    const { intervalMs } = this.policy;
    const written = Math.floor(this.time.now / intervalMs) * intervalMs;
    if (written > this.#word.at) this.#word = { at: written, healthy: this.activeServes(), epoch: this.otherEpoch };
  }

  word(): Word | null {
    if (!this.hasWord) return null;
    this.noteWord();
    const { at, healthy, epoch } = this.#word;
    return {
      role: 'active',
      epoch,
      ageMs: this.time.now - at + 1_000,
      healthy,
      via: 'location',
      everyMs: this.policy.intervalMs,
    };
  }

  /** The next moment at which time alone changes what the word says: it is written anew, or no longer fresh. */
  wordTurnsAt(): number {
    if (!this.hasWord) return Number.POSITIVE_INFINITY;
    const freshMs = wordFreshMs(this.policy);
    const { at, healthy, epoch } = this.#word;
    const { now } = this.time;
    if (this.#wordReadable && this.hostLives()) {
      const same = healthy === this.activeServes() && epoch === this.otherEpoch && now - at < freshMs;
      const { intervalMs } = this.policy;
      return same ? Number.POSITIVE_INFINITY : (Math.floor(now / intervalMs) + 1) * intervalMs;
    }
    const stale = at + freshMs - 1_000;
    return stale >= now ? stale : Number.POSITIVE_INFINITY;
  }

  /** From a death to the proof of it, where nothing is in the way: the cadence, time-outs, and a word that has to age. */
  longestDetectionMs(): number {
    const { intervalMs, confirmEveryMs, confirmTimes } = this.policy;
    const word = this.hasWord ? wordFreshMs(this.policy) + intervalMs : 0;
    const round = Math.max(4_000, confirmEveryMs) + confirmEveryMs;
    return intervalMs + word + (1 + confirmTimes) * round + 10_000;
  }

  dataNow(): { ageMs: number; verified: boolean } | null {
    return this.data && { ageMs: this.time.now - this.data.createdAt, verified: this.data.verified };
  }
}
