/** Scenarios G: what people order, and when. */
import { describe, expect, test } from 'vitest';
import type { GuardName, StepId } from '../../src-main/contract/words.ts';
import type { Policy } from '../../src-main/engine/observation.ts';
import { promotionStepIds } from '../../src-main/runbook/promotion.ts';
import { Scene } from './scene.ts';
import { hours, minutes, seconds } from './time.ts';

async function dead(policy: Partial<Policy> = {}): Promise<Scene> {
  const scene = await Scene.watching({ policy });
  scene.does('the active dies', ({ world }) => world.setActive('silent'));
  return scene;
}

const answers = (scene: Scene) => scene.s.answers.map(({ answer }) => answer);

test('G1 double click on promote: one promotion, the second is told that it runs', async () => {
  const scene = await dead({ mode: 'manual' });
  expect(await scene.until('awaiting')).toBe(true);
  scene.promote();
  scene.promote();
  expect(await scene.until('active')).toBe(true);
  expect(answers(scene)).toMatchObject([
    { accepted: true, rule: 'order.promote' },
    { accepted: false, rule: 'order.refused', reason: 'a promotion is already running' },
  ]);
  expect(scene.s.disk.runbooks).toHaveLength(1);
  expect(scene.violations).toEqual([]);
});

test('G2 manual promote during an automatic one: refused, and the automatic one goes on', async () => {
  const scene = await dead();
  expect(await scene.until('promoting')).toBe(true);
  scene.promote();
  expect(await scene.until('active')).toBe(true);
  expect(answers(scene)).toMatchObject([{ accepted: false, rule: 'order.refused' }]);
  expect(scene.s.disk.runbooks).toMatchObject([{ origin: 'automatic', status: 'done' }]);
  expect(scene.told()).toEqual({ promoted: 1 });
  expect(scene.violations).toEqual([]);
});

describe('G2 cancel at each step', () => {
  const beforeReturn: readonly StepId[] = ['guards', 'claim', 'fence', 'before-script'];
  test.each(promotionStepIds.filter((id) => id !== 'flip-standing'))('%s', async (step) => {
    const scene = await dead({ mode: 'manual' });
    expect(await scene.until('awaiting')).toBe(true);
    // Ordered at the very moment at which that step's intent is on disk.
    scene.s.onceCrossed(`after intent ${step}`, () => scene.cancel());
    scene.promote();
    await scene.run(3 * minutes);
    expect(answers(scene).at(-1)).toMatchObject({ accepted: true, rule: 'promoting.cancelled-by-person' });
    const [book] = scene.s.disk.runbooks;
    if (beforeReturn.includes(step)) {
      expect(book).toMatchObject({ status: 'cancelled' });
      expect(book?.reason).toContain('ana cancelled it: leave it');
      expect(scene.steps()).not.toHaveProperty('start-services');
      expect(scene.told()).toEqual({ awaiting: 1, cancelled: 1 });
      // Held: not even the mode automatic takes over in this incident.
      scene.s.reconfigure({ mode: 'automatic', cooldownMs: 0 });
      await scene.run(2 * hours);
      expect(scene.phase).toBe('awaiting');
      expect(scene.s.disk.runbooks).toHaveLength(1);
    } else {
      // Past the point of no return it is not torn down by itself: a person decides what becomes of it.
      expect(book).toMatchObject({ status: 'halted' });
      expect(book?.reason).toContain('services may be running here already');
      expect(scene.told()).toEqual({ awaiting: 1, 'halted.1': 1 });
      scene.cancel();
      await scene.run(3 * minutes);
      expect(book).toMatchObject({ status: 'cancelled' });
      expect(scene.steps()['stop-services']).toBe('done');
      expect(scene.world.here).toEqual({ sip: 'refusing', web: 'refusing', tunnel: 'refusing' });
      expect(scene.s.disk.standing).toMatchObject({ role: 'passive' });
    }
    expect(scene.violations).toEqual([]);
  });
});

test('G2 cancel as the last step is written: too late, and said so', async () => {
  const scene = await dead({ mode: 'manual' });
  expect(await scene.until('awaiting')).toBe(true);
  scene.s.onceCrossed('after intent flip-standing', () => scene.cancel());
  scene.promote();
  expect(await scene.until('active')).toBe(true);
  expect(answers(scene).at(-1)).toMatchObject({ accepted: false, reason: 'there is no takeover to cancel' });
  expect(scene.violations).toEqual([]);
});

test.each([
  ['stale', { maxOffsetMs: 24 * hours }, ['restored-data']],
  ['isolated', {}, ['proven-down', 'references']],
  ['in maintenance', {}, ['no-maintenance']],
  ['observe-only', { observeOnly: true }, ['not-observe-only']],
  ['not dead', {}, ['proven-down']],
] as const)(
  'G3 promote while %s: refused by name, then overridden by name, and recorded',
  async (what, policy, names) => {
    const scene = await Scene.watching({ policy: { mode: 'manual', ...policy } });
    const guards: readonly GuardName[] = names;
    if (what === 'in maintenance') scene.does('maintenance', (s) => void s.maintenanceOn('ana', 2 * hours));
    scene.does('it comes to this', ({ world, time }) => {
      if (what === 'stale') world.data = { createdAt: time.now - 30 * hours, verified: true };
      if (what === 'isolated') world.referenceLoss = 1;
      if (what !== 'not dead') world.setActive('silent');
    });
    await scene.run(5 * minutes);

    scene.promote();
    await scene.run(1 * seconds);
    expect(answers(scene).at(-1)).toMatchObject({ accepted: false, rule: 'order.refused', refusedBy: guards });
    for (const guard of guards) expect(answers(scene).at(-1)?.reason).toContain(`${guard} (`);

    // Named, but without a reason: that is no override.
    scene.promote(guards.map((guard) => ({ guard, reason: '  ' })));
    await scene.run(1 * seconds);
    expect(answers(scene).at(-1)).toMatchObject({ accepted: false, refusedBy: guards });
    expect(scene.s.disk.runbooks).toEqual([]);

    const overrides = guards.map((guard) => ({ guard, reason: 'I stand beside it' }));
    scene.promote(overrides);
    expect(await scene.until('active', 10 * minutes)).toBe(true);
    expect(answers(scene).at(-1)).toMatchObject({ accepted: true, rule: 'order.promote' });
    expect(scene.s.disk.runbooks).toMatchObject([{ origin: 'person', by: 'ana', overrides, status: 'done' }]);
    const orders = scene.events('order').filter((e) => e.rule === 'order.promote');
    expect(orders.map((e) => e.severity)).toEqual(['warning', 'warning', 'info']);
    expect(orders.at(-1)?.evidence).toMatchObject({ by: 'ana', reason: 'it is dead', overrides });
    expect(scene.violations).toEqual([]);
  },
);

test('G4 nobody answers, onSilence promote: asked once, taken over when the countdown is over and not before', async () => {
  const scene = await dead({ mode: 'confirm', countdownMs: 5 * minutes });
  expect(await scene.until('awaiting')).toBe(true);
  const asked = scene.s.time.now;
  await scene.run(5 * minutes - 1 * seconds);
  expect(scene.phase).toBe('awaiting');
  expect(scene.s.disk.runbooks).toEqual([]);
  await scene.run(2 * seconds);
  expect(scene.phase).toBe('promoting');
  expect(scene.decision('awaiting.go')?.reason).toMatch(/^nobody answered within 5 min and onSilence is promote/);
  expect(await scene.until('active')).toBe(true);
  expect(scene.s.disk.runbooks).toMatchObject([{ origin: 'silence', by: 'Estepe' }]);
  expect(scene.s.told[0]?.at).toBeLessThanOrEqual(asked);
  expect(scene.told()).toEqual({ awaiting: 1, promoted: 1 });
  expect(scene.violations).toEqual([]);
});

test('G4 nobody answers, onSilence hold: said once that it waits, for as long as it takes', async () => {
  const scene = await dead({ mode: 'confirm', onSilence: 'hold', countdownMs: 5 * minutes });
  await scene.run(12 * hours);
  expect(scene.phase).toBe('awaiting');
  expect(scene.s.disk.runbooks).toEqual([]);
  expect(scene.told()).toEqual({ awaiting: 1, 'awaiting.silence-held': 1 });
  expect(scene.violations).toEqual([]);
});

test('G4 a person answers "leave it" in time: held until the active was healthy again, then it counts anew', async () => {
  const scene = await dead({ mode: 'confirm', countdownMs: 5 * minutes });
  expect(await scene.until('awaiting')).toBe(true);
  scene.cancel();
  await scene.run(3 * hours);
  expect(scene.phase).toBe('awaiting');
  expect(scene.rules()).toContain('awaiting.held');
  scene.does('the active is back', ({ world }) => world.setActive('up'));
  await scene.run(2 * minutes);
  expect(scene.told()).toEqual({ awaiting: 1, recovered: 1 });
  scene.does('it dies again', ({ world }) => world.setActive('silent'));
  expect(await scene.until('active', 10 * minutes)).toBe(true);
  expect(scene.told()).toEqual({ awaiting: 2, recovered: 1, promoted: 1 });
  expect(scene.violations).toEqual([]);
});
