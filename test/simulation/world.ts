/**
 * The world around one passive node: the active's services, the paths between, references, the location's word, the PBX
 * here, scripts. Plain state that world events change; the simulated ports read it.
 */
import type { Policy, Word } from '../../src-main/engine/observation.ts';
import type { Seeded } from './random.ts';
import type { SimTime } from './sim-clock.ts';

export const testIds = ['sip', 'web', 'tunnel'] as const;
export type TestId = (typeof testIds)[number];
export type Service = 'up' | 'refusing' | 'hung' | 'silent';

/** Chance that one packet and its answer both arrive. */
const roundTrip = (loss: number): number => (1 - loss) ** 2;

export class World {
  readonly time: SimTime;
  readonly random: Seeded;
  policy: Policy;

  /** the active, as it truly is */
  active: Record<TestId, Service> = { sip: 'up', web: 'up', tunnel: 'up' };
  /** loss on the path to the active, per direction */
  lossOut = 0;
  lossIn = 0;
  /** loss on the path to everything outside the pair */
  referenceLoss = 0;
  references = 2;
  /** the active writes its word into the location, and this node can read it */
  hasWord: boolean;
  wordReadable = true;
  #lastWordAt = 0;
  /** the PBX on this node */
  here: Record<TestId, Service> = { sip: 'refusing', web: 'refusing', tunnel: 'refusing' };
  scripts = { beforeFails: 0, startFails: 0, startDies: 0, startDeaf: 0, afterFails: 0, hangs: 0 };
  /** age of the restored data at time 0, and whether it is verified; null: none kept */
  data: { createdAt: number; verified: boolean } | null = null;
  /** the verdict of the oracle about the last moments */
  readonly truth = { activeDiedAt: null as number | null };

  constructor(time: SimTime, random: Seeded, policy: Policy, hasWord: boolean) {
    this.time = time;
    this.random = random;
    this.policy = policy;
    this.hasWord = hasWord;
  }

  /** By the pair's rule and by what truly is: does the active serve? */
  activeServes(): boolean {
    const up = testIds.filter((t) => this.active[t] === 'up').length;
    return this.policy.failWhen === 'all' ? up > 0 : up === testIds.length;
  }

  /** The path to the active is so bad that no tests through it can tell death from distance. */
  pathIsBlind(): boolean {
    return this.lossOut > 0.25 || this.lossIn > 0.25;
  }

  lossy(): boolean {
    return this.lossOut > 0 || this.lossIn > 0 || (this.referenceLoss > 0 && this.referenceLoss < 1);
  }

  setActive(state: Service, tests: readonly TestId[] = testIds): void {
    const served = this.activeServes();
    this.noteWord();
    for (const t of tests) this.active[t] = state;
    if (served && !this.activeServes()) this.truth.activeDiedAt = this.time.now;
    if (this.activeServes()) this.truth.activeDiedAt = null;
  }

  /** Chance that one test fails although its service is up: retransmissions within the time-out (see heartbeat/sip.ts). */
  failChance(test: TestId): number {
    const through = (1 - this.lossOut) * (1 - this.lossIn);
    if (through === 1) return 0;
    // SIP sends four times in 4 s. TCP sends its SYN at 0, 1 and 3 s; the HTTPS exchange needs one more round trip.
    if (test === 'sip') return (1 - through) ** 4;
    const connect = 1 - (1 - through) ** 3;
    return test === 'tunnel' ? 1 - connect : 1 - connect * (1 - (1 - through) ** 3);
  }

  referenceAnswers(): boolean {
    return this.random.chance(roundTrip(this.referenceLoss));
  }

  /** While the active's own engine lives and can write, its word is never older than one interval. */
  noteWord(): void {
    if (this.hasWord && this.wordReadable && this.hostLives()) this.#lastWordAt = this.time.now;
  }

  hostLives(): boolean {
    return testIds.some((t) => this.active[t] !== 'silent');
  }

  word(): Word | null {
    if (!this.hasWord) return null;
    this.noteWord();
    const ageMs = this.time.now - this.#lastWordAt + 1_000;
    return { role: 'active', epoch: 0, ageMs, healthy: this.activeServes(), via: 'location' };
  }

  /** When the word stops being fresh, if it is ageing. */
  wordStaleAt(freshMs: number): number {
    const stale = this.#lastWordAt + freshMs - 1_000;
    return this.hasWord && stale > this.time.now ? stale : Number.POSITIVE_INFINITY;
  }

  maxData(): { ageMs: number; verified: boolean } | null {
    return this.data && { ageMs: this.time.now - this.data.createdAt, verified: this.data.verified };
  }
}
