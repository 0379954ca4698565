/**
 * What clients see of backups and restores, and what they may ask. Times are milliseconds since 1970 (wall clock) unless a
 * name ends in `Ms`.
 */
import { z } from 'zod';

const troubleSchema = z.object({ sentence: z.string(), todo: z.string() });

export const backupRowSchema = z.object({
  name: z.string(),
  /** when its data was current */
  createdAt: z.number(),
  /** bytes, as stored */
  size: z.number(),
  encrypted: z.boolean(),
  /** read back equal to what was made */
  verified: z.boolean(),
  /** when it was last read back equal; null: never */
  verifiedAt: z.number().nullable(),
  /** when it was last restored on this node; null: never */
  restoredAt: z.number().nullable(),
});
export type BackupRow = z.infer<typeof backupRowSchema>;

/** When something is done by itself. */
export const scheduleViewSchema = z.object({
  /** as in estepe.yaml: five fields */
  cron: z.string(),
  /** IANA name */
  timeZone: z.string(),
  /** null: not here (the other node's role), not now (a runbook runs), or never again */
  nextAt: z.number().nullable(),
  /** why nothing is due here although it is configured; '' when it is */
  paused: z.string(),
  /** restore: beside the schedule also as soon as a newer one is seen */
  whenNewer: z.boolean(),
});
export type ScheduleView = z.infer<typeof scheduleViewSchema>;

export const backupKindSchema = z.enum(['backup', 'verify', 'restore']);
export type BackupKind = z.infer<typeof backupKindSchema>;

/** The one piece of work under way. */
export const backupWorkSchema = z.object({
  kind: backupKindSchema,
  /** of the backup it is about; null while that is not known */
  name: z.string().nullable(),
  /** a person's name, or `schedule` */
  by: z.string(),
  startedAt: z.number(),
  /** `source`, `hash`, `store`, `verify`, `rotate`; `list`, `fetch`, `prove`, `restore` */
  phase: z.string(),
  /** done in this phase */
  bytes: z.number(),
  /** null where that is not known beforehand */
  total: z.number().nullable(),
  /** what just failed and is tried again; '' otherwise */
  setback: z.string(),
  cancelling: z.boolean(),
});
export type BackupWorkView = z.infer<typeof backupWorkSchema>;

/** How the newest one of a kind ended. */
export const backupEndSchema = z.object({
  at: z.number(),
  by: z.string(),
  name: z.string().nullable(),
  ok: z.boolean(),
  cancelled: z.boolean(),
  sentence: z.string(),
  /** '' when there is nothing to do */
  todo: z.string(),
});
export type BackupEnd = z.infer<typeof backupEndSchema>;

export const backupsViewSchema = z.object({
  /** where they are stored, in words without secrets; null: no `backup` section */
  location: z.string().nullable(),
  /** newest first, at most 200 */
  rows: z.array(backupRowSchema),
  /** how many there are in all */
  count: z.number(),
  /** when the rows were read; null: not yet */
  listedAt: z.number().nullable(),
  listing: z.boolean(),
  /** why they could not be read the last time; the rows are then those of `listedAt` */
  listTrouble: troubleSchema.nullable(),
  schedules: z.object({ backup: scheduleViewSchema.nullable(), restore: scheduleViewSchema.nullable() }),
  work: backupWorkSchema.nullable(),
  last: z.object({
    backup: backupEndSchema.nullable(),
    verify: backupEndSchema.nullable(),
    restore: backupEndSchema.nullable(),
  }),
  /** what stands restored here, and how it was proven */
  restored: z
    .object({ name: z.string(), createdAt: z.number(), restoredAt: z.number(), proven: z.string() })
    .nullable(),
  /** why an order of this kind would be refused now; null: it would be taken */
  refusals: z.object({
    backup: z.string().nullable(),
    verify: z.string().nullable(),
    restore: z.string().nullable(),
  }),
});
export type BackupsView = z.infer<typeof backupsViewSchema>;

/** What became of an order. `accepted: false` is an answer, not a fault. */
export const backupAnswerSchema = z.object({ accepted: z.boolean(), reason: z.string() });
export type BackupAnswer = z.infer<typeof backupAnswerSchema>;
