/**
 * A location made of files and folders, whatever carries them: temporary names, publishing by rename, claims, leftovers.
 * Must not know any protocol.
 *
 * A claim is a folder with one file in it, made under a temporary name and renamed to its own. A folder that is not empty replaces
 * none that is not empty (rename(2), SFTP, FTP's RNTO, SMB alike): one of two wins, and whoever lost the answer reads whose it is. A
 * bare mkdir would leave an empty folder behind a lost answer, and nobody could tell whose.
 */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Clock } from '../../engine/ports.ts';
import {
  isObjectName,
  type Location,
  LocationError,
  type LocationFault,
  passing,
  type Stored,
  type Transfer,
  temporaryPrefix,
} from '../location.ts';
import type { Door, Entry } from './door.ts';
import { cancelledFault, locationFault } from './faults.ts';
import { laterThan, Meter, tidily } from './flow.ts';
import { metered, shortFault } from './reading.ts';

/** In a claim's folder; the dot keeps it out of every list. */
const claimFile = '.estepe-claim';
/** A writer that has not finished by now is dead. */
const leftoverAfterMs = 24 * 3600_000;
/** For putting things in order once it was cancelled: ends within a second, whatever the other side does. */
const tidyingMs = 700;
/** A claim holds a few words. */
const maxClaimBytes = 64 * 1024;

const folderOf = (name: string): string => (name.includes('/') ? name.slice(0, name.indexOf('/')) : '');
const isPassing = (error: unknown): boolean => error instanceof LocationError && passing.has(error.fault);
const isMissing = (error: unknown): boolean => error instanceof LocationError && error.fault === 'missing';

/** `.estepe-part-1767225600000-9f86d081`: when it was begun, by the writer's wall clock, and a chance number. */
function temporaryName(wall: number): string {
  return `${temporaryPrefix}${Math.round(wall)}-${randomBytes(6).toString('hex')}`;
}

export class FileLocation implements Location {
  readonly title: string;
  readonly #door: Door;
  readonly #clock: Clock;
  #rootMade = false;

  constructor(door: Door, clock: Clock) {
    this.title = door.place.title;
    this.#door = door;
    this.#clock = clock;
  }

  async list(prefix: string, signal: AbortSignal): Promise<Stored[]> {
    const found: Stored[] = [];
    for (const entry of await this.#door.entries('', signal)) {
      if (!isObjectName(entry.name)) continue;
      if (!entry.folder) {
        if (entry.name.startsWith(prefix)) found.push(stored(entry.name, entry));
      } else if (`${entry.name}/`.startsWith(prefix) || prefix.startsWith(`${entry.name}/`)) {
        found.push(...(await this.#listFolder(entry.name, prefix, signal)));
      }
    }
    return found;
  }

  async #listFolder(folder: string, prefix: string, signal: AbortSignal): Promise<Stored[]> {
    const found: Stored[] = [];
    for (const entry of await this.#entriesIfOpen(folder, prefix.startsWith(`${folder}/`), signal)) {
      const name = `${folder}/${entry.name}`;
      if (entry.name === claimFile && !entry.folder && folder.startsWith(prefix)) found.push(stored(folder, entry));
      if (!isObjectName(name) || !name.startsWith(prefix)) continue;
      const inside = entry.folder ? await this.#door.entry(`${name}/${claimFile}`, signal) : entry;
      if (inside !== null) found.push(stored(name, inside));
    }
    return found;
  }

  /** Somebody may remove it between two questions; one that nobody asked for may be somebody else's, and closed to us. */
  async #entriesIfOpen(folder: string, isAsked: boolean, signal: AbortSignal): Promise<Entry[]> {
    try {
      return await this.#door.entries(folder, signal);
    } catch (error) {
      const isClosed = error instanceof LocationError && error.fault === 'permission';
      if (isMissing(error) || (isClosed && !isAsked)) return [];
      throw error;
    }
  }

  async stat(name: string, signal: AbortSignal): Promise<Stored | null> {
    const found = await this.#find(name, signal);
    return found === null ? null : stored(name, found.entry);
  }

  /** The file that holds an object's bytes. */
  async #find(name: string, signal: AbortSignal): Promise<{ path: string; entry: Entry } | null> {
    this.#check(name);
    const entry = await this.#door.entry(name, signal);
    if (entry === null) return null;
    if (!entry.folder) return { path: name, entry };
    const path = `${name}/${claimFile}`;
    const claim = await this.#door.entry(path, signal);
    return claim === null ? null : { path, entry: claim };
  }

  async read(name: string, from: number, transfer: Transfer): Promise<Readable> {
    const { signal } = transfer;
    const found = await this.#find(name, signal);
    if (found === null) throw this.#fault('missing', `${name} is not there`, 'look at the list of backups again');
    const { path, entry } = found;
    if (from > entry.size) {
      throw this.#fault('other', `${name} has ${entry.size} bytes, not the ${from} that were read before`);
    }
    const raw = await this.#door.read(path, from, signal);
    return metered(raw, { name, from, size: entry.size, place: this.#door.place, transfer, clock: this.#clock });
  }

  async write(name: string, source: Readable, size: number | null, transfer: Transfer): Promise<Stored> {
    // It may fail before anybody reads it: said in #putMetered.
    source.on('error', () => {});
    try {
      this.#check(name);
      const { signal } = transfer;
      await this.#prepare(folderOf(name), signal);
      await this.#removeLeftovers(signal);
      return await this.#writeAs(name, source, size, transfer);
    } catch (error) {
      if (isMissing(error)) this.#rootMade = false;
      throw error;
    } finally {
      source.destroy();
    }
  }

  async #writeAs(name: string, source: Readable, size: number | null, transfer: Transfer): Promise<Stored> {
    const { signal } = transfer;
    const temporary = temporaryName(this.#clock.wall());
    try {
      const bytes = await this.#putMetered(temporary, source, size, transfer);
      const put = await this.#door.entry(temporary, signal);
      if (put?.size !== bytes) {
        throw this.#fault('other', `${bytes} bytes of ${name} were written, but the server has ${put?.size ?? 'none'}`);
      }
      if (size !== null && size !== bytes) {
        throw this.#fault('other', `${name} was to have ${size} bytes, but its source gave ${bytes}`, 'make it anew');
      }
      return await this.#publish(temporary, name, bytes, signal);
    } catch (error) {
      await this.#tidy(signal, (soon) => this.#door.removeFile(temporary, soon));
      throw error;
    }
  }

  async #putMetered(path: string, source: Readable, size: number | null, transfer: Transfer): Promise<number> {
    const { signal } = transfer;
    if (signal.aborted) throw cancelledFault(this.#door.place);
    const meter = new Meter(transfer, size, this.#clock);
    // The door only sees its stream break; why is known here.
    let why: Error | null = null;
    const breakOff = (error: Error): void => {
      why ??= error;
      meter.destroy(error);
    };
    const onAbort = (): void => breakOff(cancelledFault(this.#door.place));
    const onClose = (): void => {
      if (source.readableEnded || meter.destroyed) return;
      breakOff(source.errored ?? new Error('What was to be stored ended early.'));
    };
    meter.on('error', () => {});
    source.once('error', breakOff);
    source.once('close', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (source.destroyed) onClose();
      else source.pipe(meter);
      await this.#door.put(path, meter, signal);
      return meter.bytes;
    } catch (error) {
      throw why ?? error;
    } finally {
      signal.removeEventListener('abort', onAbort);
      source.off('error', breakOff);
      source.off('close', onClose);
      source.unpipe(meter);
      meter.destroy();
    }
  }

  /** The point of no return: once the rename was sent, a cancellation waits for its answer, for a moment. */
  async #publish(temporary: string, name: string, bytes: number, signal: AbortSignal): Promise<Stored> {
    if (signal.aborted) throw cancelledFault(this.#door.place);
    const { signal: later, end } = laterThan(signal, tidyingMs, this.#clock);
    try {
      try {
        await this.#door.replace(temporary, name, later);
      } catch (error) {
        // Its answer was lost: where the temporary name is gone and the size is ours, it was done.
        if (!isPassing(error) || (await this.#door.entry(temporary, later)) !== null) throw error;
        if ((await this.#door.entry(name, later))?.size !== bytes) throw error;
      }
      const entry = await this.#door.entry(name, later);
      if (entry === null) throw this.#fault('other', `${name} was published but is not there`);
      return stored(name, entry);
    } finally {
      end();
    }
  }

  async createExclusive(name: string, content: string, signal: AbortSignal): Promise<boolean> {
    this.#check(name);
    await this.#prepare(folderOf(name), signal);
    const temporary = temporaryName(this.#clock.wall());
    const inside = `${temporary}/${claimFile}`;
    let moved = false;
    try {
      await this.#door.makeFolder(temporary, signal);
      await this.#putMetered(inside, Readable.from([Buffer.from(content)]), null, { signal });
      const put = await this.#door.entry(inside, signal);
      if (put?.size !== Buffer.byteLength(content))
        throw this.#fault('other', `the claim ${name} was not stored whole`);
      try {
        moved = await this.#door.moveNew(temporary, name, signal);
      } catch (error) {
        if (!isPassing(error)) throw error;
      }
      // Also after a yes: what stands there now is what counts.
      const owner = await this.#claimOf(name, signal);
      if (moved && owner === null) throw this.#fault('unsupported', 'a folder that was renamed is not found again');
      if (owner === null && (await this.#door.entry(name, signal)) === null) {
        throw this.#fault('connection', `the claim ${name} was not made`);
      }
      return owner === content;
    } finally {
      if (!moved) await this.#tidy(signal, (soon) => this.#removeClaimFolder(temporary, soon));
    }
  }

  /** Who owns a claim; null when there is no claim of that name. */
  async #claimOf(name: string, signal: AbortSignal): Promise<string | null> {
    const path = `${name}/${claimFile}`;
    const entry = await this.#door.entry(path, signal);
    if (entry === null || entry.folder) return null;
    if (entry.size > maxClaimBytes)
      throw this.#fault('other', `${name} is too large for a claim (${entry.size} bytes)`);
    const pieces: Buffer[] = [];
    for await (const piece of await this.#door.read(path, 0, signal)) pieces.push(piece as Buffer);
    const bytes = Buffer.concat(pieces);
    if (bytes.length !== entry.size) throw shortFault(this.#door.place, name, bytes.length, entry.size);
    return bytes.toString('utf8');
  }

  async #removeClaimFolder(folder: string, signal: AbortSignal): Promise<void> {
    await this.#door.removeFile(`${folder}/${claimFile}`, signal);
    await this.#door.removeFolder(folder, signal);
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    const found = await this.#find(name, signal);
    if (found === null) return;
    if (found.path === name) {
      await this.#door.removeFile(name, signal);
      await this.#removeIfEmpty(folderOf(name), signal);
      return;
    }
    // First out of sight, in one step: a claim without its content would be nobody's.
    const temporary = temporaryName(this.#clock.wall());
    try {
      await this.#door.moveNew(name, temporary, signal);
    } catch (error) {
      if (isMissing(error)) return;
      throw error;
    }
    await this.#removeClaimFolder(temporary, signal);
    await this.#removeIfEmpty(folderOf(name), signal);
  }

  /** A folder goes with the last object in it. Whatever is in the way of that is no failure of what was asked. */
  async #removeIfEmpty(folder: string, signal: AbortSignal): Promise<void> {
    if (folder === '') return;
    try {
      if ((await this.#door.entries(folder, signal)).length === 0) await this.#door.removeFolder(folder, signal);
    } catch (error) {
      if (error instanceof LocationError && error.fault === 'cancelled') throw error;
    }
  }

  async close(): Promise<void> {
    this.#rootMade = false;
    await this.#door.close();
  }

  async #prepare(folder: string, signal: AbortSignal): Promise<void> {
    if (!this.#rootMade) await this.#door.makeRoot(signal);
    this.#rootMade = true;
    if (folder !== '') await this.#door.makeFolder(folder, signal);
  }

  /** What dead writers left. Never in the way of a write: what cannot be removed stays. */
  async #removeLeftovers(signal: AbortSignal): Promise<void> {
    const now = this.#clock.wall();
    const isOld = (at: number | null): boolean => at === null || now - at > leftoverAfterMs;
    for (const entry of await this.#door.entries('', signal)) {
      if (!entry.name.startsWith(temporaryPrefix)) continue;
      const begun = Number(entry.name.slice(temporaryPrefix.length).split('-')[0]);
      // By two clocks, the writer's and the server's: one of them may be wrong, and a file that still grows is young.
      if (Number.isNaN(begun) || !isOld(begun) || !isOld(entry.modifiedAt)) continue;
      try {
        if (entry.folder) await this.#removeClaimFolder(entry.name, signal);
        else await this.#door.removeFile(entry.name, signal);
      } catch (error) {
        if (!(error instanceof LocationError) || error.fault === 'cancelled' || isPassing(error)) throw error;
      }
    }
  }

  /** Puts things in order after a failure. */
  #tidy(signal: AbortSignal, work: (soon: AbortSignal) => Promise<void>): Promise<void> {
    return tidily({ signal, cancelledMs: tidyingMs, clock: this.#clock }, work);
  }

  #check(name: string): void {
    if (!isObjectName(name))
      throw this.#fault('other', `${name} is no name for an object`, 'use letters, digits, `.`, `_`, `-`');
  }

  #fault(fault: LocationFault, what: string, todo?: string): LocationError {
    return locationFault(this.#door.place, fault, what, todo);
  }
}

const stored = (name: string, { size, modifiedAt }: Entry): Stored => ({ name, size, modifiedAt });
