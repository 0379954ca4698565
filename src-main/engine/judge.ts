/**
 * From observations to a verdict: counts failed rounds in a row, discards what a gap made worthless, asks the references
 * and the other node's word. Pure.
 */
import type { Verdict } from '../contract/words.ts';
import type { CoreState, Observation, Policy, Round, RoundSummary, Word } from './observation.ts';
import type { Beat } from './ports.ts';

/** Rounds in a row that must fail: the first one raises suspicion, `confirm.times` more prove it. */
export function roundsNeeded(policy: Policy): number {
  return 1 + policy.confirmTimes;
}

export const failed = (beat: Beat): boolean => beat.outcome === 'dead' || beat.outcome === 'foreign';
const answered = (beat: Beat): boolean => beat.outcome === 'alive' || beat.outcome === 'degraded';

/**
 * A bare accept is life only where no stronger test met silence: the kernel of a hung server goes on accepting
 * (SIGSTOP, a stuck disk). Beside refusals it counts, since refusing takes a living host; `unknown` says nothing either way.
 */
function showsLife(beat: Beat, round: Pick<Round, 'beats'>): boolean {
  if (!answered(beat)) return false;
  if (!beat.weak) return true;
  const stronger = round.beats.filter((b) => !b.weak && b.outcome !== 'unknown');
  return stronger.length === 0 || stronger.some((b) => !b.silent);
}

/**
 * One round by the rule. `unknown` beats say nothing about the node: with `all` one of them keeps a round from failing,
 * with `any` a round without any answer stays inconclusive.
 */
export function summarize(round: Pick<Round, 'beats' | 'references'>, policy: Pick<Policy, 'failWhen'>): RoundSummary {
  const down = round.beats.filter(failed).length;
  const up = round.beats.filter((b) => showsLife(b, round)).length;
  const unknown = round.beats.some((b) => b.outcome === 'unknown');
  let result: RoundSummary['result'];
  if (policy.failWhen === 'all') result = up > 0 ? 'ok' : unknown || down === 0 ? 'inconclusive' : 'failed';
  else result = down > 0 ? 'failed' : up > 0 ? 'ok' : 'inconclusive';
  return {
    result,
    referencesAsked: round.references.length,
    referencesAnswered: round.references.filter((r) => r.answered === true).length,
    evidence: round.beats.map((b) => `${b.test}: ${b.evidence}`).join('; '),
  };
}

/**
 * Tests that say nothing for so long are at fault themselves (a script that cannot run, a name that does not resolve): the spare
 * is blind, and somebody must hear of it.
 */
export function isBlind(state: CoreState, policy: Policy): boolean {
  return state.inconclusiveRounds >= 2 * roundsNeeded(policy);
}

/** The references say nothing although the other node answers: were it to die now, it would be taken for our own cut-off. */
export function isUnreferenced(state: CoreState, policy: Policy): boolean {
  return state.unreferencedRounds >= roundsNeeded(policy);
}

/** Every configured reference is silent: the fault is more likely on this side. */
export function referencesSilent(round: RoundSummary): boolean {
  return round.referencesAsked > 0 && round.referencesAnswered === 0;
}

/** However rarely the other node speaks, its word is no sign of life for longer than by this interval. */
const slowestWordMs = 300_000;
/** How long a word may take from the other node's clock to our eyes; where all is faster (a laboratory), an interval. */
const travelMs = ({ intervalMs }: Pick<Policy, 'intervalMs'>): number => Math.min(5_000, intervalMs);

/** A word older than this is no longer a sign of life. */
export function wordFreshMs(policy: Pick<Policy, 'intervalMs'>, word: Pick<Word, 'everyMs'>): number {
  return 2 * Math.max(policy.intervalMs, Math.min(word.everyMs, slowestWordMs)) + travelMs(policy);
}

/** The other node says, recently, that it is active and serves: it contradicts a failed heartbeat. */
export function contradicts(word: Word | null, observation: Observation): boolean {
  return (
    word !== null &&
    word.role === 'active' &&
    word.healthy &&
    word.epoch >= observation.standing.epoch &&
    word.ageMs <= wordFreshMs(observation.policy, word)
  );
}

/**
 * It contradicts, and was said since the tests fail: the other node lives and says so. One that was heard before, or so soon after that
 * it may have been written before, proves nothing yet: a node that died just now spoke a moment ago, too.
 */
function insists(state: CoreState, observation: Observation): boolean {
  const { word, at, policy } = observation;
  if (word === null || state.failingSince === null) return false;
  return at - word.ageMs > state.failingSince + policy.confirmEveryMs + travelMs(policy);
}

/**
 * Takes what is new in the observation into the counts. Observing the same again changes nothing (level-triggered).
 * A gap in our own watch (invariant 5) discards the counts and every round that began before its end.
 */
export function absorb(state: CoreState, observation: Observation): CoreState {
  let next = state;
  const { gap, round, policy } = observation;
  if (gap && gap.id > next.lastGap) {
    const nothing = {
      failedRounds: 0,
      failedByTest: {},
      inconclusiveRounds: 0,
      unreferencedRounds: 0,
      failingSince: null,
      round: null,
    };
    next = { ...next, ...nothing, lastGap: gap.id };
  }
  if (next.countedBy !== policy.failWhen) {
    // Rounds that failed by another rule prove nothing by this one.
    if (next.countedBy) next = { ...next, failedRounds: 0, failedByTest: {} };
    next = { ...next, countedBy: policy.failWhen };
  }
  if (round && round.seq > next.lastRound) {
    next = { ...next, lastRound: round.seq };
    const beforeGap = gap !== null && round.startedAt < gap.at;
    if (!beforeGap) next = count(next, round, firstLook(next, round, summarize(round, policy)), policy);
  }
  const verdict = verdictOf(next, observation);
  return { ...next, verdict };
}

/**
 * After failed rounds the first bare accept is not yet life: it may have been given just before a hung server was ended, whose
 * other ports refuse by now. A takeover must not be taken back for that; the next one counts.
 */
function firstLook(state: CoreState, round: Round, summary: RoundSummary): RoundSummary {
  const bare = !round.beats.some((beat) => answered(beat) && !beat.weak);
  return summary.result === 'ok' && state.failedRounds > 0 && bare ? { ...summary, result: 'inconclusive' } : summary;
}

function count(before: CoreState, round: Round, summary: RoundSummary, policy: Policy): CoreState {
  // Counted as far as anybody asks.
  const enough = 2 * roundsNeeded(policy);
  const unreferenced = summary.result === 'ok' && referencesSilent(summary);
  const state = {
    ...before,
    inconclusiveRounds: summary.result === 'inconclusive' ? Math.min(enough, before.inconclusiveRounds + 1) : 0,
    failingSince: summary.result === 'ok' ? null : (before.failingSince ?? round.startedAt),
    unreferencedRounds: unreferenced ? Math.min(enough, before.unreferencedRounds + 1) : 0,
  };
  if (summary.result === 'ok') {
    return { ...state, round: summary, failedRounds: 0, failedByTest: {}, seenHealthy: true, held: false };
  }
  // While nobody answers us, or we could not ask, nothing is proven about the other node.
  if (summary.result === 'inconclusive' || referencesSilent(summary)) {
    return { ...state, round: summary, failedRounds: 0, failedByTest: {} };
  }
  const failedByTest: Record<string, number> = {};
  for (const beat of round.beats) if (failed(beat)) failedByTest[beat.test] = (state.failedByTest[beat.test] ?? 0) + 1;
  // `any`: the very same test must fail every time; two services that each hiccup once prove nothing.
  const failedRounds = policy.failWhen === 'all' ? state.failedRounds + 1 : Math.max(0, ...Object.values(failedByTest));
  return { ...state, round: summary, failedRounds, failedByTest };
}

/** What it all adds up to now; null while there is nothing to judge by. */
function verdictOf(state: CoreState, observation: Observation): Verdict | null {
  const { round } = state;
  if (!round) return null;
  if (round.result === 'ok') return 'healthy';
  if (round.result === 'inconclusive') return 'suspect';
  if (referencesSilent(round)) return 'isolated';
  // It may have died right after it: as long as the next word could still come, nothing is proven.
  if (contradicts(observation.word, observation)) return insists(state, observation) ? 'conflicting' : 'suspect';
  return state.failedRounds >= roundsNeeded(observation.policy) ? 'down' : 'suspect';
}
