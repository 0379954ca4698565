import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutputRing, printable, sizeText, WholeCharacters } from '../../../src-main/runbook/output-ring.ts';

function ringOf(text: string, head: number, tail: number, step: number): OutputRing {
  const ring = new OutputRing(head, tail);
  const bytes = Buffer.from(text);
  for (let i = 0; i < bytes.length; i += step) ring.push(bytes.subarray(i, i + step));
  return ring;
}

describe('OutputRing', () => {
  it.each([
    ['', ''],
    ['abc', 'abc'],
    ['abcdefgh', 'abcdefgh'],
    ['abcdefghi', 'abcd\n… 1 byte left out …\nfghi'],
    ['abcdefghijklmnopqrst', 'abcd\n… 12 bytes left out …\nqrst'],
  ])('keeps 4 + 4 of %j in any pieces', (said, kept) => {
    for (const step of [1, 2, 3, 5, 7, 100]) expect(ringOf(said, 4, 4, step).text()).toBe(kept);
  });

  it('whatever comes, in whatever pieces, the beginning, the end and the count are right', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{0,40}$/)), fc.nat(20), fc.nat(20), (pieces, head, tail) => {
        const ring = new OutputRing(head, tail);
        for (const piece of pieces) ring.push(Buffer.from(piece));
        const all = pieces.join('');
        const left = all.length - head - tail;
        const cut = `${all.slice(0, head)}\n… ${left} byte${left === 1 ? '' : 's'} left out …\n${all.slice(all.length - tail)}`;
        expect(ring.total).toBe(all.length);
        expect(ring.text()).toBe(left <= 0 ? all : cut.replace(/… (\d{4,}) bytes/, (_, n) => `… ${sizeText(+n)}`));
      }),
    );
  });

  it('never shows half a character at the cut, and counts it as left out', () => {
    expect(ringOf('aää€€€€ä', 4, 4, 1).text()).toBe('aä\n… 14 bytes left out …\nä');
  });
});

describe('OutputRing with binary output', () => {
  it('is bounded as text, and the count is in bytes', () => {
    expect(ringOf('\0'.repeat(5), 8, 8, 1).text()).toBe('\\x00\\x00\n… 1 byte left out …\n\\x00\\x00');
    expect(ringOf('\0'.repeat(4), 8, 8, 1).text()).toBe('\\x00\\x00\\x00\\x00');
    expect(ringOf('ab\0\0\0\0yz', 4, 4, 1).text()).toBe('ab\n… 4 bytes left out …\nyz');
  });

  it('whatever bytes come, the text stays within its bound', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const ring = new OutputRing(50, 70);
        ring.push(Buffer.from(bytes));
        expect(ring.text().replace(/\n… \d+ bytes? left out …\n/, '').length).toBeLessThanOrEqual(120);
      }),
    );
  });
});

describe('printable', () => {
  it.each([
    ['tab\tand\nlines', 'tab\tand\nlines'],
    ['win\r\ndows', 'win\ndows'],
    ['50 %\r100 %', '50 %\\x0d100 %'],
    ['\x00\x07\x1b[2J\x7f\u009b', '\\x00\\x07\\x1b[2J\\x7f\\x9b'],
    ['ção €', 'ção €'],
  ])('%j', (said, shown) => {
    expect(printable(Buffer.from(said))).toBe(shown);
  });

  it('bytes that are no UTF-8', () => {
    expect(printable(Buffer.from([0x61, 0xff, 0xc3, 0x62]))).toBe('a\uFFFD\uFFFDb');
  });
});

describe('WholeCharacters', () => {
  it('no character is torn, no byte lost, in whatever pieces', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 9 }), (text, step) => {
        const bytes = Buffer.from(text);
        const whole = new WholeCharacters();
        const pieces: Buffer[] = [];
        for (let i = 0; i < bytes.length; i += step) pieces.push(Buffer.from(whole.push(bytes.subarray(i, i + step))));
        pieces.push(whole.end());
        expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
        expect(pieces.map((piece) => piece.toString()).join('')).toBe(bytes.toString());
      }),
    );
  });
});

describe('sizeText', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1000, '1.0 kB'],
    [999_949, '999.9 kB'],
    [999_950, '1.0 MB'],
    [99_868_928, '99.9 MB'],
    [2_000_000_000_000_000, '2000.0 TB'],
  ])('%i is %s', (bytes, text) => {
    expect(sizeText(bytes)).toBe(text);
  });
});
