/**
 * One world, one disk, and the engine's lives in it. The real core, monitor, interpreter, runner and steps run on simulated
 * ports; after every event and every durable write the oracle asserts the invariants.
 */
import type { OrderAnswer } from '../../src-main/contract/contract.ts';
import type { Policy } from '../../src-main/engine/observation.ts';
import type { Command, NewEvent } from '../../src-main/engine/ports.ts';
import type { OrderAsk } from '../../src-main/runbook/interpreter.ts';
import { Engine, type Hooks } from '../../src-main/station/engine.ts';
import { Calm } from './calm.ts';
import { afterClaim, type Circumstances, nothingYet, Oracle } from './oracle.ts';
import { Seeded } from './random.ts';
import { SimClock, SimTime } from './sim-clock.ts';
import { type Life, type Rival, SimClaims, SimDns, SimFiles, SimNet, SimProc, SimRandom } from './sim-ports.ts';
import { type SiteOptions, siteOf } from './sim-site.ts';
import { CutOff, Disk, SimStore } from './sim-store.ts';
import { keeperWords, World } from './world.ts';

export interface SimulationOptions extends SiteOptions {
  /** what the world does and what the engine writes into its history, as it happens */
  onTrace?: (time: number, source: string, text: string) => void;
  /** each observation as the core was given it */
  onDecided?: NonNullable<Hooks['onDecided']>;
  /** rounds are passed over where nothing changes (calm.ts); default true */
  passCalm?: boolean;
}

/** Runs after every microtask that is queued now, and those they queue: the engine has done all it can at this instant. */
const settled = (): Promise<void> => new Promise((go) => process.nextTick(go));

export class Simulation {
  readonly time = new SimTime();
  readonly random: Seeded;
  readonly world: World;
  readonly disk = new Disk();
  readonly rival: Rival = { taken: new Map(), strikes: false };
  readonly oracle: Oracle;
  readonly calm: Calm;
  readonly circumstances: Circumstances;
  /** what people were told, and the answers they got */
  readonly told: { at: number; key: string; text: string }[] = [];
  readonly answers: { at: number; ask: OrderAsk; answer: OrderAnswer }[] = [];
  engine: Engine | null = null;
  steps = 0;
  rounds = 0;
  boundaries = 0;
  /** boundaries at which the engine was cut off */
  readonly cutAt: string[] = [];
  readonly #options: SimulationOptions;
  readonly #orphans = new Map<string, Command>();
  /** boundaries still to be crossed until the next cut, and how long the engine is down after it */
  #cuts: { further: number; downMs: number }[] = [];
  #up = false;
  #clock: SimClock | null = null;
  #net: SimNet | null = null;
  #waiting = 0;
  #onCrossed: { name: string; call: () => void } | null = null;
  #file: Policy;
  /** the wall clock was stepped since maintenance was switched on, since the last claim */
  #wallStepped = { maintenance: false, claim: false, commit: false };

  constructor(seed: number, policy: Policy, hasWord: boolean, options: SimulationOptions = {}) {
    this.random = new Seeded(seed);
    this.#options = options;
    this.#file = policy;
    this.world = new World(this.time, this.random, policy, hasWord);
    this.circumstances = nothingYet(() => this.#clock?.now() ?? 0);
    this.oracle = new Oracle(this.world, this.disk, this.rival.taken, this.circumstances, (text) =>
      options.onTrace?.(this.time.now, 'VIOLATED', text),
    );
    this.calm = new Calm(this.time, this.world, this.random);
  }

  get up(): boolean {
    return this.#up;
  }

  /** The world does something. */
  happen(what: string, act: () => void): void {
    const c = this.circumstances;
    this.#options.onTrace?.(this.time.now, 'world', what);
    c.undisturbed = false;
    this.calm.disturb();
    this.guard(act);
    if (this.world.diedAt === this.time.now) c.undisturbed = this.#isQuiet();
  }

  /** Nothing is in the way of a takeover, should the active die now. */
  #isQuiet(): boolean {
    const { world, circumstances: c, time, engine } = this;
    const { policy } = world;
    const data = world.dataNow();
    // Durations are monotonic: where that clock stood still, they last longer by so much.
    const surely = time.now - (this.#clock?.frozenMs ?? 0);
    return (
      engine?.interpreter.state.verdict === 'healthy' &&
      engine.interpreter.state.phase === 'watching' &&
      !this.#clock?.stalled &&
      !world.lossy() &&
      world.referenceLoss === 0 &&
      world.wordReadable &&
      !policy.observeOnly &&
      policy.references > 0 &&
      (policy.maxOffsetMs === null || (data?.verified === true && data.ageMs < policy.maxOffsetMs - 600_000)) &&
      c.maintenanceUntil <= surely &&
      !c.maintenanceUnsure &&
      c.lastClaimAt + Math.max(policy.cooldownMs, afterClaim) <= surely &&
      c.lastCommitAt + policy.cooldownMs <= surely &&
      !c.cooldownUnsure &&
      !c.commitUnsure &&
      !this.disk.full &&
      this.#cuts.length === 0
    );
  }

  /** The engine's next life begins. */
  boot(): void {
    if (this.#up) return;
    const c = this.circumstances;
    c.life += 1;
    c.lifeSince = this.time.now;
    c.maintenanceUnsure ||= this.#wallStepped.maintenance;
    c.cooldownUnsure ||= this.#wallStepped.claim;
    c.commitUnsure ||= this.#wallStepped.commit;
    const number = c.life;
    const alive = (): boolean => c.life === number && this.#up;
    const clock = new SimClock(this.time, number, alive, () => {
      c.lastGapEnd = this.time.now;
    });
    const life: Life = {
      time: this.time,
      clock,
      world: this.world,
      number,
      alive,
      boundary: {
        cross: (name) => this.#cross(name, alive),
        committed: (what) => this.oracle.committed(what),
        wrote: (event) => this.#wrote(event),
      },
      onRound: (round) => {
        this.rounds += 1;
        this.oracle.round(round);
      },
      onEffect: (command) => this.oracle.effect(command, this.#orphans),
    };
    const store = new SimStore(this.disk, life.boundary, alive, this.#options.bug === 'lose-results');
    this.#clock = clock;
    this.#net = new SimNet(life);
    const ports = {
      clock,
      net: this.#net,
      proc: new SimProc(life, this.#orphans),
      files: new SimFiles(),
      dns: new SimDns(life),
      store,
      random: new SimRandom(this.random),
      claims: new SimClaims(store, life, this.rival, this.#options.bug === 'ignore-claim'),
    };
    this.#up = true;
    this.#readFile();
    this.calm.disturb();
    this.guard(() => {
      this.engine = new Engine(ports, siteOf(this.world.policy, this.#options), this.#outside(), this.#hooks(alive));
      this.engine.start();
    });
  }

  #outside() {
    const data = () => {
      const known = this.world.dataNow();
      return known ? ({ state: 'known', ...known } as const) : ({ state: 'not-kept' } as const);
    };
    const claims = () => ({ state: this.world.keeper, evidence: keeperWords[this.world.keeper], foreign: 0 });
    return { word: () => this.world.word(), claims, data, settled: async () => {} };
  }

  /** What a dying engine still says reaches nobody. */
  #hooks(alive: () => boolean): Hooks {
    const { onDecided } = this.#options;
    return {
      onChange: () => {
        if (alive() && this.engine) this.oracle.decided(this.engine.interpreter.state.phase);
      },
      onRound: () => {},
      tell: ({ key, text }) => {
        if (!alive()) return;
        this.told.push({ at: this.time.now, key, text });
        this.oracle.told(key);
      },
      ...(onDecided ? { onDecided } : {}),
    };
  }

  /** kill -9: nothing of this life is called any more; its scripts go on in the world. */
  kill(): void {
    if (!this.#up) return;
    this.#up = false;
    // What is left of it in the microtask queue is let go, so that it ends by itself; nothing of it reaches the world.
    this.engine?.interpreter.end();
    this.engine = null;
    this.#waiting = 0;
    this.time.drop(this.circumstances.life);
    this.circumstances.undisturbed = false;
  }

  cutOff(downMs: number): void {
    this.kill();
    this.time.at(this.time.now + downMs, () => this.boot());
  }

  /** Runs something of the engine; being cut off in it is not an error. */
  guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      if (!(error instanceof CutOff)) throw error;
    }
  }

  #cross(name: string, alive: () => boolean): void {
    if (!alive()) throw new CutOff();
    this.boundaries += 1;
    if (this.#onCrossed?.name === name) {
      const { call } = this.#onCrossed;
      this.#onCrossed = null;
      call();
    }
    if (name === 'before claim effect') {
      this.circumstances.lastClaimAt = this.time.now;
      this.circumstances.cooldownUnsure = false;
      this.#wallStepped.claim = false;
    }
    if (name === 'before effect start') {
      this.circumstances.lastCommitAt = this.time.now;
      this.circumstances.commitUnsure = false;
      this.#wallStepped.commit = false;
    }
    const cut = this.#cuts[0];
    if (!cut) return;
    cut.further -= 1;
    if (cut.further > 0) return;
    this.#cuts.shift();
    this.cutAt.push(name);
    this.#options.onTrace?.(this.time.now, 'world', `the engine is cut off ${name}`);
    this.cutOff(cut.downMs);
    throw new CutOff();
  }

  /** Calls back the next time that this boundary is crossed. */
  onceCrossed(name: string, call: () => void): void {
    this.#onCrossed = { name, call };
  }

  /** Cuts the engine off at the boundary that lies `further` ahead (1: the next), then, started again, the next one. */
  planCuts(cuts: readonly { further: number; downMs: number }[]): void {
    this.#cuts = cuts.map((cut) => ({ ...cut }));
  }

  #wrote(event: NewEvent): void {
    const { onTrace } = this.#options;
    if (!onTrace) return;
    const phase = event.phase === null ? '' : ` [${event.phase}, ${event.verdict ?? 'no verdict'}]`;
    onTrace(this.time.now, event.kind, `${event.rule}${phase}: ${event.reason}`);
  }

  /** A person asks something; a process that stands still answers later, one that is not there never. */
  order(ask: OrderAsk): void {
    if (!this.#up) return;
    this.#clock?.at(0, () => {
      const { engine } = this;
      if (!engine) return;
      this.calm.disturb();
      this.circumstances.undisturbed = false;
      this.#waiting += 1;
      const { phase } = engine.interpreter.state;
      this.oracle.ordered(ask, phase);
      void engine.order(ask).then((answer) => {
        if (this.engine !== engine) return;
        this.#waiting -= 1;
        this.answers.push({ at: this.time.now, ask, answer });
        this.oracle.answered(ask, answer);
      });
      this.oracle.ordered(null, phase);
    });
  }

  /** Answers whether it is on: a disk that is full lets nobody switch it. */
  maintenanceOn(by: string, forMs: number): boolean {
    if (!this.engine || this.#clock?.stalled) return false;
    try {
      this.engine.maintenanceOn({ by, reason: 'update', forMs });
    } catch (error) {
      if (error instanceof CutOff) throw error;
      return false;
    }
    Object.assign(this.circumstances, { maintenanceUntil: this.time.now + forMs, maintenanceUnsure: false });
    this.#wallStepped.maintenance = false;
    // What was decided within that call was in maintenance already, however soon it is switched off again.
    this.oracle.decided(this.engine.interpreter.state.phase);
    return true;
  }

  maintenanceOff(by: string): void {
    if (!this.engine || this.#clock?.stalled || this.disk.full) return;
    // Half switched off is off for the oracle: it asserts what must not happen while it is on.
    this.circumstances.maintenanceUntil = 0;
    this.engine.maintenanceOff({ by });
  }

  /** A valid new configuration; it counts from when the engine read it. */
  reconfigure(change: Partial<Policy>): void {
    this.#file = { ...this.#file, ...change };
    if (!this.#up) return;
    this.#clock?.at(0, () => {
      this.calm.disturb();
      this.#readFile();
      this.engine?.reconfigure(siteOf(this.world.policy, this.#options));
    });
  }

  #readFile(): void {
    this.world.noteWord();
    this.world.policy = this.#file;
    this.world.noteService();
  }

  /** A process that stands still already goes on doing so. */
  stall(ms: number): void {
    if (!this.#clock?.stalled) this.#clock?.stall(ms, 'stall');
  }

  /** `frozen`: the monotonic clock stands still too (Linux); else it runs on (Windows). */
  sleep(ms: number, frozen: boolean): void {
    if (this.#clock?.stalled) return;
    if (frozen) this.#clock?.sleep(ms);
    else this.#clock?.stall(ms, 'sleep');
  }

  stepWall(ms: number): void {
    this.time.wallOffset += ms;
    this.#wallStepped = { maintenance: true, claim: true, commit: true };
    // Set forward it looks like a snapshot resumed, and is taken for one; set back, nothing was missed.
    if (ms > 2_000 && !this.#clock?.stalled) this.#clock?.gap(ms, 'wall-jump');
  }

  /** Runs until `end` (monotonic ms), asserting after every event. */
  async run(end: number): Promise<void> {
    await null;
    const { passCalm = true } = this.#options;
    for (let at = this.time.next(); at !== null && at <= end; at = this.time.next()) {
      try {
        if (this.time.step() === 0) this.calm.disturb();
      } catch (error) {
        if (!(error instanceof CutOff)) throw error;
      }
      await settled();
      this.steps += 1;
      this.#look(passCalm ? end : 0);
    }
    this.time.now = end;
  }

  #look(end: number): void {
    const { engine } = this;
    if (!engine || !this.#clock || !this.#net) return;
    if (this.#waiting > 0) this.oracle.say('3: an order was not answered');
    this.#waiting = 0;
    const { record } = engine.runner;
    if (record?.status === 'running' && !this.#clock.stalled && engine.runner.facts()?.status === 'running')
      this.oracle.running(record);
    if (this.world.diedAt !== null && this.circumstances.undisturbed) this.#checkMissed(engine);
    if (end > 0) this.calm.pass({ engine, clock: this.#clock, net: this.#net, life: this.circumstances.life }, end);
  }

  /** The spare must not sleep: an undisturbed death is noticed within the cadence's bound, and acted upon or asked about. */
  #checkMissed(engine: Engine): void {
    const late = this.time.now - (this.world.diedAt ?? this.time.now);
    const { phase } = engine.interpreter.state;
    const idle = phase === 'watching' || phase === 'suspecting' || phase === 'conflicting';
    if (!idle || late <= this.world.longestDetectionMs()) return;
    this.oracle.say(`MISSED: the active has been dead for ${Math.round(late / 1000)} s, phase ${phase}`);
    this.circumstances.undisturbed = false;
  }

  /** The person's hand on the data folder: this node is made the passive one again, as if set up anew. */
  setUpAnew(): void {
    this.kill();
    this.#orphans.clear();
    this.planCuts([]);
    for (const t of ['sip', 'web', 'tunnel'] as const) this.world.here[t] = 'refusing';
    const epoch = Math.max(this.world.otherEpoch, this.disk.standing?.epoch ?? 0, ...this.rival.taken.keys());
    this.disk.standing = { role: 'passive', epoch, since: this.time.wall() };
    for (const book of this.disk.runbooks) {
      if (book.status === 'running' || book.status === 'halted')
        Object.assign(book, { status: 'cancelled', reason: 'set up anew', endedAt: this.time.wall() });
    }
    this.time.at(this.time.now + 60_000, () => this.boot());
  }
}
