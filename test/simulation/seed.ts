/** One seed from its fate to its tally. */
import { drawFate, type Fate, type Happening } from './fate.ts';
import { repair } from './person.ts';
import { Simulation, type SimulationOptions } from './simulation.ts';
import type { Tally } from './tally.ts';
import { days as day, hours } from './time.ts';

export interface SeedReport {
  seed: number;
  days: number;
  tally: Tally;
  /** rounds of tests that were simulated, and those passed over in calm stretches */
  rounds: number;
  passedOver: number;
  events: number;
}

/** After the last day the world is whole and nobody touches anything: long enough for every time-out to end. */
const peace = 1 * hours;

/** Runs one seed. An engine that throws is a violation like any other; what comes after it is not simulated. */
export async function runSeed(seed: number, days: number, options: SimulationOptions = {}): Promise<SeedReport> {
  const fate = drawFate(seed, days);
  const s = new Simulation(seed, fate.policy, fate.hasWord, options);
  options.onTrace?.(0, 'world', `policy ${JSON.stringify(fate.policy)}`);
  options.onTrace?.(0, 'world', `${fate.hasWord ? 'the' : 'no'} word of the other node is in the location`);
  const thrown = (error: unknown): void =>
    s.oracle.say(`the engine threw: ${error instanceof Error ? error.stack : String(error)}`);
  process.on('unhandledRejection', thrown);
  try {
    await live(s, fate, days);
  } catch (error) {
    thrown(error);
  } finally {
    process.off('unhandledRejection', thrown);
  }
  const { tally } = s.oracle;
  return { seed, days, tally, rounds: s.rounds, passedOver: s.calm.passedOver, events: s.steps };
}

async function live(s: Simulation, fate: Fate, days: number): Promise<void> {
  s.happen('the engine is started', () => s.boot());
  chain(s, fate.happenings, 0);
  await s.run(days * day);
  s.happen('the world is repaired, and the engine left in peace', () => {
    s.planCuts([]);
    repair(s);
  });
  await s.run(days * day + peace);
  s.oracle.finish(s.engine?.interpreter.state.phase ?? null);
}

/** Only the next happening stands in the heap: it stays small, and what comes next of the world is found at once. */
function chain(s: Simulation, happenings: readonly Happening[], i: number): void {
  const next = happenings[i];
  if (!next) return;
  s.time.at(next.at, () => {
    chain(s, happenings, i + 1);
    s.happen(next.what, () => next.act(s));
  });
}
