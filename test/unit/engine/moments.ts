/** What the core's tests share: observations and states by what was seen, so that a test names only what it is about. */
import type { Outcome, Verdict } from '../../../src-main/contract/words.ts';
import { initialState } from '../../../src-main/engine/decide.ts';
import type {
  CoreState,
  Observation,
  Order,
  Override,
  Policy,
  Round,
  RoundSummary,
  RunbookFacts,
  Word,
} from '../../../src-main/engine/observation.ts';
import type { Beat } from '../../../src-main/engine/ports.ts';

export const policy: Policy = {
  failWhen: 'all',
  intervalMs: 30_000,
  confirmTimes: 3,
  confirmEveryMs: 5_000,
  mode: 'automatic',
  countdownMs: 300_000,
  onSilence: 'promote',
  cooldownMs: 3_600_000,
  maxOffsetMs: 86_400_000,
  observeOnly: false,
  claim: 'required',
  references: 2,
  failbackStableMs: 600_000,
};

/** monotonic time of every observation that says nothing else */
export const now = 1_000_000;

/** Nothing happened, nothing is in the way of a takeover. */
export function observed(change: Partial<Observation> = {}): Observation {
  return {
    at: now,
    wall: Date.UTC(2026, 2, 1),
    policy,
    gap: null,
    round: null,
    word: null,
    claims: { state: 'reachable', evidence: 'the location answers', foreign: 0 },
    data: { state: 'known', ageMs: 3_600_000, verified: true },
    maintenance: null,
    cooldownLeftMs: 0,
    standing: { role: 'passive', epoch: 0 },
    highestEpoch: 0,
    runbook: null,
    order: null,
    ...change,
  };
}

/** The other node says that it is active and serves. */
export const servingWord: Word = {
  role: 'active',
  epoch: 0,
  ageMs: 12_000,
  healthy: true,
  via: 'location',
  everyMs: 30_000,
};

const failedRound: RoundSummary = {
  result: 'failed',
  referencesAsked: 2,
  referencesAnswered: 2,
  evidence: 'sip: no answer within 4 s',
};
const goodRound: RoundSummary = { ...failedRound, result: 'ok', evidence: 'sip: SIP/2.0 200 OK' };

/** What the core has counted when it comes to this verdict; `conflicting` takes the word besides. */
export const counted: Record<Verdict | 'none', Partial<CoreState>> = {
  none: { round: null, failedRounds: 0 },
  healthy: { round: goodRound, failedRounds: 0, seenHealthy: true },
  suspect: { round: failedRound, failedRounds: 2, seenHealthy: true },
  down: { round: failedRound, failedRounds: 4, seenHealthy: true },
  isolated: { round: { ...failedRound, referencesAnswered: 0 }, failedRounds: 0, seenHealthy: true },
  conflicting: { round: failedRound, failedRounds: 4, failingSince: now - 60_000, seenHealthy: true },
};

/** A state in that phase, in which an incident of a minute ago led to that verdict. */
export function inPhase(
  phase: CoreState['phase'],
  verdict: Verdict | 'none' = 'none',
  change: Partial<CoreState> = {},
): CoreState {
  const { round = null } = counted[verdict];
  return { ...initialState(phase, now - 60_000), ...counted[verdict], lastRound: round ? 9 : 0, ...change };
}

export function order(kind: 'promote' | 'cancel', change: Partial<Order & { overrides: Override[] }> = {}): Order {
  const base = { id: 1, by: 'console', reason: '', ...change };
  return kind === 'cancel' ? { ...base, kind } : { overrides: [], skipStep: false, ...base, kind };
}

export function runbook(status: RunbookFacts['status'], change: Partial<RunbookFacts> = {}): RunbookFacts {
  const facts: RunbookFacts = {
    id: 7,
    kind: 'promotion',
    origin: 'automatic',
    status,
    committed: false,
    cancelling: false,
    skippable: false,
    reason: 'Start the services: `start` ended with 2',
  };
  return { ...facts, ...change };
}

export function beatOf(test: string, outcome: Outcome, change: Partial<Beat> = {}): Beat {
  const evidence = { alive: 'answered', degraded: '503', dead: 'refused', foreign: 'no SIP', unknown: 'no socket' };
  return { test, outcome, ms: 10, evidence: evidence[outcome], ...change };
}

/** A round of these beats that ended just now; `answers` are those of its references. */
export function roundOf(
  seq: number,
  beats: readonly Beat[],
  answers: readonly (boolean | null)[] = [true, true],
  startedAt = now - 4_000,
): Round {
  const references = answers.map((answered, n) => ({ id: `r${n}`, answered, ms: 3, evidence: String(answered) }));
  return { seq, startedAt, endedAt: startedAt + 4_000, beats, references };
}
