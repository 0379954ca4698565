/**
 * The ports through which the engine touches the world. Each has a real twin and a simulated one, so the very same
 * code runs on a server and in a seeded simulation. No I/O here.
 */

import type { EventQuery } from '../contract/history.ts';
import type { CallsSeen, ParityFacts } from '../contract/parity.ts';
import type { EventView } from '../contract/snapshot.ts';
import type { GuardName, Origin, Outcome, Role, RunbookKind, RunbookStatus, StepId } from '../contract/words.ts';

/** Ends what was started (a timer, a watch). Calling it again does nothing. */
export type Cancel = () => void;

/** A stretch in which this process saw nothing: a stall, sleep, a VM snapshot. */
export interface Gap {
  /** grows by one with each gap */
  id: number;
  /** monotonic time at which it was noticed, i.e. its end */
  at: number;
  ms: number;
  kind: 'stall' | 'sleep' | 'wall-jump';
}

export interface Clock {
  /** monotonic milliseconds: for every duration */
  now(): number;
  /** wall clock, milliseconds since 1970: for schedules and for people */
  wall(): number;
  after(ms: number, call: () => void): Cancel;
  /** Calls back after every gap of more than 2 s between two ticks. */
  onGap(call: (gap: Gap) => void): Cancel;
}

export type TestSpec = { id: string; timeoutMs: number } & (
  | { kind: 'sip'; transport: 'udp' | 'tcp' | 'tls'; port: number }
  | { kind: 'web'; port: number; path: string; marker: string | null; warnDays: number }
  | { kind: 'tunnel'; port: number }
  /** argv[0] lies in the scripts folder; exit 0 alive, 1 dead, 2 and more: the test itself is at fault */
  | { kind: 'command'; argv: readonly string[] }
);

export interface Target {
  /** IPv4, IPv6 or a host name */
  address: string;
  fqdn: string;
}

/** Something outside the pair that tells "is it me?". */
export type ReferenceSpec = { id: string; timeoutMs: number } & (
  | { kind: 'gateway' }
  | { kind: 'ping'; host: string }
  | { kind: 'tcp'; host: string; port: number }
  | { kind: 'dns'; host: string; port: number }
  | { kind: 'sip'; host: string; port: number }
);

/** The result of one test once. `evidence` is what was seen, in one line: status line, certificate, errno. */
export interface Beat {
  test: string;
  outcome: Outcome;
  /** milliseconds from start to verdict */
  ms: number;
  evidence: string;
  /** dead by silence: nothing came within the time-out, neither an answer nor a refusal */
  silent?: boolean;
  /** dead as a service, and yet there: a port that accepts, a 500, a failed handshake; what hangs may go on */
  there?: boolean;
  /** a port that accepted, no byte of an answer: proves life only beside tests that were not met with silence */
  weak?: boolean;
  detail?: Record<string, unknown>;
}

export interface ReferenceBeat {
  id: string;
  /** null: the question itself could not be asked */
  answered: boolean | null;
  ms: number;
  evidence: string;
}

export interface Net {
  /** Never rejects; a fault of our own is outcome `unknown`. Ends by its time-out or by `signal`. */
  probe(test: TestSpec, target: Target, signal: AbortSignal): Promise<Beat>;
  reference(spec: ReferenceSpec, signal: AbortSignal): Promise<ReferenceBeat>;
}

export interface Command {
  /** argv, no shell; argv[0] is an absolute path or a program on PATH */
  argv: readonly string[];
  cwd: string;
  env: Record<string, string>;
  timeoutMs: number;
  /** marks the whole process tree, so that what outlives a crash of ours is found again */
  runToken: string;
  onOutput?: (chunk: string) => void;
  signal?: AbortSignal;
}

export type CommandEnd =
  | { how: 'exit'; code: number }
  | { how: 'signal'; signal: string }
  | { how: 'timeout' }
  | { how: 'cancelled' }
  | { how: 'not-started'; why: string };

export interface CommandResult {
  end: CommandEnd;
  ms: number;
  /** stdout and stderr as they came, capped; says itself how much was left out */
  output: string;
}

export interface Proc {
  /**
   * Never rejects. After a time-out, a cancellation or a death by signal no process of the tree is left when it
   * resolves (or `output` says which could not be ended). After an exit, whatever its code, what the program left
   * running on purpose stays, no longer listened to, and `output` says how many that are.
   */
  run(command: Command): Promise<CommandResult>;
  /** Ends what an earlier life of this engine left running under that token; says how many processes. */
  endLeftovers(runToken: string): Promise<number>;
}

export interface Files {
  /** Why this script may not be run, as a sentence, or null. Looks at place, kind, rights. */
  vetScript(path: string): Promise<string | null>;
}

/** Where a name server listens. */
export interface DnsServer {
  /** address or host name */
  host: string;
  port: number;
}

/** How a record is changed. Secrets are named here, never held. */
export type DnsWay =
  | { kind: 'rfc2136'; server: DnsServer; key: string }
  | { kind: 'dnscmd'; server: string }
  | { kind: 'cloudflare'; token: string; endpoint: string | null }
  | { kind: 'route53'; zoneId: string; keyId: string; key: string; endpoint: string | null }
  /** argv[0] lies in the scripts folder */
  | { kind: 'script'; argv: readonly string[]; timeoutMs: number };

/** A record that points to whichever node is active. */
export interface DnsRecord {
  /** in full, without the last point: `pbx.example.com` */
  name: string;
  /** null: only the site's own script knows */
  zone: string | null;
  ttlS: number;
  /** authoritative servers that are asked besides those that the zone names */
  servers: readonly DnsServer[];
  /** how long all authoritative servers together may take to answer the new address */
  withinMs: number;
  way: DnsWay;
}

/** One address in place of another; both IPv4 or both IPv6. */
export interface DnsChange {
  from: string;
  to: string;
}

/** What belongs to one attempt at a switch. */
export interface DnsContext {
  signal: AbortSignal;
  epoch: number;
  step: string;
  /** 1 for the first; a further one may find its own half-done work */
  attempt: number;
  reason: string;
  runToken: string;
  onOutput?: (chunk: string) => void;
}

export interface DnsEnd {
  outcome: 'done' | 'failed';
  /** names the record and what was answered; without a full stop */
  sentence: string;
  /** what a program said */
  output: string;
  /** failed, and worth another attempt */
  again?: boolean;
}

/** What one authoritative server answers. */
export interface DnsAnswer {
  /** `ns1.example.com (192.0.2.53)` */
  server: string;
  /** null: it said nothing that counts */
  addresses: readonly string[] | null;
  /** of the record, as this server gives it */
  ttlS: number | null;
  /** why nothing counts: silence, SERVFAIL, no authority */
  why: string | null;
}

export interface Dns {
  /**
   * Never rejects. Changes the record where it holds `from` and nothing else, and asks the authoritative servers until they
   * answer `to`. A record that holds `to` already is done without a change; what happened to a lost reply is asked.
   */
  switch(record: DnsRecord, change: DnsChange, context: DnsContext): Promise<DnsEnd>;
  /** Never rejects. Whether `switch` would be let: asks for it with the same rights, and changes nothing. */
  rehearse(record: DnsRecord, change: DnsChange, context: DnsContext): Promise<DnsEnd>;
  /** Never rejects. What each authoritative server answers now, for the family of `like`. */
  look(record: DnsRecord, like: string, signal: AbortSignal): Promise<DnsAnswer[]>;
}

export interface Random {
  /** hexadecimal, 2 characters a byte */
  hex(bytes: number): string;
}

/** Where this node is now. `epoch` 0: no promotion was ever made or heard of. */
export interface Standing {
  role: Role;
  epoch: number;
  /** wall clock */
  since: number;
}

export interface ClaimAnswer {
  won: boolean;
  /** who owns the epoch now; empty where that could not be learnt */
  owner: string;
}

/** The answer of all who keep claims. */
export interface SharedAnswer extends ClaimAnswer {
  /** why it stands where the other node does not see it, or could not be made at all; null: it stands everywhere */
  unshared: string | null;
}

/** Ownership of epochs: in the local store, and with the keepers that both nodes reach (the location, etcd). */
export interface Claims {
  /**
   * Exclusive creation. Asking again with the same owner is answered `won` again. Never rejects for a keeper that cannot be reached:
   * with `alone` the claim then stands on this node only, without it nothing is won.
   */
  claim(epoch: number, owner: string, how: { alone: boolean; signal: AbortSignal }): Promise<SharedAnswer>;
  /** Highest epoch anybody claimed as far as can be seen from here; 0 for none. Withdrawn ones count. */
  highest(): Promise<number>;
  /** Highest epoch that another node owns and did not withdraw, as far as can be seen from here; 0 for none. */
  foreign(): Promise<number>;
}

/** What keepers of claims have shown last. */
export interface ClaimsSeen {
  /** `alone`: no keeper is configured */
  state: 'alone' | 'reachable' | 'unreachable';
  /** one line: who, since when, why not */
  evidence: string;
  /** highest epoch that another node owns and did not withdraw; 0 for none */
  foreign: number;
}

export interface PeerState {
  /** the other node's certificate is known here */
  paired: boolean;
  /** this node can be reached by the other one */
  listening: boolean;
  /** monotonic; null: not in this life */
  lastHeardAt: number | null;
  /** why it does not do its work, in a sentence */
  trouble: string | null;
}

/**
 * `refused`: it answered that it will not. `unreachable`: it could not be asked, or did not say in time that it has. `outbid`: it refuses
 * because it knows an epoch that is not lower than the one it was asked under, which is worth nothing then.
 */
export interface StandDownAnswer {
  outcome: 'stood-down' | 'refused' | 'unreachable';
  sentence: string;
  outbid?: boolean;
}

/** `refused`: it makes none for this node. `unreachable`: it could not be asked, or fell silent over it. */
export type BackupAnswer =
  | { outcome: 'made'; sentence: string; name: string; createdAt: number; verified: boolean }
  | { outcome: 'failed' | 'refused' | 'unreachable'; sentence: string };

/** The engine on the other node, over the peer link. */
export interface Peer {
  state(): PeerState;
  /** Never rejects. Ends when the other node has stood down or will not, at latest after two minutes, or by `signal`. */
  askStandDown(epoch: number, because: string, signal: AbortSignal): Promise<StandDownAnswer>;
  /**
   * Never rejects. Ends when the other node has made a backup and read it back, or will not. `epoch`: under which it stood down at our
   * request, and holds its data still; null: it is the active one. `onProgress` is told how far it says it is.
   */
  askBackup(
    ask: { epoch: number | null; because: string },
    signal: AbortSignal,
    onProgress: (sentence: string) => void,
  ): Promise<BackupAnswer>;
  /** Never rejects: what the other node tells of itself, or a sentence why it does not. */
  facts(signal: AbortSignal): Promise<ParityFacts | string>;
  /** Never rejects: how many calls are active on the other node, as its PBX says. */
  calls(signal: AbortSignal): Promise<CallsSeen>;
}

export interface RunbookRecord {
  id: number;
  kind: RunbookKind;
  origin: Origin;
  by: string;
  because: string;
  overrides: readonly { guard: GuardName; reason: string }[];
  /** what a person added to them when they went on with it, in this life of the engine; not journaled: after a crash it is asked again */
  goneOn?: readonly { guard: GuardName; reason: string }[];
  status: RunbookStatus;
  reason: string;
  epoch: number | null;
  dryRun: boolean;
  startedAt: number;
  endedAt: number | null;
  /** ids of the steps in order, as planned at the beginning */
  steps: readonly StepId[];
  entries: readonly JournalEntry[];
}

/** One attempt of one step. Without `result` its effect is in doubt: we died between intent and result. */
export interface JournalEntry {
  step: StepId;
  attempt: number;
  intentAt: number;
  runToken: string;
  result: StepResult | null;
  resultAt: number | null;
}

export interface StepResult {
  outcome: 'done' | 'failed' | 'skipped';
  sentence: string;
  output: string;
}

export type NewEvent = Omit<EventView, 'id' | 'at'> & { at: number };

/** Name of the remembered fact which runbook, by its id, lost its claim to another node. */
export const claimLostKey = 'claimLost';
/** Name of the remembered fact that role and epoch were lost with a damaged history; a person's word removes it. */
export const standingLostKey = 'standingLost';

export interface StoredBeat {
  test: string;
  /** wall clock at the start of the round */
  at: number;
  beat: Beat;
}

/**
 * What survives us. Every call is one transaction, durable when it returns where the comment says so. Synchronous on
 * purpose: an intent is on disk before its effect starts.
 */
export interface Store {
  standing(): Standing | null;
  /** durable */
  saveStanding(standing: Standing): void;
  /** durable; small facts that outlive the process: maintenance, cool-down */
  remember(key: string, value: unknown): void;
  recall(key: string): unknown;
  /** who owns an epoch by what is written here; null: nobody */
  ownerOf(epoch: number): string | null;
  /** durable; false when somebody else owns the epoch */
  claimEpoch(epoch: number, owner: string, wall: number): ClaimAnswer;
  highestEpoch(): number;
  /** the one runbook that has not ended, with its journal */
  openRunbook(): RunbookRecord | null;
  lastRunbook(): RunbookRecord | null;
  /** durable; throws when another one is open */
  beginRunbook(start: Omit<RunbookRecord, 'id' | 'status' | 'reason' | 'endedAt' | 'entries'>): number;
  /** durable; before the effect */
  intent(runbook: number, entry: Pick<JournalEntry, 'step' | 'attempt' | 'intentAt' | 'runToken'>): void;
  /** durable; after the effect */
  result(runbook: number, step: StepId, attempt: number, result: StepResult, at: number): void;
  /** durable */
  setRunbook(
    id: number,
    change: { status: RunbookStatus; reason: string; epoch?: number; endedAt?: number | null },
  ): void;
  /** `durable` where losing it would matter (decisions, runbooks); answers the row's id */
  event(event: NewEvent): number;
  events(query: EventQuery): EventView[];
  beats(rows: readonly StoredBeat[]): void;
}
