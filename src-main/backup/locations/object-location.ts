/**
 * A location made of the objects of a bucket, whatever carries them: publishing, claims, leftovers. Must not know any protocol.
 *
 * An object store shows an object when all of it is there, never half: no temporary name is needed. A claim is an object made on the
 * condition that there is none. An endpoint that passes over conditions would let two nodes own one epoch, so it is tried first.
 */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Clock } from '../../engine/ports.ts';
import {
  isObjectName,
  type Location,
  LocationError,
  type LocationFault,
  type Progress,
  passing,
  type Stored,
  type Transfer,
  temporaryPrefix,
} from '../location.ts';
import { type Patience, patiently } from '../patience.ts';
import type { Bucket, BucketEntry, Sending, Upload } from './bucket.ts';
import { cancelledFault, codeOf, locationFault } from './faults.ts';
import { laterThan, tidily } from './flow.ts';
import { partsOf } from './parts.ts';
import { metered } from './reading.ts';

/** A writer that has not finished by now is dead. */
const leftoverAfterMs = 24 * 3600_000;
/** For what was begun when it was cancelled, and again for putting things in order: ends within a second, whatever the other side does. */
const tidyingMs = 400;
/** A claim holds a few words. */
const maxClaimBytes = 64 * 1024;
/** A part that was cut off is sent again: hours of an upload hang on it. */
const partPatience: Patience = { attempts: 3, firstPauseMs: 1000, longestPauseMs: 5000 };

const isPassing = (error: unknown): boolean => error instanceof LocationError && passing.has(error.fault);

export class ObjectLocation implements Location {
  readonly title: string;
  readonly #bucket: Bucket;
  /** `` or with a `/` at its end */
  readonly #folder: string;
  readonly #clock: Clock;
  /** conditions were seen to be kept since the last `close` */
  #isProven: boolean;

  /** @param folder of the location in the bucket; `` for none */
  constructor(bucket: Bucket, folder: string, clock: Clock) {
    this.title = bucket.place.title;
    this.#bucket = bucket;
    const plain = folder.replace(/^\/+|\/+$/g, '');
    this.#folder = plain === '' ? '' : `${plain}/`;
    this.#clock = clock;
    this.#isProven = bucket.keepsConditions;
  }

  async list(prefix: string, signal: AbortSignal): Promise<Stored[]> {
    const entries = await this.#bucket.entries(`${this.#folder}${prefix}`, signal);
    return entries.map((entry) => this.#stored(entry)).filter(({ name }) => isObjectName(name));
  }

  async stat(name: string, signal: AbortSignal): Promise<Stored | null> {
    const found = await this.#bucket.entry(this.#keyOf(name), signal);
    return found === null ? null : this.#stored(found);
  }

  async read(name: string, from: number, transfer: Transfer): Promise<Readable> {
    const object = await this.#bucket.entry(this.#keyOf(name), transfer.signal);
    if (object === null) throw this.#fault('missing', `${name} is not there`, 'look at the list of backups again');
    const { size } = object;
    if (from > size) throw this.#fault('other', `${name} has ${size} bytes, not the ${from} that were read before`);
    const raw = from === size ? Readable.from([]) : await this.#bucket.read(object, from, transfer.signal);
    return metered(raw, { name, from, size, place: this.#bucket.place, transfer, clock: this.#clock });
  }

  async write(name: string, source: Readable, size: number | null, transfer: Transfer): Promise<Stored> {
    // It may fail before anybody reads it: said when it is read.
    source.on('error', () => {});
    const { signal } = transfer;
    const onAbort = (): void => void source.destroy(cancelledFault(this.#bucket.place));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const key = this.#keyOf(name);
      if (signal.aborted) throw cancelledFault(this.#bucket.place);
      const bytes = await this.#send(key, source, size, transfer);
      const stored = await this.stat(name, signal);
      if (stored?.size !== bytes) {
        const there = stored?.size ?? 'none';
        throw this.#fault('other', `${bytes} bytes of ${name} were written, but the server has ${there}`);
      }
      return stored;
    } catch (error) {
      throw endedEarly(error) ? new Error('What was to be stored ended early.') : error;
    } finally {
      signal.removeEventListener('abort', onAbort);
      source.destroy();
    }
  }

  /** @returns how many bytes it has */
  async #send(key: string, source: Readable, size: number | null, transfer: Transfer): Promise<number> {
    const mark = randomBytes(12).toString('hex');
    const sending = { ...transfer, ...rising(transfer), total: size };
    let upload: Upload | null = null;
    let from = 0;
    try {
      for await (const { bytes, isLast } of partsOf(source, this.#bucket.partBytes)) {
        const through = from + bytes.length;
        if (isLast && size !== null && size !== through) {
          throw this.#fault(
            'other',
            `${key} was to have ${size} bytes, but its source gave ${through}`,
            'make it anew',
          );
        }
        const part = { ...sending, from };
        if (isLast && upload === null) await this.#putWhole(key, bytes, mark, part);
        else {
          upload ??= await this.#begin(key, mark, transfer.signal);
          await this.#part(upload, key, bytes, isLast, mark, part);
        }
        from = through;
      }
      if (upload !== null) await this.#finish(upload, key, mark, transfer.signal);
      return from;
    } catch (error) {
      const begun = upload;
      if (begun !== null) await this.#tidy(transfer.signal, (soon) => begun.abandon(soon));
      throw error;
    }
  }

  #putWhole(key: string, bytes: Buffer, mark: string, sending: Sending): Promise<void> {
    return this.#orDone(key, mark, sending.signal, () =>
      this.#patiently(sending.signal, () => this.#bucket.put(key, bytes, mark, sending)),
    );
  }

  async #begin(key: string, mark: string, signal: AbortSignal): Promise<Upload> {
    await this.#removeLeftovers(signal);
    // Without its answer nobody could abandon it.
    return this.#settled(signal, (later) => this.#bucket.begin(key, mark, later));
  }

  /** Where the last part publishes the object, its answer may be lost. */
  #part(upload: Upload, key: string, bytes: Buffer, isLast: boolean, mark: string, sending: Sending): Promise<void> {
    const send = () => this.#patiently(sending.signal, () => upload.part(bytes, isLast, sending));
    return isLast ? this.#orDone(key, mark, sending.signal, send) : send();
  }

  /** The point of no return: once it was asked for, a cancellation waits for the answer, for a moment. */
  async #finish(upload: Upload, key: string, mark: string, signal: AbortSignal): Promise<void> {
    const finish = (later: AbortSignal) => this.#patiently(later, () => upload.finish(later));
    await this.#settled(signal, (later) => this.#orDone(key, mark, later, () => finish(later)));
  }

  /** What was begun goes on for a moment when it is cancelled. */
  async #settled<T>(signal: AbortSignal, work: (later: AbortSignal) => Promise<T>): Promise<T> {
    if (signal.aborted) throw cancelledFault(this.#bucket.place);
    const { signal: later, end } = laterThan(signal, tidyingMs, this.#clock);
    try {
      return await work(later);
    } finally {
      end();
    }
  }

  /** Where the answer was lost: an object with our mark is ours. */
  async #orDone(key: string, mark: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const mayBeDone = error instanceof LocationError && (passing.has(error.fault) || error.fault === 'missing');
      if (!mayBeDone) throw error;
      let found: string | null = null;
      try {
        found = (await this.#bucket.entry(key, signal))?.mark ?? null;
      } catch {
        // The first failure says more.
      }
      if (found !== mark) throw error;
    }
  }

  #patiently<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return patiently(work, { clock: this.#clock, signal, patience: partPatience });
  }

  async createExclusive(name: string, content: string, signal: AbortSignal): Promise<boolean> {
    const key = this.#keyOf(name);
    await this.#prove(signal);
    let isMade = false;
    try {
      isMade = await this.#bucket.putNew(key, Buffer.from(content), signal);
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
    // Also after a yes: what stands there now is what counts.
    const owner = await this.#contentOf(key, signal);
    if (owner !== null) return owner === content;
    if (isMade) throw this.#fault('unsupported', 'an object that was made is not found again');
    throw this.#fault('connection', `the claim ${name} was not made`);
  }

  /** Two claims of one name by ourselves: the second must be refused. Some endpoints pass over the condition and say yes to all. */
  async #prove(signal: AbortSignal): Promise<void> {
    if (this.#isProven) return;
    const key = `${this.#folder}${temporaryPrefix}${Math.round(this.#clock.wall())}-${randomBytes(6).toString('hex')}`;
    try {
      const first = await this.#bucket.putNew(key, Buffer.from('first'), signal);
      const second = await this.#bucket.putNew(key, Buffer.from('second'), signal);
      if (!first || second) {
        const what = 'it does not keep the condition that an object be new: two nodes could own one epoch';
        throw this.#fault('unsupported', what, 'use another kind of location, or another server, for claims');
      }
      this.#isProven = true;
    } finally {
      await this.#tidy(signal, (soon) => this.#bucket.remove(key, soon));
    }
  }

  /** Null when it is not there. */
  async #contentOf(key: string, signal: AbortSignal): Promise<string | null> {
    const object = await this.#bucket.entry(key, signal);
    if (object === null) return null;
    const { size } = object;
    if (size > maxClaimBytes) throw this.#fault('other', `${key} is too large for a claim (${size} bytes)`);
    if (size === 0) return '';
    const raw = await this.#bucket.read(object, 0, signal);
    const reading = { name: key, from: 0, size, place: this.#bucket.place, transfer: { signal }, clock: this.#clock };
    const pieces: Buffer[] = [];
    for await (const piece of metered(raw, reading)) pieces.push(piece as Buffer);
    return Buffer.concat(pieces).toString('utf8');
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    await this.#bucket.remove(this.#keyOf(name), signal);
  }

  async close(): Promise<void> {
    this.#isProven = this.#bucket.keepsConditions;
    await this.#bucket.close();
  }

  /** What dead writers left. Never in the way of a write: what cannot be removed stays. */
  async #removeLeftovers(signal: AbortSignal): Promise<void> {
    const before = this.#clock.wall() - leftoverAfterMs;
    const trials = `${this.#folder}${temporaryPrefix}`;
    try {
      await this.#bucket.abandonUploads(this.#folder, before, signal);
      for (const { key, modifiedAt } of await this.#bucket.entries(trials, signal)) {
        const begun = Number(key.slice(trials.length).split('-')[0]);
        // By two clocks, the writer's and the store's: one of them may be wrong.
        if (begun < before && (modifiedAt === null || modifiedAt < before)) await this.#bucket.remove(key, signal);
      }
    } catch (error) {
      if (!(error instanceof LocationError) || error.fault === 'cancelled' || isPassing(error)) throw error;
    }
  }

  /** Puts things in order after a failure. */
  #tidy(signal: AbortSignal, work: (soon: AbortSignal) => Promise<void>): Promise<void> {
    return tidily({ signal, cancelledMs: tidyingMs, clock: this.#clock }, work);
  }

  #stored({ key, size, modifiedAt }: BucketEntry): Stored {
    return { name: key.slice(this.#folder.length), size, modifiedAt };
  }

  #keyOf(name: string): string {
    if (isObjectName(name)) return `${this.#folder}${name}`;
    throw this.#fault('other', `${name} is no name for an object`, 'use letters, digits, `.`, `_`, `-`');
  }

  #fault(fault: LocationFault, what: string, todo?: string): LocationError {
    return locationFault(this.#bucket.place, fault, what, todo);
  }
}

/** Progress that never steps back, though a part may be sent again. */
function rising({ onProgress }: Transfer): Pick<Transfer, 'onProgress'> {
  if (onProgress === undefined) return {};
  let most = 0;
  return {
    onProgress: (progress: Progress) => {
      most = Math.max(most, progress.bytes);
      onProgress({ ...progress, bytes: most });
    },
  };
}

const endedEarly = (error: unknown): boolean => codeOf(error) === 'ERR_STREAM_PREMATURE_CLOSE';
