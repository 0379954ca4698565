/**
 * What a seed holds in store: the site's policy, and the schedule of everything that befalls it. Drawn whole before anything
 * runs, from a stream of its own, so that a change in the engine does not change the world it meets.
 *
 * Every day has an incident: as a rule the active dies, in one of many ways, and something else goes wrong beside it. In
 * the evening an admin puts things right, more or less (person.ts), so that the next day begins with a spare that watches.
 */
import type { Policy } from '../../src-main/engine/observation.ts';
import { type Companion, companions } from './companions.ts';
import { lookIn, putRight } from './person.ts';
import { Seeded } from './random.ts';
import { defaultPolicy } from './sim-site.ts';
import type { Simulation } from './simulation.ts';
import { days, hours, minutes, seconds } from './time.ts';
import { type Service, type TestId, testIds } from './world.ts';

export interface Happening {
  at: number;
  what: string;
  act: (s: Simulation) => void;
}

/** Puts a happening into the schedule. */
export type Plan = (at: number, what: string, act: Happening['act']) => void;

export interface Fate {
  policy: Policy;
  hasWord: boolean;
  /** in order of time */
  happenings: readonly Happening[];
}

export function drawFate(seed: number, count: number): Fate {
  // Another stream than the simulation's own, which is seeded with the bare number.
  const r = new Seeded(seed ^ 0x5bd1e995);
  const policy = drawPolicy(r);
  const happenings: Happening[] = [];
  const plan: Plan = (at, what, act) => void happenings.push({ at, what, act });
  for (let d = 0; d < count; d += 1) {
    const midnight = d * days;
    if (policy.maxOffsetMs !== null) planRestore(midnight, r, plan);
    const at = midnight + r.between(4 * hours, 16 * hours);
    const ends = planIncident(at, policy, r, plan);
    // A second one the same day, now and then while the first is not over.
    if (r.chance(0.25)) planIncident(at + r.between(30 * seconds, 2 * hours), policy, r, plan);
    const evening = Math.min(Math.max(ends + 10 * minutes, midnight + 20 * hours), midnight + 23 * hours);
    putRight(evening, r.chance(0.9), plan);
  }
  happenings.sort((a, b) => a.at - b.at);
  return { policy, hasWord: r.chance(0.5), happenings };
}

function drawPolicy(r: Seeded): Policy {
  const mode = r.pick(['automatic', 'automatic', 'automatic', 'automatic', 'confirm', 'confirm', 'manual'] as const);
  const usual = r.chance(0.6);
  return {
    ...defaultPolicy,
    mode,
    failWhen: r.chance(0.7) ? 'all' : 'any',
    onSilence: r.chance(0.6) ? 'promote' : 'hold',
    intervalMs: usual ? 30 * seconds : r.pick([10, 20, 60]) * seconds,
    confirmTimes: usual ? 3 : r.whole(1, 6),
    confirmEveryMs: usual ? 5 * seconds : r.pick([2, 3, 8, 10]) * seconds,
    countdownMs: r.pick([1, 5, 10]) * minutes,
    cooldownMs: r.pick([60, 60, 10, 0]) * minutes,
    maxOffsetMs: r.pick([null, 24 * hours, 26 * hours]),
    observeOnly: r.chance(0.04),
    references: r.chance(0.04) ? 0 : r.whole(1, 2),
  };
}

/** The copy of 01:00 is restored at 03:00. With a bound of 24 h it is too old for the two hours before: D1. */
function planRestore(midnight: number, r: Seeded, plan: Plan): void {
  if (r.chance(0.15)) return;
  const verified = !r.chance(0.05);
  plan(midnight + 3 * hours, `a copy is restored${verified ? '' : ', and cannot be verified'}`, ({ world, time }) => {
    world.data = { createdAt: time.now - 2 * hours, verified };
  });
}

/** Answers when it is over. */
function planIncident(at: number, policy: Policy, r: Seeded, plan: Plan): number {
  const dies = !r.chance(0.1);
  const over = at + (dies ? planDeath(at, policy, r, plan) : 0);
  const kinds = Object.keys(companions) as Companion[];
  for (let n = r.pick(dies ? [0, 1, 1, 2, 3] : [1, 2, 3]); n > 0; n -= 1) {
    const kind = r.pick(kinds);
    // Around the confirmation and the takeover, seldom long before or after.
    const begins =
      at + (r.chance(0.8) ? r.between(-30 * seconds, 90 * seconds) : r.between(-10 * minutes, 30 * minutes));
    companions[kind](Math.max(begins, minutes), policy, r, plan);
  }
  for (let n = r.pick([0, 0, 0, 1, 1, 3]); n > 0; n -= 1) {
    const quick = at + r.between(0, 2 * minutes);
    lookIn(r.chance(0.5) ? quick : at + r.between(minutes, 40 * minutes), r, plan);
  }
  return over;
}

/** The active dies and comes back; answers after how long. */
function planDeath(at: number, policy: Policy, r: Seeded, plan: Plan): number {
  if (r.chance(0.08)) return planFlapping(at, policy, r, plan);
  const confirmation = policy.intervalMs + policy.confirmTimes * policy.confirmEveryMs;
  const lasts = r.pick([
    r.between(2 * seconds, confirmation), // a reboot shorter than the confirmation (A8)
    r.between(confirmation, 3 * confirmation), // heals during confirmation or takeover (B5)
    r.between(2 * minutes, 20 * minutes),
    r.between(20 * minutes, 4 * hours),
    r.between(20 * minutes, 4 * hours),
  ]);
  const [what, state, tests] = drawDeath(r);
  plan(at, what, ({ world }) => world.setActive(state, tests));
  plan(at + lasts, 'the active serves again', ({ world }) => world.setActive('up'));
  return lasts;
}

function drawDeath(r: Seeded): [what: string, state: Service, tests: readonly TestId[]] {
  if (r.chance(0.25)) {
    const test = r.pick(testIds);
    const state = r.pick(['refusing', 'hung'] as const);
    return [`one service of the active, ${test}, is ${state}`, state, [test]];
  }
  const state = r.pick(['refusing', 'hung', 'silent', 'silent'] as const);
  const words = { refusing: 'stopped', hung: 'hung', silent: 'gone with its host' }[state];
  return [`every service of the active is ${words}`, state, testIds];
}

function planFlapping(at: number, policy: Policy, r: Seeded, plan: Plan): number {
  const times = r.whole(3, 8);
  const half = r.pick([policy.intervalMs, policy.confirmEveryMs, policy.confirmEveryMs * (1 + policy.confirmTimes)]);
  let now = at;
  for (let n = 0; n < times; n += 1) {
    plan(now, 'the active flaps: down', ({ world }) => world.setActive('refusing'));
    now += half * r.between(0.8, 1.2);
    plan(now, 'the active flaps: up', ({ world }) => world.setActive('up'));
    now += half * r.between(0.8, 1.2);
  }
  return now - at;
}
