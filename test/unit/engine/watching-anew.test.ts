/** What was seen of another target proves nothing of this one: an edited configuration never takes over by itself. */
import { expect, it } from 'vitest';
import { phases } from '../../../src-main/contract/words.ts';
import { decide, initialState, watchingAnew } from '../../../src-main/engine/decide.ts';
import type { CoreState } from '../../../src-main/engine/observation.ts';
import { now, observed } from './moments.ts';

const seen: CoreState = { ...initialState('watching', 0), seenHealthy: true, verdict: 'healthy', lastRound: 9 };

it('dead from the first round on: told, never taken over, in mode automatic too', () => {
  let state = watchingAnew(seen, now);
  expect(state).toMatchObject({ phase: 'starting', seenHealthy: false, verdict: null, since: now });
  const effects: string[] = [];
  for (let seq = 10; seq < 30; seq += 1) {
    const beats = [{ test: 'sip', outcome: 'dead' as const, ms: 1, evidence: 'ECONNREFUSED' }];
    const references = [{ id: 'gateway', answered: true, ms: 1, evidence: 'answers' }];
    const round = { seq, startedAt: now + seq, endedAt: now + seq, beats, references };
    const decision = decide(state, observed({ at: now + seq, round }));
    state = decision.state;
    effects.push(...decision.effects.map((effect) => (effect.do === 'tell' ? effect.key : effect.do)));
  }
  expect(state).toMatchObject({ phase: 'starting', verdict: 'down' });
  expect(effects).toEqual(['starting.never-seen']);
});

it('a runbook under way, a halted one, a node that serves: the phase stays, what was counted goes', () => {
  const stays = ['promoting', 'halted', 'active', 'serving', 'standing-down', 'stood-down'] as const;
  for (const phase of phases) {
    const after = watchingAnew({ ...seen, phase, failedRounds: 3 }, now);
    expect(after.phase).toBe(stays.some((one) => one === phase) ? phase : 'starting');
    expect(after).toMatchObject({ failedRounds: 0, seenHealthy: false, round: null });
  }
});
