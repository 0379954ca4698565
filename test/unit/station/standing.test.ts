/** Where a node stands: the configuration says where it starts, its standing where it is. */
import { expect, it } from 'vitest';
import { engineBench } from '../runbook/engine-bench.ts';

it('a role set wrong and corrected before anything was promoted: the node starts where the file says, and says so', async () => {
  const bench = engineBench();
  await bench.well();
  expect(bench.history.standing()).toMatchObject({ role: 'passive', epoch: 0 });
  bench.site.role = 'active';
  const active = bench.reborn();
  expect(bench.phase(active)).toBe('serving');
  expect(bench.history.standing()).toMatchObject({ role: 'active', epoch: 0 });
  expect(bench.events('standing.configured')).toHaveLength(1);
  bench.site.role = 'passive';
  expect(bench.phase(bench.reborn())).toBe('starting');
  expect(bench.history.standing()).toMatchObject({ role: 'passive', epoch: 0 });
});

it('once something was promoted here the standing wins over the file', async () => {
  const bench = engineBench({ mode: 'automatic' });
  await bench.well();
  bench.world.active = 'dead';
  await bench.untilPhase('active');
  expect(bench.history.standing()).toMatchObject({ role: 'active', epoch: 1 });
  expect(bench.phase(bench.reborn())).toBe('active');
  expect(bench.history.standing()).toMatchObject({ role: 'active', epoch: 1 });
  expect(bench.events('standing.configured')).toEqual([]);
});

it('a promotion that was given up counts too: whoever may have been active once is not told otherwise by a file', async () => {
  const bench = engineBench({ mode: 'manual' });
  await bench.well();
  const overrides = [{ guard: 'proven-down', reason: 'rehearsal' } as const];
  bench.world.here = 'dead';
  await bench.promote({ overrides });
  await bench.untilPhase('halted');
  await bench.cancel();
  await bench.untilPhase('watching');
  bench.site.role = 'active';
  expect(bench.phase(bench.reborn())).toBe('stood-down');
  expect(bench.history.standing()?.role).toBe('passive');
});

it('a node that stood down is promoted by a person when the other one dies for good', async () => {
  const bench = engineBench({ mode: 'automatic' });
  bench.history.saveStanding({ role: 'passive', epoch: 4, since: 0 });
  bench.site.role = 'active';
  bench.world.active = 'dead';
  const engine = bench.reborn();
  expect(bench.phase(engine)).toBe('stood-down');
  await bench.work.until('the proof', () => engine.interpreter.state.verdict === 'down');
  expect(bench.phase(engine)).toBe('stood-down');
  const ask = {
    kind: 'promote',
    by: 'console',
    reason: 'the other one burnt',
    overrides: [],
    skipStep: false,
  } as const;
  expect(await engine.order(ask)).toMatchObject({ accepted: true, rule: 'order.promote' });
  await bench.untilPhase('active', engine);
  expect(bench.history.standing()).toMatchObject({ role: 'active', epoch: 5 });
});
