/**
 * DNS messages in bytes: questions, dynamic updates, and what comes back (RFC 1035 §4, RFC 2136 §2). Whatever bytes come,
 * reading ends, with a message or with a `DnsFormatError`. Must not know sockets or keys.
 */
import { isIP, SocketAddress } from 'node:net';

export const types = { A: 1, NS: 2, CNAME: 5, SOA: 6, AAAA: 28, TSIG: 250 } as const;
export const classes = { IN: 1, NONE: 254, ANY: 255 } as const;
export const opcodes = { query: 0, update: 5 } as const;

/** RFC 1035 §4.1.1, RFC 2136 §2.2 */
export const rcodes = {
  noError: 0,
  formErr: 1,
  servFail: 2,
  nxDomain: 3,
  notImp: 4,
  refused: 5,
  nxRrset: 8,
  notAuth: 9,
  notZone: 10,
} as const;
const rcodeNames = 'NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP REFUSED YXDOMAIN YXRRSET NXRRSET NOTAUTH NOTZONE'.split(
  ' ',
);
export const rcodeName = (code: number): string => rcodeNames[code] ?? `code ${code}`;

/** Bytes that are no DNS message, or a name that cannot be written as one. */
export class DnsFormatError extends Error {}

/** A resource record; `data` as it lies in the message, names in it uncompressed. */
export interface Resource {
  name: string;
  type: number;
  class: number;
  ttl: number;
  data: Buffer;
}

export interface Question {
  name: string;
  type: number;
  class: number;
}

export interface Message {
  id: number;
  opcode: number;
  rcode: number;
  isResponse: boolean;
  isAuthoritative: boolean;
  isTruncated: boolean;
  /** in an update the zone */
  questions: Question[];
  answers: Resource[];
  /** in an update what is to be changed */
  authority: Resource[];
  additional: Resource[];
  /** where the last record begins, for the signature over all before it; null without records */
  lastAt: number | null;
}

/** A name as it is compared: small letters, no last point. */
export const plainName = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** A name in bytes, uncompressed (RFC 1035 §3.1). @throws DnsFormatError */
export function nameBytes(name: string): Buffer {
  const plain = plainName(name);
  const labels = plain === '' ? [] : plain.split('.');
  const parts = labels.map((label) => {
    const bytes = Buffer.from(label, 'latin1');
    if (bytes.length === 0 || bytes.length > 63) throw new DnsFormatError(`"${name}" is no domain name`);
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  });
  const whole = Buffer.concat([...parts, Buffer.from([0])]);
  if (whole.length > 255) throw new DnsFormatError(`"${name}" is longer than a domain name may be`);
  return whole;
}

/** `A` or `AAAA`, by the family of the address. */
export function typeOf(address: string): { type: number; word: 'A' | 'AAAA' } {
  return isIP(address) === 6 ? { type: types.AAAA, word: 'AAAA' } : { type: types.A, word: 'A' };
}

/** An address as the data of its record. @throws DnsFormatError */
export function addressBytes(address: string): Buffer {
  switch (isIP(address)) {
    case 4:
      return Buffer.from(address.split('.').map(Number));
    case 6: {
      const canonical = new SocketAddress({ address: address.replace(/%.*$/, ''), family: 'ipv6' }).address;
      const [head = '', tail] = canonical.split('::');
      const groups = (text: string): number[] =>
        text
          .split(':')
          .filter((group) => group !== '')
          .flatMap((group) => (group.includes('.') ? group.split('.').map(Number) : [...pairOf(group)]));
      const [before, after] = [groups(head), groups(tail ?? '')];
      const gap = tail === undefined ? 0 : 16 - before.length - after.length;
      return Buffer.from([...before, ...Array<number>(gap).fill(0), ...after]);
    }
    default:
      throw new DnsFormatError(`"${address}" is no address`);
  }
}

const pairOf = (group: string): [number, number] => [
  Number.parseInt(group, 16) >> 8,
  Number.parseInt(group, 16) & 0xff,
];

/** The address in an A or AAAA record, in its one spelling; null for other records. */
export function addressIn({ type, class: kind, data }: Resource): string | null {
  if (kind !== classes.IN) return null;
  if (type === types.A && data.length === 4) return [...data].join('.');
  if (type === types.AAAA && data.length === 16) {
    const groups = Array.from({ length: 8 }, (_, i) => data.readUInt16BE(2 * i).toString(16));
    return sameSpelling(groups.join(':'));
  }
  return null;
}

/** One spelling for each address, so that `::1` and `0:0::1` are the same. */
export function sameSpelling(address: string): string {
  const family = isIP(address);
  if (family === 0) return address;
  return new SocketAddress({ address: address.replace(/%.*$/, ''), family: family === 6 ? 'ipv6' : 'ipv4' }).address;
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function resourceBytes({ name, type, class: kind, ttl, data }: Resource): Buffer {
  const ttlBytes = Buffer.alloc(4);
  ttlBytes.writeUInt32BE(ttl);
  return Buffer.concat([nameBytes(name), u16(type), u16(kind), ttlBytes, u16(data.length), data]);
}

const questionBytes = ({ name, type, class: kind }: Question): Buffer =>
  Buffer.concat([nameBytes(name), u16(type), u16(kind)]);

function messageBytes(
  id: number,
  opcode: number,
  question: Question,
  answers: Resource[],
  authority: Resource[],
): Buffer {
  const counts = [1, answers.length, authority.length, 0].map(u16);
  const records = [...answers, ...authority].map(resourceBytes);
  // No recursion is desired: an authoritative server is asked for what it knows itself.
  return Buffer.concat([u16(id), u16(opcode << 11), ...counts, questionBytes(question), ...records]);
}

/** A question without recursion. @throws DnsFormatError */
export const queryBytes = (id: number, name: string, type: number): Buffer =>
  messageBytes(id, opcodes.query, { name, type, class: classes.IN }, [], []);

/** An update of a zone: what must hold, and what is changed then (RFC 2136 §2.4, §2.5). @throws DnsFormatError */
export const updateBytes = (id: number, zone: string, prerequisites: Resource[], changes: Resource[]): Buffer =>
  messageBytes(id, opcodes.update, { name: zone, type: types.SOA, class: classes.IN }, prerequisites, changes);

/** Walks through the bytes of a message; never past their end, never in a circle. */
class Reader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  take(length: number): Buffer {
    if (this.at + length > this.#bytes.length) throw new DnsFormatError('the message ends too early');
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  u16(): number {
    return this.take(2).readUInt16BE(0);
  }

  u32(): number {
    return this.take(4).readUInt32BE(0);
  }

  /** RFC 1035 §4.1.4. A pointer leads backwards only, so that no chain of them has a circle. */
  name(): string {
    const labels: string[] = [];
    let [from, end, size] = [this.at, null as number | null, 1];
    for (;;) {
      const length = this.#bytes[from];
      if (length === undefined) throw new DnsFormatError('a name goes beyond the message');
      if (length === 0) break;
      if (length >= 0xc0) {
        const low = this.#bytes[from + 1];
        if (low === undefined) throw new DnsFormatError('a name goes beyond the message');
        const to = ((length & 0x3f) << 8) | low;
        end ??= from + 2;
        if (to >= from) throw new DnsFormatError('a name points forward');
        from = to;
        continue;
      }
      if (length > 63) throw new DnsFormatError('a label of an unknown kind');
      size += length + 1;
      if (from + 1 + length > this.#bytes.length || size > 255) throw new DnsFormatError('a name is too long');
      labels.push(labelText(this.#bytes.subarray(from + 1, from + 1 + length)));
      from += 1 + length;
    }
    this.at = end ?? from + 1;
    return labels.join('.').toLowerCase();
  }
}

/** RFC 1035 §5.1: what would be read as something else is written `\DDD`. */
function labelText(bytes: Buffer): string {
  return [...bytes]
    .map((byte) =>
      byte > 0x20 && byte < 0x7f && byte !== 0x2e && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\${String(byte).padStart(3, '0')}`,
    )
    .join('');
}

function resourceAt(reader: Reader): Resource {
  const name = reader.name();
  const [type, kind, ttl, length] = [reader.u16(), reader.u16(), reader.u32(), reader.u16()];
  const start = reader.at;
  if (length > 0 && (type === types.NS || type === types.CNAME)) {
    const target = reader.name();
    if (reader.at !== start + length) throw new DnsFormatError('a name in a record has another length than the record');
    return { name, type, class: kind, ttl, data: Buffer.from(target, 'latin1') };
  }
  return { name, type, class: kind, ttl, data: Buffer.from(reader.take(length)) };
}

/** The name in an NS or CNAME record, as `readMessage` gives it. */
export const nameIn = ({ data }: Resource): string => data.toString('latin1');

/** @throws DnsFormatError */
export function readMessage(bytes: Buffer): Message {
  const reader = new Reader(bytes);
  const [id, flags] = [reader.u16(), reader.u16()];
  const [questions, answers, authority, additional] = [reader.u16(), reader.u16(), reader.u16(), reader.u16()];
  let lastAt: number | null = null;
  const question = (): Question => ({ name: reader.name(), type: reader.u16(), class: reader.u16() });
  const resource = (): Resource => {
    lastAt = reader.at;
    return resourceAt(reader);
  };
  const many = <T>(count: number, one: () => T): T[] => Array.from({ length: count }, one);
  return {
    id,
    opcode: (flags >> 11) & 0x0f,
    rcode: flags & 0x0f,
    isResponse: (flags & 0x8000) !== 0,
    isAuthoritative: (flags & 0x0400) !== 0,
    isTruncated: (flags & 0x0200) !== 0,
    questions: many(questions, question),
    answers: many(answers, resource),
    authority: many(authority, resource),
    additional: many(additional, resource),
    get lastAt() {
      return lastAt;
    },
  };
}
