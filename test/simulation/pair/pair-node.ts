/**
 * One node of the simulated pair: its engine with core, runbooks, witness and claims, all real, on simulated ports; and the peer link,
 * of which only what it carries is simulated. Lives and dies as often as the world wants.
 */
import type { OrderAnswer } from '../../../src-main/contract/contract.ts';
import type { Policy } from '../../../src-main/engine/observation.ts';
import type { BackupAnswer, StandDownAnswer } from '../../../src-main/engine/ports.ts';
import { bidsOver } from '../../../src-main/peer/bid.ts';
import { LocationKeeper } from '../../../src-main/peer/location-keeper.ts';
import { SharedClaims } from '../../../src-main/peer/shared-claims.ts';
import { Witness } from '../../../src-main/peer/witness.ts';
import { type Channel, Heard, type NodeWord, wordFormat } from '../../../src-main/peer/word.ts';
import { givesWayFrom } from '../../../src-main/runbook/giving-way.ts';
import type { OrderAsk } from '../../../src-main/runbook/interpreter.ts';
import type { PairAtWork } from '../../../src-main/runbook/planned.ts';
import { Engine } from '../../../src-main/station/engine.ts';
import { SimClock } from '../sim-clock.ts';
import { SimFiles, SimRandom } from '../sim-ports.ts';
import { CutOff, SimStore } from '../sim-store.ts';
import { PairBoard, PairDns, type PairLife, PairNet, PairProc, soon } from './pair-ports.ts';
import { fqdn, pair, pairSite } from './pair-site.ts';
import { addressOf, type Name, type PairWorld } from './pair-world.ts';

/** Faults planted on purpose, to see that they are found. */
export type PairBug = 'no-stand-down' | 'no-word' | 'old-backup';
export const pairBugs: readonly PairBug[] = ['no-stand-down', 'no-word', 'old-backup'];

export interface PairNodeHooks {
  bug?: PairBug;
  /** the next number of a life, of all nodes */
  nextLife(): number;
  trace(who: string, text: string): void;
  /** called before and after each durable write and effect; throws CutOff */
  crossed(node: PairNode, name: string): void;
  decided(node: PairNode): void;
}

const folder = 'estepe-pair';
const linkEveryMs = 60_000;

export class PairNode {
  readonly name: Name;
  readonly world: PairWorld;
  readonly policy: Policy;
  readonly #hooks: PairNodeHooks;
  other!: PairNode;
  engine: Engine | null = null;
  life = 0;
  cuts = 0;
  readonly answers: { ask: OrderAsk; answer: OrderAnswer }[] = [];
  readonly #orphans = new Set<string>();
  #heard = new Heard();
  #witness: Witness | null = null;
  #clock: SimClock | null = null;
  #hears: ((via: Channel, word: NodeWord) => void) | null = null;
  #lastHeardAt: number | null = null;

  constructor(name: Name, world: PairWorld, policy: Policy, hooks: PairNodeHooks) {
    this.name = name;
    this.world = world;
    this.policy = policy;
    this.#hooks = hooks;
  }

  get machine() {
    return this.world.machines[this.name];
  }

  get role() {
    return this.machine.disk.standing?.role ?? (this.name === 'a' ? 'active' : 'passive');
  }

  get phase() {
    return this.engine?.interpreter.state.phase ?? null;
  }

  /** Its engine runs and does not stand still. */
  get isAwake(): boolean {
    return this.engine !== null && this.#clock?.stalled === false;
  }

  boot(): void {
    if (this.engine !== null || !this.machine.powered) return;
    const { world, name, policy } = this;
    const number = this.#hooks.nextLife();
    this.life = number;
    const alive = (): boolean => this.life === number;
    const clock = new SimClock(world.time, number, alive, () => {});
    this.#clock = clock;
    const boundary = {
      cross: (what: string) => {
        if (!alive()) throw new CutOff();
        this.#hooks.crossed(this, what);
      },
      committed: () => {},
      wrote: ({ rule, reason }: { rule: string; reason: string }) => this.#hooks.trace(name, `${rule}: ${reason}`),
    };
    const life: PairLife = { name, clock, world, alive, boundary };
    const store = new SimStore(this.machine.disk, boundary, alive);
    const { bug } = this.#hooks;
    const board = new PairBoard(life);
    const keepers = [new LocationKeeper(board, folder, { pair, fqdn })];
    const { node } = pairSite(name, policy);
    this.#heard = new Heard();
    this.#lastHeardAt = null;
    const heard = this.#heard;
    const around = () => {
      const { runner, interpreter } = engine;
      const { role, epoch } = interpreter.standing;
      return { role, epoch, isOpen: runner.isOpen, openEpoch: runner.isOpen ? (runner.record?.epoch ?? null) : null };
    };
    const lifeWord = world.random.hex(16);
    let seq = 0;
    const ownWord = (): NodeWord => {
      seq += 1;
      const { role, epoch } = engine.interpreter.standing;
      return {
        ...{ format: wordFormat, pair, fqdn, node, place: addressOf[name], role, epoch, seq, life: lifeWord },
        ...{ at: Math.round(clock.wall()), phase: engine.interpreter.state.phase },
        healthy: role === 'active' ? this.machine.pbx === 'up' : null,
        ...{ tests: [], services: 'unknown', intervalMs: policy.intervalMs, version: '0', backup: null },
      };
    };
    const hear = (via: Channel, word: NodeWord): void => {
      if (via === 'peer-link') this.#lastHeardAt = clock.now();
      if (heard.hear(via, word, clock.now())) engine.interpreter.tick();
    };
    const witness = new Witness({
      ...{ clock, store, node, isConfigured: () => true, board: () => board, keepers: () => keepers, around, ownWord },
      folder: () => folder,
      reader: () => ({ pair, fqdn, place: addressOf[name] }),
      otherPlace: () => addressOf[this.other.name],
      hear: (word) => hear('location', word),
      forget: () => heard.forget('location'),
      everyMs: () => policy.intervalMs,
      onNews: () => engine.interpreter.tick(),
      note: (rule, _severity, sentence) => this.#hooks.trace(name, `${rule}: ${sentence}`),
    });
    const claims = new SharedClaims({ clock, store, node, keepers: () => keepers, seen: () => witness.seen });
    const askStandDown = (epoch: number, because: string, signal: AbortSignal) =>
      this.#askStandDown(life, epoch, because, signal);
    const atWork: PairAtWork = {
      peer: {
        ...{ askStandDown, askBackup: ({ epoch }, signal) => this.#askBackup(life, epoch, signal) },
        calls: async () => ({ count: 0, sentence: 'nobody calls in this world' }),
      },
      restore: (backup, signal) => this.#restore(life, backup, signal),
    };
    const engine: Engine = new Engine(
      {
        ...{ clock, store, claims, net: new PairNet(life), proc: new PairProc(life, this.#orphans) },
        ...{ files: new SimFiles(), dns: new PairDns(life), random: new SimRandom(world.random), pair: atWork },
        peer: { isPaired: () => true, askStandDown },
      },
      pairSite(name, policy),
      {
        word: () => {
          const word = bug === 'no-word' ? null : heard.newest(clock.now());
          return bug === 'no-stand-down' && word !== null ? { ...word, epoch: 0 } : word;
        },
        claims: () => (bug === 'no-stand-down' ? { ...witness.claims(), foreign: 0 } : witness.claims()),
        data: () => ({ state: 'not-kept' }),
        planned: () => ({
          link: {
            paired: true,
            heardAgoMs: this.#lastHeardAt === null ? null : clock.now() - this.#lastHeardAt,
            trouble: null,
          },
          whyNoRestore: null,
          home: this.name === 'a',
          unsaved: this.machine.unsaved ? 'this node served' : null,
        }),
        settled: async () => {},
      },
      {
        onChange: () => {
          if (!alive()) return;
          witness.hurry(engine.interpreter.cadence() === 'confirming');
          this.#hooks.decided(this);
        },
        onRound: () => {},
        tell: ({ key, text }) => this.#hooks.trace(name, `told ${key}: ${text}`),
      },
    );
    this.engine = engine;
    this.#witness = witness;
    this.#hears = hear;
    const say = (): void => {
      clock.after(linkEveryMs, say);
      const { other } = this;
      if (world.joined() && other.#hears && !other.#clock?.stalled)
        this.#guard(() => other.#hears?.('peer-link', ownWord()));
    };
    this.#guard(() => {
      engine.start();
      witness.start();
      say();
    });
  }

  /** kill -9 of the engine: the machine, its PBX and its scripts go on. */
  kill(): void {
    const { engine, life } = this;
    if (engine === null) return;
    this.engine = null;
    this.#hears = null;
    this.life = -1;
    engine.interpreter.end();
    this.#witness?.close();
    this.world.time.drop(life);
  }

  powerOff(): void {
    this.kill();
    this.#orphans.clear();
    Object.assign(this.machine, { powered: false, pbx: 'off' });
  }

  /** The machine starts; the PBX with it where it is set so, the engine a while later. */
  powerOn(engineAfterMs: number): void {
    if (this.machine.powered) return;
    this.machine.powered = true;
    this.machine.life += 1;
    if (this.machine.startsByItself) this.machine.pbx = 'up';
    this.world.time.at(this.world.time.now + engineAfterMs, () => this.boot());
  }

  stall(ms: number): void {
    if (!this.#clock?.stalled) this.#clock?.stall(ms, 'stall');
  }

  /** A person's order; one that is not there, or stands still, answers later or never. */
  order(ask: OrderAsk): void {
    this.#clock?.at(0, () => {
      const { engine } = this;
      void engine?.order(ask).then((answer) => {
        this.answers.push({ ask, answer });
        this.#hooks.trace(this.name, `${ask.kind}: ${answer.accepted ? 'accepted' : 'refused'}: ${answer.reason}`);
      });
    });
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      if (!(error instanceof CutOff)) throw error;
    }
  }

  /** Asks the other engine over the path; an answer that does not come back in time is none. */
  async #ask<T>(
    life: PairLife,
    patienceMs: number,
    signal: AbortSignal,
    ask: (engine: Engine) => Promise<T>,
  ): Promise<T | 'unreachable'> {
    const { world } = this;
    await soon(life, 50, () => null);
    const there = this.other.engine;
    if (!world.joined() || there === null) return soon(life, 3_000, () => 'unreachable' as const);
    // Whatever it throws at the other end is the other end's: here there is no answer.
    const asked = ask(there).catch(() => new Promise<never>(() => {}));
    const late = soon(life, patienceMs, () => 'unreachable' as const);
    const given = new Promise<'unreachable'>((go) =>
      signal.addEventListener('abort', () => go('unreachable'), { once: true }),
    );
    const answer = await Promise.race([asked, late, given]);
    if (answer === 'unreachable') return answer;
    return soon(life, 50, () => (world.joined() ? answer : 'unreachable'));
  }

  async #askStandDown(life: PairLife, epoch: number, because: string, signal: AbortSignal): Promise<StandDownAnswer> {
    const answer = await this.#ask(life, 120_000, signal, async (engine) => {
      if (this.#hooks.bug === 'no-stand-down') return { accepted: false, sentence: 'no' };
      const { standing, highestEpoch } = engine.interpreter.observation();
      const open = givesWayFrom(engine.runner.record);
      const epochs = { standing: standing.epoch, highest: highestEpoch, active: standing.role === 'active', open };
      // as the link's door has it
      if (!bidsOver(epoch, epochs)) return { accepted: false, sentence: 'a higher epoch is known there', outbid: true };
      return engine.standDownAsked(epoch, because);
    });
    if (answer === 'unreachable') return { outcome: 'unreachable', sentence: 'it did not answer' };
    const { accepted, sentence, outbid = false } = { outbid: false, ...answer };
    return { outcome: accepted ? 'stood-down' : 'refused', sentence, outbid };
  }

  async #askBackup(life: PairLife, epoch: number | null, signal: AbortSignal): Promise<BackupAnswer> {
    const { other, world } = this;
    const answer = await this.#ask(life, 600_000, signal, async (engine) => {
      const why = engine.whyNoBackup(epoch);
      if (why !== null) return { why };
      const { life: there } = other;
      const data = other.machine.data;
      await new Promise<void>((go) => world.time.at(world.time.now + world.random.between(10_000, 200_000), go));
      if (other.life !== there) return new Promise<never>(() => {});
      if (!world.reachesLocation(other.name)) return { why: 'the location does not answer' };
      world.backup = Math.max(world.backup, data);
      if (other.machine.data === data) other.machine.unsaved = false;
      // The data of long ago is called newest.
      return { name: String(this.#hooks.bug === 'old-backup' && epoch !== null ? 1 : data) };
    });
    if (answer === 'unreachable') return { outcome: 'unreachable', sentence: 'it did not answer' };
    if ('why' in answer) return { outcome: 'refused', sentence: answer.why ?? '' };
    return { outcome: 'made', sentence: `backup ${answer.name}`, name: answer.name, createdAt: 0, verified: true };
  }

  async #restore(life: PairLife, backup: string, signal: AbortSignal): Promise<{ ok: boolean; sentence: string }> {
    const { world, machine } = this;
    const fails = world.random.chance(world.chances.restoreFails);
    await soon(life, world.random.between(5_000, 100_000), () => null);
    if (signal.aborted || fails) return { ok: false, sentence: 'the restore failed' };
    machine.data = Number(backup);
    machine.unsaved = false;
    return { ok: true, sentence: `${backup} is restored` };
  }
}
