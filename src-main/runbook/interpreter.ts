/**
 * Between the pure core and the world: gathers an observation, lets the core decide until nothing changes, carries the
 * effects out, writes history. Holds the core's state; decides nothing itself.
 */
import type { OrderAnswer } from '../contract/contract.ts';
import type { Origin, Phase, PlannedKind, Severity } from '../contract/words.ts';
import { countingAnew, type Decision, decide, initialState, watchingAnew } from '../engine/decide.ts';
import { countdownEndsAt } from '../engine/facts.ts';
import { failed } from '../engine/judge.ts';
import type {
  CoreState,
  DataState,
  Effect,
  Observation,
  Order,
  Override,
  PlannedSight,
  Policy,
  Round,
  Word,
} from '../engine/observation.ts';
import { type Cancel, type ClaimsSeen, type Clock, type Gap, type Store, standingLostKey } from '../engine/ports.ts';
import { plannedStepIds } from './planned.ts';
import { promotionStepIds } from './promotion.ts';
import type { Asked } from './proof-asked.ts';
import type { Runner } from './runner.ts';
import { graveOf } from './severity.ts';
import { standDownStepIds } from './step.ts';

/** What the interpreter reads of the rest of the engine at each decision. */
export interface Senses {
  policy(): Policy;
  word(): Word | null;
  claims(): ClaimsSeen;
  data(): DataState;
  planned(): PlannedSight | null;
  maintenanceLeftMs(): number | null;
  cooldownLeftMs(): number;
}

export interface InterpreterParts {
  clock: Clock;
  store: Store;
  senses: Senses;
  runner: () => Runner;
  /** the cadence follows the phase */
  setEvery: (ms: number) => void;
  /** passes what is to be told to people; once per incident, which the core sees to */
  tell: (message: { key: string; severity: Severity; text: string }) => void;
  onDecision: () => void;
  /** each observation as the core was given it, with the state before and what was decided: to be recorded and replayed */
  onDecided?: (before: CoreState, observation: Observation, decision: Decision) => void;
}

/** A settled decision is reached in a few steps; more means a loop in the table, which check.ts excludes. */
const mostSteps = 12;

/** An order before it has its number. */
export type OrderAsk = { by: string; reason: string } & (
  | { kind: 'promote'; overrides: readonly Override[]; skipStep: boolean }
  | { kind: PlannedKind; overrides: readonly Override[]; whenIdle?: boolean }
  | { kind: 'stand-down'; overrides: readonly Override[] }
  | { kind: 'cancel' }
);

export class Interpreter {
  readonly #p: InterpreterParts;
  #state: CoreState;
  #last: Decision | null = null;
  #round: Round | null = null;
  #gap: Gap | null = null;
  #orders: { order: Order; answer: (a: OrderAnswer) => void }[] = [];
  #orderSeq = 0;
  #ticking = false;
  #again = false;
  #wake: Cancel | null = null;
  #waiters: (() => void)[] = [];
  #ended = false;

  constructor(parts: InterpreterParts, beginning: Phase) {
    this.#p = parts;
    this.#state = initialState(beginning, parts.clock.now());
    this.#standing = this.#readStanding();
  }

  get state(): CoreState {
    return this.#state;
  }

  /** The newest decision; null before the first. */
  get last(): Decision | null {
    return this.#last;
  }

  get round(): Round | null {
    return this.#round;
  }

  /** No further decision is made; waiting guards are let go, and orders that still come are refused. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  roundDone(round: Round): void {
    const before = this.#round;
    this.#round = round;
    this.#writeTurns(before, round);
    this.tick();
  }

  gapSeen(gap: Gap): void {
    this.#gap = gap;
    this.#p.runner().askAnew();
    this.#write(
      'engine',
      'warning',
      `watch.gap`,
      `this engine saw nothing for ${Math.round(gap.ms / 1000)} s (${gap.kind}); what was being counted is discarded`,
      { ...gap },
    );
    this.tick();
  }

  /** Another target, other tests or another rule: nothing seen before counts, and a promotion under way has its proof seen again. */
  watchAnew(): void {
    this.#round = null;
    this.#state = watchingAnew(this.#state, this.#p.clock.now());
    this.#p.runner().askAnew();
    this.#write(
      'engine',
      'warning',
      'watch.anew',
      'what is watched was changed; the other node must be seen healthy anew',
    );
  }

  /** The references, or the patience with tests, were changed: what was counted is discarded, as after a gap. */
  countAnew(): void {
    this.#round = null;
    this.#state = countingAnew(this.#state);
    this.#p.runner().askAnew();
  }

  /** A person's order; answered when the core has met it. */
  order(ask: OrderAsk): Promise<OrderAnswer> {
    const ending = { accepted: false, rule: 'engine.ending', reason: 'this engine is ending', refusedBy: [] };
    if (this.#ended) return Promise.resolve(ending);
    this.#orderSeq += 1;
    const order: Order = { id: this.#orderSeq, ...ask };
    return new Promise((answer) => {
      this.#orders.push({ order, answer });
      this.tick();
    });
  }

  /** What an order would be answered now. Nothing is kept, nothing begins: the core is pure. */
  consider(ask: OrderAsk): OrderAnswer {
    const order: Order = { id: this.#orderSeq + 1, ...ask };
    const { effects, rule } = decide(this.#state, { ...this.observation(), order });
    const answer = effects.find((effect) => effect.do === 'answer');
    if (answer?.do !== 'answer') return { accepted: false, rule, reason: 'the order was not met', refusedBy: [] };
    return { accepted: answer.accepted, rule, reason: answer.reason, refusedBy: [...answer.refusedBy] };
  }

  observation(): Observation {
    const { clock, senses } = this.#p;
    const standing = this.#standing;
    const word = senses.word();
    const claims = senses.claims();
    const left = senses.maintenanceLeftMs();
    return {
      at: clock.now(),
      wall: clock.wall(),
      policy: senses.policy(),
      gap: this.#gap,
      round: this.#round,
      word,
      claims,
      data: senses.data(),
      planned: senses.planned(),
      maintenance: left === null ? null : { leftMs: left },
      cooldownLeftMs: senses.cooldownLeftMs(),
      standing,
      highestEpoch: Math.max(standing.epoch, word?.epoch ?? 0, claims.foreign),
      runbook: this.#p.runner().facts(),
      order: this.#orders[0]?.order ?? null,
    };
  }

  /** Read once and after every runbook change: asking SQLite at each tick would be waste. */
  #standing: Observation['standing'];
  standingChanged(): void {
    this.#standing = this.#readStanding();
  }

  get standing(): Observation['standing'] {
    return this.#standing;
  }

  #readStanding(): Observation['standing'] {
    const { store } = this.#p;
    const { role, epoch } = store.standing() ?? { role: 'passive', epoch: 0 };
    return store.recall(standingLostKey) ? { role, epoch, lost: true } : { role, epoch };
  }

  /** Looks, decides, acts, until the phase stays and no order waits. Safe to call at any time, from anywhere. */
  tick(): void {
    if (this.#ended) return;
    if (this.#ticking) {
      this.#again = true;
      return;
    }
    this.#ticking = true;
    try {
      do {
        this.#again = false;
        for (let n = 0; n < mostSteps; n += 1) if (!this.#once()) break;
      } while (this.#again || this.#orders.length > 0);
    } finally {
      this.#ticking = false;
    }
    this.#p.setEvery(
      this.cadence() === 'confirming' ? this.#p.senses.policy().confirmEveryMs : this.#p.senses.policy().intervalMs,
    );
    this.#sleep();
    for (const waiter of this.#waiters.splice(0)) waiter();
    this.#p.onDecision();
  }

  /** Fast re-checks while something is being proven, and for a node that may have to be taken back. */
  cadence(): 'steady' | 'confirming' {
    const { phase, verdict } = this.#state;
    const unclear = phase === 'suspecting' || phase === 'awaiting' || phase === 'promoting' || phase === 'isolated';
    return unclear || (phase === 'watching' && verdict !== 'healthy' && verdict !== null) ? 'confirming' : 'steady';
  }

  /** What a running runbook may ask of the core's newest look. */
  readonly asked: Asked = {
    state: () => this.#state,
    observation: () => this.observation(),
    ended: () => this.#ended,
    next: (signal) => this.#nextDecision(signal),
  };

  #nextDecision(signal: AbortSignal): Promise<void> {
    return new Promise((go) => {
      this.#waiters.push(go);
      signal.addEventListener('abort', () => go(), { once: true });
    });
  }

  /** One decision. True when another one may follow from it. */
  #once(): boolean {
    const observation = this.observation();
    const before = this.#state;
    const decision = decide(before, observation);
    this.#p.onDecided?.(before, observation, decision);
    this.#state = decision.state;
    const turned = decision.state.phase !== before.phase;
    const newRule = decision.rule !== this.#last?.rule;
    this.#last = decision;
    if (turned || (decision.notable && (newRule || observation.order !== null)))
      this.#writeDecision(decision, before.phase);
    for (const effect of decision.effects) this.#carryOut(effect);
    return turned || decision.effects.length > 0;
  }

  #carryOut(effect: Effect): void {
    const runner = this.#p.runner();
    switch (effect.do) {
      case 'start-promotion':
        return this.#begin('promotion', effect.origin, effect);
      case 'start-planned':
        return this.#begin(effect.kind, 'person', effect);
      case 'cancel-runbook':
        return runner.cancel(effect.because);
      case 'resume-runbook':
        return runner.resume(effect);
      case 'abandon-runbook':
        return runner.abandon(effect.because);
      case 'stand-down':
        return this.#beginStandDown(effect);
      case 'tell':
        this.#write('alert', effect.severity, effect.key, effect.text);
        return this.#p.tell(effect);
      case 'answer':
        return this.#answer(effect);
    }
  }

  #begin(
    kind: PlannedKind | 'promotion',
    origin: Origin,
    effect: Effect & { do: 'start-promotion' | 'start-planned' },
  ) {
    const { by, because, overrides } = effect;
    const steps = effect.do === 'start-promotion' ? promotionStepIds : plannedStepIds(effect);
    this.#p.runner().begin({ kind, origin, by, because, overrides, epoch: null, dryRun: false, steps });
  }

  #beginStandDown(effect: Effect & { do: 'stand-down' }): void {
    const { origin, by, because, epoch, overrides } = effect;
    const start = { kind: 'stand-down', dryRun: false, steps: standDownStepIds } as const;
    this.#p.runner().begin({ ...start, origin, by, because, epoch, overrides });
  }

  #answer(effect: Effect & { do: 'answer' }): void {
    const at = this.#orders.findIndex((o) => o.order.id === effect.order);
    const [waiting] = at < 0 ? [] : this.#orders.splice(at, 1);
    if (!waiting) return;
    const { order } = waiting;
    const { accepted, reason, refusedBy } = effect;
    const evidence = {
      by: order.by,
      reason: order.reason,
      refusedBy,
      overrides: order.kind === 'cancel' ? [] : order.overrides,
    };
    const rule = this.#last?.rule ?? '';
    this.#write(
      'order',
      accepted ? 'info' : 'warning',
      `order.${order.kind}`,
      `${order.by}: ${order.kind}: ${accepted ? 'accepted' : 'refused'}: ${reason}`,
      evidence,
    );
    waiting.answer({ accepted, rule, reason, refusedBy: [...refusedBy] });
  }

  /** Wakes at the next moment at which time alone changes what the rules see. */
  #sleep(): void {
    this.#wake?.();
    this.#wake = null;
    const { senses, clock } = this.#p;
    const policy = senses.policy();
    const now = clock.now();
    const waits: number[] = [];
    const ends = countdownEndsAt(this.#state, policy);
    if (ends !== null && ends > now) waits.push(ends - now);
    const maintenance = senses.maintenanceLeftMs();
    if (maintenance !== null) waits.push(maintenance);
    if (this.#state.phase === 'awaiting' && senses.cooldownLeftMs() > 0) waits.push(senses.cooldownLeftMs());
    if (waits.length > 0) this.#wake = clock.after(Math.min(...waits) + 1, () => this.tick());
  }

  /** A test that turned is a row of its own: an admin wants to see SIP die before anything was decided. */
  #writeTurns(before: Round | null, round: Round): void {
    const was = new Map(before?.beats.map((b) => [b.test, b]));
    for (const beat of round.beats) {
      const old = was.get(beat.test);
      if (!old || old.outcome === beat.outcome) continue;
      const severity: Severity = failed(beat) ? 'warning' : 'info';
      this.#write(
        'beat',
        severity,
        `test.${beat.test}`,
        `${beat.test} turned from ${old.outcome} to ${beat.outcome}: ${beat.evidence}`,
        { ms: beat.ms, ...beat.detail },
      );
    }
  }

  #writeDecision(decision: Decision, from: Phase): void {
    const { phase, verdict, failedRounds } = decision.state;
    const severity = phase === from ? 'info' : (graveOf[phase] ?? 'info');
    const evidence = {
      from,
      to: phase,
      facts: decision.facts,
      failedRounds,
      round: this.#round?.seq ?? null,
      beats: this.#round?.beats ?? [],
    };
    const at = this.#p.clock.wall();
    this.#p.store.event({
      at,
      kind: 'decision',
      severity,
      rule: decision.rule,
      reason: decision.reason,
      phase,
      verdict,
      evidence,
    });
  }

  #write(
    kind: 'beat' | 'order' | 'alert' | 'engine',
    severity: Severity,
    rule: string,
    reason: string,
    evidence: Record<string, unknown> = {},
  ): void {
    const { phase, verdict } = this.#state;
    this.#p.store.event({ at: this.#p.clock.wall(), kind, severity, rule, reason, phase, verdict, evidence });
  }
}
