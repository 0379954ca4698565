import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Phase } from '../../../src-main/contract/words.ts';
import { type Decision, decide, initialState } from '../../../src-main/engine/decide.ts';
import { guardsOf } from '../../../src-main/engine/guards.ts';
import type { CoreState, Effect, Observation } from '../../../src-main/engine/observation.ts';
import { anyPolicy, happening, SmallWorld } from './small-world.ts';

/** A settled decision is reached in so many steps; the interpreter goes no further. */
const mostSteps = 12;

type Promotion = Effect & { do: 'start-promotion' };

/** One decision with what it stood on. */
interface Step {
  before: CoreState;
  observation: Observation;
  decision: Decision;
  /** guards that did not hold, by the world's own count */
  inTheWay: string[];
}

/** All of one moment: decisions until nothing follows, effects carried out between them. */
function settle(world: SmallWorld, from: CoreState): Step[] {
  const steps: Step[] = [];
  let state = from;
  for (;;) {
    const { observation } = world;
    const inTheWay = world.inTheWay();
    const decision = decide(state, observation);
    steps.push({ before: state, observation, decision, inTheWay });
    for (const effect of decision.effects) world.carryOut(effect);
    const moved = decision.state.phase !== state.phase || decision.effects.length > 0;
    state = decision.state;
    if (!moved || steps.length > mostSteps) return steps;
  }
}

/** Lets lives of an engine pass and looks at each of their moments. */
function everyMoment(look: (steps: Step[], world: SmallWorld) => void): void {
  fc.assert(
    fc.property(
      anyPolicy,
      fc.constantFrom<Phase>('starting', 'starting', 'starting', 'serving'),
      fc.array(happening, { maxLength: 60, size: 'max' }),
      (policy, phase, life) => {
        const world = new SmallWorld(policy, phase === 'serving');
        let state = initialState(phase, 0);
        for (const one of life) {
          world.happen(one);
          const steps = settle(world, state);
          look(steps, world);
          state = steps.at(-1)?.decision.state ?? state;
        }
      },
    ),
    { seed: 4, numRuns: 500 },
  );
}

const promotionsOf = (steps: readonly Step[]): (Step & { effect: Promotion })[] =>
  steps.flatMap((step) =>
    step.decision.effects.flatMap((effect) => (effect.do === 'start-promotion' ? [{ ...step, effect }] : [])),
  );

describe('whatever is observed', () => {
  it('a moment settles within the steps that the interpreter takes', () => {
    let most = 0;
    everyMoment((steps) => {
      most = Math.max(most, steps.length);
    });
    expect(most).toBeGreaterThan(2);
    expect(most).toBeLessThanOrEqual(mostSteps);
  });

  it('level-triggered: deciding again on the same changes nothing and does nothing', () => {
    everyMoment((steps, world) => {
      const last = steps.at(-1)?.decision;
      const again = last && decide(last.state, world.observation);
      expect(again).toEqual(last);
      expect(again?.effects).toEqual([]);
    });
  });

  it('pure: the same state and observation give the same answer, and neither is touched', () => {
    everyMoment((steps) => {
      for (const { before, observation, decision } of steps) {
        const copies = structuredClone([before, observation] as const);
        expect(decide(before, observation)).toEqual(decision);
        expect([before, observation]).toEqual(copies);
      }
    });
  });
});

describe('invariant 2: what is automatic', () => {
  const seen = { automatic: 0, silence: 0 };
  beforeAll(() => {
    everyMoment((steps) => {
      for (const { effect } of promotionsOf(steps)) if (effect.origin !== 'person') seen[effect.origin] += 1;
    });
  });

  it('begins only when every guard holds, by a count apart from the engine’s', () => {
    everyMoment((steps) => {
      for (const { effect, inTheWay, before, observation } of promotionsOf(steps)) {
        if (effect.origin === 'person') continue;
        expect(inTheWay).toEqual([]);
        expect(effect.overrides).toEqual([]);
        expect(before.held).toBe(false);
        const { mode, onSilence, countdownMs } = observation.policy;
        if (effect.origin === 'automatic') expect(mode).toBe('automatic');
        else {
          expect([mode, onSilence, before.phase]).toEqual(['confirm', 'promote', 'awaiting']);
          expect(observation.at - before.since).toBeGreaterThanOrEqual(countdownMs);
        }
      }
    });
  });

  it('and the lives that were looked at had many of both kinds', () => {
    expect(seen.automatic).toBeGreaterThan(30);
    expect(seen.silence).toBeGreaterThan(5);
  });

  it('the guards as shown are the guards as counted', () => {
    everyMoment((steps, world) => {
      const state = steps.at(-1)?.decision.state;
      if (!state) return;
      const failing = guardsOf(state, world.observation).filter((g) => !g.ok);
      expect(failing.map((g) => g.name)).toEqual(world.inTheWay());
    });
  });
});

describe('invariants 3 and 10: what a person orders', () => {
  it('begins only on their order, over guards that they named with a reason, and is recorded with them', () => {
    let ordered = 0;
    everyMoment((steps) => {
      for (const { effect, observation, inTheWay } of promotionsOf(steps)) {
        if (effect.origin !== 'person') continue;
        ordered += 1;
        const { order } = observation;
        if (order?.kind !== 'promote') throw new Error('nobody ordered it');
        expect(effect).toMatchObject({ by: order.by, overrides: order.overrides });
        const named = order.overrides.filter((x) => x.reason.trim() !== '').map((x) => x.guard as string);
        expect(inTheWay.filter((g) => g !== 'seen-healthy' && g !== 'cool-down' && !named.includes(g))).toEqual([]);
      }
    });
    expect(ordered).toBeGreaterThan(20);
  });

  it('every order is answered once, in the moment it is given', () => {
    everyMoment((steps, world) => {
      const asked = steps[0]?.observation.order;
      const answers = steps.flatMap((s) => s.decision.effects).filter((e) => e.do === 'answer');
      expect(answers.map((a) => a.order)).toEqual(asked ? [asked.id] : []);
      expect(world.observation.order).toBeNull();
    });
  });
});

describe('invariant 1: one active under the highest epoch', () => {
  it('never two runbooks: none begins while one is open', () => {
    everyMoment((steps) => {
      for (const { decision, observation } of steps) {
        const begins = decision.effects.filter((e) => e.do === 'start-promotion' || e.do === 'stand-down');
        if (begins.length === 0) continue;
        expect(begins).toHaveLength(1);
        expect(observation.runbook?.status ?? 'none').not.toMatch(/running|halted/);
      }
    });
  });

  it('an outranked node does not go on serving', () => {
    let outranked = 0;
    everyMoment((steps, world) => {
      const { standing, highestEpoch } = world.observation;
      const phase = steps.at(-1)?.decision.state.phase ?? '';
      if (highestEpoch <= standing.epoch) return;
      outranked += 1;
      expect(['active', 'serving']).not.toContain(phase);
    });
    expect(outranked).toBeGreaterThan(20);
  });
});
