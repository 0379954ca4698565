/** Bytes on their way to or from a location: counted, slowed down, told of, and watched for silence. Must not know any protocol. */
import { Transform, type TransformCallback } from 'node:stream';
import type { Clock } from '../../engine/ports.ts';
import type { Transfer } from '../location.ts';

const progressEveryMs = 250;
/** A chunk is never held back for longer than that share of a second; larger ones are cut. */
const piecesASecond = 10;

export interface MeterOptions {
  /** bytes that are through already: a read that goes on */
  from?: number;
  /** asked when all is through: what is wrong with so many bytes, or null */
  atEnd?: (bytes: number) => Error | null;
}

/** Passes bytes on unchanged: no faster than `bandwidth`, with `onProgress` at most four times a second and at the end. */
export class Meter extends Transform {
  /** through so far, those before `from` included */
  bytes: number;
  readonly #transfer: Transfer;
  readonly #total: number | null;
  readonly #clock: Clock;
  #toldAt = Number.NEGATIVE_INFINITY;
  /** the next piece may pass at this time */
  #due = Number.NEGATIVE_INFINITY;
  readonly #atEnd: (bytes: number) => Error | null;
  #stop: () => void = () => {};

  constructor(transfer: Transfer, total: number | null, clock: Clock, more: MeterOptions = {}) {
    super();
    this.bytes = more.from ?? 0;
    this.#atEnd = more.atEnd ?? (() => null);
    this.#transfer = transfer;
    this.#total = total;
    this.#clock = clock;
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    const { bandwidth } = this.#transfer;
    if (bandwidth === undefined) {
      this.#pass(chunk);
      done();
      return;
    }
    const size = Math.max(1, Math.ceil(bandwidth / piecesASecond));
    const next = (at: number): void => {
      if (at >= chunk.length) {
        done();
        return;
      }
      const piece = chunk.subarray(at, at + size);
      const now = this.#clock.now();
      const wait = this.#due - now;
      const go = (): void => {
        this.#due = Math.max(this.#due, this.#clock.now()) + (piece.length * 1000) / bandwidth;
        this.#pass(piece);
        next(at + piece.length);
      };
      if (wait <= 0) go();
      else this.#stop = this.#clock.after(wait, go);
    };
    next(0);
  }

  override _flush(done: TransformCallback): void {
    this.#tell();
    done(this.#atEnd(this.bytes));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stop();
    done(error);
  }

  #pass(piece: Buffer): void {
    this.bytes += piece.length;
    this.push(piece);
    if (this.#clock.now() - this.#toldAt >= progressEveryMs) this.#tell();
  }

  #tell(): void {
    this.#toldAt = this.#clock.now();
    this.#transfer.onProgress?.({ bytes: this.bytes, total: this.#total });
  }
}

/** Waits for an answer, at most so long, and no longer than the caller wants it. */
export interface Waiting {
  clock: Clock;
  silenceMs: number;
  signal: AbortSignal;
  /** what to throw after silence */
  silent: () => Error;
  /** what to throw when cancelled */
  cancelled: () => Error;
  /** called in both cases, before it throws: lets go of what will not answer */
  letGo?: () => void;
}

/** The answer, or `silent` after `silenceMs`, or `cancelled` at once. The work itself may go on unheard: what it says later is dropped. */
export function answerOf<T>(work: Promise<T>, waiting: Waiting): Promise<T> {
  const { clock, silenceMs, signal, silent, cancelled, letGo } = waiting;
  return new Promise<T>((resolve, reject) => {
    const finish = (end: () => void): void => {
      stop();
      signal.removeEventListener('abort', onAbort);
      end();
    };
    const give = (error: Error): void =>
      finish(() => {
        letGo?.();
        reject(error);
      });
    const onAbort = (): void => give(cancelled());
    const stop = clock.after(silenceMs, () => give(silent()));
    work.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error)),
    );
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Calls back once when the other side took or gave nothing for so long although we waited for it. */
export class SilenceWatch {
  readonly #clock: Clock;
  readonly #silenceMs: number;
  readonly #waiting: () => boolean;
  readonly #onSilence: () => void;
  #movedAt: number;
  #stop: () => void = () => {};

  /** @param waiting whether it is the other side's turn */
  constructor(clock: Clock, silenceMs: number, waiting: () => boolean, onSilence: () => void) {
    this.#clock = clock;
    this.#silenceMs = silenceMs;
    this.#waiting = waiting;
    this.#onSilence = onSilence;
    this.#movedAt = clock.now();
    this.#look();
  }

  /** The other side did something. */
  moved(): void {
    this.#movedAt = this.#clock.now();
  }

  end(): void {
    this.#stop();
  }

  #look(): void {
    this.#stop = this.#clock.after(this.#silenceMs / 4, () => {
      if (!this.#waiting()) this.moved();
      if (this.#clock.now() - this.#movedAt >= this.#silenceMs) this.#onSilence();
      else this.#look();
    });
  }
}

/** Aborts so much later than `signal`: time to put things in order. `end` lets go of it. */
export function laterThan(signal: AbortSignal, ms: number, clock: Clock): { signal: AbortSignal; end: () => void } {
  const later = new AbortController();
  let stop = (): void => {};
  const onAbort = (): void => {
    stop = clock.after(ms, () => later.abort());
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal: later.signal,
    end: () => {
      stop();
      signal.removeEventListener('abort', onAbort);
    },
  };
}

/** Where nobody waits for a cancellation: a server that just failed may hang. */
const notCancelledTidyingMs = 5000;

/** Puts things in order after a failure: quickly, and without a word when that fails too. @param of.cancelledMs how long once it is cancelled */
export async function tidily(
  of: { signal: AbortSignal; cancelledMs: number; clock: Clock },
  work: (soon: AbortSignal) => Promise<void>,
): Promise<void> {
  const { signal, cancelledMs, clock } = of;
  const limit = new AbortController();
  const { signal: later, end } = laterThan(signal, cancelledMs, clock);
  const stop = clock.after(notCancelledTidyingMs, () => limit.abort());
  try {
    await work(AbortSignal.any([later, limit.signal]));
  } catch {
    // A later write removes it.
  } finally {
    stop();
    end();
  }
}
