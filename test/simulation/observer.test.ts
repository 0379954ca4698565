/** Scenarios C: what this process and its clocks go through; and D1, E5: the data, and services that do not come. */
import { expect, test } from 'vitest';
import { Scene } from './scene.ts';
import { days, hours, minutes, seconds } from './time.ts';

test.each([
  ['stopped for 60 s', (s: Scene['s']) => s.stall(60 * seconds)],
  ['asleep for 60 s, its monotonic clock running on', (s: Scene['s']) => s.sleep(60 * seconds, false)],
  ['asleep for 60 s, its monotonic clock too', (s: Scene['s']) => s.sleep(60 * seconds, true)],
  ['set back from a snapshot', (s: Scene['s']) => s.stepWall(60 * seconds)],
])('C1 in the middle of a confirmation this process is %s: nothing is counted across it', async (_what, gap) => {
  const scene = await Scene.watching();
  scene.does('the active dies', ({ world }) => world.setActive('refusing'));
  expect(await scene.until('suspecting')).toBe(true);
  await scene.run(11 * seconds);
  expect(scene.s.engine?.interpreter.state.failedRounds).toBe(3);
  scene.does('the gap', gap);
  await scene.run(61 * seconds);
  const [note] = scene.events('engine').slice(-1);
  expect(note).toMatchObject({ rule: 'watch.gap', severity: 'warning' });
  expect(note?.reason).toMatch(/this engine saw nothing for 60 s \(.*\); what was being counted is discarded/);
  const gapEnd = scene.s.circumstances.lastGapEnd;
  expect(await scene.until('active', 5 * minutes)).toBe(true);
  const begun = scene.events('runbook').find((e) => e.rule === 'runbook.begun');
  // Four failed rounds, all begun after the gap: one at once, three on their grid of 5 s.
  expect((begun?.at ?? 0) - scene.s.time.wallOffset).toBeGreaterThan(gapEnd + 2 * 5 * seconds);
  expect(begun?.reason).toContain('4 of 4 rounds in a row failed');
  expect(scene.told()).toEqual({ promoted: 1 });
  expect(scene.violations).toEqual([]);
});

test('C1 while a takeover is under way this process sleeps, and the active is back: it is seen before anything starts', async () => {
  const scene = await Scene.watching();
  scene.does('the active dies', ({ world }) => world.setActive('silent'));
  expect(await scene.until('promoting')).toBe(true);
  scene.does('this machine sleeps', (s) => s.sleep(2 * hours, true));
  scene.does('the active is back', ({ world }) => world.setActive('up'));
  await scene.run(2 * hours + 10 * minutes);
  expect(scene.phase).toBe('watching');
  expect(scene.steps()).not.toHaveProperty('start-services');
  expect(scene.s.disk.runbooks[0]?.status).toBe('cancelled');
  expect(scene.violations).toEqual([]);
});

test('C1 a stall of 2 s is none', async () => {
  const scene = await Scene.watching();
  scene.does('a short stall', (s) => s.stall(2 * seconds));
  await scene.run(1 * minutes);
  expect(scene.events('engine').map((e) => e.rule)).toEqual(['engine.started']);
});

test.each([
  ['5 min', -5 * minutes],
  ['1 day', -1 * days],
])('C2 the wall clock is set back by %s: countdown, maintenance and cool-down keep their length', async (_by, step) => {
  const scene = await Scene.watching({ policy: { mode: 'confirm', countdownMs: 5 * minutes } });
  scene.does('the active dies', ({ world }) => world.setActive('refusing'));
  expect(await scene.until('awaiting')).toBe(true);
  const asked = scene.s.time.now;
  await scene.run(1 * minutes);
  scene.does('the wall clock is set back', (s) => s.stepWall(step));
  expect(await scene.until('promoting')).toBe(true);
  expect(scene.s.time.now - asked).toBeGreaterThan(5 * minutes - 300);
  expect(scene.s.time.now - asked).toBeLessThan(5 * minutes + 300);
  expect(scene.s.disk.runbooks[0]).toMatchObject({ origin: 'silence' });
  expect(scene.violations).toEqual([]);
});

test.each([
  ['5 min', 5 * minutes],
  ['1 day', 1 * days],
])(
  'C2 the wall clock is set forward by %s: taken for a snapshot, asked anew, never promoted early',
  async (_by, step) => {
    const scene = await Scene.watching({ policy: { mode: 'confirm', countdownMs: 5 * minutes } });
    scene.does('the active dies', ({ world }) => world.setActive('refusing'));
    expect(await scene.until('awaiting')).toBe(true);
    await scene.run(1 * minutes);
    scene.does('the wall clock is set forward', (s) => s.stepWall(step));
    const stepped = scene.s.time.now;
    expect(scene.rules().at(-1)).toBe('awaiting.anew');
    expect(await scene.until('promoting')).toBe(true);
    expect(scene.s.time.now - stepped).toBeGreaterThan(5 * minutes);
    // People were asked once; the same death is not told again.
    expect(scene.told()).toEqual({ awaiting: 1 });
    expect(scene.violations).toEqual([]);
  },
);

test.each([5 * minutes, -5 * minutes, 1 * days, -1 * days])(
  'C2 the wall clock jumps by %d ms in maintenance: it ends when it was to end',
  async (step) => {
    const scene = await Scene.watching();
    scene.does('maintenance', (s) => void s.maintenanceOn('ana', 30 * minutes));
    const on = scene.s.time.now;
    scene.does('the wall clock jumps', (s) => s.stepWall(step));
    scene.does('the active dies', ({ world }) => world.setActive('refusing'));
    expect(await scene.until('promoting', 2 * hours)).toBe(true);
    expect(scene.s.time.now - on).toBeGreaterThanOrEqual(30 * minutes);
    expect(scene.s.time.now - on).toBeLessThan(30 * minutes + 1 * seconds);
    expect(scene.violations).toEqual([]);
  },
);

test.each([1 * days, -1 * days])(
  'C2 the wall clock jumps by %d ms in the cool-down: it ends when it was to end',
  async (step) => {
    const scene = await Scene.watching();
    scene.does('the active dies, and another claims', ({ world, rival }) => {
      world.setActive('refusing');
      rival.strikes = true;
    });
    expect(await scene.until('awaiting')).toBe(true);
    const claimed = scene.s.circumstances.lastClaimAt;
    await scene.run(5 * minutes);
    scene.does('the wall clock jumps', (s) => s.stepWall(step));
    expect(await scene.until('promoting', 2 * hours)).toBe(true);
    expect(scene.s.time.now - claimed).toBeGreaterThanOrEqual(60 * minutes);
    expect(scene.s.time.now - claimed).toBeLessThan(60 * minutes + 1 * seconds);
    expect(scene.violations).toEqual([]);
  },
);

test('D1 the restored data is 23 h 59 min old when it must serve: taken over', async () => {
  const scene = await Scene.watching({ policy: { maxOffsetMs: 24 * hours } });
  scene.does('the active dies', ({ world, time }) => {
    world.data = { createdAt: time.now - (23 * hours + 59 * minutes) + 45 * seconds, verified: true };
    world.setActive('refusing');
  });
  expect(await scene.until('active')).toBe(true);
  const [guards] = scene.s.disk.runbooks[0]?.entries ?? [];
  expect(guards?.result?.sentence).toContain('the restored data is 23 h 59 min old, bound 24 h');
  expect(scene.told()).toEqual({ promoted: 1 });
  expect(scene.violations).toEqual([]);
});

test.each([
  [
    '24 h 1 min old',
    24 * hours + 30 * seconds,
    true,
    /restored-data \(the restored data is 24 h 1 min old, bound 24 h\)/,
  ],
  ['not verified', 1 * hours, false, /restored-data \(.*and it is not verified\)/],
])('D1 the restored data is %s: a person is asked, told which guard', async (_what, age, verified, words) => {
  const scene = await Scene.watching({ policy: { maxOffsetMs: 24 * hours } });
  scene.does('the active dies', ({ world, time }) => {
    world.data = { createdAt: time.now - age, verified };
    world.setActive('refusing');
  });
  await scene.run(1 * hours);
  expect(scene.phase).toBe('awaiting');
  expect(scene.decision('suspecting.down-ask')?.reason).toMatch(words);
  expect(scene.told()).toEqual({ awaiting: 1 });
  expect(scene.s.disk.runbooks).toEqual([]);

  scene.does('a fresh copy is restored', ({ world, time }) => {
    world.data = { createdAt: time.now - 1 * hours, verified: true };
  });
  expect(await scene.until('active')).toBe(true);
  expect(scene.decision('awaiting.go')?.reason).toMatch(/^every guard holds now, mode automatic/);
  expect(scene.violations).toEqual([]);
});

test.each([
  ['does not start', { startFails: 1 }, 'start-services', /Start the services: `start` ended with [12]/],
  ['starts and dies', { startDies: 1 }, 'prove-alive', /not proven alive within 1 min \(sip: ECONNREFUSED/],
  ['starts but SIP stays silent', { startDeaf: 1 }, 'prove-alive', /not proven alive within 1 min \(sip: no answer/],
])('E5 a service %s: halted with the reason, a person decides', async (_what, scripts, step, words) => {
  const scene = await Scene.watching();
  scene.world.scripts = { ...scene.world.scripts, ...scripts };
  scene.does('the active dies', ({ world }) => world.setActive('refusing'));
  expect(await scene.until('halted', 10 * minutes)).toBe(true);
  const [book] = scene.s.disk.runbooks;
  expect(book?.status).toBe('halted');
  expect(book?.reason).toMatch(words);
  expect(scene.steps()[step]).toBe('failed');
  expect(scene.decision('promoting.halted')?.reason).toMatch(words);
  expect(scene.told()).toEqual({ 'halted.1': 1 });
  expect(scene.s.disk.standing).toMatchObject({ role: 'passive' });

  // Given up: what was started is stopped, and the spare watches on.
  scene.cancel();
  expect(await scene.until('awaiting', 10 * minutes)).toBe(true);
  expect(book?.status).toBe('cancelled');
  expect(scene.world.here).toEqual({ sip: 'refusing', web: 'refusing', tunnel: 'refusing' });
  expect(scene.violations).toEqual([]);
});

test('E5 a deaf service, left out by a person who looked: active, and the journal says who left it out', async () => {
  const scene = await Scene.watching();
  scene.world.scripts = { ...scene.world.scripts, startDeaf: 1 };
  scene.does('the active dies', ({ world }) => world.setActive('refusing'));
  expect(await scene.until('halted', 10 * minutes)).toBe(true);
  scene.promote([], true);
  expect(await scene.until('active', 10 * minutes)).toBe(true);
  const skipped = scene.s.disk.runbooks[0]?.entries.find((e) => e.result?.outcome === 'skipped');
  expect(skipped).toMatchObject({ step: 'prove-alive', result: { sentence: 'left out by ana' } });
  expect(scene.violations).toEqual([]);
});
