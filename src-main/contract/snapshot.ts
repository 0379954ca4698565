/**
 * What a client sees: one snapshot first, then slices of it. Every screen, the tray and `estepe status` are pure
 * functions over this. Times are milliseconds since 1970 (wall clock) unless a name ends in `Ms` (a duration).
 */
import { z } from 'zod';
import { backupsViewSchema } from './backups.ts';
import { drillViewSchema } from './drill.ts';
import { notifyViewSchema } from './notify.ts';
import { peerViewSchema } from './peer.ts';
import {
  failWhenSchema,
  guardNameSchema,
  modeSchema,
  onFailSchema,
  onSilenceSchema,
  originSchema,
  outcomeSchema,
  phaseSchema,
  roleSchema,
  runbookKindSchema,
  runbookStatusSchema,
  severitySchema,
  stepIdSchema,
  stepStateSchema,
  testKindSchema,
  verdictSchema,
} from './words.ts';

/** One test's result once, as shown in the heartbeat bar. */
export const beatSchema = z.object({
  at: z.number(),
  outcome: outcomeSchema,
  ms: z.number(),
  evidence: z.string(),
});
export type BeatView = z.infer<typeof beatSchema>;

export const testViewSchema = z.object({
  id: z.string(),
  kind: testKindSchema,
  /** e.g. `udp 192.0.2.1:5060` */
  target: z.string(),
  /** newest last, at most 60 */
  beats: z.array(beatSchema),
});
export type TestView = z.infer<typeof testViewSchema>;

export const referenceViewSchema = z.object({
  id: z.string(),
  answered: z.boolean().nullable(),
  evidence: z.string(),
});

export const nodeViewSchema = z.object({
  /** which of the pair's two addresses this is */
  place: z.enum(['active', 'passive']),
  address: z.string(),
  self: z.boolean(),
  role: roleSchema.nullable(),
  epoch: z.number().nullable(),
  /** what this node is doing, in a sentence */
  sentence: z.string(),
});
export type NodeView = z.infer<typeof nodeViewSchema>;

export const guardViewSchema = z.object({
  name: guardNameSchema,
  ok: z.boolean(),
  /** whether a person's order has to override it too, or only automatic promotion minds it */
  bindsPerson: z.boolean(),
  evidence: z.string(),
});
export type GuardView = z.infer<typeof guardViewSchema>;

export const stepViewSchema = z.object({
  id: stepIdSchema,
  title: z.string(),
  state: stepStateSchema,
  attempt: z.number(),
  startedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  onFail: onFailSchema,
  /** from here on the promotion is not taken back by itself */
  pointOfNoReturn: z.boolean(),
  result: z.string(),
  output: z.string(),
});
export type StepView = z.infer<typeof stepViewSchema>;

export const runbookViewSchema = z.object({
  id: z.number(),
  kind: runbookKindSchema,
  origin: originSchema,
  by: z.string(),
  because: z.string(),
  epoch: z.number().nullable(),
  status: runbookStatusSchema,
  reason: z.string(),
  dryRun: z.boolean(),
  cancellable: z.boolean(),
  overrides: z.array(z.object({ guard: guardNameSchema, reason: z.string() })),
  startedAt: z.number(),
  endedAt: z.number().nullable(),
  steps: z.array(stepViewSchema),
});
export type RunbookView = z.infer<typeof runbookViewSchema>;

/** One row of history: what was decided or happened, by which rule, why, with the evidence it stood on. */
export const eventViewSchema = z.object({
  id: z.number(),
  at: z.number(),
  kind: z.enum(['decision', 'beat', 'order', 'runbook', 'step', 'config', 'engine', 'alert']),
  severity: severitySchema,
  rule: z.string(),
  reason: z.string(),
  phase: phaseSchema.nullable(),
  verdict: verdictSchema.nullable(),
  evidence: z.record(z.string(), z.unknown()),
});
export type EventView = z.infer<typeof eventViewSchema>;

/** Age of the data a promotion would go live with. */
export const offsetViewSchema = z.object({
  /** `not-kept`: Estepe keeps no copy here. `never`: it should, and nothing was restored yet. */
  state: z.enum(['not-kept', 'never', 'known']),
  ageMs: z.number().nullable(),
  maxMs: z.number().nullable(),
  verified: z.boolean(),
});
export type OffsetView = z.infer<typeof offsetViewSchema>;

export const coreViewSchema = z.object({
  phase: phaseSchema,
  /** wall clock */
  since: z.number(),
  verdict: verdictSchema.nullable(),
  rule: z.string(),
  reason: z.string(),
  /** the one sentence: is the spare good, and what to do */
  sentence: z.string(),
  severity: severitySchema,
  seenHealthy: z.boolean(),
  failedRounds: z.number(),
  neededRounds: z.number(),
  cadence: z.enum(['steady', 'confirming']),
});

export const confirmationViewSchema = z
  .object({
    /** wall clock at which silence decides; null: it waits for a person without end */
    endsAt: z.number().nullable(),
    leftMs: z.number().nullable(),
    onSilence: onSilenceSchema,
    held: z.boolean(),
    blockedBy: z.array(guardNameSchema),
  })
  .nullable();

export const overlaysViewSchema = z.object({
  maintenance: z.object({ until: z.number(), leftMs: z.number(), by: z.string(), reason: z.string() }).nullable(),
  observeOnly: z.boolean(),
});

export const pairViewSchema = z.object({
  name: z.string(),
  fqdn: z.string(),
  profile: z.string(),
  mode: modeSchema,
  failWhen: failWhenSchema,
  intervalMs: z.number(),
});

export const snapshotSchema = z.object({
  /** grows with every change; a slice carries the number of the state it belongs to */
  version: z.number(),
  at: z.number(),
  engine: z.object({ startedAt: z.number(), version: z.string(), pid: z.number(), dataFolder: z.string() }),
  pair: pairViewSchema,
  nodes: z.array(nodeViewSchema),
  core: coreViewSchema,
  tests: z.array(testViewSchema),
  references: z.array(referenceViewSchema),
  guards: z.array(guardViewSchema),
  confirmation: confirmationViewSchema,
  overlays: overlaysViewSchema,
  offset: offsetViewSchema,
  backups: backupsViewSchema,
  drill: drillViewSchema,
  notify: notifyViewSchema,
  peer: peerViewSchema,
  runbook: runbookViewSchema.nullable(),
  /** newest first, at most 50 */
  events: z.array(eventViewSchema),
  /** what is wrong with the running engine itself (configuration refused, history not writable) */
  troubles: z.array(z.object({ key: z.string(), sentence: z.string(), todo: z.string() })),
});
export type Snapshot = z.infer<typeof snapshotSchema>;
export type SnapshotKey = Exclude<keyof Snapshot, 'version' | 'at'>;

/** A frame of the feed: the whole snapshot first, then only the keys that changed. */
export const feedFrameSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('snapshot'), snapshot: snapshotSchema }),
  z.object({
    kind: z.literal('slice'),
    version: z.number(),
    at: z.number(),
    change: snapshotSchema.omit({ version: true, at: true }).partial(),
  }),
  /** nothing changed; proves that the engine is alive */
  z.object({ kind: z.literal('pulse'), version: z.number(), at: z.number() }),
]);
export type FeedFrame = z.infer<typeof feedFrameSchema>;
