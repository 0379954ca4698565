/** One scenario on the simulated ports: a spare that watches, something that happens, and what is to be read of it after. */
import type { Phase } from '../../src-main/contract/words.ts';
import type { Override, Policy } from '../../src-main/engine/observation.ts';
import type { NewEvent } from '../../src-main/engine/ports.ts';
import { defaultPolicy } from './sim-site.ts';
import { Simulation, type SimulationOptions } from './simulation.ts';

export interface SceneOptions extends SimulationOptions {
  policy?: Partial<Policy>;
  /** the active's word lies in the location */
  hasWord?: boolean;
  seed?: number;
}

export class Scene {
  readonly s: Simulation;
  /** when the spare had begun to watch */
  began = 0;

  constructor(options: SceneOptions = {}) {
    const { policy, hasWord = false, seed = 1, ...rest } = options;
    this.s = new Simulation(seed, { ...defaultPolicy, ...policy }, hasWord, rest);
  }

  /** Started, and healthy rounds seen. */
  static async watching(options: SceneOptions = {}): Promise<Scene> {
    const scene = new Scene(options);
    scene.s.happen('the engine is started', () => scene.s.boot());
    await scene.run(600_000);
    scene.began = scene.s.time.now;
    return scene;
  }

  get phase(): Phase | 'none' {
    return this.s.engine?.interpreter.state.phase ?? 'none';
  }

  get world() {
    return this.s.world;
  }

  /** Time passes: monotonic milliseconds. */
  async run(ms: number): Promise<void> {
    await this.s.run(this.s.time.now + ms);
  }

  /** Something befalls the world now. */
  does(what: string, act: (s: Simulation) => void): void {
    this.s.happen(what, () => act(this.s));
  }

  promote(overrides: readonly Override[] = [], skipStep = false): void {
    this.s.order({ kind: 'promote', by: 'ana', reason: 'it is dead', overrides, skipStep });
  }

  cancel(): void {
    this.s.order({ kind: 'cancel', by: 'ana', reason: 'leave it' });
  }

  /** Runs until the phase is there; false when it never was within `withinMs`. */
  async until(phase: Phase, withinMs = 3_600_000): Promise<boolean> {
    const end = this.s.time.now + withinMs;
    while (this.phase !== phase && this.s.time.now < end) await this.s.run(Math.min(end, this.s.time.now + 250));
    return this.phase === phase;
  }

  events(kind?: NewEvent['kind']): NewEvent[] {
    return this.s.disk.events.filter((e) => kind === undefined || e.kind === kind);
  }

  /** Rules of the decisions that history holds, in order. */
  rules(): string[] {
    return this.events('decision').map((e) => e.rule);
  }

  /** The newest decision by this rule. */
  decision(rule: string): NewEvent | undefined {
    return this.events('decision').findLast((e) => e.rule === rule);
  }

  /** How often people were told, by key. */
  told(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { key } of this.s.told) counts[key] = (counts[key] ?? 0) + 1;
    return counts;
  }

  get violations(): string[] {
    return this.s.oracle.tally.violations;
  }

  /** Outcome of each step's newest attempt in the newest runbook. */
  steps(): Record<string, string> {
    const book = this.s.disk.runbooks.at(-1);
    return Object.fromEntries(book?.entries.map((e) => [e.step, e.result?.outcome ?? 'open']) ?? []);
  }
}
