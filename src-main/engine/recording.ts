/**
 * Observations as they are kept in a file and decided over again: one JSON document a line, the first with the state they
 * begin from. Since `decide` is pure, the same lines give the same decisions on any machine. Pure: reads no file itself.
 */
import { z } from 'zod';
import { phaseSchema, roleSchema } from '../contract/words.ts';
import { type Decision, decide } from './decide.ts';
import type { CoreState, Observation } from './observation.ts';

const recordingVersion = 1;

/** The first line: what the core carried before the first observation. */
export function recordingHead(state: CoreState): string {
  return JSON.stringify({ estepe: 'observations', version: recordingVersion, state });
}

/** Every further line. */
export function recordingLine(observation: Observation): string {
  return JSON.stringify(observation);
}

const nullish = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? null);
const beat = z.looseObject({ test: z.string(), outcome: z.string(), evidence: z.string() });
const reference = z.looseObject({ id: z.string(), answered: z.boolean().nullable() });
const round = z.looseObject({
  seq: z.number(),
  startedAt: z.number(),
  beats: z.array(beat),
  references: z.array(reference),
});
const policy = z.looseObject({
  failWhen: z.enum(['any', 'all']),
  mode: z.enum(['automatic', 'confirm', 'manual']),
  onSilence: z.enum(['promote', 'hold']),
  intervalMs: z.number(),
  confirmTimes: z.number(),
  confirmEveryMs: z.number(),
  countdownMs: z.number(),
  cooldownMs: z.number(),
  maxOffsetMs: z.number().nullable(),
  observeOnly: z.boolean(),
  references: z.number(),
});

/** What decisions stand on; further keys are let through. */
const observationSchema = z.looseObject({
  at: z.number(),
  wall: z.number(),
  policy,
  gap: nullish(z.looseObject({ id: z.number(), at: z.number(), ms: z.number() })),
  round: nullish(round),
  word: nullish(z.looseObject({ role: roleSchema, epoch: z.number(), ageMs: z.number(), healthy: z.boolean() })),
  data: z.looseObject({ state: z.enum(['not-kept', 'never', 'known']) }),
  maintenance: nullish(z.looseObject({ leftMs: z.number() })),
  cooldownLeftMs: z.number(),
  standing: z.looseObject({ role: roleSchema, epoch: z.number() }),
  highestEpoch: z.number(),
  runbook: nullish(z.looseObject({ status: z.enum(['running', 'halted', 'done', 'cancelled']), kind: z.string() })),
  order: nullish(
    z.looseObject({
      id: z.number(),
      by: z.string(),
      kind: z.enum(['promote', 'cancel', 'switchover', 'failback', 'stand-down']),
    }),
  ),
});
const headSchema = z.looseObject({
  estepe: z.literal('observations'),
  version: z.literal(recordingVersion),
  state: z.looseObject({
    phase: phaseSchema,
    since: z.number(),
    seenHealthy: z.boolean(),
    failedRounds: z.number(),
    failedByTest: z.record(z.string(), z.number()),
    lastRound: z.number(),
    lastGap: z.number(),
    lastOrder: z.number(),
    held: z.boolean(),
    told: z.array(z.string()),
  }),
});

/** A line that cannot be used: which, and why. */
export class RecordingFault extends Error {
  readonly line: number;
  constructor(line: number, why: string) {
    super(`line ${line}: ${why}`);
    this.line = line;
  }
}

function parsed<T>(line: number, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RecordingFault(line, 'this is no JSON document');
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.join('.') ?? '';
  throw new RecordingFault(line, `${path === '' ? 'the line' : `\`${path}\``} does not fit (${issue?.message})`);
}

export interface Replayed {
  /** in the file, from 1 on */
  line: number;
  before: CoreState;
  observation: Observation;
  decision: Decision;
}

function decided(line: number, before: CoreState, text: string): Replayed {
  const observation = parsed(line, text, observationSchema) as unknown as Observation;
  try {
    return { line, before, observation, decision: decide(before, observation) };
  } catch (error) {
    throw new RecordingFault(line, error instanceof Error ? error.message : String(error));
  }
}

/**
 * Decides over the lines of a recording again, one after the other. A later head (the engine was started again) begins anew
 * from its state; half a line before it, left by an engine that died, was never decided upon and is passed over.
 * @throws RecordingFault at the first line that cannot be used; what came before was given already
 */
export function* replay(lines: Iterable<string>): Generator<Replayed, void, void> {
  let state: CoreState | null = null;
  let line = 0;
  let fault: RecordingFault | null = null;
  for (const text of lines) {
    line += 1;
    if (text.trim() === '') continue;
    if (state === null || text.startsWith('{"estepe"')) {
      state = parsed(line, text, headSchema).state as unknown as CoreState;
      fault = null;
      continue;
    }
    if (fault !== null) throw fault;
    try {
      const one = decided(line, state, text);
      state = one.decision.state;
      yield one;
    } catch (error) {
      if (!(error instanceof RecordingFault)) throw error;
      fault = error;
    }
  }
  if (fault !== null) throw fault;
}
