/**
 * What clients see of the history: which events they ask for, and how much of the time a test was answered. Times are
 * milliseconds since 1970 (wall clock) unless a name ends in `Ms`. Pure: the same question is asked of rows in a file, of rows
 * that wait to be written, and of a test's double.
 */
import { z } from 'zod';
import { type EventView, eventViewSchema } from './snapshot.ts';
import { severitySchema } from './words.ts';

export const eventKindSchema = eventViewSchema.shape.kind;
export type EventKind = z.infer<typeof eventKindSchema>;
export const eventKinds = eventKindSchema.options;

/** The longest text that is looked for. */
export const longestText = 200;

/** Which events are asked for; what is left out restricts nothing. */
export const eventFilterSchema = z.object({
  kind: eventKindSchema.optional(),
  /** exactly this one */
  severity: severitySchema.optional(),
  /** included */
  from: z.number().optional(),
  /** excluded */
  to: z.number().optional(),
  /** somewhere in rule, reason or evidence (as JSON); A to Z in either case */
  text: z.string().max(longestText).optional(),
});
export type EventFilter = z.infer<typeof eventFilterSchema>;

/** One page of them: newest first, those with an id below `before`. */
export type EventQuery = EventFilter & { before?: number | undefined; limit: number };

/** As SQLite's `lower()` does: A to Z alone. */
const folded = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** Whether an event is one of those asked for. */
export function eventMatches(event: EventView, { kind, severity, from, to, text }: EventFilter): boolean {
  if (kind !== undefined && event.kind !== kind) return false;
  if (severity !== undefined && event.severity !== severity) return false;
  if (from !== undefined && event.at < from) return false;
  if (to !== undefined && event.at >= to) return false;
  if (text === undefined || text === '') return true;
  return folded(`${event.rule}\n${event.reason}\n${JSON.stringify(event.evidence)}`).includes(folded(text));
}

/** How much of a span a test was answered, and for how much of it anything is known at all. */
export const availabilitySchema = z.object({
  /** what the counts really cover: whole minutes, or the finest unit still kept */
  from: z.number(),
  to: z.number(),
  alive: z.number(),
  degraded: z.number(),
  dead: z.number(),
  /** something that is not this protocol answered */
  foreign: z.number(),
  /** the test itself could not be made: says nothing about the node, counts neither way */
  unknown: z.number(),
  /** of the beats: (alive + degraded) ÷ all but unknown; null where there is nothing to say */
  share: z.number().nullable(),
  /** time in units that hold a beat which tells something; the rest of the span is not known, and no outage */
  measuredMs: z.number(),
  /** of the measured time; each unit weighs the same, however many beats it holds */
  answeredMs: z.number(),
  unmeasuredMs: z.number(),
  /** how finely that is told: a unit counts as measured whole */
  unitMs: z.number(),
});
export type Availability = z.infer<typeof availabilitySchema>;
