/**
 * Slows down whoever guesses tokens: after ten wrong ones in a minute an address is answered 429 for a growing time.
 * Knows nothing of HTTP and never sees a token; a right token does not pass through here at all.
 */

const windowMs = 60_000;
const freeGuesses = 10;
const firstBlockMs = 10_000;
const longestBlockMs = 15 * 60_000;
/** All of 127.0.0.0/8 can be a source, so addresses are remembered up to this many; then the oldest is forgotten. */
const addressesKept = 256;

interface Record {
  windowStart: number;
  wrong: number;
  blocks: number;
  blockedUntil: number;
}

export interface GuessLimit {
  /** Counts one wrong token; answers for how many milliseconds this address is refused from now on, 0 for not yet. */
  wrong(address: string): number;
  /** how many addresses are remembered */
  readonly size: number;
}

/** @param now monotonic milliseconds */
export function makeGuessLimit(now: () => number): GuessLimit {
  const records = new Map<string, Record>();
  return {
    get size() {
      return records.size;
    },
    wrong(address) {
      const at = now();
      let record = records.get(address);
      // Quiet for as long as the longest block: forgiven.
      if (record === undefined || at - Math.max(record.windowStart, record.blockedUntil) > longestBlockMs) {
        record = { windowStart: at, wrong: 0, blocks: 0, blockedUntil: Number.NEGATIVE_INFINITY };
        records.delete(address);
        if (records.size >= addressesKept) {
          const oldest = records.keys().next();
          if (oldest.done !== true) records.delete(oldest.value);
        }
        records.set(address, record);
      }
      if (at < record.blockedUntil) return record.blockedUntil - at;
      if (at - record.windowStart > windowMs) {
        record.windowStart = at;
        record.wrong = 0;
      }
      record.wrong += 1;
      if (record.wrong <= freeGuesses) return 0;
      const block = Math.min(firstBlockMs * 2 ** record.blocks, longestBlockMs);
      record.blocks += 1;
      record.wrong = 0;
      record.blockedUntil = at + block;
      record.windowStart = record.blockedUntil;
      return block;
    },
  };
}
