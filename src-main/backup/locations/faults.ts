/**
 * Faults of locations in words: what each kind of failure is called, and what the admin can do about it. Pure; must not know
 * how a kind talks to its server.
 */
import { LocationError, type LocationFault } from '../location.ts';

/** Where something failed. */
export interface Place {
  /** as in `Location.title` */
  title: string;
  /** what no sentence may repeat, whatever a server sends back */
  secrets: readonly string[];
}

const todos: Readonly<Record<LocationFault, string>> = {
  credentials: 'check `user` in backup.location and write its secret anew with `estepe secret set NAME`',
  'host-key':
    'ask whoever runs the server; when it was really set up anew, put its new fingerprint into `hostKey` in backup.location',
  certificate:
    'give the server a certificate for the name in `host`, in date, from an authority that this machine trusts',
  permission: 'let this user read, write, rename and delete in that folder',
  missing: 'check the path in backup.location; the folder above must be there',
  full: 'free some space there, raise the quota, or lower `keep` in backup',
  connection: 'check that the server runs and that no firewall stands in between; it is tried again',
  timeout: 'check whether the server hangs or the line is cut; it is tried again',
  busy: 'wait a while; it is tried again',
  'too-large': 'use a location that takes files of that size',
  unsupported: 'use another kind of location, or another server',
  cancelled: 'start it again when it is wanted',
  other: 'look into the log of that server',
};

/** A server's words in one line, without control characters and secrets. */
export function quoted(text: string, secrets: readonly string[]): string {
  let line = text;
  // Pieces of a key are as good as the key: each of its lines counts.
  const pieces = secrets.flatMap((secret) => [secret, ...secret.split(/\r?\n/)]).filter((piece) => piece.length > 3);
  for (const piece of pieces) line = line.replaceAll(piece, '***');
  for (const secret of secrets) if (secret !== '') line = line.replaceAll(secret, '***');
  return line
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 300);
}

/**
 * @param what the sentence without its full stop, after the location's title
 * @param todo default: what usually helps against such a fault
 */
export function locationFault(place: Place, fault: LocationFault, what: string, todo?: string): LocationError {
  // No cause: what a library throws may hold what was sent.
  return new LocationError(fault, `${place.title}: ${quoted(what, place.secrets)}.`, todo ?? todos[fault]);
}

export const cancelledFault = (place: Place): LocationError =>
  locationFault(place, 'cancelled', 'ended because it was cancelled');

const ofErrno: Readonly<Record<string, readonly [LocationFault, string]>> = {
  ENOENT: ['missing', 'does not exist'],
  ENOTDIR: ['missing', 'is not a folder'],
  EISDIR: ['other', 'is a folder'],
  EACCES: ['permission', 'this user may not do that there'],
  EPERM: ['permission', 'this user may not do that there'],
  EROFS: ['permission', 'is read-only'],
  ENOSPC: ['full', 'the disk is full'],
  EDQUOT: ['full', 'the quota is used up'],
  EFBIG: ['too-large', 'takes no file of that size'],
  ECONNREFUSED: ['connection', 'the connection was refused'],
  ECONNRESET: ['connection', 'the connection was cut'],
  ECONNABORTED: ['connection', 'the connection was cut'],
  EPIPE: ['connection', 'the connection was cut'],
  EHOSTUNREACH: ['connection', 'there is no way to the server'],
  EHOSTDOWN: ['connection', 'the server does not answer'],
  ENETUNREACH: ['connection', 'there is no way to the server'],
  ENOTCONN: ['connection', 'the share is not connected'],
  ESTALE: ['connection', 'the share was mounted anew meanwhile'],
  EIO: ['connection', 'the disk or the share answers with an input/output error'],
  ENOTFOUND: ['connection', 'no address is known for that name'],
  EAI_AGAIN: ['connection', 'the name cannot be looked up now'],
  ETIMEDOUT: ['timeout', 'the server does not answer'],
};

/** The code that Node gives an error: `ENOENT`, `CERT_HAS_EXPIRED`; empty where there is none. */
export const codeOf = (error: unknown): string => {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : '';
};

/** What the operating system said, as a fault; null for what is not of its making. */
export function ofSystem(place: Place, error: unknown, what: string): LocationError | null {
  const known = ofErrno[codeOf(error)];
  return known ? locationFault(place, known[0], `${what}: ${known[1]} (${codeOf(error)})`) : null;
}
