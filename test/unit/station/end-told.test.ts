/** F1: how a takeover ended is told once; where the engine died before it could tell, its next life does. */
import { describe, expect, it } from 'vitest';
import { engineBench } from '../runbook/engine-bench.ts';

async function ended(how: 'active' | 'halted') {
  const b = engineBench({ mode: 'automatic' });
  if (how === 'halted') b.proc.fate = (name) => ({ how: 'exit', code: name === 'start a' || name === 'query' ? 2 : 0 });
  await b.well();
  b.world.active = 'dead';
  await b.untilPhase(how);
  return b;
}

describe('the end of a takeover', () => {
  it.each([
    ['active', 'promoted'],
    ['halted', 'halted.1'],
  ] as const)('%s: told, and not again by a later life', async (how, key) => {
    const b = await ended(how);
    expect(b.told).toEqual([key]);
    for (let life = 2; life <= 3; life += 1) await b.untilPhase(how, b.reborn());
    expect(b.told).toEqual([key]);
  });

  it.each([
    ['active', 'promoted', 'promoting.done'],
    ['halted', 'halted.1', 'promoting.halted'],
  ] as const)('%s, and the engine died before it told: the next life does, once', async (how, key, rule) => {
    const b = await ended(how);
    b.history.remember('endTold', null);
    b.told.length = 0;
    await b.untilPhase(how, b.reborn());
    expect(b.decided().at(-1)).toBe(rule);
    await b.untilPhase(how, b.reborn());
    expect(b.told).toEqual([key]);
  });

  it('halted, tried again and halted again: two ends, the second is told for itself', async () => {
    const b = await ended('halted');
    await b.promote();
    await b.untilPhase('halted');
    expect(b.told).toEqual(['halted.1', 'halted.1']);
    await b.untilPhase('halted', b.reborn());
    expect(b.told).toEqual(['halted.1', 'halted.1']);
  });
});
