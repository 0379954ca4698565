import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { checkBytes } from '../../../src-main/config/load.ts';
import { type Checked, checkText, maxBytes } from '../../../src-main/config/text.ts';
import { site } from './texts.ts';

/** A configuration, or problems that a person can find and read. */
function answers(checked: Checked, text: string): void {
  if (checked.ok) {
    expect(checked.config.role).toMatch(/^(?:active|passive)$/);
    return;
  }
  const rows = text.split(/\r\n|\r|\n/).length;
  expect(checked.problems.length).toBeGreaterThan(0);
  for (const { line, column, wrong, allowed } of checked.problems) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(rows);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(wrong).toMatch(/^\P{Cc}+$/u);
    expect(allowed).toMatch(/^\P{Cc}+$/u);
  }
}

const signs = [
  '\n',
  '  ',
  '\t',
  ': ',
  '- ',
  '[',
  ']',
  '{',
  '}',
  ',',
  '&a ',
  '*a',
  '"',
  "'",
  '|\n',
  '>\n',
  '#',
  '!x ',
  '? ',
  '%',
  '---\n',
];
const words = [
  'role',
  'passive',
  'pair',
  'heartbeat',
  'tests',
  '30s',
  '5060',
  'null',
  '__proto__',
  'constructor',
  '<<',
  '~',
];

describe('H3 fuzzed estepe.yaml', () => {
  it('any text gives a configuration or problems', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => answers(checkText(text), text)),
      { numRuns: 500 },
    );
  });

  it('any soup of YAML signs gives a configuration or problems', () => {
    const soup = fc.array(fc.constantFrom(...signs, ...words), { maxLength: 120 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(soup, (text) => answers(checkText(text), text)),
      { numRuns: 1000 },
    );
  });

  it('a good file damaged anywhere gives a configuration or problems', () => {
    const damage = fc.tuple(fc.nat(site.length), fc.nat(40), fc.constantFrom('', ...signs, ...words));
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (cuts) => {
        const text = cuts.reduce(
          (whole, [at, length, put]) => whole.slice(0, at) + put + whole.slice(at + length),
          site,
        );
        answers(checkText(text), text);
      }),
      { numRuns: 500 },
    );
  });

  it('any value at any key gives a configuration or problems', () => {
    const keys = ['role', 'pair', 'heartbeat', 'services', 'promotion', 'backup', 'restore', 'console', 'history'];
    const value = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 4 }));
    fc.assert(
      fc.property(value, (given) => {
        const text = stringify(given);
        answers(checkText(text), text);
      }),
      { numRuns: 300 },
    );
  });

  it('what the parser repeats is readable: %, and a byte of nothing', () => {
    answers(checkText('%\0'), '%\0');
  });

  it('any bytes give a configuration or problems', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        answers(checkBytes(Buffer.from(bytes)), Buffer.from(bytes).toString('latin1'));
      }),
      { numRuns: 300 },
    );
  });

  // Each of these kept an unbounded parser busy for seconds to minutes, or exhausted its stack.
  it.each([
    ['brackets', '['],
    ['braces', '{a: '],
    ['dashes', '- '],
    ['question marks', '? '],
    ['anchors', '&a '],
    ['aliases', '- *a\n'],
    ['quotes', '"\\'],
    ['closing brackets', ']\n'],
    ['blank keys', ': '],
    ['lines', 'a\n'],
  ])('a file full of %s gives problems', (_, sign) => {
    const text = sign.repeat(Math.floor(maxBytes / sign.length));
    const checked = checkText(text);
    expect(checked.ok).toBe(false);
    answers(checked, text);
  });

  it('a file full of keys, of uses of one anchor, of ever deeper lines gives problems', () => {
    const texts = [
      Array.from({ length: 6000 }, (_, i) => `k${i}: 1`).join('\n'),
      `a: &a 1\nb: [${'*a, '.repeat(12_000)}]\n`,
      Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    ];
    for (const text of texts) {
      const checked = checkText(text);
      expect(checked.ok).toBe(false);
      answers(checked, text);
    }
  });
});
