/**
 * Passing over calm stretches. Nearly all of a site's days are rounds in which nothing changes; simulating each would cost
 * 2,880 rounds a day and show nothing. What is passed over, and why nothing can be missed by it:
 *
 * - `decide` is level-triggered: a function of its state and of the observation. Two real rounds, both begun after the last
 *   thing that happened in the world or was ordered, that leave phase, rule, verdict and flags as they were have reached its
 *   fixed point: a third one like them cannot lead elsewhere. A verdict that still counts (`suspect`, none) is never passed
 *   over, nor a runbook that runs.
 * - The stretch ends before whatever could make a round unlike those two: the next event of the world, the next timer of the
 *   engine (countdown, maintenance, cool-down), the moment at which the word is written anew or ceases to be fresh.
 * - Where chance decides over a round (packet loss), only the good rounds of a healthy, watching engine are passed over: how
 *   many come before the next failed one is drawn from their geometric distribution, and which tests that one loses from the
 *   distribution given that it fails. Both are exact, so that 10,000 weeks of loss are 10,000 weeks.
 *
 * The monitor's next round is put off by whole intervals; it notices nothing, since its rounds stay on their grid. seeds.test.ts
 * holds the traces of seeds with and without this against each other, word by word.
 */
import type { Decision } from '../../src-main/engine/decide.ts';
import type { Round } from '../../src-main/engine/observation.ts';
import type { Engine } from '../../src-main/station/engine.ts';
import type { Seeded } from './random.ts';
import type { SimClock, SimTime, Timer } from './sim-clock.ts';
import type { SimNet } from './sim-ports.ts';
import { type TestId, testIds, type World } from './world.ts';

/** The parts of one life that a calm stretch is made of. */
export interface Lived {
  engine: Engine;
  clock: SimClock;
  net: SimNet;
  life: number;
}

export class Calm {
  /** rounds that were not simulated one by one */
  passedOver = 0;
  readonly #time: SimTime;
  readonly #world: World;
  readonly #random: Seeded;
  #round: Round | null = null;
  #before: Decision | null = null;
  #disturbedAt = 0;

  constructor(time: SimTime, world: World, random: Seeded) {
    this.#time = time;
    this.#world = world;
    this.#random = random;
  }

  /** Something other than a round happened: the fixed point has to be shown anew. */
  disturb(): void {
    this.#before = null;
    this.#disturbedAt = this.#time.now;
  }

  /** To be called after every event. Does something only when it completed a round. */
  pass({ engine, clock, net, life }: Lived, end: number): void {
    const { interpreter, runner } = engine;
    const { round, last: decision } = interpreter;
    if (!round || !decision || round === this.#round) return;
    this.#round = round;
    const startedAt = round.startedAt + clock.frozenMs;
    if (startedAt < this.#disturbedAt) return;
    const before = this.#before;
    this.#before = decision;
    if (!before || !alike(before, decision) || runner.record?.status === 'running' || clock.stalled) return;
    if (decision.state.verdict === null || decision.state.verdict === 'suspect') return;
    const { policy } = this.#world;
    const every = interpreter.cadence() === 'confirming' ? policy.confirmEveryMs : policy.intervalMs;
    const timers = this.#time.of(life);
    const due = startedAt + every;
    const timer = timers.find((t) => Math.abs(t.at - due) < 0.001);
    if (timer) this.#putOff(timer, timers, every, net, end);
  }

  #putOff(timer: Timer, timers: readonly Timer[], every: number, net: SimNet, end: number): void {
    const world = this.#world;
    let until = Math.min(end, this.#time.nextOfWorld(), world.wordTurnsAt());
    for (const other of timers) if (other !== timer && other.at < until) until = other.at;
    // Which references answer is drawn anew each round, and how many rounds in a row none does is counted.
    if (world.referenceLoss > 0 && world.referenceLoss < 1) return;
    let slots = Math.ceil((until - timer.at) / every) - 1;
    if (slots <= 0) return;
    if (this.#byChance()) {
      const { phase, verdict } = this.#before?.state ?? {};
      if (phase !== 'watching' || verdict !== 'healthy' || testIds.some((t) => world.active[t] !== 'up')) return;
      const good = this.#goodRounds();
      if (good < slots) net.force(this.#losses());
      slots = Math.min(slots, good);
      if (slots <= 0) return;
    }
    this.passedOver += slots;
    this.#time.putOff(timer, timer.at + slots * every);
  }

  /** Chance decides what a round looks like. */
  #byChance(): boolean {
    return testIds.some((t) => {
      const chance = this.#world.failChance(t);
      return chance > 0 && chance < 1;
    });
  }

  /** Chance that a round fails by the pair's rule. */
  #roundFailChance(): number {
    const world = this.#world;
    const [sip, web, tunnel] = [world.failChance('sip'), world.failChance('web'), world.failChance('tunnel')];
    // Loss is silence, and beside silence a port that accepts shows no life: with `all` the tunnel test decides nothing.
    return world.policy.failWhen === 'any' ? 1 - (1 - sip) * (1 - web) * (1 - tunnel) : sip * web;
  }

  #goodRounds(): number {
    const p = this.#roundFailChance();
    if (p <= 0) return Number.POSITIVE_INFINITY;
    return Math.floor(Math.log(1 - this.#random.next()) / Math.log1p(-p));
  }

  /** Which tests are lost in a round, given that it fails. */
  #losses(): Set<TestId> {
    const world = this.#world;
    for (;;) {
      const lost = new Set(testIds.filter((t) => this.#random.chance(world.failChance(t))));
      if (world.policy.failWhen === 'all') return lost.add('sip').add('web');
      if (lost.size > 0) return lost;
    }
  }
}

function alike(a: Decision, b: Decision): boolean {
  const [x, y] = [a.state, b.state];
  return (
    a.rule === b.rule &&
    x.phase === y.phase &&
    x.verdict === y.verdict &&
    x.held === y.held &&
    x.seenHealthy === y.seenHealthy &&
    x.inconclusiveRounds === y.inconclusiveRounds &&
    x.unreferencedRounds === y.unreferencedRounds &&
    x.told.length === y.told.length
  );
}
