/** Scenarios A: what is noticed, what is not taken for a death, and what an admin reads of it. */
import { expect, test } from 'vitest';
import { Scene } from './scene.ts';
import { minutes, seconds, weeks } from './time.ts';
import { testIds } from './world.ts';

test('A1 one service down, failWhen any: it takes over, and says which service', async () => {
  const scene = await Scene.watching({ policy: { failWhen: 'any' } });
  scene.does('SIP stops', ({ world }) => world.setActive('refusing', ['sip']));
  expect(await scene.until('active')).toBe(true);
  const decision = scene.decision('suspecting.down-automatic');
  expect(decision).toMatchObject({ phase: 'promoting', verdict: 'down' });
  expect(decision?.reason).toContain('4 of 4 rounds in a row failed');
  expect(decision?.reason).toContain('sip: ECONNREFUSED');
  // its web still answers: not silent, and that risk is told
  expect(scene.told()).toEqual({ 'fence.1': 1, promoted: 1 });
  expect(scene.s.oracle.tally).toMatchObject({ right: 1, violations: [] });
});

test('A1 one service down, failWhen all: it goes on watching, and history tells of the service', async () => {
  const scene = await Scene.watching();
  scene.does('SIP stops', ({ world }) => world.setActive('refusing', ['sip']));
  await scene.run(60 * minutes);
  expect(scene.phase).toBe('watching');
  expect(scene.rules()).toEqual(['starting.healthy']);
  expect(scene.events('beat').map((e) => e.reason)).toEqual(['sip turned from alive to dead: ECONNREFUSED']);
  expect(scene.told()).toEqual({});
  expect(scene.violations).toEqual([]);
});

test('A1 failWhen changed while rounds are counted: what failed by the old rule proves nothing by the new one', async () => {
  const scene = await Scene.watching({ policy: { failWhen: 'any' } });
  scene.does('SIP stops', ({ world }) => world.setActive('refusing', ['sip']));
  expect(await scene.until('suspecting')).toBe(true);
  await scene.run(11 * seconds);
  scene.does('the rule is all now, and all stop', (s) => {
    s.reconfigure({ failWhen: 'all' });
    s.world.setActive('refusing');
  });
  const changed = scene.s.time.now;
  expect(await scene.until('promoting')).toBe(true);
  expect(scene.s.time.now - changed).toBeGreaterThan(3 * 5 * seconds);
  expect(scene.violations).toEqual([]);
});

test('A1 failWhen made stricter while one test never answered: told, and nothing is taken over', async () => {
  const scene = await Scene.watching({ policy: { failWhen: 'all' } });
  scene.does('the tunnel stops', ({ world }) => world.setActive('refusing', ['tunnel']));
  await scene.run(120 * seconds);
  scene.does('the rule is any now', (s) => s.reconfigure({ failWhen: 'any' }));
  await scene.run(600 * seconds);
  expect(scene.s.engine?.interpreter.state).toMatchObject({ phase: 'starting', verdict: 'down' });
  expect(scene.s.disk.runbooks).toEqual([]);
  expect(scene.told()).toEqual({ 'starting.never-seen': 1 });
  expect(scene.violations).toEqual([]);
});

test.each([
  ['all services stopped', 'refusing', 'ECONNREFUSED'],
  ['the host gone silent', 'silent', 'no answer within 4 s'],
  ['all services hung behind open ports', 'hung', 'no answer within 4 s'],
] as const)('A2 %s: noticed within the cadence, taken over once', async (_what, state, evidence) => {
  const scene = await Scene.watching();
  scene.does('the active dies', ({ world }) => world.setActive(state));
  const died = scene.s.time.now;
  expect(await scene.until('promoting')).toBe(true);
  // One interval until the first failed round, and four rounds that may each wait 4 s and begin 5 s apart.
  expect(scene.s.time.now - died).toBeLessThanOrEqual(30 * seconds + 3 * 5 * seconds + 4 * seconds + 250);
  expect(await scene.until('active')).toBe(true);
  expect(scene.decision('suspecting.down-automatic')?.reason).toContain(`sip: ${evidence}`);
  // What hangs behind an open port is not gone: the takeover tells so.
  expect(scene.told()).toEqual(state === 'hung' ? { 'fence.1': 1, promoted: 1 } : { promoted: 1 });
  expect(scene.s.disk.standing).toMatchObject({ role: 'active', epoch: 1 });
  expect(scene.violations).toEqual([]);
});

/** Good rounds are drawn from their exact distribution (calm.ts), so that this takes seconds and not hours. */
test('A7 20 % loss each way: no false failover in 10,000 weeks', { timeout: 120_000 }, async () => {
  let suspicions = 0;
  const scene = await Scene.watching({
    onDecided: (_before, _observation, { rule }) => {
      if (rule === 'watching.failed-round') suspicions += 1;
    },
  });
  scene.does('the path loses packets', ({ world }) => world.setLoss(0.2, 0.2));
  await scene.run(10_000 * weeks);
  // Four tries of SIP; three of a TCP connection and three of the exchange over it: some 31 suspicions a week, all let go.
  const lost = 1 - 0.8 ** 2;
  const roundFails = lost ** 4 * (1 - (1 - lost ** 3) ** 2);
  const expected = 10_000 * (weeks / (30 * seconds)) * roundFails;
  expect(suspicions / expected).toBeGreaterThan(0.98);
  expect(suspicions / expected).toBeLessThan(1.02);
  expect(scene.s.disk.runbooks).toEqual([]);
  expect(scene.told()).toEqual({});
  expect(scene.violations).toEqual([]);
});

test.each([0.5, 0.8])('A7 %d loss each way hides a living active: whatever is done is counted apart', async (loss) => {
  const scene = await Scene.watching({ policy: { mode: 'automatic' } });
  scene.does('the path loses packets', ({ world }) => {
    world.setLoss(loss, loss);
  });
  await scene.until('active', 12 * 60 * minutes);
  const { blind, wrong, violations } = scene.s.oracle.tally;
  expect({ wrong, violations }).toEqual({ wrong: 0, violations: [] });
  expect(blind).toBe(scene.s.disk.runbooks.length);
});

test.each([
  ['near the interval', 30],
  ['near the confirmation', 14],
  ['faster than the confirming cadence', 4],
])('A8 flapping %s: nothing is taken over', async (_what, halfPeriod) => {
  const scene = await Scene.watching();
  for (let n = 0; n < 60; n += 1) {
    scene.does('down', ({ world }) => world.setActive('refusing'));
    await scene.run(Math.min(halfPeriod, 14) * seconds);
    scene.does('up', ({ world }) => world.setActive('up'));
    await scene.run(halfPeriod * seconds * 1.07);
  }
  await scene.run(2 * minutes);
  expect(scene.phase).toBe('watching');
  expect(scene.s.disk.runbooks).toEqual([]);
  expect(scene.rules()).toContain('suspecting.cleared');
  expect(scene.violations).toEqual([]);
});

test('A8 a reboot shorter than the confirmation: suspected, cleared, nobody is woken', async () => {
  const scene = await Scene.watching();
  // Dead from just before one round on, for as long as two confirming rounds.
  await scene.run(29 * seconds);
  scene.does('the host reboots', ({ world }) => world.setActive('silent'));
  await scene.run(14 * seconds);
  scene.does('it is back', ({ world }) => world.setActive('up'));
  await scene.run(2 * minutes);
  expect(scene.rules()).toEqual(['starting.healthy', 'watching.failed-round', 'suspecting.cleared']);
  expect(scene.decision('suspecting.cleared')?.reason).toBe(
    `the other node answers again (${testIds.map((t) => `${t}: answered`).join('; ')})`,
  );
  expect(scene.told()).toEqual({});
  expect(scene.violations).toEqual([]);
});

test('A9 the firewall checker stops SIP and all under maintenance: no failover, and maintenance expires by itself', async () => {
  const scene = await Scene.watching();
  scene.does('maintenance', (s) => expect(s.maintenanceOn('ana', 30 * minutes)).toBe(true));
  await scene.run(2 * minutes);
  scene.does('the checker runs', ({ world }) => world.setActive('refusing'));
  await scene.run(20 * minutes);
  expect(scene.phase).toBe('suspecting');
  expect(scene.decision('suspecting.down-maintenance')?.reason).toMatch(/but maintenance is on for another \d+ min/);
  scene.does('the checker is done', ({ world }) => world.setActive('up'));
  await scene.run(20 * minutes);
  expect(scene.phase).toBe('watching');
  expect(scene.s.disk.runbooks).toEqual([]);
  expect(scene.events('order').map((e) => e.rule)).toEqual(['order.maintenance-on', 'maintenance.ended']);
  expect(scene.told()).toEqual({});

  scene.does('a real death, after it', ({ world }) => world.setActive('silent'));
  expect(await scene.until('active', 5 * minutes)).toBe(true);
  expect(scene.violations).toEqual([]);
});

test('A9 still dead when maintenance expires: taken over then, without waiting for a further round', async () => {
  const scene = await Scene.watching();
  scene.does('maintenance', (s) => void s.maintenanceOn('ana', 30 * minutes));
  scene.does('an update, and it fails', ({ world }) => world.setActive('refusing'));
  await scene.run(30 * minutes - 1 * seconds);
  expect(scene.phase).toBe('suspecting');
  await scene.run(2 * seconds);
  expect(scene.phase).toBe('promoting');
  expect(await scene.until('active')).toBe(true);
  expect(scene.told()).toEqual({ promoted: 1 });
  expect(scene.violations).toEqual([]);
});
