import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newCode, type Pledge, proofOf, readCode } from '../../../src-main/peer/code.ts';

const random = { hex: (bytes: number) => randomBytes(bytes).toString('hex') };
const swapped = (text: string, at: number) => text.slice(0, at) + text[at + 1] + text[at] + text.slice(at + 2);

describe('the one-time code', () => {
  it('is five groups of four that people can read out, and each its own', () => {
    const codes = new Set(Array.from({ length: 200 }, () => newCode(random)));
    expect(codes.size).toBe(200);
    for (const code of codes) {
      expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}$/);
      expect(readCode(code)).toEqual({ code });
    }
  });

  it('is read however it is typed', () => {
    const code = newCode({ hex: () => '00'.repeat(10) + '01'.repeat(9) });
    const typed = ` ${code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')}\n`;
    expect(readCode(typed)).toEqual({ code });
  });

  it('one wrong character is noticed always, two swapped ones where they differ by Luhn’s rule', () => {
    let [noticed, tried] = [0, 0];
    for (let n = 0; n < 50; n++) {
      const text = newCode(random).replaceAll('-', '');
      for (let at = 0; at < text.length; at++) {
        const other = text[at] === '7' ? '8' : '7';
        expect(readCode(text.slice(0, at) + other + text.slice(at + 1))).toHaveProperty('why');
        if (at + 1 < text.length && text[at] !== text[at + 1]) {
          tried += 1;
          if ('why' in readCode(swapped(text, at))) noticed += 1;
        }
      }
    }
    expect(noticed / tried).toBeGreaterThan(0.99);
  });

  it.each(['', 'ABCD', 'U'.repeat(20), '?'.repeat(20), 'Ä'.repeat(20)])('%j is no code', (text) => {
    expect(readCode(text)).toHaveProperty('why');
  });
});

describe('the proof', () => {
  const pledge: Pledge = {
    joinerFingerprint: 'a',
    openerFingerprint: 'b',
    joinerNonce: 'c',
    openerNonce: 'd',
    pair: 'head-office',
    fqdn: 'pbx.example.com',
    joinerPlace: '192.0.2.2',
    openerPlace: '192.0.2.1',
  };
  const code = newCode(random);

  it('is another one with anything else in it, and for the other side', () => {
    const proofs = [
      proofOf('joiner', code, pledge),
      proofOf('opener', code, pledge),
      proofOf('joiner', newCode(random), pledge),
      ...Object.keys(pledge).map((key) => proofOf('joiner', code, { ...pledge, [key]: 'x' })),
    ];
    expect(new Set(proofs).size).toBe(proofs.length);
  });

  it('does not mistake where one part ends and the next begins', () => {
    const moved = { ...pledge, pair: 'head', fqdn: '-officepbx.example.com' };
    expect(proofOf('joiner', code, { ...pledge, pair: 'head-office' })).not.toBe(proofOf('joiner', code, moved));
  });
});
