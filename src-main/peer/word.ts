/**
 * What a node says of itself, in the location and over the peer link, and what of it has been heard. Must not know how
 * it travels.
 */
import { z } from 'zod';
import { outcomeSchema, phaseSchema, roleSchema } from '../contract/words.ts';
import type { Word } from '../engine/observation.ts';

export const wordFormat = 1;
/** Bytes of its JSON; a word with a dozen tests has about 3 KiB. */
export const maxWordBytes = 16 * 1024;
const maxEvidence = 200;

const whole = z.int().min(0);
/** One line: it is shown, and quoted in sentences. */
const line = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^\P{Cc}*$/u);
const name = line(253).min(1);

export const nodeWordSchema = z.strictObject({
  format: z.literal(wordFormat),
  pair: name,
  fqdn: name,
  /** its name in claims and logs */
  node: line(510).min(1),
  /** its own address in the pair */
  place: name,
  role: roleSchema,
  epoch: whole,
  /** grows with each word of one life */
  seq: whole,
  /** made anew, at random, at each start of its engine */
  life: z.string().regex(/^[0-9a-f]{16,64}$/),
  /** its wall clock, ms; for people only: the clocks of two nodes differ */
  at: z.number(),
  phase: phaseSchema,
  /** the same tests run against itself, by the pair's rule; null: not tested */
  healthy: z.boolean().nullable(),
  tests: z.array(z.strictObject({ id: line(32), outcome: outcomeSchema, evidence: line(maxEvidence) })).max(64),
  services: z.enum(['running', 'stopped', 'unknown']),
  /** how often it says a word */
  intervalMs: z.int().min(1),
  /** Estepe's */
  version: line(60),
  /** the newest one it knows of */
  backup: z.strictObject({ name: line(300), createdAt: z.number(), verified: z.boolean() }).nullable(),
});
export type NodeWord = z.infer<typeof nodeWordSchema>;
/** Read first, so that a word of a newer Estepe is told apart from a damaged one. */
const formatSchema = z.looseObject({ format: z.int() });

/** Who reads: a word of another pair, or our own echo, is no news of the other node. */
export interface Reader {
  pair: string;
  fqdn: string;
  /** own address in the pair */
  place: string;
}

const evidenceLine = (text: string, max: number): string => {
  const clean = text.replace(/\p{Cc}+/gu, ' ');
  return clean.length > max ? `${clean.slice(0, max - 1)}…` : clean;
};

/** A word as it may be sent: evidence in one line, shortened to 200 characters, and further where the whole grew too long. */
export function fitWord(word: NodeWord): NodeWord {
  const within = (max: number): NodeWord => ({
    ...word,
    tests: word.tests.map((test) => ({ ...test, evidence: max === 0 ? '' : evidenceLine(test.evidence, max) })),
  });
  const fits = (fitted: NodeWord): boolean => Buffer.byteLength(JSON.stringify(fitted)) <= maxWordBytes;
  return [maxEvidence, 60].map(within).find(fits) ?? within(0);
}

/** The word as text that `parseWord` takes. */
export function writeWord(word: NodeWord): string {
  return JSON.stringify(fitWord(word));
}

/** The word in a text, or a sentence why it is none of the other node's. Never throws. */
export function parseWord(text: string, reader: Reader): { word: NodeWord } | { why: string } {
  if (Buffer.byteLength(text) > maxWordBytes) return { why: `it is larger than ${maxWordBytes / 1024} KiB` };
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return { why: 'it is no JSON: half written, or of something else' };
  }
  return checkWord(data, reader);
}

/** The same for a word that is parsed already. */
export function checkWord(data: unknown, reader: Reader): { word: NodeWord } | { why: string } {
  const format = formatSchema.safeParse(data).data?.format;
  if (format !== undefined && format > wordFormat)
    return { why: `it is written in format ${format}, by a newer Estepe than this one, which knows ${wordFormat}` };
  const { data: word, error } = nodeWordSchema.safeParse(data);
  if (word === undefined) {
    const [issue] = error.issues;
    return { why: `it is no word of a node: ${issue?.path.join('.') || 'the whole'}: ${issue?.message}` };
  }
  if (word.pair !== reader.pair) return { why: `it is of another pair, \`${word.pair}\`` };
  if (word.fqdn !== reader.fqdn) return { why: `it is of another FQDN, ${word.fqdn}` };
  if (word.place === reader.place) return { why: `it is this node's own, of ${word.place}` };
  return { word };
}

export type Channel = Word['via'];

/** A life that was left does not come back: its words are old ones shown again. */
const livesRemembered = 16;

interface Kept {
  word: NodeWord;
  /** our monotonic clock when it was first read */
  heardAt: number;
  lives: readonly string[];
}

/** The newest word of the other node for each channel. Ages are by our own clock, since we first read it. */
export class Heard {
  readonly #kept = new Map<Channel, Kept>();

  /**
   * A word that was read now. One that is not newer than what this channel brought before is no news: a file that stands
   * still, a replay.
   * @returns whether it is news
   */
  hear(channel: Channel, word: NodeWord, now: number): boolean {
    const kept = this.#kept.get(channel);
    const lives = kept?.lives ?? [];
    const sameLife = kept?.word.life === word.life;
    if (kept && (sameLife ? word.seq <= kept.word.seq : lives.includes(word.life))) return false;
    this.#kept.set(channel, {
      word,
      heardAt: now,
      lives: sameLife ? lives : [...lives, word.life].slice(-livesRemembered),
    });
    return true;
  }

  /** What a channel brought last, whatever its age. */
  last(channel: Channel): { word: NodeWord; heardAt: number } | null {
    const kept = this.#kept.get(channel);
    return kept ? { word: kept.word, heardAt: kept.heardAt } : null;
  }

  /** The newest of all channels. */
  newestWord(): { word: NodeWord; heardAt: number; via: Channel } | null {
    let best: { word: NodeWord; heardAt: number; via: Channel } | null = null;
    for (const [via, { word, heardAt }] of this.#kept) {
      if (best === null || isNewer({ word, heardAt }, best)) best = { word, heardAt, via };
    }
    return best;
  }

  /**
   * The newest as the core takes it. A node that could not test itself (`healthy` null) is not taken for one that serves.
   * @param now our monotonic clock
   */
  newest(now: number): Word | null {
    const newest = this.newestWord();
    if (newest === null) return null;
    const { word, heardAt, via } = newest;
    const { role, epoch, healthy, intervalMs: everyMs } = word;
    return { role, epoch, ageMs: Math.max(0, now - heardAt), healthy: healthy === true, via, everyMs };
  }

  /** The channel is no longer listened to (unpaired, location changed): what it brought is forgotten. */
  forget(channel: Channel): void {
    this.#kept.delete(channel);
  }
}

/**
 * Within one life the sequence says it; the same word over two channels is as old as its first reading. Of two lives the one
 * last heard of: a stale file of an earlier life stands still, the living one goes on.
 */
function isNewer(a: { word: NodeWord; heardAt: number }, b: { word: NodeWord; heardAt: number }): boolean {
  if (a.word.life !== b.word.life) return a.heardAt > b.heardAt;
  return a.word.seq === b.word.seq ? a.heardAt < b.heardAt : a.word.seq > b.word.seq;
}
