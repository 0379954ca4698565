/**
 * What the core is given and what it keeps. Plain data: an observation can be written to a file and replayed.
 * Times are monotonic milliseconds (`at`) unless named otherwise.
 */
import type {
  FailWhen,
  GuardName,
  Mode,
  OnSilence,
  Origin,
  Phase,
  PlannedKind,
  Role,
  RunbookKind,
  RunbookStatus,
  Verdict,
} from '../contract/words.ts';
import type { Beat, ClaimsSeen, Gap, ReferenceBeat } from './ports.ts';

/** All tests of one heartbeat interval. */
export interface Round {
  /** grows by one */
  seq: number;
  startedAt: number;
  endedAt: number;
  beats: readonly Beat[];
  references: readonly ReferenceBeat[];
}

/** What the other node says of itself, through the location or the peer link. */
export interface Word {
  role: Role;
  epoch: number;
  /** how old it is, by our own monotonic clock since we read a newer one */
  ageMs: number;
  /** outcome of the same tests run against itself: true when by the pair's rule it serves */
  healthy: boolean;
  via: 'location' | 'peer-link';
  /** how often the other node says one */
  everyMs: number;
}

export type DataState =
  | { state: 'not-kept' }
  | { state: 'never' }
  | { state: 'known'; ageMs: number; verified: boolean };

/** What a planned change of roles stands on, beside what is watched. */
export interface PlannedSight {
  /** `heardAgoMs` null: not in this life */
  link: { paired: boolean; heardAgoMs: number | null; trouble: string | null };
  /** why nothing could be restored here; null: it could */
  whyNoRestore: string | null;
  /** what a restore here would destroy; null: nothing */
  unsaved: string | null;
  /** whether the configuration has this node start as the active one: the way home leads here */
  home: boolean;
}

export interface RunbookFacts {
  id: number;
  kind: RunbookKind;
  origin: Origin;
  status: RunbookStatus;
  /** past the point of no return */
  committed: boolean;
  /** a cancellation was asked and is under way */
  cancelling: boolean;
  /** halted at a step that may be left out (its `onFail` is `ask`) */
  skippable: boolean;
  reason: string;
}

export interface Override {
  guard: GuardName;
  reason: string;
}

/** What a person asks. Ids grow; an order is answered once. */
export type Order = { id: number; by: string; reason: string } & (
  | { kind: 'promote'; overrides: readonly Override[]; skipStep: boolean }
  | { kind: PlannedKind; overrides: readonly Override[]; whenIdle?: boolean }
  | { kind: 'stand-down'; overrides: readonly Override[] }
  | { kind: 'cancel' }
);

/** The part of estepe.yaml that decisions stand on. */
export interface Policy {
  failWhen: FailWhen;
  intervalMs: number;
  confirmTimes: number;
  confirmEveryMs: number;
  mode: Mode;
  countdownMs: number;
  onSilence: OnSilence;
  cooldownMs: number;
  /** null: Estepe keeps no copy of the data here */
  maxOffsetMs: number | null;
  observeOnly: boolean;
  /** whether a takeover needs a claim that the other node can see */
  claim: 'required' | 'best-effort';
  /** how many references are configured */
  references: number;
  /** how long the other node must have been watched healthy before a failback; absent in older recordings */
  failbackStableMs?: number;
}

export interface Observation {
  at: number;
  /** wall clock, for sentences only */
  wall: number;
  policy: Policy;
  /** the newest gap in our own watch, if there ever was one */
  gap: Gap | null;
  /** the newest complete round */
  round: Round | null;
  word: Word | null;
  claims: ClaimsSeen;
  data: DataState;
  /** null or absent: this node is not told of it, and there is no planned change of roles */
  planned?: PlannedSight | null;
  maintenance: { leftMs: number } | null;
  /** left of the cool-down after the last promotion */
  cooldownLeftMs: number;
  /** `lost`: it went with a damaged history and is the configuration's guess until a person confirms it */
  standing: { role: Role; epoch: number; lost?: true };
  /** highest epoch that another node goes under, as far as is seen: claims, its own word; or this node's own */
  highestEpoch: number;
  runbook: RunbookFacts | null;
  order: Order | null;
}

/** A round as the core remembers it. */
export interface RoundSummary {
  /** `inconclusive`: too many tests could not be made to say either */
  result: 'ok' | 'failed' | 'inconclusive';
  referencesAsked: number;
  referencesAnswered: number;
  /** one line: each test with its evidence */
  evidence: string;
}

/** What the core carries from one decision to the next. */
export interface CoreState {
  phase: Phase;
  since: number;
  seenHealthy: boolean;
  verdict: Verdict | null;
  /** consecutive rounds that failed by the rule, the first one included */
  failedRounds: number;
  /** the rule they were counted by; null before the first decision */
  countedBy: FailWhen | null;
  /** monotonic start of the first round of those that were not good; null while the newest was good */
  failingSince: number | null;
  /** the same per test, for `failWhen: any` */
  failedByTest: Readonly<Record<string, number>>;
  lastRound: number;
  /** inconclusive rounds in a row: the tests themselves cannot be made */
  inconclusiveRounds: number;
  /** rounds in a row in which the other node answered and no reference did */
  unreferencedRounds: number;
  /** what the newest counted round said; null before the first and after a gap */
  round: RoundSummary | null;
  lastGap: number;
  lastOrder: number;
  /** a person said "do not take over"; until the active was healthy again */
  held: boolean;
  /** alerts already told in this incident */
  told: readonly string[];
}

export type Effect =
  | { do: 'start-promotion'; origin: Origin; by: string; because: string; overrides: readonly Override[] }
  | {
      do: 'start-planned';
      kind: PlannedKind;
      by: string;
      because: string;
      overrides: readonly Override[];
      whenIdle: boolean;
    }
  | { do: 'cancel-runbook'; because: string }
  | { do: 'resume-runbook'; by: string; skipStep: boolean; overrides: readonly Override[] }
  | { do: 'abandon-runbook'; by: string; because: string }
  | { do: 'stand-down'; origin: Origin; by: string; epoch: number; because: string; overrides: readonly Override[] }
  | { do: 'tell'; key: string; severity: 'info' | 'warning' | 'alert'; text: string }
  | { do: 'answer'; order: number; accepted: boolean; reason: string; refusedBy: readonly GuardName[] };
