/**
 * One seed: a world, a disk, and the engine's lives in it. The real core, monitor, interpreter, runner and steps run on
 * simulated ports; after every event the oracle asserts the invariants.
 */
import { roundsNeeded } from '../../src-main/engine/judge.ts';
import type { Policy } from '../../src-main/engine/observation.ts';
import type { Command, TestSpec } from '../../src-main/engine/ports.ts';
import { Engine, type Site } from '../../src-main/station/engine.ts';
import { type Circumstances, Oracle } from './oracle.ts';
import { Seeded } from './random.ts';
import { SimClock, SimTime } from './sim-clock.ts';
import { ownAddress, SimClaims, SimFiles, SimNet, SimProc, SimRandom, watchedAddress } from './sim-ports.ts';
import { CutOff, Disk, SimStore } from './sim-store.ts';
import { testIds, type World, World as WorldClass } from './world.ts';

export type Bug = 'skip-confirmation' | 'ignore-claim' | 'lose-results';

export interface SimulationOptions {
  bug?: Bug;
  /** cut the engine off at this boundary (counted from 1), then start it again after `downMs` */
  cutAt?: number;
  downMs?: number;
}

export const defaultPolicy: Policy = {
  failWhen: 'all',
  intervalMs: 30_000,
  confirmTimes: 3,
  confirmEveryMs: 5_000,
  mode: 'automatic',
  countdownMs: 300_000,
  onSilence: 'promote',
  cooldownMs: 3_600_000,
  maxOffsetMs: null,
  observeOnly: false,
  references: 2,
};

const specs: TestSpec[] = [
  { id: 'sip', kind: 'sip', transport: 'udp', port: 5060, timeoutMs: 4000 },
  { id: 'web', kind: 'web', port: 5001, path: '/', marker: null, warnDays: 14, timeoutMs: 4000 },
  { id: 'tunnel', kind: 'tunnel', port: 5090, timeoutMs: 4000 },
];
const references = ['a', 'b'].map((id) => ({ id, kind: 'ping', host: id, timeoutMs: 2000 }) as const);
const script = (name: string) => ({ argv: [name], timeoutMs: 60_000, retries: 2, onFail: 'halt' as const });

export class Simulation {
  readonly time = new SimTime();
  readonly random: Seeded;
  readonly world: World;
  readonly disk = new Disk();
  readonly taken = new Map<number, string>();
  readonly oracle: Oracle;
  readonly circumstances: Circumstances;
  engine: Engine | null = null;
  clock: SimClock | null = null;
  net: SimNet | null = null;
  boundaries = 0;
  /** names of the boundaries crossed, for tests that cut at each */
  readonly crossed: string[] = [];
  readonly #options: SimulationOptions;
  readonly #orphans = new Map<string, Command>();
  #cutPlanned: number | null;
  steps = 0;
  passedOver = 0;

  constructor(seed: number, policy: Policy, hasWord: boolean, options: SimulationOptions = {}) {
    this.random = new Seeded(seed);
    this.#options = options;
    this.#cutPlanned = options.cutAt ?? null;
    this.world = new WorldClass(this.time, this.random, policy, hasWord);
    this.oracle = new Oracle(this.world, this.disk, this.taken);
    this.circumstances = {
      life: 0,
      lifeSince: 0,
      lastGapEnd: 0,
      wallStepped: false,
      maintenanceUntil: 0,
      lastClaimAt: Number.NEGATIVE_INFINITY,
      undisturbed: false,
      servingSince: 0,
    };
  }

  get alive(): boolean {
    return this.engine !== null;
  }

  /** The engine's next life begins. */
  boot(): void {
    if (this.engine) return;
    const c = this.circumstances;
    c.life += 1;
    c.lifeSince = this.time.now;
    const number = c.life;
    const alive = (): boolean => c.life === number && this.engine !== null;
    const life = {
      time: this.time,
      world: this.world,
      number,
      alive,
      boundary: { cross: (name: string) => this.#cross(name) },
      onWire: (w: Parameters<Oracle['wire']>[0]) => this.oracle.wire(w),
      onReference: (at: number, answered: boolean) => this.oracle.reference(at, answered),
      onEffect: (command: Command, at: 'start' | 'end') => this.oracle.effect(command, at, c, this.#orphans),
    };
    const store = new SimStore(this.disk, life.boundary, alive, this.#options.bug === 'lose-results');
    this.clock = new SimClock(this.time, number, alive);
    this.net = new SimNet(life);
    const ports = {
      clock: this.clock,
      net: this.net,
      proc: new SimProc(life, this.#orphans),
      files: new SimFiles(),
      store,
      random: new SimRandom(this.random),
      claims: new SimClaims(store, life, this.taken, this.#options.bug === 'ignore-claim'),
    };
    const outside = {
      word: () => this.world.word(),
      data: () => {
        const data = this.world.maxData();
        return data ? ({ state: 'known', ...data } as const) : ({ state: 'not-kept' } as const);
      },
    };
    const hooks = { onChange: () => {}, onRound: () => {}, tell: () => {} };
    this.guard(() => {
      // Alive before it is built: building reads and writes the store.
      this.engine = pending;
      this.engine = new Engine(ports, this.site(), outside, hooks);
      this.engine.start();
    });
  }

  site(): Site {
    const { policy } = this.world;
    const confirmTimes = this.#options.bug === 'skip-confirmation' ? 0 : policy.confirmTimes;
    return {
      node: 'spare',
      role: 'passive',
      policy: { ...policy, confirmTimes },
      watched: { target: { address: watchedAddress, fqdn: 'pbx.example' }, tests: specs, references },
      plan: {
        fqdn: 'pbx.example',
        oldAddress: watchedAddress,
        newAddress: ownAddress,
        scriptsFolder: '/scripts',
        before: script('before'),
        after: { ...script('after'), onFail: 'continue' },
        services: { start: [['start']], query: [['query']], stop: [['stop']], timeoutMs: 60_000, onFail: 'halt' },
        proof: { target: { address: ownAddress, fqdn: 'pbx.example' }, tests: specs, withinMs: 60_000, pauseMs: 1_000 },
      },
    };
  }

  /** kill -9: nothing of this life is called any more; its scripts go on in the world. */
  kill(): void {
    this.engine = null;
    this.time.drop(this.circumstances.life);
    this.circumstances.undisturbed = false;
  }

  /** Runs something of the engine; being cut off in it is not an error. */
  guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      if (!(error instanceof CutOff)) throw error;
    }
  }

  #cross(name: string): void {
    if (!this.engine) throw new CutOff();
    this.boundaries += 1;
    this.crossed.push(name);
    if (name.startsWith('after remember lastPromotion')) this.circumstances.lastClaimAt = this.time.now;
    if (this.#cutPlanned !== this.boundaries) return;
    this.#cutPlanned = null;
    this.cutOff(this.#options.downMs ?? 30_000);
    throw new CutOff();
  }

  /** Cuts the engine off at the boundary that lies `further` ahead. */
  planCut(further: number): void {
    this.#cutPlanned = this.boundaries + further;
  }

  cutOff(downMs: number): void {
    this.kill();
    this.time.at(this.time.now + downMs, () => this.boot());
  }

  /** Runs until `end` (monotonic ms), asserting after every event. */
  async run(end: number): Promise<void> {
    for (;;) {
      this.passCalm(end);
      const at = this.time.next();
      if (at === null || at > end) break;
      const { epochs } = this.disk;
      const claims = epochs.size;
      this.guard(() => this.time.step());
      await new Promise((go) => setImmediate(go));
      this.steps += 1;
      if (epochs.size > claims) this.circumstances.lastClaimAt = this.time.now;
      this.oracle.check(this.circumstances);
      this.#checkMissed();
    }
    this.time.now = end;
  }

  #lastKey = '';
  /**
   * Passes over rounds that cannot change anything. In a calm stretch (no loss, no world event, phase, rule and verdict the
   * same over two rounds) `decide` is at its fixed point: the monitor's next event is moved by whole intervals. On a lossy
   * path the number of good rounds before the next failed one is drawn from its geometric distribution, which is exact.
   */
  passCalm(end: number): void {
    const { engine, world, time } = this;
    const decision = engine?.interpreter.last;
    if (!engine || engine === pending || !decision || !this.net) return;
    this.net.forced = this.net.forced && this.#isIdle() ? null : this.net.forced;
    const { state } = decision;
    const timer = this.#monitorTimer(engine);
    if (!timer) return;
    const key = `${state.phase}|${decision.rule}|${state.verdict}|${state.lastRound}`;
    const [sameAs, round] = [key.slice(0, key.lastIndexOf('|')), state.lastRound];
    const stable = this.#stable.key === sameAs && round > this.#stable.round;
    if (this.#stable.key !== sameAs) this.#stable = { key: sameAs, round };
    if (!stable || state.verdict === null || state.verdict === 'suspect') return;
    const every = engine.interpreter.cadence() === 'confirming' ? world.policy.confirmEveryMs : world.policy.intervalMs;
    const others = time.of(this.circumstances.life).filter((t) => t !== timer);
    const until = Math.min(
      end,
      time.nextOfWorld(),
      world.wordStaleAt(2 * world.policy.intervalMs + 5_000),
      ...others.map((t) => t.at),
    );
    let slots = Math.floor((until - timer.at) / every);
    if (slots <= 0) return;
    if (world.lossy()) {
      if (state.phase !== 'watching' || state.verdict !== 'healthy' || world.referenceLoss >= 1) return;
      const good = this.#goodRounds();
      if (good < slots) this.net.forced = this.#drawLosses();
      slots = Math.min(slots, good);
      if (slots <= 0) return;
    }
    this.passedOver += slots;
    time.move(timer, timer.at + slots * every);
  }

  #stable = { key: '', round: 0 };

  #isIdle(): boolean {
    return (this.engine?.interpreter.round?.seq ?? 0) !== this.#forcedAt;
  }
  #forcedAt = 0;

  /** The event of the next round, when no round is under way and the engine has nothing else to do. */
  #monitorTimer(engine: Engine) {
    const timers = this.time.of(this.circumstances.life);
    const record = engine.runner.record;
    if (timers.length === 0 || timers.length > 2 || record?.status === 'running') return null;
    const started = engine.interpreter.round?.startedAt;
    if (started === undefined) return null;
    const { intervalMs, confirmEveryMs } = this.world.policy;
    const every = engine.interpreter.cadence() === 'confirming' ? confirmEveryMs : intervalMs;
    return timers.find((t) => Math.abs(t.at - started - every) < 0.001) ?? null;
  }

  #roundFailChance(): number {
    const chance = testIds.map((t) => this.world.failChance(t));
    const [sip = 0, web = 0] = chance;
    return this.world.policy.failWhen === 'all' ? sip * web : 1 - chance.reduce((p, c) => p * (1 - c), 1);
  }

  #goodRounds(): number {
    const p = this.#roundFailChance();
    if (p <= 0) return Number.POSITIVE_INFINITY;
    return Math.floor(Math.log(1 - this.random.next()) / Math.log1p(-p));
  }

  /** Which tests are lost in the round that fails, given that it fails. */
  #drawLosses(): Set<string> {
    this.#forcedAt = this.engine?.interpreter.round?.seq ?? 0;
    for (;;) {
      const lost = new Set<string>(testIds.filter((t) => this.random.chance(this.world.failChance(t))));
      if (this.world.policy.failWhen === 'all') return lost.add('sip').add('web');
      if (lost.size > 0) return lost;
    }
  }

  /** The spare must not sleep: an undisturbed death is noticed within the cadence's bound. */
  #checkMissed(): void {
    const { world, circumstances: c, engine } = this;
    const died = world.truth.activeDiedAt;
    if (died === null || !c.undisturbed || !engine || engine === pending || world.policy.mode !== 'automatic') return;
    const { intervalMs, confirmEveryMs } = world.policy;
    const word = world.hasWord ? 2 * intervalMs + 10_000 : 0;
    const bound = intervalMs + word + roundsNeeded(world.policy) * (4_000 + confirmEveryMs) + 10_000;
    const { phase } = engine.interpreter.state;
    const late = this.time.now - died > bound;
    if (late && (phase === 'watching' || phase === 'suspecting' || phase === 'conflicting')) {
      this.oracle.missed(`the active has been dead for ${Math.round((this.time.now - died) / 1000)} s, phase ${phase}`);
      c.undisturbed = false;
    }
  }
}

/** Stands for an engine that is being built. */
const pending = Object.create(Engine.prototype) as Engine;
