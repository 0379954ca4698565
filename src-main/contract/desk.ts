/**
 * What a running engine offers in its own process: the contract's calls without a transport. `station` implements it,
 * `console` serves it over HTTP and message ports, the tray and the lab use it directly.
 */
import type { BackupAnswer } from './backups.ts';
import type { OrderAnswer, SeriesPoint } from './contract.ts';
import type { DoctorView } from './doctor.ts';
import type { DrillReport } from './drill.ts';
import type { Availability, EventQuery } from './history.ts';
import type { ChannelName, DeliveryView, NotifyTest } from './notify.ts';
import type { PairCode, PeerAnswer, PeerStatus } from './peer.ts';
import type {
  CheckAsk,
  CheckedView,
  SaveAnswer,
  SettingsView,
  TrialAnswer,
  TrialKind,
  TrialsView,
} from './settings.ts';
import type { EventView, FeedFrame, GuardView, Snapshot } from './snapshot.ts';
import type { GuardName, PlannedKind } from './words.ts';

export interface PromoteAsk {
  by: string;
  reason: string;
  overrides: readonly { guard: GuardName; reason: string }[];
  dryRun: boolean;
  skipStep: boolean;
}

export interface SwitchoverAsk extends Omit<PromoteAsk, 'skipStep'> {
  kind: PlannedKind;
  /** before the claim it is waited for that no call is active on the other node */
  whenIdle?: boolean;
}

export type StandDownAsk = Omit<PromoteAsk, 'skipStep'>;
export type StandDownAnswer = OrderAnswer & { plan: string[]; guards: GuardView[] };

export type SwitchoverAnswer = OrderAnswer & { plan: string[]; pointOfNoReturn: number; guards: GuardView[] };

export interface BeatRow {
  at: number;
  outcome: Snapshot['tests'][number]['beats'][number]['outcome'];
  ms: number;
  evidence: string;
}

/** Orders about backups; what becomes of them is in the snapshot. `name` null: the newest. */
export interface BackupsDesk {
  refresh(): Promise<{ read: boolean }>;
  run(ask: { by: string }): BackupAnswer;
  verify(ask: { by: string; name: string | null }): BackupAnswer;
  restore(ask: { by: string; name: string | null }): BackupAnswer;
  cancel(ask: { by: string }): BackupAnswer;
}

/** The link to the other node's engine; what becomes of a pairing is in the snapshot's `peer`. */
export interface PairDesk {
  open(ask: { by: string }): PairCode;
  join(ask: { by: string; code: string }): Promise<PeerAnswer>;
  status(): PeerStatus;
  remove(ask: { by: string }): { was: boolean };
}

/** The doctor: a look is begun, and asked after until it has ended. */
export interface DoctorDesk {
  start(): { begun: boolean };
  view(): DoctorView;
}

/** The drill; what becomes of one is in the snapshot. */
export interface DrillDesk {
  start(ask: { by: string }): BackupAnswer;
  cancel(ask: { by: string }): BackupAnswer;
  report(): DrillReport | null;
}

/** How people are told; the state of the channels is in the snapshot. */
export interface NotifyDesk {
  /** `channel` null: all of them; really sends */
  test(ask: { by: string; channel: ChannelName | null }): Promise<NotifyTest>;
  /** newest first */
  list(query: { limit: number }): DeliveryView[];
}

/** The configuration: read, judged, tried, saved. A secret goes in and never out. */
export interface SettingsDesk {
  read(): SettingsView;
  check(ask: CheckAsk): CheckedView;
  save(ask: { by: string; text: string; base: string }): Promise<SaveAnswer>;
  setSecret(ask: { by: string; name: string; secret: string }): { name: string };
  readonly trials: {
    start(ask: { kind: TrialKind; text: string }): TrialAnswer;
    view(): TrialsView;
    cancel(ask: { kind: TrialKind }): { was: boolean };
  };
}

export interface Desk {
  snapshot(): Snapshot;
  /** Calls back with every slice and pulse from now on; the caller has taken `snapshot()` first. */
  subscribe(call: (frame: Exclude<FeedFrame, { kind: 'snapshot' }>) => void): () => void;
  promote(ask: PromoteAsk): Promise<OrderAnswer & { plan: string[] }>;
  switchover(ask: SwitchoverAsk): Promise<SwitchoverAnswer>;
  standDown(ask: StandDownAsk): Promise<StandDownAnswer>;
  cancel(ask: { by: string; reason: string }): Promise<OrderAnswer>;
  maintenanceOn(ask: { by: string; reason: string; forMs: number }): { until: number };
  maintenanceOff(ask: { by: string }): { was: boolean };
  /** Answers, then ends the process that runs the engine. @throws EstepeError `refused` where something else runs in it */
  stop(ask: { by: string; reason: string }): { pid: number };
  readonly backups: BackupsDesk;
  readonly pair: PairDesk;
  readonly doctor: DoctorDesk;
  readonly drill: DrillDesk;
  readonly notify: NotifyDesk;
  readonly settings: SettingsDesk;
  standingConfirmed(ask: { by: string; reason: string }): { was: boolean };
  events(query: EventQuery): EventView[];
  series(query: { test: string; from: number; to: number; points: number }): {
    bucketMs: number;
    points: SeriesPoint[];
    availability: Availability;
  };
  beats(query: { test: string; from: number; to: number; limit: number }): BeatRow[];
  configShown(): { path: string; text: string; trouble: string | null };
}
