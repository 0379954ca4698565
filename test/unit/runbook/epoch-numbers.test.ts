import { describe, expect, it } from 'vitest';
import { halfOf, isOwnEpoch, nextEpoch, nextOwnEpoch } from '../../../src-main/runbook/epoch-numbers.ts';
import { givesWayFrom } from '../../../src-main/runbook/giving-way.ts';

const known = Array.from({ length: 200 }, (_, n) => n);

describe('the next epoch', () => {
  it.each([
    [0, 1],
    [1, 2],
    [6, 7],
    [7, 10],
    [8, 10],
    [9, 10],
    [17, 20],
  ])('that both see, above %d: %d', (above, next) => {
    expect(nextEpoch(above)).toBe(next);
  });

  it.each([
    [0, 8, 9],
    [7, 8, 9],
    [8, 18, 9],
    [9, 18, 19],
    [10, 18, 19],
    [28, 38, 29],
  ])('of a node on its own, above %d: %d on the one, %d on the other', (above, first, second) => {
    expect([nextOwnEpoch(above, 'first'), nextOwnEpoch(above, 'second')]).toEqual([first, second]);
  });

  it('is never one that the other node can claim, whatever either knows', () => {
    const [first, second] = (['first', 'second'] as const).map((half) => known.map((n) => nextOwnEpoch(n, half)));
    const shared = new Set(known.map(nextEpoch));
    for (const epoch of first ?? []) {
      expect([second?.includes(epoch), shared.has(epoch), isOwnEpoch(epoch, 'second')]).toEqual([false, false, false]);
    }
    for (const epoch of second ?? []) expect(shared.has(epoch)).toBe(false);
    for (const n of known) {
      expect(nextEpoch(n)).toBeGreaterThan(n);
      expect(nextOwnEpoch(n, 'first')).toBeGreaterThan(n);
      expect(nextOwnEpoch(n, 'second')).toBeGreaterThan(n);
    }
  });

  it('is reckoned alike on both nodes: one is the first, the other the second', () => {
    expect([halfOf('192.0.2.1', '192.0.2.2'), halfOf('192.0.2.2', '192.0.2.1')]).toEqual(['first', 'second']);
  });
});

describe('an open runbook gives way', () => {
  const record = { kind: 'promotion', status: 'running', epoch: 4, dryRun: false } as const;
  it.each([
    ['to a higher epoch only', record, 5],
    ['halted, too', { ...record, status: 'halted' } as const, 5],
    ['to any before its claim', { ...record, epoch: null }, 0],
    ['to any once it has ended', { ...record, status: 'done' } as const, 0],
    ['to any where nothing is really done', { ...record, dryRun: true }, 0],
    ['to any while it stands down itself', { ...record, kind: 'stand-down' } as const, 0],
    ['to any where there is none', null, 0],
  ])('%s', (_, open, from) => {
    expect(givesWayFrom(open)).toBe(from);
  });
});
