import { describe, expect, it } from 'vitest';
import type { Outcome, Verdict } from '../../../src-main/contract/words.ts';
import { initialState } from '../../../src-main/engine/decide.ts';
import { absorb, contradicts, roundsNeeded, summarize, wordFreshMs } from '../../../src-main/engine/judge.ts';
import type { CoreState, Observation, Policy, Round, Word } from '../../../src-main/engine/observation.ts';
import type { Beat } from '../../../src-main/engine/ports.ts';
import { beatOf, now, observed, policy, roundOf, servingWord } from './moments.ts';

const any: Policy = { ...policy, failWhen: 'any' };
const silent = { silent: true };
const weak = { weak: true };
const beats = (...outcomes: Outcome[]): Beat[] =>
  outcomes.map((outcome, n) => beatOf(['sip', 'web', 'tunnel'][n] ?? `test ${n}`, outcome));

describe('one round by the rule', () => {
  it.each<[beats: Outcome[], all: string, any: string]>([
    [['alive', 'alive', 'alive'], 'ok', 'ok'],
    [['degraded', 'alive', 'alive'], 'ok', 'ok'],
    [['dead', 'alive', 'alive'], 'ok', 'failed'],
    [['foreign', 'degraded', 'alive'], 'ok', 'failed'],
    [['dead', 'dead', 'dead'], 'failed', 'failed'],
    [['dead', 'foreign', 'dead'], 'failed', 'failed'],
    [['dead', 'dead', 'unknown'], 'inconclusive', 'failed'],
    [['unknown', 'alive', 'alive'], 'ok', 'ok'],
    [['unknown', 'unknown', 'unknown'], 'inconclusive', 'inconclusive'],
    [[], 'inconclusive', 'inconclusive'],
  ])('%s: failWhen all %s, failWhen any %s', (outcomes, all, anyOne) => {
    const round = roundOf(1, beats(...outcomes));
    expect([summarize(round, policy).result, summarize(round, any).result]).toEqual([all, anyOne]);
  });

  it.each<[string, Beat[], string]>([
    ['beside silence is no life: a hung kernel goes on accepting', [beatOf('sip', 'dead', silent)], 'failed'],
    ['beside one silence and one refusal is life', [beatOf('sip', 'dead', silent), beatOf('web', 'dead')], 'ok'],
    ['beside a refusal is life: refusing takes a living host', [beatOf('sip', 'dead')], 'ok'],
    ['beside a test that could not be made is life', [beatOf('sip', 'unknown')], 'ok'],
    [
      'beside silence and such a test is no life',
      [beatOf('sip', 'dead', silent), beatOf('web', 'unknown')],
      'inconclusive',
    ],
    ['alone is life: nothing stronger was asked', [], 'ok'],
  ])('a bare accept %s', (_, others, result) => {
    expect(summarize(roundOf(1, [...others, beatOf('tunnel', 'alive', weak)]), policy).result).toBe(result);
  });

  it('carries each test with its evidence, and how many references answered; one that could not be asked did not', () => {
    const round = roundOf(1, beats('dead', 'alive'), [true, false, null]);
    expect(summarize(round, policy)).toEqual({
      result: 'ok',
      referencesAsked: 3,
      referencesAnswered: 1,
      evidence: 'sip: refused; web: answered',
    });
  });
});

/** Rounds one after the other, 5 s apart; answers the verdict after each. */
function verdictsOf(rounds: readonly Round[], change: Partial<Observation> = {}): (Verdict | null)[] {
  let state = initialState('watching', 0);
  return rounds.map((round) => {
    state = absorb(state, observed({ ...change, round }));
    return state.verdict;
  });
}

const dead = (seq: number, answers?: boolean[]): Round => roundOf(seq, beats('dead', 'dead', 'dead'), answers);
const alive = (seq: number): Round => roundOf(seq, beats('alive', 'alive', 'alive'));

describe('the count', () => {
  it.each([1, 3, 7])(
    'confirm.times %i: the first failed round raises suspicion, so many more prove it',
    (confirmTimes) => {
      const given = { policy: { ...policy, confirmTimes } };
      const rounds = Array.from({ length: confirmTimes + 2 }, (_, n) => dead(n + 1));
      const suspect = Array.from({ length: confirmTimes }, () => 'suspect');
      expect(verdictsOf(rounds, given)).toEqual([...suspect, 'down', 'down']);
      expect(roundsNeeded(given.policy)).toBe(confirmTimes + 1);
    },
  );

  it('begins anew after one good round (A8 flapping)', () => {
    const rounds = [dead(1), dead(2), dead(3), alive(4), dead(5), dead(6), dead(7), dead(8)];
    const [, , third, fourth, fifth, , seventh, eighth] = verdictsOf(rounds);
    expect([third, fourth, fifth, seventh, eighth]).toEqual(['suspect', 'healthy', 'suspect', 'suspect', 'down']);
  });

  it('failWhen any: the same test must fail every time; two that each hiccup prove nothing', () => {
    const one = (seq: number, ...outcomes: Outcome[]): Round => roundOf(seq, beats(...outcomes));
    const turns = [1, 2, 3, 4, 5, 6].map((n) =>
      one(n, ...((n % 2 ? ['dead', 'alive'] : ['alive', 'dead']) as Outcome[])),
    );
    expect(verdictsOf(turns, { policy: any })).toEqual(Array.from({ length: 6 }, () => 'suspect'));
    const same = [1, 2, 3, 4].map((n) => one(n, 'dead', n % 2 ? 'alive' : 'dead'));
    expect(verdictsOf(same, { policy: any })).toEqual(['suspect', 'suspect', 'suspect', 'down']);
  });

  it('A3 the first bare accept after failed rounds may be older than the end of a hung server: only the second is life', () => {
    const hung = (seq: number): Round => roundOf(seq, [beatOf('sip', 'dead', silent), beatOf('tunnel', 'alive', weak)]);
    const ended = (seq: number): Round => roundOf(seq, [beatOf('sip', 'dead'), beatOf('tunnel', 'alive', weak)]);
    expect(verdictsOf([hung(1), hung(2), hung(3), hung(4), ended(5), ended(6)])).toEqual([
      'suspect',
      'suspect',
      'suspect',
      'down',
      'suspect',
      'healthy',
    ]);
    // A test that is really answered needs no second look, and where nothing failed before a bare accept is what it was.
    expect(verdictsOf([hung(1), alive(2)])).toEqual(['suspect', 'healthy']);
    expect(verdictsOf([alive(1), ended(2)])).toEqual(['healthy', 'healthy']);
  });

  it('begins anew after a round that could not tell', () => {
    const unclear = roundOf(4, beats('unknown', 'dead', 'dead'));
    expect(verdictsOf([dead(1), dead(2), dead(3), unclear, dead(5), dead(6), dead(7)])).not.toContain('down');
  });

  it('a round observed twice is counted once', () => {
    const round = dead(1);
    expect(verdictsOf([round, round, round, round, round])).not.toContain('down');
  });

  it('B2 while no reference answers nothing is counted, and the count begins when one does', () => {
    const mute = [false, false];
    const rounds = [dead(1), dead(2), dead(3), dead(4, mute), dead(5, mute), dead(6), dead(7), dead(8), dead(9)];
    expect(verdictsOf(rounds)).toEqual([
      'suspect',
      'suspect',
      'suspect',
      'isolated',
      'isolated',
      'suspect',
      'suspect',
      'suspect',
      'down',
    ]);
  });

  it('one reference of several is enough, and without any configured nothing is isolated', () => {
    expect(verdictsOf([dead(1, [false, true])])).toEqual(['suspect']);
    expect(verdictsOf([dead(1, [])])).toEqual(['suspect']);
  });

  it('seen healthy is noted by a good round only', () => {
    const seen = (round: Round): boolean => absorb(initialState('starting', 0), observed({ round })).seenHealthy;
    expect([seen(dead(1)), seen(roundOf(1, beats('unknown'))), seen(alive(1))]).toEqual([false, false, true]);
  });
});

describe('C1 a gap in our own watch (invariant 5)', () => {
  const proven = (): CoreState =>
    [1, 2, 3, 4].reduce((state, n) => absorb(state, observed({ round: dead(n) })), initialState('watching', 0));
  const gap = { id: 1, at: now, ms: 60_000, kind: 'sleep' } as const;

  it('discards what was counted, at once', () => {
    const before = proven();
    expect(before).toMatchObject({ verdict: 'down', failedRounds: 4 });
    expect(absorb(before, observed({ gap, round: dead(4) }))).toMatchObject({ verdict: null, failedRounds: 0 });
  });

  it('a round that began before its end is not counted, however it ended; the next one is', () => {
    const across = roundOf(5, beats('dead', 'dead', 'dead'), [true], now - 1);
    const after = absorb(proven(), observed({ gap, round: across }));
    expect(after).toMatchObject({ verdict: null, failedRounds: 0, lastRound: 5 });
    const anew = absorb(after, observed({ gap, round: roundOf(6, beats('dead', 'dead'), [true], now) }));
    expect(anew).toMatchObject({ verdict: 'suspect', failedRounds: 1 });
    const good = roundOf(5, beats('alive'), [true], now - 1);
    expect(absorb(initialState('starting', 0), observed({ gap, round: good })).seenHealthy).toBe(false);
  });

  it('the same gap observed again discards nothing more', () => {
    let state = absorb(proven(), observed({ gap }));
    for (const n of [5, 6, 7, 8])
      state = absorb(state, observed({ gap, round: roundOf(n, beats('dead'), [true], now + n) }));
    expect(state.verdict).toBe('down');
    expect(absorb(state, observed({ gap: { ...gap, id: 2, at: now + 99 } })).verdict).toBeNull();
  });
});

describe('the other node’s own word', () => {
  const word = (change: Partial<Word>): boolean => contradicts({ ...servingWord, ...change }, observed());

  it.each<[string, Partial<Word>, boolean]>([
    ['that it serves', {}, true],
    ['of just before it is too old', { ageMs: wordFreshMs(policy, servingWord) }, true],
    ['that is too old', { ageMs: wordFreshMs(policy, servingWord) + 1 }, false],
    ['that it is deaf', { healthy: false }, false],
    ['that it is passive', { role: 'passive' }, false],
    ['through the peer link', { via: 'peer-link' }, true],
  ])('%s', (_, change, contradicting) => {
    expect(word(change)).toBe(contradicting);
  });

  it('of a lower epoch than ours is that of a node that was passed over', () => {
    const standing = { role: 'active', epoch: 4 } as const;
    expect(contradicts({ ...servingWord, epoch: 3 }, observed({ standing }))).toBe(false);
    expect(contradicts({ ...servingWord, epoch: 4 }, observed({ standing }))).toBe(true);
  });

  it('B1 said since the tests fail, it makes them conflicting; a good round stays healthy', () => {
    const earlier = { ...dead(1), startedAt: now - 60_000 };
    expect(verdictsOf([earlier, dead(2)], { word: servingWord })).toEqual(['conflicting', 'conflicting']);
    expect(verdictsOf([alive(1)], { word: servingWord })).toEqual(['healthy']);
  });

  it('said before the tests failed, or too soon after to have been written since, it leaves them unproven', () => {
    const rounds = [1, 2, 3, 4, 5].map((n) => dead(n));
    const unproven = rounds.map(() => 'suspect');
    expect(verdictsOf(rounds, { word: servingWord })).toEqual(unproven);
    const soon = { ...servingWord, ageMs: 0 };
    // The first round began 4 s ago; read up to 10 s after it, a word may be of before.
    expect(verdictsOf(rounds, { word: soon })).toEqual(unproven);
    const at = (ms: number) => ({ at: now + ms, word: soon });
    expect(verdictsOf(rounds, at(6_000))).toEqual(unproven);
    expect(verdictsOf(rounds, at(6_001))).toEqual(rounds.map(() => 'conflicting'));
  });

  it('is waited for as long as the other node says it speaks, five minutes at most', () => {
    const slow = (ageMs: number, everyMs: number) => ({ word: { ...servingWord, ageMs, everyMs } });
    const last = (change: Partial<Observation>) =>
      verdictsOf(
        [1, 2, 3, 4].map((n) => dead(n)),
        change,
      ).at(-1);
    expect(last(slow(200_000, 120_000))).toBe('suspect');
    expect(last(slow(250_000, 120_000))).toBe('down');
    expect(last(slow(605_001, 3_600_000))).toBe('down');
  });

  it('B1 silent references weigh more: isolated, not conflicting', () => {
    expect(verdictsOf([dead(1, [false])], { word: servingWord })).toEqual(['isolated']);
  });

  it('the failed rounds go on being counted under it, so that a death is seen when it ages', () => {
    let state = initialState('watching', 0);
    for (const n of [1, 2, 3, 4]) state = absorb(state, observed({ round: dead(n), word: servingWord }));
    const aged = { ...servingWord, ageMs: wordFreshMs(policy, servingWord) + 1 };
    expect(absorb(state, observed({ round: dead(4), word: aged })).verdict).toBe('down');
  });
});
