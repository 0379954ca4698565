/** Scenarios B: what is between the two nodes, and who else claims. */
import { expect, test } from 'vitest';
import { Scene } from './scene.ts';
import { hours, minutes, seconds } from './time.ts';

const cutBothWays = ({ world }: Scene['s']): void => {
  world.setLoss(1, 1);
};
const whole = ({ world }: Scene['s']): void => {
  world.setLoss(0, 0);
  world.referenceLoss = 0;
  world.wordReadable = true;
};

test('B1 the active cut from the passive, its own word fresh: conflicting, for hours, and nothing is taken over', async () => {
  const scene = await Scene.watching({ hasWord: true });
  scene.does('the path to the active is cut', cutBothWays);
  await scene.run(6 * hours);
  expect(scene.phase).toBe('conflicting');
  const decision = scene.decision('watchers.contradicted');
  expect(decision).toMatchObject({ phase: 'conflicting', verdict: 'conflicting' });
  expect(decision?.reason).toMatch(/the tests fail \(sip: no answer .*own word of \d+ s ago says that it serves/);
  expect(scene.told()).toEqual({ conflicting: 1 });
  expect(scene.s.disk.runbooks).toEqual([]);

  scene.does('the path is whole', whole);
  await scene.run(2 * minutes);
  expect(scene.phase).toBe('watching');
  expect(scene.told()).toEqual({ conflicting: 1, recovered: 1 });
  expect(scene.violations).toEqual([]);
});

test('B2 the passive isolated: no promotion, an alert, and another one when it is back', async () => {
  const scene = await Scene.watching({ hasWord: true });
  scene.does('this node is cut off', ({ world }) => {
    world.setLoss(1, 0);
    world.referenceLoss = 1;
    world.wordReadable = false;
  });
  await scene.run(3 * hours);
  expect(scene.phase).toBe('isolated');
  expect(scene.decision('watchers.isolated')?.reason).toMatch(/no reference answers \(0 of 2\)/);
  scene.does('it is on the network again', whole);
  await scene.run(2 * minutes);
  expect(scene.rules()).toEqual(['starting.healthy', 'watchers.isolated', 'isolated.back']);
  expect(scene.told()).toEqual({ isolated: 1, recovered: 1 });
  expect(scene.s.disk.runbooks).toEqual([]);
  expect(scene.violations).toEqual([]);
});

test('B2 the active dies while the passive is isolated: a full confirmation is counted after its return', async () => {
  const scene = await Scene.watching();
  scene.does('this node is cut off, and the active dies', ({ world }) => {
    world.referenceLoss = 1;
    world.setActive('silent');
  });
  await scene.run(1 * hours);
  expect(scene.phase).toBe('isolated');
  scene.does('the references answer again', whole);
  const back = scene.s.time.now;
  expect(await scene.until('promoting', 5 * minutes)).toBe(true);
  expect(scene.s.time.now - back).toBeGreaterThan(3 * 5 * seconds);
  expect(scene.rules().slice(-2)).toEqual(['doubt.counting-anew', 'suspecting.down-automatic']);
  expect(scene.violations).toEqual([]);
});

test.each([
  ['out', 1, 0],
  ['in', 0, 1],
] as const)('B3 one-way cut (%s) with the word of the active: conflicting, no promotion', async (_way, out, back) => {
  const scene = await Scene.watching({ hasWord: true });
  scene.does('the path is cut one way', ({ world }) => {
    world.setLoss(out, back);
  });
  await scene.run(2 * hours);
  expect(scene.phase).toBe('conflicting');
  expect(scene.told()).toEqual({ conflicting: 1 });
  expect(scene.s.disk.runbooks).toEqual([]);
  expect(scene.violations).toEqual([]);
});

test.each([
  ['out', 1, 0],
  ['in', 0, 1],
] as const)(
  'B3 one-way cut (%s) without any word: nobody can tell it from a death, and it is counted so',
  async (_way, out, back) => {
    const scene = await Scene.watching();
    scene.does('the path is cut one way', ({ world }) => {
      world.setLoss(out, back);
    });
    expect(await scene.until('active')).toBe(true);
    expect(scene.s.oracle.tally).toMatchObject({ blind: 1, right: 0, wrong: 0, violations: [] });
    scene.does('the path is whole', whole);
    await scene.run(2 * minutes);
    // Both answer: that is said, loudly and once.
    expect(scene.rules().at(-1)).toBe('active.other-answers');
    expect(scene.told()).toEqual({ promoted: 1, 'other-answers': 1 });
  },
);

test('B4 the location unreachable while the active dies: its word ages, and the takeover says how old it was', async () => {
  const scene = await Scene.watching({ hasWord: true });
  scene.does('the location cannot be read', ({ world }) => {
    world.wordReadable = false;
  });
  await scene.run(20 * seconds);
  scene.does('the active dies', ({ world }) => world.setActive('silent'));
  expect(await scene.until('active')).toBe(true);
  // It was said before the tests failed: waited for, but no contradiction.
  expect(scene.rules()).not.toContain('watchers.contradicted');
  const [guards] = scene.s.disk.runbooks[0]?.entries ?? [];
  expect(guards?.result?.sentence).toMatch(/no-contradiction: the other node's word is 1 min \d+ s old/);
  expect(scene.told()).toEqual({ promoted: 1 });
  expect(scene.s.oracle.tally).toMatchObject({ right: 1, violations: [] });
});

test('B4 the location unreachable, mode confirm and onSilence hold: a person is asked, nothing more', async () => {
  const scene = await Scene.watching({ hasWord: true, policy: { mode: 'confirm', onSilence: 'hold' } });
  scene.does('the location cannot be read, the active dies', ({ world }) => {
    world.wordReadable = false;
    world.setActive('silent');
  });
  await scene.run(2 * hours);
  expect(scene.phase).toBe('awaiting');
  expect(scene.told()).toEqual({ awaiting: 1, 'awaiting.silence-held': 1 });
  expect(scene.s.disk.runbooks).toEqual([]);
  expect(scene.violations).toEqual([]);
});

test('B4 no claim can be made while the active dies, claim required: nothing by itself; when it can be again, taken over', async () => {
  const scene = await Scene.watching({ policy: { claim: 'required' } });
  scene.does('the keeper of claims is away', ({ world }) => {
    world.keeper = 'unreachable';
  });
  scene.does('the active dies', ({ world }) => world.setActive('silent'));
  await scene.run(2 * hours);
  expect(scene.phase).toBe('awaiting');
  expect(scene.decision('suspecting.down-ask')?.reason).toMatch(
    /claim-keeper \(it does not answer: the other node could not/,
  );
  expect(scene.s.disk.runbooks).toEqual([]);
  scene.does('it answers again', ({ world }) => {
    world.keeper = 'reachable';
  });
  expect(await scene.until('active')).toBe(true);
  expect(scene.violations).toEqual([]);
});

test('B4 no claim can be made while the active dies, claim best-effort: taken over, and said in words', async () => {
  const scene = await Scene.watching({ policy: { claim: 'best-effort' } });
  scene.does('the keeper of claims is away', ({ world }) => {
    world.keeper = 'unreachable';
  });
  scene.does('the active dies', ({ world }) => world.setActive('silent'));
  expect(await scene.until('active')).toBe(true);
  const claim = scene.s.disk.runbooks[0]?.entries.find(({ step }) => step === 'claim');
  expect(claim?.result?.sentence).toBe('epoch 9 is ours, on this node alone: it does not answer');
  expect(scene.violations).toEqual([]);
});

test('B5 heals during confirmation: cleared, nobody is told', async () => {
  const scene = await Scene.watching();
  scene.does('the path to the active is cut', cutBothWays);
  expect(await scene.until('suspecting')).toBe(true);
  await scene.run(9 * seconds);
  scene.does('it heals', whole);
  await scene.run(2 * minutes);
  expect(scene.rules().slice(-2)).toEqual(['watching.failed-round', 'suspecting.cleared']);
  expect(scene.told()).toEqual({});
  expect(scene.violations).toEqual([]);
});

test('B5 heals during the takeover, before its point of no return: taken back, nothing was started', async () => {
  const scene = await Scene.watching();
  // The before-script takes its time, as one that asks the provider does.
  scene.world.scripts = { ...scene.world.scripts, hangs: 1 };
  scene.does('the active dies', ({ world }) => world.setActive('silent'));
  expect(await scene.until('promoting')).toBe(true);
  scene.does('it is back', ({ world }) => world.setActive('up'));
  expect(await scene.until('watching', 2 * minutes)).toBe(true);
  expect(scene.decision('promoting.recovered')?.reason).toMatch(/^the verdict became healthy before the point of no/);
  expect(scene.s.disk.runbooks[0]).toMatchObject({ status: 'cancelled', epoch: 1 });
  expect(scene.steps()).not.toHaveProperty('start-services');
  expect(scene.world.here.sip).toBe('refusing');
  expect(scene.told()).toEqual({ cancelled: 1 });
  expect(scene.violations).toEqual([]);
});

test('B5 heals after the promotion: the old active sees the higher epoch and stands down by itself', async () => {
  const scene = new Scene({ hasWord: true, role: 'active' });
  for (const test of ['sip', 'web', 'tunnel'] as const) scene.world.here[test] = 'up';
  scene.does('the old active starts, its services running', (s) => s.boot());
  await scene.run(1 * minutes);
  expect(scene.phase).toBe('serving');
  scene.does('the path heals, and the word of the new one comes through', ({ world, rival }) => {
    rival.taken.set(1, 'other#1');
    world.setOtherEpoch(1);
  });
  await scene.run(3 * minutes);
  expect(scene.rules()).toEqual(expect.arrayContaining(['serving.outranked', 'standing-down.done']));
  expect(scene.decision('serving.outranked')?.reason).toBe('epoch 1 is higher than ours (0): standing down');
  expect(scene.world.here).toEqual({ sip: 'refusing', web: 'refusing', tunnel: 'refusing' });
  expect(scene.s.disk.standing).toMatchObject({ role: 'passive', epoch: 1 });
  expect(scene.told()).toEqual({ outranked: 1 });
  expect(scene.violations).toEqual([]);
});

test('B6 both claim at the same instant: the other wins, this one says so and starts nothing', async () => {
  const scene = await Scene.watching();
  scene.does('the active dies, and another claims', ({ world, rival }) => {
    world.setActive('silent');
    rival.strikes = true;
  });
  expect(await scene.until('awaiting')).toBe(true);
  const [book] = scene.s.disk.runbooks;
  expect(book).toMatchObject({
    status: 'cancelled',
    reason: 'epoch 1 was claimed by other#1: another node takes over',
  });
  expect(scene.s.disk.epochs.size).toBe(0);
  expect(scene.s.disk.standing).toMatchObject({ role: 'passive' });
  expect(scene.steps()).toEqual({ guards: 'done', claim: 'failed' });
  await scene.run(50 * minutes);
  expect(scene.told()).toEqual({ cancelled: 1, awaiting: 1 });
  expect(scene.violations).toEqual([]);
});

test.each([
  ['before its services start', 'after result before-script', { 'start-services': 'failed', 'stop-services': 'done' }],
  ['after its services started', 'after result prove-alive', { 'switch-dns': 'failed', 'stop-services': 'done' }],
  ['after DNS was switched', 'after result switch-dns', { 'flip-standing': 'failed', 'stop-services': 'done' }],
])('B6 a higher epoch is claimed %s: this node gives way, and nothing runs here', async (_when, boundary, steps) => {
  const scene = await Scene.watching();
  scene.s.onceCrossed(boundary, () => scene.s.rival.taken.set(2, 'other#1'));
  scene.does('the active dies', ({ world }) => world.setActive('silent'));
  expect(await scene.until('promoting')).toBe(true);
  await scene.run(5 * minutes);
  const [book] = scene.s.disk.runbooks;
  expect(book?.status).toBe('cancelled');
  expect(book?.reason).toContain('epoch 2 was claimed meanwhile: another node takes over');
  expect(scene.steps()).toMatchObject(steps);
  expect(scene.world.here.sip).toBe('refusing');
  expect(scene.s.disk.standing).toMatchObject({ role: 'passive', epoch: 0 });
  expect(scene.told()).toEqual({ cancelled: 1, awaiting: 1 });
  expect(scene.violations).toEqual([]);
});
