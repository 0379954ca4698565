/**
 * A double of the engine's desk for tests of the console and its page: a snapshot as a real pair would show it, changed
 * by the test. Decides nothing by rules; it records what it was asked.
 */
import type { OrderAnswer } from '../../../src-main/contract/contract.ts';
import type { BeatRow, Desk, PromoteAsk } from '../../../src-main/contract/desk.ts';
import type {
  EventView,
  FeedFrame,
  GuardView,
  RunbookView,
  Snapshot,
  StepView,
} from '../../../src-main/contract/snapshot.ts';
import { site } from '../config/texts.ts';
import { backupsAt, backupsDesk } from './backups-double.ts';
import { changeDesk } from './change-double.ts';
import { type DoctorDouble, doctorDesk } from './doctor-double.ts';
import { type DrillDouble, drillAfter, drillDesk, passedDrill } from './drill-double.ts';
import { type HistoryDouble, historyDouble } from './history-double.ts';
import { type NotifyDouble, notifyDesk, notifyOff } from './notify-double.ts';
import { pairDesk, peerOff } from './peer-double.ts';
import { type SettingsDouble, settingsDouble } from './settings-double.ts';

type LiveFrame = Exclude<FeedFrame, { kind: 'snapshot' }>;
export type Change = Partial<Omit<Snapshot, 'version' | 'at'>>;

export interface DeskDouble extends Desk {
  /** Merges the change and tells subscribers, as the engine does. */
  change(change: Change): void;
  pulse(): void;
  /** One more beat of a test, by its id. */
  beat(test: string, beat: BeatRow): void;
  readonly subscribers: number;
  readonly asked: { call: string; ask: unknown }[];
  /** What `promote` answers or throws. */
  onPromote: (ask: PromoteAsk) => Promise<OrderAnswer & { plan: string[] }>;
  readonly doctor: DoctorDouble;
  readonly drill: DrillDouble;
  readonly notify: NotifyDouble;
  readonly settings: SettingsDouble;
  readonly history: HistoryDouble;
  /** What `snapshot` throws instead of answering. */
  fault: Error | null;
}

export const plan = [
  'check the guards',
  'claim epoch 4',
  'ask 192.0.2.1 to stand down, and prove its silence',
  'run stop-old-active.cmd',
  'start 3CX services',
  'prove this PBX alive on 192.0.2.2',
  'switch pbx.example.com to 192.0.2.2',
  'run tell-provider.cmd',
  'become the active node',
];

const guard = (name: GuardView['name'], ok: boolean, bindsPerson: boolean, evidence: string): GuardView => ({
  name,
  ok,
  bindsPerson,
  evidence,
});

export const guardsAllOk: GuardView[] = [
  guard('seen-healthy', true, false, 'the active was healthy 30 s ago'),
  guard('standing-known', true, true, 'passive under epoch 3'),
  guard('proven-down', true, true, '3 of 3 rounds failed'),
  guard('references', true, true, 'gateway 192.0.2.254 answers'),
  guard('no-contradiction', true, true, 'nobody says otherwise'),
  guard('restored-data', true, true, 'data of 9 h 02 min ago, verified; at most 24 h'),
  guard('no-maintenance', true, true, 'no maintenance'),
  guard('not-observe-only', true, false, 'acting'),
  guard('cool-down', true, false, 'no promotion in the last 60 min'),
];

export const guardsWhileHealthy: GuardView[] = guardsAllOk.map((g) =>
  g.name === 'proven-down'
    ? { ...g, ok: false, evidence: 'the active answers: sip 200 OK, web 200, tunnel accepts' }
    : g,
);

/** Noon on a Monday, UTC: fixed, so that screens and tests are the same every day. */
export const noon = Date.UTC(2026, 5, 15, 12, 0, 0);

function beats(evidence: string, ms: number, until: number): BeatRow[] {
  return Array.from({ length: 60 }, (_, i) => {
    const at = until - (59 - i) * 30_000;
    if (i === 22) return { at, outcome: 'degraded' as const, ms: ms + 1210, evidence: `${evidence}, but slow` };
    if (i === 37) return { at, outcome: 'dead' as const, ms: 4000, evidence: 'no answer within 4 s (ETIMEDOUT)' };
    return { at, outcome: 'alive' as const, ms: ms + ((i * 7) % 11) / 2, evidence };
  });
}

const event = (id: number, at: number, e: Partial<EventView>): EventView => ({
  id,
  at,
  kind: 'decision',
  severity: 'info',
  rule: 'watch-healthy',
  reason: 'all tests answered',
  phase: 'watching',
  verdict: 'healthy',
  evidence: {},
  ...e,
});

/** The passive of a small office's pair, everything well. */
export function healthySnapshot(now: number): Snapshot {
  return {
    version: 1,
    at: now,
    engine: { startedAt: now - 6 * 3600_000, version: '0.1.0', pid: 4242, dataFolder: '/var/lib/estepe' },
    pair: {
      name: 'head-office',
      fqdn: 'pbx.example.com',
      profile: '3cx-windows',
      mode: 'confirm',
      failWhen: 'all',
      intervalMs: 30_000,
    },
    nodes: [
      {
        place: 'active',
        address: '192.0.2.1',
        self: false,
        role: 'active',
        epoch: 3,
        sentence: 'Serves calls; all three tests answer.',
      },
      {
        place: 'passive',
        address: '192.0.2.2',
        self: true,
        role: 'passive',
        epoch: 3,
        sentence: 'Watches the active every 30 s.',
      },
    ],
    core: {
      phase: 'watching',
      since: now - 5 * 3600_000,
      verdict: 'healthy',
      rule: 'watch-healthy',
      reason: 'all tests answered',
      sentence: 'The active is healthy and the spare is watching; nothing to do.',
      severity: 'info',
      seenHealthy: true,
      failedRounds: 0,
      neededRounds: 3,
      cadence: 'steady',
    },
    tests: [
      { id: 'sip', kind: 'sip', target: 'udp 192.0.2.1:5060', beats: beats('SIP/2.0 200 OK', 3.2, now) },
      {
        id: 'web',
        kind: 'web',
        target: 'https 192.0.2.1:5001',
        beats: beats('HTTP 200, certificate 61 days left', 18, now),
      },
      { id: 'tunnel', kind: 'tunnel', target: 'tcp 192.0.2.1:5090', beats: beats('port accepts', 1.1, now) },
    ],
    references: [
      { id: 'gateway', answered: true, evidence: '192.0.2.254 answers in 1 ms' },
      { id: 'tcp:9.9.9.9:53', answered: true, evidence: 'accepts in 12 ms' },
    ],
    guards: guardsWhileHealthy,
    confirmation: null,
    overlays: { maintenance: null, observeOnly: false },
    offset: { state: 'known', ageMs: 9 * 3600_000 + 120_000, maxMs: 24 * 3600_000, verified: true },
    backups: backupsAt(now),
    drill: drillAfter(passedDrill(now), now - 12 * 24 * 3600_000),
    notify: notifyOff,
    peer: peerOff,
    runbook: null,
    events: [
      event(14, now - 5 * 3600_000, { rule: 'heal', reason: 'the active answers again after 1 failed round of 3' }),
      event(13, now - 5 * 3600_000 - 30_000, {
        rule: 'first-failed-round',
        severity: 'warning',
        reason: 'sip, web, tunnel: no answer within 4 s; checking every 5 s',
        phase: 'suspecting',
        verdict: 'suspect',
      }),
      event(12, now - 6 * 3600_000, { kind: 'engine', rule: 'started', reason: 'the engine started, version 0.1.0' }),
    ],
    troubles: [],
  };
}

/** The snapshot at a confirmation: the active is proven dead, the countdown runs. */
export function awaiting(now: number, leftMs: number): Change {
  const dead = (evidence: string) => (base: Snapshot['tests'][number]) => ({
    ...base,
    beats: base.beats.map((b, i) => (i >= 57 ? { ...b, outcome: 'dead' as const, ms: 4000, evidence } : b)),
  });
  const base = healthySnapshot(now);
  return {
    core: {
      ...base.core,
      phase: 'awaiting',
      since: now - 20_000,
      verdict: 'down',
      rule: 'proven-down-confirm',
      reason: '3 of 3 rounds failed: sip, web and tunnel silent; gateway answers',
      sentence: 'The active is down; the spare takes over when the countdown ends unless you say otherwise.',
      severity: 'alert',
      failedRounds: 3,
      cadence: 'confirming',
    },
    nodes: base.nodes.map((n) =>
      n.place === 'active'
        ? { ...n, sentence: 'Silent for 20 s: no test answers.' }
        : { ...n, sentence: 'Waits for you.' },
    ),
    tests: base.tests.map(dead('no answer within 4 s (ETIMEDOUT)')),
    guards: guardsAllOk,
    confirmation: { endsAt: now + leftMs, leftMs, onSilence: 'promote', held: false, blockedBy: [] },
  };
}

function stepAt(now: number, done: number, id: StepView['id'], i: number): StepView {
  const begun = i <= done;
  const ended = i < done;
  const onFail: Partial<Record<StepView['id'], StepView['onFail']>> = {
    'switch-dns': 'ask',
    'after-script': 'continue',
    'start-services': 'ask',
  };
  return {
    id,
    title: plan[i] ?? id,
    state: ended ? 'done' : begun ? 'running' : 'waiting',
    attempt: begun ? 1 : 0,
    startedAt: begun ? now - (done - i) * 2000 : null,
    endedAt: ended ? now - (done - i - 1) * 2000 : null,
    onFail: onFail[id] ?? 'halt',
    pointOfNoReturn: id === 'start-services',
    result: ended ? 'done' : '',
    output: id === 'before-script' && ended ? 'stopping 3CX services on 192.0.2.1\nstopped 11 of 11\n' : '',
  };
}

/** A promotion that runs, its first `done` steps done. */
export function runbookAt(now: number, done: number, change: Partial<RunbookView> = {}): RunbookView {
  const ids = [
    'guards',
    'claim',
    'fence',
    'before-script',
    'start-services',
    'prove-alive',
    'switch-dns',
    'after-script',
    'flip-standing',
  ] as const;
  return {
    ...{ id: 7, epoch: 4, by: 'console', because: 'the active is down', reason: '', dryRun: false, cancellable: true },
    kind: 'promotion',
    origin: 'person',
    status: 'running',
    overrides: [],
    startedAt: now - done * 2000,
    endedAt: null,
    steps: ids.map((id, i) => stepAt(now, done, id, i)),
    ...change,
  };
}

export function makeDeskDouble(now: number = Date.now()): DeskDouble {
  let held = healthySnapshot(now);
  const calls = new Set<(frame: LiveFrame) => void>();
  const asked: DeskDouble['asked'] = [];
  const tell = (frame: LiveFrame) => {
    for (const call of calls) call(frame);
  };
  const answer: OrderAnswer = { accepted: true, rule: 'person-promotes', reason: 'ordered by a person', refusedBy: [] };
  const history = historyDouble();
  const double: DeskDouble = {
    fault: null,
    asked,
    get subscribers() {
      return calls.size;
    },
    snapshot() {
      if (double.fault !== null) throw double.fault;
      return held;
    },
    subscribe(call) {
      calls.add(call);
      return () => calls.delete(call);
    },
    change(change) {
      const at = Math.max(Date.now(), held.at);
      held = { ...held, ...change, version: held.version + 1, at };
      tell({ kind: 'slice', version: held.version, at, change });
    },
    pulse() {
      held = { ...held, at: Math.max(Date.now(), held.at) };
      tell({ kind: 'pulse', version: held.version, at: held.at });
    },
    beat(test, beat) {
      double.change({
        tests: held.tests.map((t) => (t.id === test ? { ...t, beats: [...t.beats.slice(-59), beat] } : t)),
      });
    },
    async onPromote(ask) {
      const missing = held.guards.filter(
        (g) => g.bindsPerson && !g.ok && !ask.overrides.some((o) => o.guard === g.name),
      );
      if (missing.length > 0) {
        return {
          accepted: false,
          rule: 'person-refused',
          reason: missing.map((g) => `${g.name}: ${g.evidence}`).join('; '),
          refusedBy: missing.map((g) => g.name),
          plan: [...plan],
        };
      }
      return { ...answer, plan: [...plan] };
    },
    async promote(ask) {
      asked.push({ call: 'promote', ask });
      const answered = await double.onPromote(ask);
      // As with the engine: whoever hears that it was accepted finds it under way.
      if (answered.accepted && !ask.dryRun) double.change({ core: { ...held.core, phase: 'promoting' } });
      return answered;
    },
    ...changeDesk(asked, (phase) => double.change({ core: { ...held.core, phase } })),
    async cancel(ask) {
      asked.push({ call: 'cancel', ask });
      return { ...answer, rule: 'person-cancels', reason: 'cancelled by a person' };
    },
    maintenanceOn(ask) {
      asked.push({ call: 'maintenanceOn', ask });
      const until = Date.now() + ask.forMs;
      double.change({
        overlays: { ...held.overlays, maintenance: { until, leftMs: ask.forMs, by: ask.by, reason: ask.reason } },
      });
      return { until };
    },
    maintenanceOff(ask) {
      asked.push({ call: 'maintenanceOff', ask });
      const was = held.overlays.maintenance !== null;
      double.change({ overlays: { ...held.overlays, maintenance: null } });
      return { was };
    },
    stop(ask) {
      asked.push({ call: 'stop', ask });
      return { pid: process.pid };
    },
    backups: backupsDesk(
      asked,
      () => held.backups,
      (backups) => double.change({ backups }),
    ),
    pair: pairDesk(
      asked,
      () => held.peer,
      (peer) => double.change({ peer }),
    ),
    doctor: doctorDesk(asked),
    drill: drillDesk(
      asked,
      () => held.drill,
      (drill) => double.change({ drill }),
    ),
    notify: notifyDesk(asked),
    settings: settingsDouble(asked, site),
    standingConfirmed(ask) {
      asked.push({ call: 'standingConfirmed', ask });
      return { was: true };
    },
    history,
    events: (query) => history.events(query, held.events),
    series: (query) => history.series(query),
    beats: ({ test, limit }) => held.tests.find((t) => t.id === test)?.beats.slice(-limit) ?? [],
    configShown: () => ({ path: '/var/lib/estepe/estepe.yaml', text: 'role: passive\n', trouble: null }),
  };
  return double;
}
