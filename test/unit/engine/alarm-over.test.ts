/** B2: who was woken by an alarm is told that it is over, whichever way the incident ended. */
import { describe, expect, it } from 'vitest';
import { decide } from '../../../src-main/engine/decide.ts';
import { inPhase, observed } from './moments.ts';

const toldBy = (phase: 'starting' | 'suspecting' | 'isolated' | 'awaiting', told: readonly string[]): string[] =>
  decide(inPhase(phase, 'healthy', { told }), observed()).effects.flatMap((e) => (e.do === 'tell' ? [e.key] : []));

describe('an alarm that is over', () => {
  it.each([
    ['starting', 'starting.never-seen'],
    ['suspecting', 'isolated'],
    ['suspecting', 'conflicting'],
    ['suspecting', 'awaiting'],
    ['suspecting', 'observe-only'],
    ['isolated', 'isolated'],
    ['awaiting', 'awaiting'],
  ] as const)('in %s after %s: told', (phase, key) => {
    expect(toldBy(phase, [key])).toEqual(['recovered']);
  });

  it('a suspicion that woke nobody ends without a word', () => {
    expect(toldBy('suspecting', [])).toEqual([]);
    expect(toldBy('suspecting', ['cancelled'])).toEqual([]);
    expect(toldBy('starting', [])).toEqual([]);
  });
});
