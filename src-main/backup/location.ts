/**
 * What every place for backups can do, whatever it is: a folder, a share, a server, a bucket. Names are flat or one folder deep
 * (`a.zip`, `epoch-7/owner`), of letters, digits, `.`, `_`, `-`. Types, names and errors only; each kind has a file of its own in
 * locations/.
 */
import type { Readable } from 'node:stream';
import { EstepeError } from '../contract/errors.ts';

/** One published object. What is being written under a temporary name is never listed. */
export interface Stored {
  name: string;
  /** bytes */
  size: number;
  /** wall clock by the location's own clock; null where it tells none */
  modifiedAt: number | null;
}

export interface Progress {
  /** bytes through so far */
  bytes: number;
  /** of so many; null where that is not known beforehand */
  total: number | null;
}

export interface Transfer {
  /** ends it; what was begun is removed, as far as the location can still be reached */
  signal: AbortSignal;
  /** called at most some times a second */
  onProgress?: (progress: Progress) => void;
  /** bytes a second at most; none: as fast as it goes */
  bandwidth?: number;
}

/** Why a location could not do it. The word decides what is tried again, the sentence is for the admin. */
export const locationFaults = [
  'credentials', // user, password or key refused
  'host-key', // the server is not the one it was
  'certificate', // TLS: not trusted, wrong name, out of date
  'permission', // let in, but this may not be done
  'missing', // the folder, the bucket, the object
  'full', // quota or disk
  'connection', // cut, refused, reset
  'timeout', // silence
  'busy', // asked too often, or in trouble for the moment
  'too-large', // the other side takes no such size
  'unsupported', // the endpoint cannot do what is needed, said in words
  'cancelled',
  'other',
] as const;
export type LocationFault = (typeof locationFaults)[number];

/** Worth another attempt by itself, after a pause. */
export const passing: ReadonlySet<LocationFault> = new Set(['connection', 'timeout', 'busy']);

/** A location's failure: what, where, what to do. Never holds a secret. */
export class LocationError extends EstepeError {
  readonly fault: LocationFault;

  constructor(fault: LocationFault, message: string, todo: string, cause?: unknown) {
    super('location', message, todo, { fault }, cause);
    this.name = 'LocationError';
    this.fault = fault;
  }
}

export interface Location {
  /** as people know it, without secrets: `sftp://pbx@nas.example.com:22/3CX_PBX_Backups` */
  readonly title: string;

  /** Published objects whose names begin so, in no order. Throws LocationError. */
  list(prefix: string, signal: AbortSignal): Promise<Stored[]>;

  /** What is known of one object; null when it is not there. Throws LocationError. */
  stat(name: string, signal: AbortSignal): Promise<Stored | null>;

  /**
   * The object's bytes from an offset on. The stream fails with LocationError when the connection is cut: it never just ends. Its
   * pieces are the reader's own: nobody else looks at them any more.
   */
  read(name: string, from: number, transfer: Transfer): Promise<Readable>;

  /**
   * Writes under a temporary name, then publishes: nobody ever sees half of it, and dying in between leaves nothing that is listed.
   * An object of that name is replaced. Resolves with what the location then says of it; throws LocationError. The source's pieces
   * are the location's own: their memory is given back as soon as they are through.
   * @param size bytes, when known beforehand
   */
  write(name: string, source: Readable, size: number | null, transfer: Transfer): Promise<Stored>;

  /**
   * Exclusive creation of a small object (the claim): true when it is ours now, false when it was there. Never a guess: where
   * the answer was lost it is asked after. `content` tells whose it is, so it must be unique to each claimant; the same content
   * again is true again. Throws LocationError, `unsupported` where the endpoint has no such thing.
   */
  createExclusive(name: string, content: string, signal: AbortSignal): Promise<boolean>;

  /** Removes an object, and its folder with the last one in it; one that is not there counts as removed. Throws LocationError. */
  remove(name: string, signal: AbortSignal): Promise<void>;

  /** Lets go of connections. Never throws; the next call connects anew. */
  close(): Promise<void>;
}

const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;

/** Whether a name is one that any location takes and that leads nowhere else. */
export function isObjectName(name: string): boolean {
  const parts = name.split('/');
  return parts.length <= 2 && parts.every((part) => plainName.test(part));
}

/** Temporary names begin so; the dot keeps them out of `isObjectName` and so out of every list. */
export const temporaryPrefix = '.estepe-part-';
