/**
 * Signatures of DNS messages by a shared key, TSIG (RFC 8945): the key as people write it, signing, and whether a reply is
 * signed by who knows the key. No sentence of this file holds the secret.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  classes,
  DnsFormatError,
  type Message,
  nameBytes,
  plainName,
  type Resource,
  resourceBytes,
  types,
} from './message.ts';

export interface TsigKey {
  name: string;
  /** `hmac-sha256` */
  algorithm: Algorithm;
  secret: Buffer;
}

/** RFC 8945 §6, with node's names of the hash and the bytes of a whole signature. */
const algorithms = {
  'hmac-md5.sig-alg.reg.int': { hash: 'md5', bytes: 16 },
  'hmac-sha1': { hash: 'sha1', bytes: 20 },
  'hmac-sha224': { hash: 'sha224', bytes: 28 },
  'hmac-sha256': { hash: 'sha256', bytes: 32 },
  'hmac-sha384': { hash: 'sha384', bytes: 48 },
  'hmac-sha512': { hash: 'sha512', bytes: 64 },
} as const;
type Algorithm = keyof typeof algorithms;

/** RFC 8945 §10: so far may the clocks be apart, seconds. */
export const fudgeS = 300;

const forms =
  'a key is written NAME:hmac-sha256:BASE64, or as BIND\'s key "NAME" { algorithm hmac-sha256; secret "BASE64"; };';

function algorithmOf(text: string): Algorithm | null {
  const plain = plainName(text);
  if (plain === 'hmac-md5') return 'hmac-md5.sig-alg.reg.int';
  return Object.hasOwn(algorithms, plain) ? (plain as Algorithm) : null;
}

/**
 * Reads a key: `NAME:ALGORITHM:BASE64` (also nsupdate's `ALGORITHM:NAME:BASE64`), or a `key` clause as BIND's tsig-keygen
 * prints it.
 * @returns the key, or a sentence that does not hold the secret
 */
export function parseTsigKey(text: string): TsigKey | { wrong: string } {
  const found = fromClause(text) ?? fromLine(text.trim());
  if (found === null) return { wrong: `it is not a TSIG key: ${forms}` };
  const algorithm = algorithmOf(found.algorithm);
  if (algorithm === null) {
    const known = ['hmac-sha256', 'hmac-sha512', 'hmac-sha384', 'hmac-sha224', 'hmac-sha1', 'hmac-md5'].join(', ');
    return { wrong: `its algorithm is not known here; known are ${known}` };
  }
  if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(found.secret)) return { wrong: `its secret is not base64: ${forms}` };
  const secret = Buffer.from(found.secret, 'base64');
  if (secret.length === 0) return { wrong: `its secret is empty: ${forms}` };
  try {
    nameBytes(found.name);
  } catch {
    return { wrong: `its name is no domain name: ${forms}` };
  }
  return { name: plainName(found.name), algorithm, secret };
}

interface WrittenKey {
  name: string;
  algorithm: string;
  secret: string;
}

function fromClause(text: string): WrittenKey | null {
  const bare = text.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/(^|\s)(#|\/\/).*$/gm, ' ');
  const clause = /\bkey\s+"?([^\s"{]+)"?\s*\{([^}]*)\}/.exec(bare);
  if (clause === null) return null;
  const [, name = '', inside = ''] = clause;
  const algorithm = /\balgorithm\s+"?([\w.-]+)"?\s*;/.exec(inside)?.[1];
  const secret = /\bsecret\s+"?([^";]+)"?\s*;/.exec(inside)?.[1];
  return algorithm === undefined || secret === undefined ? null : { name, algorithm, secret };
}

function fromLine(text: string): WrittenKey | null {
  const [first = '', second = '', secret, ...more] = text.split(':');
  if (secret === undefined || more.length > 0 || first.trim() === '' || second.trim() === '') return null;
  const [name, algorithm] =
    algorithmOf(first.trim()) !== null && algorithmOf(second.trim()) === null ? [second, first] : [first, second];
  return { name: name.trim(), algorithm: algorithm.trim(), secret: secret.trim() };
}

/** The time as TSIG carries it: 48 bits of seconds since 1970. */
function timeBytes(timeS: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(timeS, 0, 6);
  return bytes;
}

const u16 = (value: number): Buffer => Buffer.from([(value >> 8) & 0xff, value & 0xff]);

/** What is signed besides the message (RFC 8945 §4.3.3). */
interface Variables {
  timeS: number;
  fudge: number;
  error: number;
  other: Buffer;
}

function macOf(key: TsigKey, requestMac: Buffer | null, message: Buffer, v: Variables): Buffer {
  const before = requestMac === null ? [] : [u16(requestMac.length), requestMac];
  return createHmac(algorithms[key.algorithm].hash, key.secret)
    .update(Buffer.concat([...before, message]))
    .update(nameBytes(key.name))
    .update(Buffer.concat([u16(classes.ANY), Buffer.alloc(4), nameBytes(key.algorithm)]))
    .update(Buffer.concat([timeBytes(v.timeS), u16(v.fudge), u16(v.error), u16(v.other.length), v.other]))
    .digest();
}

/** The message with a signature behind it, and the signature, which that of the reply builds on. */
export function signMessage(message: Buffer, key: TsigKey, timeS: number): { bytes: Buffer; mac: Buffer } {
  const variables = { timeS, fudge: fudgeS, error: 0, other: Buffer.alloc(0) };
  const mac = macOf(key, null, message, variables);
  const data = Buffer.concat([
    nameBytes(key.algorithm),
    timeBytes(timeS),
    u16(fudgeS),
    u16(mac.length),
    mac,
    message.subarray(0, 2),
    u16(0),
    u16(0),
  ]);
  const record = resourceBytes({ name: key.name, type: types.TSIG, class: classes.ANY, ttl: 0, data });
  const bytes = Buffer.concat([message, record]);
  bytes.writeUInt16BE(message.readUInt16BE(10) + 1, 10);
  return { bytes, mac };
}

/** RFC 8945 §3 */
const errors = { badSig: 16, badKey: 17, badTime: 18, badTrunc: 22 } as const;

/** What the signature of a reply says. `unsigned`: it has none, or one that anybody could have made. */
export type Verdict =
  | { how: 'signed' }
  | { how: 'unsigned' }
  | { how: 'wrong'; why: string }
  /** the server does not know the key, or finds the signature wrong; it cannot sign that */
  | { how: 'bad-key' | 'bad-signature' }
  /** signed by the server; by how much our clock is ahead of its own, seconds */
  | { how: 'bad-time'; aheadS: number | null };

interface Tsig extends Variables {
  algorithm: string;
  mac: Buffer;
  originalId: number;
}

/** @throws DnsFormatError */
function readTsig({ data }: Resource): Tsig {
  // the algorithm's name is never compressed (RFC 8945 §4.2)
  let at = 0;
  const labels: string[] = [];
  for (let length = data[at] ?? 0; length !== 0; length = data[at] ?? 0) {
    labels.push(data.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const take = (length: number): Buffer => {
    if (at + length > data.length) throw new DnsFormatError('a TSIG record ends too early');
    at += length;
    return data.subarray(at - length, at);
  };
  take(1);
  const [timeS, fudge] = [take(6).readUIntBE(0, 6), take(2).readUInt16BE(0)];
  const mac = take(take(2).readUInt16BE(0));
  const [originalId, error] = [take(2).readUInt16BE(0), take(2).readUInt16BE(0)];
  const other = take(take(2).readUInt16BE(0));
  return { algorithm: labels.join('.').toLowerCase(), timeS, fudge, mac, originalId, error, other };
}

/**
 * Whether a reply was signed by who knows the key, and what it says of our own signature.
 * @param bytes the reply as it came
 * @param requestMac the signature of the question
 * @param nowS our clock, seconds since 1970
 */
export function judgeSignature(reply: Message, bytes: Buffer, key: TsigKey, requestMac: Buffer, nowS: number): Verdict {
  const record = reply.additional.at(-1);
  if (record?.type !== types.TSIG || reply.lastAt === null) return { how: 'unsigned' };
  let tsig: Tsig;
  try {
    tsig = readTsig(record);
  } catch (error) {
    if (error instanceof DnsFormatError) return { how: 'wrong', why: error.message };
    throw error;
  }
  if (tsig.error === errors.badKey) return { how: 'bad-key' };
  if (tsig.error === errors.badSig || tsig.error === errors.badTrunc) return { how: 'bad-signature' };
  if (plainName(record.name) !== key.name || tsig.algorithm !== key.algorithm) {
    return { how: 'wrong', why: 'the reply is signed with another key' };
  }
  const unsigned = Buffer.from(bytes.subarray(0, reply.lastAt));
  unsigned.writeUInt16BE(tsig.originalId, 0);
  unsigned.writeUInt16BE(unsigned.readUInt16BE(10) - 1, 10);
  const mac = macOf(key, requestMac, unsigned, tsig);
  if (tsig.mac.length !== algorithms[key.algorithm].bytes || !timingSafeEqual(mac, tsig.mac)) {
    return { how: 'wrong', why: 'the signature of the reply is not right' };
  }
  if (tsig.error === errors.badTime) {
    const theirs = tsig.other.length === 6 ? tsig.other.readUIntBE(0, 6) : null;
    return { how: 'bad-time', aheadS: theirs === null ? null : tsig.timeS - theirs };
  }
  if (tsig.error !== 0) return { how: 'wrong', why: `the reply carries the TSIG error ${tsig.error}` };
  if (Math.abs(nowS - tsig.timeS) > tsig.fudge) return { how: 'bad-time', aheadS: nowS - tsig.timeS };
  return { how: 'signed' };
}
