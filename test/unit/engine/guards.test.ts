import { describe, expect, it } from 'vitest';
import type { GuardView } from '../../../src-main/contract/snapshot.ts';
import { type GuardName, guardNames } from '../../../src-main/contract/words.ts';
import { guardsOf, holdingBack, refusing } from '../../../src-main/engine/guards.ts';
import type { CoreState, Observation, Override } from '../../../src-main/engine/observation.ts';
import { inPhase, observed, policy, servingWord } from './moments.ts';

/** The moment before a takeover, changed in one point. */
const asked = (o: Partial<Observation> = {}, state: Partial<CoreState> = {}): GuardView[] =>
  guardsOf(inPhase('suspecting', 'down', state), observed(o));
const named = (guards: readonly GuardView[], name: GuardName): GuardView => {
  const found = guards.find((g) => g.name === name);
  if (!found) throw new Error(`no guard ${name}`);
  return found;
};

const data = (ageMs: number, verified = true): Partial<Observation> => ({ data: { state: 'known', ageMs, verified } });
const hour = 3_600_000;
const isolated = inPhase('suspecting', 'isolated').round;

type Row = [GuardName, string, ok: boolean, evidence: RegExp, Partial<Observation>, Partial<CoreState>?];

const away = { state: 'unreachable', evidence: 'no answer', foreign: 0 } as const;

const rows: Row[] = [
  ['seen-healthy', 'seen', true, /was seen healthy since it is watched as now/, {}],
  ['seen-healthy', 'never seen', false, /was never seen healthy/, {}, { seenHealthy: false }],
  ['standing-known', 'known', true, /^passive under epoch 0$/, {}],
  [
    'standing-known',
    'lost',
    false,
    /were lost with a damaged history; role passive and epoch 0 are a guess/,
    { standing: { role: 'passive', epoch: 0, lost: true } },
  ],
  ['proven-down', 'proven', true, /^4 rounds in a row failed \(sip: no answer within 4 s\)$/, {}, { verdict: 'down' }],
  [
    'proven-down',
    'counting',
    false,
    /^2 of 4 rounds .*; verdict suspect$/,
    {},
    { verdict: 'suspect', failedRounds: 2 },
  ],
  ['proven-down', 'it answers', false, /the other node answers/, {}, { verdict: 'healthy' }],
  ['proven-down', 'cut off', false, /verdict isolated/, {}, { verdict: 'isolated', failedRounds: 0 }],
  ['proven-down', 'nothing seen', false, /no complete round of tests yet/, {}, { verdict: null }],
  ['references', 'both answer', true, /^2 of 2 references answered$/, {}],
  ['references', 'none answers', false, /^0 of 2 references answered$/, {}, { round: isolated }],
  ['references', 'none configured', false, /no reference is configured/, { policy: { ...policy, references: 0 } }],
  ['references', 'not asked', false, /no reference was asked yet/, {}, { round: null }],
  ['no-contradiction', 'no word', true, /no word of the other node contradicts/, {}],
  ['no-contradiction', 'an old word', true, /word is 2 min old/, { word: { ...servingWord, ageMs: 120_000 } }],
  [
    'no-contradiction',
    'it serves',
    false,
    /word, heard 12 s ago through the location, says that it is active and serves/,
    { word: servingWord },
  ],
  ['claim-keeper', 'it answers', true, /^the location answers$/, {}],
  [
    'claim-keeper',
    'away',
    false,
    /^no answer: the other node could not see that this one takes over$/,
    { claims: away },
  ],
  [
    'claim-keeper',
    'B4 away, best-effort',
    true,
    /^no answer; promotion.claim is best-effort: the takeover would not be seen there$/,
    { claims: away, policy: { ...policy, claim: 'best-effort' } },
  ],
  ['claim-keeper', 'none', true, /^alone$/, { claims: { state: 'alone', evidence: 'alone', foreign: 0 } }],
  [
    'restored-data',
    'D1 23 h 59 min',
    true,
    /^the restored data is 23 h 59 min old, bound 24 h$/,
    data(24 * hour - 60_000),
  ],
  ['restored-data', 'D1 24 h sharp', true, /24 h old, bound 24 h/, data(24 * hour)],
  ['restored-data', 'D1 24 h 01 min', false, /24 h 1 min old, bound 24 h/, data(24 * hour + 60_000)],
  ['restored-data', 'not verified', false, /1 h old, bound 24 h, and it is not verified/, data(hour, false)],
  ['restored-data', 'never restored', false, /nothing has been restored here yet/, { data: { state: 'never' } }],
  ['restored-data', 'no copy is kept', true, /keeps no copy/, { data: { state: 'not-kept' } }],
  ['restored-data', 'no bound', true, /keeps no copy/, { policy: { ...policy, maxOffsetMs: null } }],
  ['no-maintenance', 'none', true, /^no maintenance$/, {}],
  ['no-maintenance', 'on', false, /^maintenance for another 10 min$/, { maintenance: { leftMs: 600_000 } }],
  ['not-observe-only', 'acts', true, /^not observe-only$/, {}],
  ['not-observe-only', 'looks only', false, /observe-only is configured/, { policy: { ...policy, observeOnly: true } }],
  ['cool-down', 'none', true, /^no cool-down$/, {}],
  [
    'cool-down',
    'left',
    false,
    /the last promotion was recent; cool-down for another 40 min/,
    { cooldownLeftMs: 2_400_000 },
  ],
];

const proven: Partial<CoreState> = { verdict: 'down' };

describe('the guards', () => {
  it.each(rows)('%s, %s: ok %s', (name, _, ok, evidence, o, state = {}) => {
    const guard = named(asked(o, { ...proven, ...state }), name);
    expect(guard.ok).toBe(ok);
    expect(guard.evidence).toMatch(evidence);
    expect(guard.evidence).not.toMatch(/undefined|null|NaN/);
  });

  it('each has a row in which it holds and one in which it does not', () => {
    const both = guardNames.map((name) => [
      name,
      rows.some((r) => r[0] === name && r[2]),
      rows.some((r) => r[0] === name && !r[2]),
    ]);
    expect(both).toEqual(guardNames.map((name) => [name, true, true]));
  });

  it('stand in the order an admin reads them, each once', () => {
    expect(asked({}, proven).map((g) => g.name)).toEqual(guardNames);
    expect(holdingBack(asked({}, proven))).toEqual([]);
  });
});

describe('a person and the guards (invariant 3)', () => {
  /** Everything is in the way. */
  const worst = guardsOf(
    { ...inPhase('watching'), seenHealthy: false, verdict: 'suspect' },
    observed({
      policy: { ...policy, observeOnly: true, references: 0 },
      word: servingWord,
      claims: away,
      data: { state: 'never' },
      standing: { role: 'passive', epoch: 0, lost: true },
      maintenance: { leftMs: 60_000 },
      cooldownLeftMs: 60_000,
    }),
  );
  const over = (guard: GuardName, reason = 'I stand in front of it'): Override => ({ guard, reason });

  it('all of them hold back what is automatic; a person is not asked about cool-down and never-seen', () => {
    expect(holdingBack(worst).map((g) => g.name)).toEqual(guardNames);
    expect(refusing(worst, []).map((g) => g.name)).toEqual([
      'standing-known',
      'proven-down',
      'references',
      'no-contradiction',
      'claim-keeper',
      'restored-data',
      'no-maintenance',
      'not-observe-only',
    ]);
    expect(worst.filter((g) => !g.bindsPerson).map((g) => g.name)).toEqual(['seen-healthy', 'cool-down']);
  });

  it.each(guardNames)('%s is overridden by its own name, and by no other', (name) => {
    const others = guardNames.filter((n) => n !== name).map((n) => over(n));
    const binding = worst.find((g) => g.name === name)?.bindsPerson ? [name] : [];
    expect(refusing(worst, others).map((g) => g.name)).toEqual(binding);
    expect(refusing(worst, [over(name)]).map((g) => g.name)).not.toContain(name);
  });

  it.each(['', '   ', '\n\t'])('an override with the reason %j is none', (reason) => {
    expect(refusing(worst, [over('references', reason)]).map((g) => g.name)).toContain('references');
  });
});
