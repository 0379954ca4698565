/**
 * The engine on any ports: heartbeat, core, runbook and journal put together. The same assembly runs on a server, in the
 * lab and in the simulator; only the ports differ.
 */
import type { OrderAnswer } from '../contract/contract.ts';
import type { Phase, Role, Severity } from '../contract/words.ts';
import type { Decision } from '../engine/decide.ts';
import { isOutranked, serves } from '../engine/facts.ts';
import type { CoreState, DataState, Observation, PlannedSight, Policy, Round, Word } from '../engine/observation.ts';
import {
  type Cancel,
  type Claims,
  type ClaimsSeen,
  type Clock,
  claimLostKey,
  type Dns,
  type Files,
  type Net,
  type Proc,
  type Random,
  type RunbookRecord,
  type Store,
  standingLostKey,
} from '../engine/ports.ts';
import { Monitor, type Watched } from '../heartbeat/monitor.ts';
import { EpochMemory } from '../runbook/epoch-seen.ts';
import type { PbxApi, PeerFence } from '../runbook/fence/means.ts';
import { givesWayFrom } from '../runbook/giving-way.ts';
import { Interpreter, type OrderAsk } from '../runbook/interpreter.ts';
import { failedClaim } from '../runbook/journal-view.ts';
import type { PairAtWork } from '../runbook/planned.ts';
import { type PromotionPlan, promotionSteps } from '../runbook/promotion.ts';
import { guardsHold, plannedHold, whyNotDown } from '../runbook/proof-asked.ts';
import { Runner } from '../runbook/runner.ts';
import type { Step } from '../runbook/step.ts';
import { Lasting } from './lasting.ts';

export interface Ports {
  clock: Clock;
  net: Net;
  proc: Proc;
  files: Files;
  dns: Dns;
  store: Store;
  random: Random;
  claims: Claims;
  /** asks the other node to stand down; none as long as there is no peer link */
  peer?: PeerFence;
  /** what the other node, and this one's storeroom, do for a planned change of roles */
  pair?: PairAtWork;
  /** the PBX's own API of the other node */
  pbxApi?: PbxApi;
}

/** The configuration as the engine needs it. */
export interface Site {
  /** this node's name in claims and logs */
  node: string;
  /** where the configuration says that this node starts */
  role: Role;
  policy: Policy;
  watched: Watched;
  plan: PromotionPlan;
}

/** What later parts (backup, peer link) tell the engine. */
export interface Outside {
  word(): Word | null;
  claims(): ClaimsSeen;
  data(): DataState;
  /** absent: no planned change of roles */
  planned?(): PlannedSight;
  /** resolves when no restore changes the PBX's data any more; called while a runbook is open */
  settled(signal: AbortSignal): Promise<void>;
  /** resolves when nothing lets the PBX on any more; absent: nothing ever does */
  lettingOn?(signal: AbortSignal): Promise<void>;
}

export interface Hooks {
  /** something a screen may show changed */
  onChange(): void;
  onRound(round: Round, wall: number): void;
  tell(message: { key: string; severity: Severity; text: string }): void;
  onDecided?(before: CoreState, observation: Observation, decision: Decision): void;
}

/** A takeover takes a minute or two; this is longer. */
const afterClaim = 300_000;

const endToldKey = 'endTold';
const hasEnded = ({ kind, status, dryRun }: RunbookRecord): boolean =>
  kind !== 'stand-down' && !dryRun && (status === 'done' || status === 'halted');
/** Halted twice, it has ended twice. */
const endOf = ({ id, status, entries }: RunbookRecord): string => `${id} ${status} ${entries.length}`;

/** Another of these is another thing that is seen healthy; references and patience only bend how it is judged. */
const whatIsSeen = ({ watched: { target, tests } }: Site) => ({
  target,
  tests: tests.map((test) => ({ ...test, timeoutMs: 0 })),
});

export class Engine {
  readonly lasting: Lasting;
  readonly interpreter: Interpreter;
  readonly runner: Runner;
  readonly #ports: Ports;
  readonly #monitor: Monitor;
  readonly #steps: ReturnType<typeof promotionSteps>;
  #site: Site;
  #stopGaps: Cancel | null = null;

  constructor(ports: Ports, site: Site, outside: Outside, hooks: Hooks) {
    this.#ports = ports;
    this.#site = site;
    const { clock, store, net } = ports;
    this.#epochs = new EpochMemory(store);
    this.#beginStanding();
    this.lasting = new Lasting(clock, store);
    this.#steps = promotionSteps({
      ...ports,
      node: site.node,
      plan: () => this.#site.plan,
      settled: (signal) => outside.settled(signal),
      lettingOn: async (signal) => outside.lettingOn?.(signal),
      askGuards: (runbook, signal) => guardsHold(this.interpreter.asked, runbook, signal),
      askReady: (runbook, signal) => plannedHold(clock, this.interpreter.asked, runbook, signal),
    });
    this.runner = new Runner({
      ...ports,
      stepsFor: this.#steps,
      whyNotDown: (record, signal) => whyNotDown(clock, this.interpreter.asked, record, signal),
      tell: (message) => hooks.tell(message),
      onChange: () => this.#runbookChanged(),
    });
    this.interpreter = new Interpreter(
      {
        clock,
        store,
        runner: () => this.runner,
        senses: {
          policy: () => this.#site.policy,
          word: () => outside.word(),
          claims: () => this.#claimsSeen(outside.claims()),
          data: () => outside.data(),
          planned: () => outside.planned?.() ?? null,
          maintenanceLeftMs: () => this.lasting.maintenance()?.leftMs ?? null,
          cooldownLeftMs: () => this.#cooldownLeftMs(),
        },
        setEvery: (ms) => this.#monitor.setEvery(ms),
        tell: (message) => {
          hooks.tell(message);
          this.#noteEndTold(message.key);
        },
        ...(hooks.onDecided ? { onDecided: hooks.onDecided } : {}),
        onDecision: () => {
          this.#noteMaintenanceEnd();
          this.#epochs.note(this.interpreter.observation().highestEpoch);
          hooks.onChange();
        },
      },
      this.#beginning(),
    );
    this.#monitor = new Monitor({ clock, net }, site.watched, site.policy.intervalMs, (round, wall) => {
      hooks.onRound(round, wall);
      this.interpreter.roundDone(round);
    });
  }

  get site(): Site {
    return this.#site;
  }

  /** The steps of a runbook by the configuration as it is now; nothing is run. */
  stepsFor(record: Pick<RunbookRecord, 'steps'>): readonly Step[] {
    return this.#steps(record);
  }

  start(): void {
    const { store, clock } = this.#ports;
    const { phase } = this.interpreter.state;
    const reason = `Estepe watches, in phase ${phase}`;
    store.event({
      at: clock.wall(),
      kind: 'engine',
      severity: 'info',
      rule: 'engine.started',
      reason,
      phase,
      verdict: null,
      evidence: {},
    });
    if (this.#roleTaken !== null) this.#note('standing.configured', this.#roleTaken);
    this.#stopGaps = clock.onGap((gap) => this.interpreter.gapSeen(gap));
    this.#monitor.start();
    this.runner.recover();
    this.interpreter.tick();
  }

  /** Ends tests and the running step; an open runbook stays open and is resumed at the next start. */
  async stop(): Promise<void> {
    this.#stopGaps?.();
    this.#monitor.stop();
    this.interpreter.end();
    await this.runner.stop();
  }

  /** A valid new configuration. Takes effect at once; a running step keeps what it began with. */
  reconfigure(site: Site): void {
    const before = this.#site;
    this.#site = site;
    const changed = JSON.stringify(before.watched) !== JSON.stringify(site.watched);
    const others = JSON.stringify(whatIsSeen(before)) !== JSON.stringify(whatIsSeen(site));
    // A slip in the address or in a port must not look like the death of what was watched before. Healthy by `all` is not yet
    // healthy by `any`, which wants every test answered; the other way round it is.
    const stricter = before.policy.failWhen === 'all' && site.policy.failWhen === 'any';
    if (others || stricter) this.interpreter.watchAnew();
    else if (changed) this.interpreter.countAnew();
    if (changed) this.#monitor.watch(site.watched);
    this.interpreter.tick();
  }

  order(ask: OrderAsk): Promise<OrderAnswer> {
    return this.interpreter.order(ask);
  }

  maintenanceOn(ask: { by: string; reason: string; forMs: number }): { until: number } {
    const { until } = this.lasting.maintenanceOn(ask);
    this.#note(
      'order.maintenance-on',
      `${ask.by} switched maintenance on for ${Math.round(ask.forMs / 60_000)} min${ask.reason ? `: ${ask.reason}` : ''}`,
    );
    this.interpreter.tick();
    return { until };
  }

  maintenanceOff(ask: { by: string }): { was: boolean } {
    const was = this.lasting.maintenanceOff();
    if (was) this.#note('order.maintenance-off', `${ask.by} switched maintenance off`);
    this.interpreter.tick();
    return { was };
  }

  /**
   * The other node goes under that epoch and asks this one to stand down. Resolves when it has, or will not: then `sentence` says why.
   * Asked again it joins what is under way.
   */
  async standDownAsked(epoch: number, because: string): Promise<{ accepted: boolean; sentence: string }> {
    const { asked, standing } = this.interpreter;
    // A claim made here later goes above it, even if the other one's is to be seen nowhere else.
    this.#epochs.note(epoch);
    if (this.interpreter.state.phase === 'promoting') {
      const facts = this.runner.facts();
      if (facts?.kind !== 'promotion' || facts.committed || epoch < givesWayFrom(this.runner.record))
        return { accepted: false, sentence: 'this node is taking over itself' };
      this.#note('standing.gave-way', `the other node takes over under epoch ${epoch}: this takeover gives way`);
      this.runner.cancel(`the other node takes over under epoch ${epoch}, which goes first`);
    }
    if (epoch <= standing.epoch && standing.role === 'active')
      return { accepted: false, sentence: `this node is active under epoch ${standing.epoch}` };
    if (standing.role === 'active') {
      this.#askedEpoch = Math.max(this.#askedEpoch, epoch);
      this.#note('standing.asked', `the other node asks this one to stand down under epoch ${epoch}: ${because}`);
    }
    const forever = new AbortController().signal;
    this.interpreter.tick();
    for (;;) {
      const { phase } = this.interpreter.state;
      const facts = this.runner.facts();
      if (phase === 'halted')
        return { accepted: false, sentence: `it stopped: ${facts?.reason ?? 'a runbook stands halted here'}` };
      if (phase !== 'standing-down' && phase !== 'promoting' && this.interpreter.standing.role === 'passive')
        return { accepted: true, sentence: `passive under epoch ${this.interpreter.standing.epoch}` };
      if (asked.ended()) return { accepted: false, sentence: 'this engine is ending' };
      await asked.next(forever);
    }
  }

  /** This node is active, and nobody is known to go under a higher epoch. */
  get serves(): boolean {
    return serves(this.interpreter.state.phase) && !isOutranked(this.interpreter.observation());
  }

  /** Why the other node gets no backup from here; null: it may ask. Having stood down at its request, this node holds its data still. */
  whyNoBackup(epoch: number | null): string | null {
    const { standing } = this.interpreter;
    const { record } = this.runner;
    if (this.runner.isOpen) return `a ${record?.kind ?? 'runbook'} is open there`;
    if (standing.role === 'active')
      return epoch === null ? null : `it is the active node, under epoch ${standing.epoch}`;
    const forIt = record?.kind === 'stand-down' && record.status === 'done' && record.epoch === epoch;
    return epoch !== null && standing.epoch === epoch && forIt ? null : 'it is not the active one';
  }

  readonly #epochs: EpochMemory;
  /** Under which the other node asked this one to stand down. */
  #askedEpoch = 0;

  #claimsSeen(seen: ClaimsSeen): ClaimsSeen {
    const asked = this.#askedEpoch > this.interpreter.standing.epoch ? this.#askedEpoch : 0;
    return asked > seen.foreign ? { ...seen, foreign: asked } : seen;
  }

  /** A person says that role and epoch, lost with a damaged history, are as they stand here now. */
  standingConfirmed(ask: { by: string; reason: string }): { was: boolean } {
    const { store } = this.#ports;
    const was = store.recall(standingLostKey) != null;
    if (was) {
      store.remember(standingLostKey, null);
      const { role, epoch } = this.interpreter.observation().standing;
      const why = ask.reason ? `: ${ask.reason}` : '';
      this.#note(
        'order.standing-confirmed',
        `${ask.by} confirmed that this node is ${role} under epoch ${epoch}${why}`,
      );
      this.interpreter.standingChanged();
      this.interpreter.tick();
    }
    return { was };
  }

  /**
   * The full cool-down follows what went live, here or, when another node won the claim, there: it is given the time to come up,
   * however short the cool-down is, since two nodes must not outbid each other. A claim that was taken back holds five minutes at most.
   */
  #cooldownLeftMs(): number {
    const { cooldownMs } = this.#site.policy;
    const { record } = this.runner;
    const isLost = record && failedClaim(record) && this.#ports.store.recall(claimLostKey) === record.id;
    const afterClaimMs = isLost ? Math.max(cooldownMs, afterClaim) : Math.min(cooldownMs, afterClaim);
    return this.lasting.cooldownLeftMs(cooldownMs, afterClaimMs);
  }

  #noteMaintenanceEnd(): void {
    if (this.lasting.maintenanceEnded()) this.#note('maintenance.ended', 'maintenance ended by itself');
  }

  #note(rule: string, reason: string): void {
    const { store, clock } = this.#ports;
    const { phase, verdict } = this.interpreter.state;
    store.event({ at: clock.wall(), kind: 'order', severity: 'info', rule, reason, phase, verdict, evidence: {} });
  }

  #runbookChanged(): void {
    try {
      this.lasting.promotionNoted();
      this.interpreter.standingChanged();
    } catch {
      // A disk that cannot be read now must not end the engine in the middle of a runbook: what was known before holds.
    }
    this.interpreter.tick();
  }

  /** A promotion's end that people were told of. Where that cannot be written, they are told once more after a restart. */
  #noteEndTold(key: string): void {
    const { record } = this.runner;
    if (!record || (key !== 'promoted' && key !== `halted.${record.id}`)) return;
    try {
      this.#ports.store.remember(endToldKey, endOf(record));
    } catch {
      // a full disk: better told twice than never
    }
  }

  /**
   * The configuration says where a node starts. As long as nothing was ever promoted or claimed here, a corrected `role` is that
   * start; from the first runbook on the standing wins.
   */
  #beginStanding(): void {
    const { store, clock } = this.#ports;
    const { role } = this.#site;
    const standing = store.standing();
    const untouched = store.highestEpoch() === 0 && store.lastRunbook() === null;
    if (standing && (standing.role === role || !untouched)) return;
    store.saveStanding({ role, epoch: 0, since: clock.wall() });
    if (standing)
      this.#roleTaken = `the configuration says ${role} now, and nothing was ever promoted here: that is its standing`;
  }

  #roleTaken: string | null = null;

  /** Where this node stands when the engine starts: the journal first, then the standing, then the configuration. */
  #beginning(): Phase {
    const { store } = this.#ports;
    const open = store.openRunbook();
    const last = open ?? store.lastRunbook();
    // Its end was journaled, but this process died before anybody was told: it is met as if it ended now.
    if (last && hasEnded(last) && store.recall(endToldKey) !== endOf(last)) return 'promoting';
    if (open) {
      if (open.status === 'halted') return 'halted';
      return open.kind === 'stand-down' ? 'standing-down' : 'promoting';
    }
    const role = store.standing()?.role ?? this.#site.role;
    if (role === 'active') return this.#site.role === 'active' ? 'serving' : 'active';
    return this.#site.role === 'active' ? 'stood-down' : 'starting';
  }
}
