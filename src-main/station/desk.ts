/**
 * The desk of a running engine: snapshot, feed, orders, history, as the contract's calls without a transport. Passes orders on
 * and answers what the core answered; decides nothing.
 */
import type { Storeroom } from '../backup/storeroom.ts';
import type { Desk, DoctorDesk, DrillDesk, PromoteAsk, SettingsDesk } from '../contract/desk.ts';
import type { EventView, Snapshot } from '../contract/snapshot.ts';
import type { Phase } from '../contract/words.ts';
import { plannedGuards, standDownGuards } from '../engine/planned-guards.ts';
import type { Clock, RunbookRecord } from '../engine/ports.ts';
import type { History } from '../history/history.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { PeerLink } from '../peer/link.ts';
import type { NodeWord } from '../peer/word.ts';
import type { OrderAsk } from '../runbook/interpreter.ts';
import { isBehind } from '../runbook/journal-view.ts';
import { plannedStepIds } from '../runbook/planned.ts';
import { promotionStepIds } from '../runbook/promotion.ts';
import { type Step, standDownStepIds } from '../runbook/step.ts';
import type { BeatRing } from './beat-ring.ts';
import type { Engine } from './engine.ts';
import { Feed, pulseMs } from './feed.ts';
import { coveredByWords, pictureOf } from './picture.ts';
import type { RunningConfig } from './running-config.ts';

export interface DeskParts {
  engine: Engine;
  clock: Clock;
  history: History;
  /** how many events were written; tells when to read them anew */
  events: () => number;
  beats: BeatRing;
  config: RunningConfig;
  /** of what would start with the machine and must not, and of the other node's word */
  troublesBeside: () => Snapshot['troubles'];
  /** the other node's word, as heard last */
  saidByOther: () => NodeWord | null;
  backups: Pick<Storeroom, 'desk' | 'view' | 'offset' | 'troubles'>;
  peer: PeerLink;
  doctor: DoctorDesk;
  notifier: Pick<Notifier, 'test' | 'list' | 'view' | 'troubles'>;
  settings: SettingsDesk;
  drill: { readonly desk: DrillDesk; view(): Snapshot['drill']; troubles(): Snapshot['troubles'] };
  self: Snapshot['engine'];
  stop: Desk['stop'];
  onFault: (error: unknown) => void;
}

const eventsShown = 50;

export interface StationDesk {
  desk: Desk;
  /** something a client may see changed */
  changed(): void;
  close(): void;
}

export function makeDesk(parts: DeskParts): StationDesk {
  const { engine, history, config } = parts;
  const feed = new Feed(picturesOf(parts), parts.onFault);

  const orderOf = (ask: PromoteAsk): OrderAsk => ({
    kind: 'promote',
    by: ask.by,
    reason: ask.reason,
    overrides: ask.overrides,
    skipStep: ask.skipStep,
  });
  const desk: Desk = {
    snapshot: () => feed.snapshot(),
    subscribe: (call) => feed.subscribe(call),
    async promote(ask) {
      const order = orderOf(ask);
      const answer = ask.dryRun ? engine.interpreter.consider(order) : await engine.order(order);
      return { ...answer, plan: planOf(engine) };
    },
    async switchover({ kind, by, reason, overrides, whenIdle = false, dryRun }) {
      const { interpreter } = engine;
      const order: OrderAsk = { kind, by, reason, overrides, whenIdle };
      const guards = plannedGuards(kind, interpreter.state, interpreter.observation());
      const answer = dryRun ? interpreter.consider(order) : await engine.order(order);
      const steps = engine.stepsFor({ steps: plannedStepIds({ whenIdle }) });
      const pointOfNoReturn = steps.findIndex((step) => step.pointOfNoReturn);
      return { ...answer, plan: steps.map(inPlan), pointOfNoReturn, guards };
    },
    async standDown({ by, reason, overrides, dryRun }) {
      const { interpreter } = engine;
      const order: OrderAsk = { kind: 'stand-down', by, reason, overrides };
      const guards = standDownGuards(interpreter.state, interpreter.observation());
      const answer = dryRun ? interpreter.consider(order) : await engine.order(order);
      return { ...answer, plan: engine.stepsFor({ steps: standDownStepIds }).map(inPlan), guards };
    },
    cancel: ({ by, reason }) => engine.order({ kind: 'cancel', by, reason }),
    maintenanceOn: (ask) => engine.maintenanceOn(ask),
    maintenanceOff: (ask) => engine.maintenanceOff(ask),
    stop: parts.stop,
    backups: parts.backups.desk,
    pair: {
      open: ({ by }) => parts.peer.pairOpen(by),
      join: ({ by, code }) => parts.peer.pairJoin(by, code),
      status: () => parts.peer.status(),
      remove: ({ by }) => parts.peer.pairRemove(by),
    },
    doctor: { start: () => parts.doctor.start(), view: () => parts.doctor.view() },
    drill: parts.drill.desk,
    notify: {
      test: ({ channel }) => parts.notifier.test(channel),
      list: ({ limit }) => parts.notifier.list(limit),
    },
    settings: parts.settings,
    standingConfirmed: (ask) => engine.standingConfirmed(ask),
    events: (query) => history.events(query),
    series: ({ test, from, to, points }) => ({
      ...history.series({ test, from, to, points }),
      availability: history.availability(test, from, to, config.running.heartbeat.interval),
    }),
    beats: (query) => history.beatRows(query),
    configShown: () => config.shown(),
  };
  return { desk, changed: () => feed.changed(), close: () => feed.close() };
}

/** The steps a promotion would take now, or those that a halted one has left, in words. */
export function planOf(engine: Engine): string[] {
  const open = engine.runner.record;
  const halted = open?.status === 'halted' && engine.interpreter.state.phase === 'halted' ? open : null;
  const steps = engine.stepsFor(halted ?? { steps: promotionStepIds });
  const left = halted ? steps.filter((step) => !isBehind(halted, step)) : steps;
  return left.map(inPlan);
}

const inPlan = ({ title, detail }: Step): string => (detail === '' ? title : `${title}: ${detail}`);

/** As planned, and behind them what was begun to give it up. */
function stepsShown({ steps, entries }: RunbookRecord): RunbookRecord['steps'] {
  return [...new Set([...steps, ...entries.map((entry) => entry.step)])];
}

/** Takes pictures; keeps what need not be read anew for each. */
function picturesOf(parts: DeskParts): () => Omit<Snapshot, 'version'> {
  const { engine, clock, history, beats, config, self } = parts;
  let events: EventView[] = [];
  let seen = -1;
  let phase: { name: Phase; mono: number; wall: number } | null = null;
  const begun = clock.now();

  const newestEvents = (): EventView[] => {
    const count = parts.events();
    if (count !== seen) {
      events = history.events({ limit: eventsShown });
      seen = count;
    }
    return events;
  };
  /** Kept for as long as the phase lasts: worked out anew each time it would jitter, and jump with the wall clock. */
  const since = (): number => {
    const { state } = engine.interpreter;
    if (phase === null || phase.name !== state.phase || phase.mono !== state.since) {
      const wall = Math.round(clock.wall() - (clock.now() - state.since));
      phase = { name: state.phase, mono: state.since, wall };
    }
    return phase.wall;
  };
  const troubles = (): Snapshot['troubles'] => {
    const own = [history.notice, history.trouble()].filter((trouble) => trouble !== null);
    const { policy, watched } = engine.site;
    // No round for so long: the tests are stuck, or this process is starved.
    const quietMs = clock.now() - (engine.interpreter.round?.endedAt ?? begun);
    const slowest = Math.max(0, ...watched.tests.map((test) => test.timeoutMs));
    const bound = 3 * policy.intervalMs + slowest + 2 * pulseMs;
    const stalled =
      watched.tests.length > 0 && quietMs > bound
        ? [
            {
              key: 'watch-stalled',
              sentence: `No round of tests has ended for ${Math.round(quietMs / 1000)} s: the other node is not being watched.`,
              todo: 'See the log, and start Estepe again.',
            },
          ]
        : [];
    const { standing } = engine.interpreter.observation();
    const lost = standing.lost
      ? [
          {
            key: 'standing-lost',
            sentence: `Role and epoch of this node were lost with a damaged history. It takes itself for ${standing.role} under epoch ${standing.epoch}${standing.role === 'passive' ? ', and takes over only by your order' : ''}.`,
            todo: 'Look at both nodes. If that is right: `estepe standing confirm`.',
          },
        ]
      : [];
    const beside = [
      ...parts.troublesBeside(),
      ...parts.backups.troubles(),
      ...parts.drill.troubles(),
      ...parts.notifier.troubles(),
    ];
    return [...stalled, ...lost, ...beside, ...config.troubles(), ...own];
  };

  return () => {
    const { interpreter, lasting, runner } = engine;
    const observation = interpreter.observation();
    const { last } = interpreter;
    const maintenance = lasting.maintenance();
    return pictureOf({
      engine: self,
      config: config.running,
      state: interpreter.state,
      observation,
      last: last && { rule: last.rule, reason: last.reason },
      cadence: interpreter.cadence(),
      since: since(),
      standing: observation.standing,
      beats: beats.all(
        engine.site.watched.tests.map((test) => test.id),
        observation.wall,
      ),
      maintenance: maintenance && {
        ...maintenance,
        // by the second: worked out from two clocks, it would tremble
        until: Math.round(maintenance.until / 1000) * 1000,
        leftMs: Math.round(maintenance.leftMs),
      },
      backups: parts.backups.view(),
      drill: parts.drill.view(),
      notify: parts.notifier.view(),
      peer: coveredByWords(parts.peer.view(), config.running.backup !== null, observation.claims),
      said: parts.saidByOther(),
      offset: parts.backups.offset(),
      runbook: runner.record,
      runner,
      stepsFor: (record: RunbookRecord) => engine.stepsFor({ steps: stepsShown(record) }),
      events: newestEvents(),
      troubles: troubles(),
    });
  };
}
