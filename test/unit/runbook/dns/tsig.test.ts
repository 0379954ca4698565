/** Signatures, held against what dnspython 2.8.0 made of the same key, update and time. */
import { describe, expect, it } from 'vitest';
import { addressBytes, classes, readMessage, types, updateBytes } from '../../../../src-main/runbook/dns/message.ts';
import { judgeSignature, parseTsigKey, signMessage, type TsigKey } from '../../../../src-main/runbook/dns/tsig.ts';

const secret = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
const key: TsigKey = { name: 'estepe', algorithm: 'hmac-sha256', secret };
const nowS = 1_800_000_000;
const mac = Buffer.from('96a607fa7dbd3be0f2ad4926a65172d316f89f2f6a483d7bc72b23cc4c6d5bc4', 'hex');
/** names compressed, as dnspython writes them */
const update =
  '123428000001000100020000076578616d706c6503636f6d000006000103706278c00c00010001000000000004c0000201c01d000100ff000000000000c01d000100010000003c0004c0000202';
const signature =
  '066573746570650000fa00ff00000000003d0b686d61632d7368613235360000006b49d200012c002096a607fa7dbd3be0f2ad4926a65172d316f89f2f6a483d7bc72b23cc4c6d5bc4123400000000';
const reply =
  '1234a8000001000000000001076578616d706c6503636f6d0000060001066573746570650000fa00ff00000000003d0b686d61632d7368613235360000006b49d200012c00208cdc1322fa29511a81ef9499f5e3b2af88e87170313459c4fdd46c0e1f3376a3123400000000';
const badTime =
  '1234a8090001000000000001076578616d706c6503636f6d0000060001066573746570650000fa00ff0000000000430b686d61632d7368613235360000006b49d200012c002095e429d59cec333c45881ade99ac69c3da5c7a2c4390d9838646a81c5ff55fa512340012000600006b49d458';
const badKey =
  '1234a8090001000000000001076578616d706c6503636f6d0000060001066573746570650000fa00ff00000000001d0b686d61632d7368613235360000006b49d200012c0000123400110000';

const judged = (hex: string, { by = key, at = nowS, request = mac } = {}) => {
  const bytes = Buffer.from(hex, 'hex');
  return judgeSignature(readMessage(bytes), bytes, by, request, at);
};

describe('TSIG', () => {
  it('signs as others do', () => {
    const signed = signMessage(Buffer.from(update, 'hex'), key, nowS);
    expect(signed.mac).toEqual(mac);
    expect(signed.bytes.subarray(-signature.length / 2).toString('hex')).toBe(signature);
    expect(readMessage(signed.bytes).additional).toHaveLength(1);
  });

  it('believes the reply of who knows the key', () => {
    expect(judged(reply)).toEqual({ how: 'signed' });
  });

  it.each([
    ['another secret', { by: { ...key, secret: Buffer.from('other') } }],
    ['the reply to another question', { request: Buffer.alloc(32) }],
    ['another key', { by: { ...key, name: 'other' } }],
    ['another algorithm', { by: { ...key, algorithm: 'hmac-sha512' as const } }],
  ])('does not believe %s', (_, change) => {
    expect(judged(reply, change)).toMatchObject({ how: 'wrong' });
  });

  it('does not believe a reply that was bent on the way, nor one without a signature', () => {
    const bent = Buffer.from(reply, 'hex');
    bent[3] = 0x85;
    expect(judged(bent.toString('hex'))).toMatchObject({ how: 'wrong' });
    const plain = updateBytes(0x1234, 'example.com', [], []);
    expect(judgeSignature(readMessage(plain), plain, key, mac, nowS)).toEqual({ how: 'unsigned' });
    const record = { name: 'x', type: types.A, class: classes.IN, ttl: 0, data: addressBytes('192.0.2.1') };
    expect(readMessage(updateBytes(1, 'example.com', [], [record])).additional).toEqual([]);
  });

  it('BADTIME says how far our clock is off, and BADKEY comes unsigned', () => {
    expect(judged(badTime)).toEqual({ how: 'bad-time', aheadS: -600 });
    expect(judged(badTime, { by: { ...key, secret: Buffer.from('other') } })).toMatchObject({ how: 'wrong' });
    expect(judged(badKey)).toEqual({ how: 'bad-key' });
    // a good signature of another time: a recorded reply, or their clock
    expect(judged(reply, { at: nowS + 3600 })).toEqual({ how: 'bad-time', aheadS: 3600 });
  });

  const base64 = secret.toString('base64');
  it.each([
    ['NAME:ALGORITHM:SECRET', `estepe:hmac-sha256:${base64}`],
    ["nsupdate's order", `hmac-sha256:estepe:${base64}\n`],
    ["BIND's clause", `key "estepe" {\n\talgorithm hmac-sha256;\n\tsecret "${base64}";\n};\n`],
    [
      'a clause without quotes, with comments',
      `# by hand\nkey Estepe. { // x\n secret ${base64}; algorithm HMAC-SHA256; };`,
    ],
  ])('a key as %s', (_, text) => {
    expect(parseTsigKey(text)).toEqual(key);
  });

  it.each([
    ['nothing', '', 'it is not a TSIG key'],
    ['a bare secret', base64, 'it is not a TSIG key'],
    ['an unknown algorithm', `estepe:hmac-sha3:${base64}`, 'its algorithm is not known here; known are hmac-sha256'],
    ['no base64', 'estepe:hmac-sha256:pass word!', 'its secret is not base64'],
    ['a name that is none', `${'a'.repeat(70)}:hmac-sha256:${base64}`, 'its name is no domain name'],
  ])('no key: %s', (_, text, wrong) => {
    const parsed = parseTsigKey(text);
    expect(parsed).toEqual({ wrong: expect.stringContaining(wrong) });
    expect(JSON.stringify(parsed)).not.toContain(base64);
  });
});
