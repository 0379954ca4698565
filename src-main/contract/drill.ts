/**
 * The drill: would a promotion work tonight? What it found, row by row, and what screens show of it. Times are milliseconds since
 * 1970 (wall clock) unless a name ends in `Ms`.
 */
import { z } from 'zod';
import { scheduleViewSchema } from './backups.ts';
import { doctorAreas, doctorCountsSchema, doctorStateSchema, grouped } from './doctor.ts';
import { roleSchema } from './words.ts';

/** What only a drill looks at, then what it asks with the doctor's questions. */
export const drillAreas = ['restore', 'promotion', ...doctorAreas] as const;
export const drillAreaSchema = z.enum(drillAreas);
export type DrillArea = z.infer<typeof drillAreaSchema>;

export const drillRowSchema = z.object({
  /** unique in a report, the same from drill to drill: `restore.proven` */
  id: z.string(),
  area: drillAreaSchema,
  state: doctorStateSchema,
  sentence: z.string(),
  /** what was seen; '' where the sentence says it all */
  evidence: z.string(),
  /** '' when there is nothing to do */
  todo: z.string(),
});
export type DrillRow = z.infer<typeof drillRowSchema>;

export const drillReportSchema = z.object({
  startedAt: z.number(),
  /** its end */
  at: z.number(),
  /** which node it ran on: `head-office@192.0.2.2` */
  node: z.string(),
  fqdn: z.string(),
  /** a person's name, or `schedule` */
  by: z.string(),
  /** of the node by its standing; on the active one much of a promotion cannot be asked */
  role: roleSchema,
  /** no row is a problem */
  passed: z.boolean(),
  /** the backup that was restored into the sandbox; null: none */
  backup: z.string().nullable(),
  counts: doctorCountsSchema,
  rows: z.array(drillRowSchema),
});
export type DrillReport = z.infer<typeof drillReportSchema>;

/** A report without its rows. */
export const drillSumSchema = drillReportSchema.pick({
  ...{ at: true, by: true, role: true, passed: true, backup: true, counts: true },
});
export type DrillSum = z.infer<typeof drillSumSchema>;

/** How the newest order to drill ended. */
export const drillEndSchema = z.object({
  at: z.number(),
  /** `broken`: the drill itself failed, and left no report */
  how: z.enum(['passed', 'failed', 'cancelled', 'broken']),
  sentence: z.string(),
});
export type DrillEnd = z.infer<typeof drillEndSchema>;

export const drillRunningSchema = z.object({
  startedAt: z.number(),
  by: z.string(),
  /** looks that have ended, of so many; the restore into the sandbox is the first */
  done: z.number(),
  total: z.number(),
  /** areas that are still looked at */
  waitsFor: z.array(drillAreaSchema),
  /** of the restore: null when it does not run */
  bytes: z.number().nullable(),
  bytesTotal: z.number().nullable(),
  cancelling: z.boolean(),
});
export type DrillRunning = z.infer<typeof drillRunningSchema>;

/** The part of the snapshot; the rows of the last report are asked for by themselves. */
export const drillViewSchema = z.object({
  running: drillRunningSchema.nullable(),
  last: drillSumSchema.nullable(),
  lastPassedAt: z.number().nullable(),
  ended: drillEndSchema.nullable(),
  /** a passed one may be so old before that is a trouble */
  maxAgeMs: z.number(),
  /** null: switched off */
  schedule: scheduleViewSchema.nullable(),
  /** why none would begin now; null: one would */
  refusal: z.string().nullable(),
});
export type DrillView = z.infer<typeof drillViewSchema>;

/** Nothing that a promotion needs was found wanting, and something was looked at. */
export function hasPassed(rows: readonly Pick<DrillRow, 'state'>[]): boolean {
  return rows.some(({ state }) => state === 'ok') && rows.every(({ state }) => state !== 'problem');
}

/** Areas with what was found in each; those with problems first, then those with warnings. */
export const drillByArea = (rows: readonly DrillRow[]) =>
  grouped(drillAreas, rows).map(({ area, state, checks }) => ({ area, state, rows: checks }));

/** How the last drill looks: `never` ran, `failed`, `old` where the last one passed too long ago, `passed`. */
export function drillStanding({ last, lastPassedAt, maxAgeMs }: DrillView, now: number) {
  if (last === null) return 'never';
  if (!last.passed) return 'failed';
  return lastPassedAt !== null && now - lastPassedAt > maxAgeMs ? 'old' : 'passed';
}
