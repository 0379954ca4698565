/**
 * Pairing: one node shows a code, the other has it typed, each proves to the other that it knows it, over both certificates.
 * Both sides of it. Must not know sockets; what is pinned and when is the link's.
 */
import { inWords } from '../engine/duration.ts';
import type { Cancel, Clock, Random } from '../engine/ports.ts';
import { newCode, type Pledge, proofOf, sameProof } from './code.ts';
import type { Reply } from './door.ts';
import { pairBeginSchema, pairProveSchema, type Refusal } from './messages.ts';
import type { Reader } from './word.ts';

export const pairingMs = 10 * 60_000;
export const triesAllowed = 5;
const sessionsAtOnce = 8;

/** The other node as a proof has shown it; not yet told that we believe it. */
export interface Proven {
  fingerprint: string;
  place: string;
}

export interface OpeningParts {
  clock: Clock;
  random: Random;
  self(): Reader;
  fingerprint: string;
  /** it ended without a pairing */
  onEnded(sentence: string): void;
  /** a wrong code was tried */
  onTry(): void;
}

const refuse = (status: number, refused: Refusal['refused'], sentence: string): Reply => ({
  status,
  body: { refused, sentence } satisfies Refusal,
});

/** Why these two cannot be a pair, in a sentence that either may show; null: they can. */
export function whyNoPair(self: Reader, other: Reader): string | null {
  if (self.pair !== other.pair)
    return `The two are of different pairs, \`${self.pair}\` and \`${other.pair}\`: \`pair.name\` (or \`pair.fqdn\`) must be the same on both.`;
  if (self.fqdn !== other.fqdn)
    return `The two have different FQDNs, ${self.fqdn} and ${other.fqdn}: \`pair.fqdn\` must be the same on both.`;
  if (self.place === other.place)
    return `Both take ${self.place} for their own address: \`role\` must be \`active\` on one and \`passive\` on the other.`;
  return null;
}

/** The side that shows the code: open for ten minutes, for five wrong tries, for one success. */
export class Opening {
  readonly code: string;
  /** wall clock, for people */
  readonly until: number;
  readonly #parts: OpeningParts;
  readonly #cancel: Cancel;
  readonly #sessions = new Map<string, { fingerprint: string; pledge: Pledge }>();
  #left = triesAllowed;
  #proven: Proven | null = null;

  constructor(parts: OpeningParts) {
    this.#parts = parts;
    this.code = newCode(parts.random);
    this.until = Math.round(parts.clock.wall() + pairingMs);
    this.#cancel = parts.clock.after(pairingMs, () =>
      this.#end(`Nobody used the code within ${inWords(pairingMs)}. Open a new pairing.`),
    );
  }

  get triesLeft(): number {
    return this.#left;
  }

  /** Whoever has proven that it knows the code; its next request as a paired node makes the pairing. */
  get proven(): Proven | null {
    return this.#proven;
  }

  /** No more tries. Says nothing to anybody. */
  close(): void {
    this.#cancel();
    this.#sessions.clear();
  }

  begin(fingerprint: string, body: unknown): Reply {
    const ask = pairBeginSchema.safeParse(body).data;
    if (ask === undefined || fingerprint === '')
      return refuse(
        400,
        'unreadable',
        'This is no request to pair that this Estepe understands; are both of one version?',
      );
    const self = this.#parts.self();
    const why = whyNoPair(self, ask);
    if (why !== null) return refuse(409, 'not-this-pair', why);
    if (fingerprint === this.#parts.fingerprint)
      return refuse(
        409,
        'not-this-pair',
        'Both have the same certificate: a data folder was copied. Give each node its own.',
      );
    const nonce = this.#parts.random.hex(32);
    const session = this.#parts.random.hex(16);
    const pledge: Pledge = {
      joinerFingerprint: fingerprint,
      openerFingerprint: this.#parts.fingerprint,
      joinerNonce: ask.nonce,
      openerNonce: nonce,
      pair: self.pair,
      fqdn: self.fqdn,
      joinerPlace: ask.place,
      openerPlace: self.place,
    };
    const oldest = [...this.#sessions.keys()][0];
    if (this.#sessions.size >= sessionsAtOnce && oldest !== undefined) this.#sessions.delete(oldest);
    this.#sessions.set(session, { fingerprint, pledge });
    return { status: 200, body: { session, nonce, ...self } };
  }

  prove(fingerprint: string, body: unknown): Reply {
    const ask = pairProveSchema.safeParse(body).data;
    const session = ask && this.#sessions.get(ask.session);
    if (ask === undefined || session === undefined || session.fingerprint !== fingerprint)
      return refuse(409, 'unreadable', 'This pairing was not begun here, or is over. Begin anew.');
    // Each is good for one try.
    this.#sessions.delete(ask.session);
    if (!sameProof(ask.proof, proofOf('joiner', this.code, session.pledge))) return this.#wrong();
    this.#proven = { fingerprint, place: session.pledge.joinerPlace };
    return { status: 200, body: { proof: proofOf('opener', this.code, session.pledge) } };
  }

  #wrong(): Reply {
    this.#left -= 1;
    this.#parts.onTry();
    if (this.#left > 0) {
      const left = this.#left === 1 ? 'one try is left' : `${this.#left} tries are left`;
      const what = `The code is not the one shown there, or somebody stands between the two nodes; ${left}.`;
      return refuse(403, 'wrong-code', what);
    }
    this.#end(`A wrong code was tried ${triesAllowed} times: the code is worth nothing any more. Open a new pairing.`);
    return refuse(
      403,
      'wrong-code',
      'The code was wrong too often and is worth nothing any more. Open a new pairing there.',
    );
  }

  #end(sentence: string): void {
    this.close();
    this.#parts.onEnded(sentence);
  }
}
