/** The configuration as clients read, check, try and save it. The file is the truth: what is changed is its text. */
import { z } from 'zod';
import { channelNames } from './notify.ts';

/** Twice what a configuration may have: what is too large is said with a sentence, and not cut off unseen. */
export const longestText = 128 * 1024;
const text = z.string().max(longestText);

/** One thing to correct in the text. `line` and `column` count from 1. */
export const problemViewSchema = z.object({
  /** the key, such as `heartbeat.interval`; empty for the file as a whole */
  path: z.string(),
  line: z.number(),
  column: z.number(),
  wrong: z.string(),
  allowed: z.string(),
});
export type ProblemView = z.infer<typeof problemViewSchema>;

/** A value to be set in the text, comments kept; null takes the key out. */
export const changeSchema = z.object({
  path: z
    .array(z.union([z.string().max(100), z.number().int().min(0).max(1000)]))
    .min(1)
    .max(8),
  value: z.json(),
});
export type ChangeAsked = z.infer<typeof changeSchema>;

/** One line of what saving would change; `skip` stands for lines that stay and are far from any change. */
export const diffLineSchema = z.object({
  kind: z.enum(['same', 'gone', 'new', 'skip']),
  text: z.string(),
});
export type DiffLine = z.infer<typeof diffLineSchema>;

/** A text as it was judged. */
export const checkedViewSchema = z.object({
  /** with the changes that were asked for */
  text: z.string(),
  ok: z.boolean(),
  problems: z.array(problemViewSchema),
  /** what the text says, key by key; null: it is no YAML */
  written: z.json(),
  /** against the file as it stands */
  diff: z.array(diffLineSchema),
  /** marks the content of the file as it stands; empty: there is none */
  base: z.string(),
  /** names of the secrets that are kept here; never what they hold */
  secrets: z.array(z.string()),
});
export type CheckedView = z.infer<typeof checkedViewSchema>;

export const settingsViewSchema = checkedViewSchema.extend({
  /** no configuration was made here yet: nothing is watched */
  firstRun: z.boolean(),
  /** of the file */
  path: z.string(),
  /** what holds where a key is left out, by path (`backup.keep`), as it would be written */
  usual: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** which tests run where none is named, by profile */
  profileTests: z.record(z.string(), z.array(z.string())),
  /** how the PBX is started and stopped where nothing says it, by profile */
  profileServices: z.record(
    z.string(),
    z.object({
      names: z.array(z.string()),
      start: z.array(z.array(z.string())),
      query: z.array(z.array(z.string())),
      stop: z.array(z.array(z.string())),
      calls: z.array(z.string()).nullable(),
    }),
  ),
  /** what is wrong with the file that stands there; the engine goes on with the one before */
  trouble: z.string().nullable(),
});
export type SettingsView = z.infer<typeof settingsViewSchema>;

export const checkAskSchema = z.object({ text, changes: z.array(changeSchema).max(50).default([]) });
export type CheckAsk = z.infer<typeof checkAskSchema>;

export const saveAskSchema = z.object({ text, base: z.string().max(100) });

/** What became of saving. `changed`: the file is another one than the writer had seen; `problems`: the text cannot be used. */
export const saveAnswerSchema = z.object({
  saved: z.boolean(),
  refusedBy: z.enum(['changed', 'problems']).nullable(),
  sentence: z.string(),
  base: z.string(),
  /** where the file of before is kept; null: there was none, or nothing was written */
  kept: z.string().nullable(),
});
export type SaveAnswer = z.infer<typeof saveAnswerSchema>;

/**
 * What can be tried before it is saved: the location of backups, the tests of the active node, what Estepe may do here, and each channel
 * by which people are told.
 */
export const trialKinds = ['location', 'tests', 'rights', ...channelNames] as const;
export const trialKindSchema = z.enum(trialKinds);
export type TrialKind = z.infer<typeof trialKindSchema>;

export const trialRowSchema = z.object({
  id: z.string(),
  state: z.enum(['ok', 'warning', 'problem', 'skipped']),
  sentence: z.string(),
  todo: z.string(),
  ms: z.number().nullable(),
});
export type TrialRow = z.infer<typeof trialRowSchema>;

export const trialViewSchema = z.object({
  running: z.object({ startedAt: z.number() }).nullable(),
  ended: z
    .object({
      at: z.number(),
      how: z.enum(['good', 'bad', 'cancelled']),
      /** what was tried, such as the location's name */
      title: z.string(),
      rows: z.array(trialRowSchema),
    })
    .nullable(),
});
export type TrialView = z.infer<typeof trialViewSchema>;
export const trialsViewSchema = z.record(trialKindSchema, trialViewSchema);
export type TrialsView = z.infer<typeof trialsViewSchema>;

export const trialAnswerSchema = z.object({ begun: z.boolean(), sentence: z.string() });
export type TrialAnswer = z.infer<typeof trialAnswerSchema>;
