/** An effect within its bounds, when this process itself stood still. */
import { expect, it } from 'vitest';
import type { Clock } from '../../../src-main/engine/ports.ts';
import { bounded } from '../../../src-main/runbook/bounded.ts';
import { done, type StepEnd } from '../../../src-main/runbook/step.ts';

/** A clock by hand: its timers are called by the test, and as late as it says. */
function byHand() {
  const timers: { ms: number; call: () => void }[] = [];
  let at = 0;
  const clock: Clock = {
    now: () => at,
    wall: () => at,
    onGap: () => () => {},
    after: (ms, call) => {
      timers.push({ ms, call });
      return () => {};
    },
  };
  const passTo = (ms: number): void => {
    at = ms;
  };
  return { clock, timers, passTo };
}

function begin() {
  const hand = byHand();
  const effect = Promise.withResolvers<StepEnd>();
  const control = new AbortController();
  return { ...hand, effect, control, end: bounded(hand.clock, 1_000, control, () => effect.promise) };
}

it('an end that came in time and is heard after a stall is no time-out', async () => {
  const { timers, passTo, effect, control, end } = begin();
  passTo(11_000);
  timers[0]?.call();
  expect(control.signal.aborted).toBe(false);
  effect.resolve(done('in time'));
  expect(await end).toMatchObject({ outcome: 'done', sentence: 'in time' });
});

it('what did not end meanwhile has half a second, then it is told to stop', async () => {
  const { timers, passTo, effect, control, end } = begin();
  passTo(11_000);
  timers[0]?.call();
  expect(timers[1]?.ms).toBe(500);
  timers[1]?.call();
  expect(control.signal.aborted).toBe(true);
  effect.resolve({ outcome: 'failed', sentence: 'was told to stop', output: '' });
  expect(await end).toMatchObject({ outcome: 'failed', sentence: 'did not end within 1 s: was told to stop' });
});
