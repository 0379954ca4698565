import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressBytes,
  addressIn,
  classes,
  DnsFormatError,
  nameBytes,
  nameIn,
  queryBytes,
  readMessage,
  sameSpelling,
  types,
  updateBytes,
} from '../../../../src-main/runbook/dns/message.ts';

/** Bytes, or what they make `readMessage` throw. */
function read(bytes: Buffer): unknown {
  try {
    return readMessage(bytes);
  } catch (error) {
    if (error instanceof DnsFormatError) return error;
    throw error;
  }
}

const header = (...counts: number[]): Buffer => {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16BE(0x8400, 2);
  for (const [i, count] of counts.entries()) bytes.writeUInt16BE(count, 4 + 2 * i);
  return bytes;
};

describe('DNS messages', () => {
  it('a question goes out and is read again', () => {
    const bytes = queryBytes(0x1234, 'PBX.example.com.', types.A);
    expect(bytes.toString('hex')).toBe('12340000000100000000000003706278076578616d706c6503636f6d0000010001');
    expect(readMessage(bytes)).toMatchObject({
      ...{ id: 0x1234, opcode: 0, rcode: 0, isResponse: false, lastAt: null },
      questions: [{ name: 'pbx.example.com', type: types.A, class: classes.IN }],
    });
  });

  it('an update says what must hold and what is changed', () => {
    const held = { name: 'pbx.example.com', type: types.A, class: classes.IN, ttl: 0, data: addressBytes('192.0.2.1') };
    const gone = { ...held, class: classes.ANY, data: Buffer.alloc(0) };
    const added = { ...held, ttl: 60, data: addressBytes('192.0.2.2') };
    const message = readMessage(updateBytes(7, 'example.com', [held], [gone, added]));
    expect(message).toMatchObject({ opcode: 5, questions: [{ name: 'example.com', type: types.SOA }] });
    expect(message.answers).toEqual([held]);
    expect(message.authority).toEqual([gone, added]);
  });

  it('compressed names, aliases and name servers are read', () => {
    const question = queryBytes(1, 'a.example.com', types.A).subarray(12);
    const rest = Buffer.concat([
      // an alias of the name at 14, `example.com`
      Buffer.from([0xc0, 12, 0, types.CNAME, 0, 1, 0, 0, 0, 9, 0, 2, 0xc0, 14]),
      Buffer.from([0xc0, 14, 0, types.NS, 0, 1, 0, 0, 0, 9, 0, 6, 3, 0x6e, 0x73, 0x31, 0xc0, 14]),
    ]);
    const { answers } = readMessage(Buffer.concat([header(1, 2, 0, 0), question, rest]));
    expect(answers.map(({ name }) => name)).toEqual(['a.example.com', 'example.com']);
    expect(answers.map(nameIn)).toEqual(['example.com', 'ns1.example.com']);
  });

  it.each([
    ['a pointer to itself', [0xc0, 12]],
    ['a pointer forward', [0xc0, 20, 0, 1, 0, 1, 0, 0, 0, 0]],
    ['a label beyond the message', [63, 1, 2]],
    ['a label of an unknown kind', [0x80, 1, 0, 0, 1, 0, 1]],
    [
      'a name longer than a name may be',
      [
        ...Array(5)
          .fill([62, ...Array(62).fill(97)])
          .flat(),
        0,
        0,
        1,
        0,
        1,
      ],
    ],
  ])('%s is refused', (_, bytes) => {
    expect(() => readMessage(Buffer.concat([header(1, 0, 0, 0), Buffer.from(bytes)]))).toThrow(DnsFormatError);
  });

  it('more records announced than there are', () => {
    expect(() => readMessage(header(0, 0xffff, 0xffff, 0xffff))).toThrow(DnsFormatError);
  });

  it('names that cannot be written', () => {
    expect(() => nameBytes(`${'a'.repeat(64)}.example`)).toThrow(DnsFormatError);
    expect(() => nameBytes('a..example')).toThrow(DnsFormatError);
    expect(() => nameBytes(Array(60).fill('abcd').join('.'))).toThrow(DnsFormatError);
    expect(nameBytes('.').toString('hex')).toBe('00');
  });

  it('whatever bytes come, reading ends with a message or with a format error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void read(Buffer.from(bytes))),
      { numRuns: 3000 },
    );
  });

  it('a good message with some bytes bent ends the same way', () => {
    const good = Buffer.concat([
      header(1, 1, 0, 0),
      queryBytes(1, 'a.example.com', types.NS).subarray(12),
      Buffer.from([0xc0, 12, 0, types.NS, 0, 1, 0, 0, 0, 9, 0, 6, 3, 0x6e, 0x73, 0x31, 0xc0, 14]),
    ]);
    const bend = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(bend, fc.nat(good.length), (bends, cut) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of bends) bytes[at] = value;
        read(bytes.subarray(0, cut));
      }),
      { numRuns: 3000 },
    );
  });

  it('addresses go out and come back in one spelling', () => {
    const record = (address: string, type: number) =>
      addressIn({ name: 'x', type, class: classes.IN, ttl: 0, data: addressBytes(address) });
    fc.assert(fc.property(fc.ipV4(), (address) => record(address, types.A) === address));
    fc.assert(fc.property(fc.ipV6(), (address) => record(address, types.AAAA) === sameSpelling(address)));
    expect(() => addressBytes('pbx.example.com')).toThrow(DnsFormatError);
  });
});
