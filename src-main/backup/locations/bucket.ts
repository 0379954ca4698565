/**
 * What an object store must be able to do for object-location.ts to make a location of it. Types only. Keys are whole: the location's
 * folder is in them.
 */
import type { Readable } from 'node:stream';
import type { Transfer } from '../location.ts';
import type { Place } from './faults.ts';

export interface BucketEntry {
  key: string;
  /** bytes */
  size: number;
  /** wall clock by the store's clock; null where it tells none */
  modifiedAt: number | null;
}

export interface BucketObject extends BucketEntry {
  /** which of the objects that had this key: a read of it never mixes two */
  version: string;
  /** what its writer put there, to know its own again; null where the store keeps none */
  mark: string | null;
}

/** Bytes on their way up. */
export interface Sending extends Transfer {
  /** bytes of the object before these */
  from: number;
  /** of the whole object; null where that is not known yet */
  total: number | null;
}

/** An object that comes in parts; nobody sees it before `finish`. */
export interface Upload {
  /** The next part; safe to repeat when it failed. `isLast`: the size of the whole is known with it. */
  part(bytes: Buffer, isLast: boolean, sending: Sending): Promise<void>;

  /** Publishes it, in one step. */
  finish(signal: AbortSignal): Promise<void>;

  /** Nothing is left of it. */
  abandon(signal: AbortSignal): Promise<void>;
}

/** Each call throws LocationError, `cancelled` at once when the signal says so, `timeout` after silence; the next one connects anew. */
export interface Bucket {
  readonly place: Place;

  /** bytes of each part of an upload but the last */
  readonly partBytes: number;

  /** Whether conditions are part of the interface, so that an endpoint cannot pass over them. */
  readonly keepsConditions: boolean;

  /** All whose keys begin so. */
  entries(prefix: string, signal: AbortSignal): Promise<BucketEntry[]>;

  /** Null when it is not there. */
  entry(key: string, signal: AbortSignal): Promise<BucketObject | null>;

  /** An object's bytes from an offset on, which is less than its size. */
  read(object: BucketObject, from: number, signal: AbortSignal): Promise<Readable>;

  /** An object in one step, over one that is there. */
  put(key: string, bytes: Buffer, mark: string, sending: Sending): Promise<void>;

  /** The same, but false when something of that key is there. */
  putNew(key: string, bytes: Buffer, signal: AbortSignal): Promise<boolean>;

  begin(key: string, mark: string, signal: AbortSignal): Promise<Upload>;

  /** One that is not there counts as removed. */
  remove(key: string, signal: AbortSignal): Promise<void>;

  /** Abandons uploads whose keys begin so and that were begun before that time, by the store's clock. */
  abandonUploads(prefix: string, before: number, signal: AbortSignal): Promise<void>;

  /** Lets go of connections. Never throws. */
  close(): Promise<void>;
}
