/**
 * What clients may ask: the one contract that the console (HTTP), the tray (message ports), the command line and the
 * renderer derive from.
 */
import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { backupAnswerSchema } from './backups.ts';
import { doctorViewSchema } from './doctor.ts';
import { drillReportSchema } from './drill.ts';
import { availabilitySchema, eventFilterSchema } from './history.ts';
import { channelNameSchema, deliverySchema, notifyTestSchema } from './notify.ts';
import { pairCodeSchema, peerAnswerSchema, peerStatusSchema } from './peer.ts';
import {
  checkAskSchema,
  checkedViewSchema,
  saveAnswerSchema,
  saveAskSchema,
  settingsViewSchema,
  trialAnswerSchema,
  trialKindSchema,
  trialsViewSchema,
} from './settings.ts';
import { eventViewSchema, feedFrameSchema, guardViewSchema, snapshotSchema } from './snapshot.ts';
import { everyGuardName, guardNameSchema, guardNames, outcomeSchema, plannedKindSchema } from './words.ts';

const overrideSchema = z.object({
  guard: guardNameSchema,
  reason: z.string().trim().min(3, 'say why this guard is overridden').max(500),
});

/** Who gives an order, as shown in history. */
const bySchema = z.string().trim().min(1).max(80).default('console');

const backupNameSchema = z.string().min(1).max(300);

/** What became of an order. `accepted: false` is an answer, not a fault: `refusedBy` names the guards. */
export const orderAnswerSchema = z.object({
  accepted: z.boolean(),
  rule: z.string(),
  reason: z.string(),
  refusedBy: z.array(guardNameSchema),
});
export type OrderAnswer = z.infer<typeof orderAnswerSchema>;

/** One point of a series: how many beats of each outcome fell in it, and their latency. */
export const seriesPointSchema = z.object({
  /** start of the bucket, wall clock */
  at: z.number(),
  alive: z.number(),
  degraded: z.number(),
  dead: z.number(),
  unknown: z.number(),
  msAvg: z.number().nullable(),
  msMax: z.number().nullable(),
});
export type SeriesPoint = z.infer<typeof seriesPointSchema>;

export const contract = {
  snapshot: oc.output(snapshotSchema),
  feed: oc.output(eventIterator(feedFrameSchema)),
  promote: oc
    .input(
      z.object({
        by: bySchema,
        reason: z.string().trim().max(500).default(''),
        overrides: z.array(overrideSchema).max(guardNames.length).default([]),
        /** only say what would happen: plan and guards, nothing is started */
        dryRun: z.boolean().default(false),
        /** with a halted runbook: leave the failed step out and go on */
        skipStep: z.boolean().default(false),
      }),
    )
    .output(orderAnswerSchema.extend({ plan: z.array(z.string()) })),
  /** roles change while both nodes live; followed in the snapshot's `runbook` */
  switchover: oc
    .input(
      z.object({
        kind: plannedKindSchema,
        by: bySchema,
        reason: z.string().trim().max(500).default(''),
        overrides: z.array(overrideSchema).max(everyGuardName.length).default([]),
        /** before the claim it is waited for that no call is active on the other node */
        whenIdle: z.boolean().default(false),
        /** only say what would happen: plan and guards, nothing is started */
        dryRun: z.boolean().default(false),
      }),
    )
    .output(
      orderAnswerSchema.extend({
        plan: z.array(z.string()),
        /** place in `plan` of the step from which on it is not taken back by itself */
        pointOfNoReturn: z.number().int(),
        guards: z.array(guardViewSchema),
      }),
    ),
  /** the active node ceases to serve, at a person's order; followed in the snapshot's `runbook` */
  standDown: oc
    .input(
      z.object({
        by: bySchema,
        reason: z.string().trim().max(500).default(''),
        overrides: z.array(overrideSchema).max(everyGuardName.length).default([]),
        /** only say what would happen: plan and guards, nothing is started */
        dryRun: z.boolean().default(false),
      }),
    )
    .output(orderAnswerSchema.extend({ plan: z.array(z.string()), guards: z.array(guardViewSchema) })),
  cancel: oc
    .input(z.object({ by: bySchema, reason: z.string().trim().max(500).default('') }))
    .output(orderAnswerSchema),
  maintenance: {
    on: oc
      .input(
        z.object({
          by: bySchema,
          reason: z.string().trim().max(500).default(''),
          forMs: z
            .number()
            .int()
            .min(60_000)
            .max(7 * 24 * 3600_000),
        }),
      )
      .output(z.object({ until: z.number() })),
    off: oc.input(z.object({ by: bySchema })).output(z.object({ was: z.boolean() })),
  },
  /** The engine ends in order, and with it whoever asks: an update is to be installed. What is under way is gone on with at its next start. */
  stop: oc
    .input(z.object({ by: bySchema, reason: z.string().trim().max(500).default('') }))
    .output(z.object({ pid: z.number().int() })),
  /** Begun here, followed in the snapshot's `backups`. */
  backups: {
    /** reads anew what there is; ends when it is read, or could not be */
    refresh: oc.output(z.object({ read: z.boolean() })),
    run: oc.input(z.object({ by: bySchema })).output(backupAnswerSchema),
    /** `name` null: the newest */
    verify: oc.input(z.object({ by: bySchema, name: backupNameSchema.nullable() })).output(backupAnswerSchema),
    restore: oc.input(z.object({ by: bySchema, name: backupNameSchema.nullable() })).output(backupAnswerSchema),
    cancel: oc.input(z.object({ by: bySchema })).output(backupAnswerSchema),
  },
  /** The link to the engine on the other node. */
  pair: {
    /** makes a code to be typed on the other node; it is told here alone */
    open: oc.input(z.object({ by: bySchema })).output(pairCodeSchema),
    join: oc.input(z.object({ by: bySchema, code: z.string().max(100) })).output(peerAnswerSchema),
    status: oc.output(peerStatusSchema),
    remove: oc.input(z.object({ by: bySchema })).output(z.object({ was: z.boolean() })),
  },
  /** All prerequisites of an identical pair, looked at from this node: begun here, then asked after until `running` is null. */
  doctor: {
    /** `begun: false`: one is under way, and can be followed */
    start: oc.output(z.object({ begun: z.boolean() })),
    view: oc.output(doctorViewSchema),
  },
  /** A rehearsal of everything short of going live: begun here, followed in the snapshot's `drill`. */
  drill: {
    start: oc.input(z.object({ by: bySchema })).output(backupAnswerSchema),
    cancel: oc.input(z.object({ by: bySchema })).output(backupAnswerSchema),
    /** the last one with its rows; null: none has ended yet */
    report: oc.output(drillReportSchema.nullable()),
  },
  /** How people are told; the state of the channels is in the snapshot's `notify`. */
  notify: {
    /** really sends, through one channel or (null) all of them; answers what the other end said */
    test: oc
      .input(z.object({ by: bySchema, channel: channelNameSchema.nullable().default(null) }))
      .output(notifyTestSchema),
    /** newest first */
    list: oc.input(z.object({ limit: z.number().int().min(1).max(500).default(50) })).output(z.array(deliverySchema)),
  },
  standing: {
    /** A person says that role and epoch are right after a damaged history had lost them. */
    confirm: oc
      .input(z.object({ by: bySchema, reason: z.string().trim().max(500).default('') }))
      .output(z.object({ was: z.boolean() })),
  },
  history: {
    events: oc
      .input(
        eventFilterSchema.extend({
          /** an id: only what came before it, for the next page */
          before: z.number().int().optional(),
          limit: z.number().int().min(1).max(1000).default(100),
        }),
      )
      .output(z.array(eventViewSchema)),
    series: oc
      .input(
        z.object({
          test: z.string(),
          from: z.number(),
          to: z.number(),
          points: z.number().int().min(10).max(2000).default(400),
        }),
      )
      .output(z.object({ bucketMs: z.number(), points: z.array(seriesPointSchema), availability: availabilitySchema })),
    beats: oc
      .input(
        z.object({
          test: z.string(),
          from: z.number(),
          to: z.number(),
          limit: z.number().int().min(1).max(5000).default(1000),
        }),
      )
      .output(z.array(z.object({ at: z.number(), outcome: outcomeSchema, ms: z.number(), evidence: z.string() }))),
  },
  config: {
    show: oc.output(z.object({ path: z.string(), text: z.string(), trouble: z.string().nullable() })),
    /** the file as it stands, judged; before a first one, what to begin with */
    read: oc.output(settingsViewSchema),
    /** a text with changes made in it, judged and held against the file; nothing is written */
    check: oc.input(checkAskSchema).output(checkedViewSchema),
    /** writes the file if it is still the one that `base` marks */
    save: oc.input(saveAskSchema.extend({ by: bySchema })).output(saveAnswerSchema),
    /** tries for real what a text says, before it is saved: begun here, then asked after */
    try: {
      start: oc.input(z.object({ kind: trialKindSchema, text: checkAskSchema.shape.text })).output(trialAnswerSchema),
      view: oc.output(trialsViewSchema),
      cancel: oc.input(z.object({ kind: trialKindSchema })).output(z.object({ was: z.boolean() })),
    },
  },
  /** Written here, named in the configuration, told to nobody. */
  secrets: {
    set: oc
      .input(z.object({ by: bySchema, name: z.string().max(64), secret: z.string().max(64 * 1024) }))
      .output(z.object({ name: z.string() })),
  },
};
