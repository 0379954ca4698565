/** The one sentence, for each phase and what bends it. */
import { describe, expect, it } from 'vitest';
import { phases } from '../../../src-main/contract/words.ts';
import { initialState } from '../../../src-main/engine/decide.ts';
import type { CoreState, Policy } from '../../../src-main/engine/observation.ts';
import { type SentenceOf, sentenceFor } from '../../../src-main/station/sentence.ts';
import { policy } from '../engine/moments.ts';

function sentence(
  phase: CoreState['phase'],
  change: Omit<Partial<SentenceOf>, 'state' | 'policy'> & { state?: Partial<CoreState>; policy?: Partial<Policy> } = {},
) {
  const { state, policy: changed, ...rest } = change;
  return sentenceFor({
    epoch: 4,
    maintenanceLeftMs: null,
    countdownLeftMs: null,
    heldBy: [],
    heldThenBy: [],
    stoppedBecause: '',
    besideHealthy: false,
    skippable: false,
    blind: null,
    ...rest,
    state: { ...initialState(phase, 0), verdict: 'healthy', ...state },
    policy: { ...policy, ...changed },
  });
}

describe('the one sentence', () => {
  it.each([
    ['automatic', {}, 'it would take over by itself'],
    ['manual', {}, 'it would wait for your order'],
    ['confirm', { onSilence: 'promote' }, 'it would ask you for 5 min, then take over'],
    ['confirm', { onSilence: 'hold' }, 'it would ask you for 5 min, then wait on'],
  ] as const)('a good spare in mode %s %j says what a death would come to', (mode, more, words) => {
    expect(sentence('watching', { policy: { mode, ...more } })).toEqual({
      severity: 'info',
      text: expect.stringContaining(words) as string,
    });
  });

  it.each([
    ['references', 'no reference answers'],
    ['restored-data', 'the data restored here is not good enough'],
    ['cool-down', 'the last promotion is too recent'],
    ['standing-known', 'its role and epoch are lost'],
  ] as const)('%s would hold it back: said, in every mode but manual', (guard, words) => {
    for (const mode of ['automatic', 'confirm'] as const)
      expect(sentence('watching', { policy: { mode }, heldThenBy: [guard] }).text).toContain(
        `it would not take over by itself as long as ${words}`,
      );
    expect(sentence('watching', { policy: { mode: 'manual' }, heldThenBy: [guard] }).text).toContain('your order');
  });

  it('tests that say nothing come before everything that could be said of the active', () => {
    const state = { verdict: 'suspect', inconclusiveRounds: 8 } as const;
    for (const phase of ['starting', 'suspecting'] as const)
      expect(sentence(phase, { state })).toEqual({
        severity: 'alert',
        text: expect.stringContaining('The tests say nothing about the active') as string,
      });
  });

  it('maintenance and observe-only are part of it', () => {
    expect(sentence('watching', { maintenanceLeftMs: 90_000 }).text).toContain(
      'For another 1 min 30 s there is maintenance',
    );
    expect(sentence('watching', { policy: { observeOnly: true } }).text).toContain('observe-only');
  });

  it('G4 the confirmation: who decides, and when', () => {
    const confirm = { mode: 'confirm' } as const;
    const state = { verdict: 'down' } as const;
    expect(sentence('awaiting', { policy: confirm, state, countdownLeftMs: 61_000 }).text).toBe(
      'The active is down. This node takes over in 1 min 1 s unless you say otherwise.',
    );
    expect(sentence('awaiting', { policy: confirm, state, countdownLeftMs: 61_000, heldBy: ['references'] }).text).toBe(
      'The active is down. Estepe waits for you: promote, or leave it. Not by itself as long as this holds it back: references.',
    );
    expect(sentence('awaiting', { policy: confirm, state: { ...state, held: true } }).text).toContain(
      'You said not to take over',
    );
    expect(
      sentence('awaiting', { policy: { ...confirm, onSilence: 'hold' }, state, countdownLeftMs: 61_000 }).text,
    ).toContain('waits for you');
  });

  it('a halted runbook offers only what is allowed', () => {
    expect(sentence('halted').text).toBe('The runbook stopped. Try again, or give it up.');
    expect(sentence('halted', { stoppedBecause: 'it cannot be journaled' }).text).toBe(
      'The runbook stopped: it cannot be journaled. Try again, or give it up.',
    );
    expect(sentence('halted', { skippable: true }).text).toBe(
      'The runbook stopped. Try again, leave the step out, or give it up.',
    );
  });

  it('both nodes answering is an alert', () => {
    expect(sentence('active', { state: { verdict: 'down' } }).severity).toBe('info');
    expect(sentence('active')).toMatchObject({
      severity: 'alert',
      text: expect.stringContaining('Both nodes answer') as string,
    });
  });

  it('an engine that does not watch says that before everything else', () => {
    for (const phase of phases)
      expect(sentence(phase, { blind: 'No test is configured.' })).toEqual({
        severity: 'alert',
        text: 'No test is configured.',
      });
  });

  it('every phase has one, of one line, for every verdict', () => {
    for (const phase of phases)
      for (const verdict of [null, 'healthy', 'suspect', 'down', 'isolated', 'conflicting'] as const)
        expect(sentence(phase, { state: { verdict } }).text).toMatch(/^[A-Z][^\n]{20,240}\.$/);
  });
});
