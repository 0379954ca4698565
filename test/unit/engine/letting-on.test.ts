import { describe, expect, it } from 'vitest';
import { type LettingOn, type LettingOnSight, lettingOn } from '../../../src-main/engine/letting-on.ts';

const minutes = 60_000;
const sight: LettingOnSight = {
  hold: 'none',
  serves: true,
  askable: true,
  cutMs: 0,
  heard: false,
  heldMs: 0,
  withinMs: 2 * minutes,
  selfFenceMs: null,
};
const boot = { hold: 'boot' } as const;
const cut = { hold: 'cut', selfFenceMs: 10 * minutes, cutMs: 60 * minutes } as const;

const rows: [string, Partial<LettingOnSight>, LettingOn][] = [
  ['booted, nobody heard yet', boot, 'wait'],
  ['booted, one was heard', { ...boot, heard: true }, 'let-on'],
  ['booted, the time is up', { ...boot, heldMs: 2 * minutes }, 'let-on-unseen'],
  ['booted, heard when the time is up', { ...boot, heldMs: 2 * minutes, heard: true }, 'let-on'],
  ['booted, nobody to ask', { ...boot, askable: false }, 'let-on'],
  ['booted, and another took over', { ...boot, serves: false, heard: true, heldMs: 2 * minutes }, 'leave'],
  ['booted, and cut off for longer than the self-fence', { ...boot, selfFenceMs: minutes, cutMs: minutes }, 'wait'],
  ['runs', {}, 'leave'],
  ['runs, cut off, no self-fence', { cutMs: 60 * minutes }, 'leave'],
  ['runs, cut off for less', { selfFenceMs: 10 * minutes, cutMs: 10 * minutes - 1 }, 'leave'],
  ['runs, cut off for that long', { selfFenceMs: 10 * minutes, cutMs: 10 * minutes }, 'stop'],
  [
    'runs, cut off, nobody is configured to be asked',
    { selfFenceMs: minutes, cutMs: minutes, askable: false },
    'leave',
  ],
  ['not active, cut off', { serves: false, selfFenceMs: minutes, cutMs: minutes }, 'leave'],
  ['cut off and stopped', cut, 'wait'],
  ['cut off and stopped, one is heard again', { ...cut, heard: true }, 'let-on'],
  ['cut off and stopped, another took over', { ...cut, heard: true, serves: false }, 'leave'],
  ['cut off and stopped, the self-fence was taken out', { ...cut, selfFenceMs: null }, 'let-on'],
];

describe('whether the PBX of the active node may run', () => {
  it.each(rows)('%s', (_, given, expected) => {
    expect(lettingOn({ ...sight, ...given })).toBe(expected);
  });
});
