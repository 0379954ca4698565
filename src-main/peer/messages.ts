/**
 * What the two nodes say to each other: the envelope of every request, its guard against replays, and the forms of requests
 * and answers. Must not know sockets.
 */
import { z } from 'zod';

export const linkFormat = 1;
/** Bytes of one request or answer. */
export const maxBodyBytes = 64 * 1024;

const life = z.string().regex(/^[0-9a-f]{16,64}$/);
const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const line = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^\P{Cc}*$/u);
/** Sentences of the other node are shown here: one line, not endless. */
const sentence = line(1000);

/**
 * Around every request that means something. `life` is the sender's, `toLife` the receiver's, as it said in its hello: what was
 * recorded before either started anew is worth nothing.
 */
export const envelopeSchema = z.strictObject({
  id: hex(16),
  seq: z.int().min(1),
  life,
  toLife: life,
  body: z.unknown(),
});
export type Envelope = z.infer<typeof envelopeSchema>;

export const helloSchema = z.object({ format: z.literal(linkFormat), life, version: line(60) });

export const standDownAskSchema = z.strictObject({ epoch: z.int().min(1), because: line(500) });
export const standDownStateSchema = z.object({
  id: hex(16),
  state: z.enum(['running', 'stood-down', 'refused']),
  sentence,
});
export type StandDownState = z.infer<typeof standDownStateSchema>;

/** `epoch`: under which the asked node stood down at our request; null: it is the active one. */
export const backupAskSchema = z.strictObject({ epoch: z.int().min(1).nullable(), because: line(500) });
export const backupStateSchema = z.object({
  id: hex(16),
  state: z.enum(['running', 'made', 'failed']),
  sentence,
  /** of the backup that was made; null as long as there is none */
  made: z.object({ name: line(300).min(1), createdAt: z.number(), verified: z.boolean() }).nullable(),
});
export type BackupState = z.infer<typeof backupStateSchema>;

/** Why a request was not carried out. Programs read `refused`, people `sentence`. */
export const refusalSchema = z.object({
  refused: z.enum([
    'unpaired',
    'replayed',
    'other-life',
    'lower-epoch',
    'not-active',
    'oversized',
    'unreadable',
    'not-this-pair',
    'wrong-code',
    'no-pairing',
    'unknown',
  ]),
  sentence,
});
export type Refusal = z.infer<typeof refusalSchema>;

/** Who somebody says to be who wants to pair. */
const nodeNamed = { pair: line(253).min(1), fqdn: line(253).min(1), place: line(253).min(1) };
export const pairBeginSchema = z.strictObject({ format: z.literal(linkFormat), nonce: hex(32), ...nodeNamed });
export const pairBegunSchema = z.object({ session: hex(16), nonce: hex(32), ...nodeNamed });
export const pairProveSchema = z.strictObject({ session: hex(16), proof: hex(32) });
export const pairProvenSchema = z.object({ proof: hex(32) });

/** Lives of one sender that are remembered; nobody starts that often within one life of ours. */
const livesRemembered = 256;

/** Which requests came: each one counts once, and none counts that is older than another. */
export class Received {
  #life = '';
  #seq = 0;
  #left: readonly string[] = [];

  /** Whether this one is new; from then on it is not. */
  accept({ life: sender, seq }: Pick<Envelope, 'life' | 'seq'>): boolean {
    if (sender === this.#life) {
      if (seq <= this.#seq) return false;
    } else {
      if (this.#left.includes(sender)) return false;
      this.#left = [...this.#left, this.#life].slice(-livesRemembered);
      this.#life = sender;
    }
    this.#seq = seq;
    return true;
  }
}
