/**
 * What a file-like place must be able to do for file-location.ts to make a location of it. Types only. Paths are below the
 * location's folder, with `/`: `` is that folder itself, `a.zip`, `epoch-7/owner`.
 */
import type { Readable } from 'node:stream';
import type { Place } from './faults.ts';

export interface Entry {
  name: string;
  folder: boolean;
  /** bytes; 0 for folders */
  size: number;
  /** wall clock by the server's clock; null where it tells none */
  modifiedAt: number | null;
}

/** Each call throws LocationError, `cancelled` at once when the signal says so, `timeout` after silence; the next one connects anew. */
export interface Door {
  readonly place: Place;

  /** What is in a folder. Throws `missing`. */
  entries(path: string, signal: AbortSignal): Promise<Entry[]>;

  /** Null when it is not there. */
  entry(path: string, signal: AbortSignal): Promise<Entry | null>;

  /** One that is there already is fine. Throws `missing` when the folder above is not there. */
  makeFolder(path: string, signal: AbortSignal): Promise<void>;

  /** The location's own folder, and those above it where this kind makes them. */
  makeRoot(signal: AbortSignal): Promise<void>;

  /** A file's bytes from an offset on. */
  read(path: string, from: number, signal: AbortSignal): Promise<Readable>;

  /** A new file of these bytes; on the disk when it resolves, where the server can be asked for that. Rethrows what `source` fails with. */
  put(path: string, source: Readable, signal: AbortSignal): Promise<void>;

  /** Renames a file, over one that is there, in one step where the server has such a step. */
  replace(from: string, to: string, signal: AbortSignal): Promise<void>;

  /** Renames a folder that is not empty, in one step; false when something of the new name is there. */
  moveNew(from: string, to: string, signal: AbortSignal): Promise<boolean>;

  /** One that is not there counts as removed. */
  removeFile(path: string, signal: AbortSignal): Promise<void>;

  /** An empty one; one that is not there counts as removed. */
  removeFolder(path: string, signal: AbortSignal): Promise<void>;

  /** Lets go of connections. Never throws. */
  close(): Promise<void>;
}
