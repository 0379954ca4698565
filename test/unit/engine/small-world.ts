/**
 * A world just large enough for the core: rounds, a runbook that goes its way, a person who orders. It carries effects out
 * as the interpreter would, and counts for itself what the guards count, from the rounds alone.
 */
import fc from 'fast-check';
import { type GuardName, guardNames, type Outcome, outcomes } from '../../../src-main/contract/words.ts';
import type { Effect, Observation, Policy, Round, RunbookFacts } from '../../../src-main/engine/observation.ts';
import { beatOf, observed, policy, roundOf, servingWord } from './moments.ts';

const tests = ['sip', 'web', 'tunnel'];
const rarely = (oneIn: number): fc.Arbitrary<boolean> => fc.integer({ min: 1, max: oneIn }).map((n) => n === oneIn);
const all = (outcome: Outcome): fc.Arbitrary<Outcome[]> => fc.constant(tests.map(() => outcome));

/** What happens between two moments. Weighted so that rounds fail often enough in a row to matter. */
export const happening = fc.record({
  ms: fc.integer({ min: 1, max: 40_000 }),
  beats: fc.option(
    fc.oneof(
      { weight: 12, arbitrary: all('dead') },
      { weight: 2, arbitrary: all('alive') },
      { weight: 2, arbitrary: fc.array(fc.constantFrom(...outcomes), { minLength: 3, maxLength: 3 }) },
    ),
    { freq: 8 },
  ),
  references: rarely(12).map((mute) => (mute ? [false, null] : [true, false])),
  gap: rarely(16),
  word: rarely(8).map((says) => (says ? servingWord : null)),
  data: fc.oneof(
    { weight: 8, arbitrary: fc.constant({ state: 'known', ageMs: 60_000, verified: true } as const) },
    { weight: 1, arbitrary: fc.constant({ state: 'known', ageMs: 60_000, verified: false } as const) },
    { weight: 1, arbitrary: fc.constant({ state: 'known', ageMs: 90_000_000, verified: true } as const) },
    { weight: 1, arbitrary: fc.constantFrom({ state: 'never' } as const, { state: 'not-kept' } as const) },
  ),
  maintenance: rarely(10).map((on) => (on ? { leftMs: 60_000 } : null)),
  cooldownLeftMs: rarely(10).map((left) => (left ? 60_000 : 0)),
  claimedElsewhere: rarely(30),
  runbook: fc.constantFrom('goes on', 'commits', 'done', 'halted', 'cancelled'),
  order: fc.oneof(
    { weight: 5, arbitrary: fc.constant(null) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom('promote', 'cancel'),
        overrides: fc.array(
          fc.record({ guard: fc.constantFrom(...guardNames), reason: fc.constantFrom('', ' ', 'known') }),
        ),
        skipStep: fc.boolean(),
      }),
    },
  ),
});
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

export const anyPolicy: fc.Arbitrary<Policy> = fc
  .record({
    failWhen: fc.constantFrom('all', 'any'),
    mode: fc.constantFrom('automatic', 'confirm', 'confirm', 'manual'),
    onSilence: fc.constantFrom('promote', 'hold'),
    confirmTimes: fc.integer({ min: 1, max: 3 }),
    observeOnly: rarely(8),
    references: rarely(8).map((none) => (none ? 0 : 2)),
    countdownMs: fc.constant(30_000),
    maxOffsetMs: fc.constantFrom(policy.maxOffsetMs, null),
  })
  .map((some) => ({ ...policy, ...some }));

export class SmallWorld {
  #o: Observation;
  /** rounds that may be counted: since the last gap */
  #rounds: Round[] = [];
  #seenHealthy = false;
  #seq = 0;
  #orders = 0;

  constructor(given: Policy, serving: boolean) {
    const standing = { role: serving ? 'active' : 'passive', epoch: 0 } as const;
    this.#o = observed({ policy: given, at: 0, standing, highestEpoch: 0 });
  }

  get observation(): Observation {
    return this.#o;
  }

  happen(h: Happening): void {
    const { policy: given, gap } = this.#o;
    const at = this.#o.at + h.ms;
    if (h.gap) this.#rounds = [];
    const newGap = h.gap ? ({ id: (gap?.id ?? 0) + 1, at, ms: 3_000, kind: 'stall' } as const) : gap;
    let { round } = this.#o;
    if (h.beats) {
      this.#seq += 1;
      const answers = given.references > 0 ? h.references : [];
      round = roundOf(
        this.#seq,
        h.beats.map((outcome, n) => beatOf(tests[n] ?? '', outcome)),
        answers,
        at - h.ms / 2,
      );
      if (!newGap || round.startedAt >= newGap.at) this.#count(round);
    }
    const order = h.order ? { id: ++this.#orders, by: 'console', reason: '', ...h.order } : this.#o.order;
    this.#o = {
      ...this.#o,
      at,
      gap: newGap,
      round,
      word: h.word,
      data: h.data,
      maintenance: h.maintenance,
      cooldownLeftMs: h.cooldownLeftMs,
      highestEpoch: this.#o.highestEpoch + (h.claimedElsewhere ? 1 : 0),
      order: order as Observation['order'],
    };
    this.#turn(h.runbook);
  }

  #count(round: Round): void {
    this.#rounds.push(round);
    if (this.#answers(round)) this.#seenHealthy = true;
  }

  /** The runbook that is under way goes its way; one that is being cancelled ends. */
  #turn(how: Happening['runbook']): void {
    const r = this.#o.runbook;
    if (r?.status !== 'running' || how === 'goes on') return;
    if (r.cancelling || how === 'cancelled') this.#book({ ...r, status: r.committed ? 'halted' : 'cancelled' });
    else if (how === 'commits') this.#book({ ...r, committed: true });
    else if (how === 'halted') this.#book({ ...r, status: 'halted', skippable: true });
    else this.#done(r);
  }

  #done(r: RunbookFacts): void {
    const epoch = r.kind === 'promotion' ? this.#o.highestEpoch + 1 : this.#o.highestEpoch;
    const standing = { role: r.kind === 'promotion' ? 'active' : 'passive', epoch } as const;
    this.#o = { ...this.#o, standing, highestEpoch: epoch };
    this.#book({ ...r, status: 'done' });
  }

  #book(runbook: RunbookFacts): void {
    this.#o = { ...this.#o, runbook };
  }

  carryOut(effect: Effect): void {
    const r = this.#o.runbook;
    const anew = {
      id: (r?.id ?? 0) + 1,
      status: 'running',
      committed: false,
      cancelling: false,
      skippable: false,
    } as const;
    if (effect.do === 'start-promotion') this.#book({ ...anew, kind: 'promotion', origin: effect.origin, reason: '' });
    if (effect.do === 'stand-down') this.#book({ ...anew, kind: 'stand-down', origin: 'automatic', reason: '' });
    if (effect.do === 'cancel-runbook' && r) this.#book({ ...r, cancelling: true });
    if (effect.do === 'resume-runbook' && r) this.#book({ ...r, status: 'running', cancelling: false });
    if (effect.do === 'abandon-runbook' && r) this.#book({ ...r, status: 'cancelled' });
    if (effect.do === 'answer') this.#o = { ...this.#o, order: null };
  }

  #answers(round: Round): boolean {
    const answering = round.beats.filter((b) => b.outcome === 'alive' || b.outcome === 'degraded').length;
    return this.#o.policy.failWhen === 'all' ? answering > 0 : answering > 0 && !round.beats.some(isFailed);
  }

  /** By the newest rounds alone: failed by the rule in as many rounds as are needed, with a reference that answered. */
  #provenDown(): boolean {
    const { failWhen, confirmTimes } = this.#o.policy;
    const last = this.#rounds.slice(-1 - confirmTimes);
    if (last.length < 1 + confirmTimes) return false;
    if (!last.every((r) => r.references.length === 0 || r.references.some((x) => x.answered === true))) return false;
    if (failWhen === 'all') return last.every((r) => r.beats.every(isFailed));
    return tests.some((t) => last.every((r) => r.beats.some((b) => b.test === t && isFailed(b))));
  }

  /** What is in the way of a takeover now, told apart from the engine's own counting. */
  inTheWay(): GuardName[] {
    const { policy: p, data, word, standing, maintenance, cooldownLeftMs } = this.#o;
    const fresh = data.state === 'known' && data.verified && data.ageMs <= (p.maxOffsetMs ?? Number.POSITIVE_INFINITY);
    const unopposed = word === null || standing.epoch > word.epoch;
    const holds: Record<(typeof guardNames)[number], boolean> = {
      'standing-known': !standing.lost,
      'seen-healthy': this.#seenHealthy,
      // What the other node says against it leaves it unproven.
      'proven-down': this.#provenDown() && unopposed,
      references: p.references > 0 && this.#rounds.at(-1)?.references.some((r) => r.answered === true) === true,
      'no-contradiction': unopposed,
      'restored-data': fresh || p.maxOffsetMs === null || data.state === 'not-kept',
      'no-maintenance': maintenance === null,
      'not-observe-only': !p.observeOnly,
      'claim-keeper': this.#o.claims.state !== 'unreachable' || this.#o.policy.claim === 'best-effort',
      'cool-down': cooldownLeftMs === 0,
    };
    return guardNames.filter((name) => !holds[name]);
  }
}

const isFailed = (beat: { outcome: Outcome }): boolean => beat.outcome === 'dead' || beat.outcome === 'foreign';
