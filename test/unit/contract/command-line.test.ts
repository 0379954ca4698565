/** Commands on one line: what is typed there are the words that run, and the other way round. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineOf, wordsOf } from '../../../src-main/contract/command-line.ts';

describe('a command on one line', () => {
  it.each([
    ['systemctl start nginx', ['systemctl', 'start', 'nginx']],
    ['  a\tb  ', ['a', 'b']],
    ['', []],
    ['"C:\\Program Files\\x.exe" /q', ['C:\\Program Files\\x.exe', '/q']],
    ['C:\\x\\ y', ['C:\\x\\', 'y']],
    ['say "a ""word"""', ['say', 'a "word"']],
    ['x ""', ['x', '']],
    ['--name="my pbx"', ['--name=my pbx']],
    ['open "to the end', ['open', 'to the end']],
    ["it's $HOME | rm", ["it's", '$HOME', '|', 'rm']],
  ])('%j is %j', (line, words) => {
    expect(wordsOf(line)).toEqual(words);
  });

  it.each([[['a', 1]], [['line\nbreak']], ['a b'], [null], [{ run: 'a' }]])('%j can be shown on no line', (words) => {
    expect(lineOf(words)).toBeNull();
  });

  it('comes back as it was', () => {
    const word = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('"', ' ', '\\', 'a', '\t') }));
    fc.assert(
      fc.property(fc.array(word.filter((text) => !/[\r\n]/.test(text))), (words) => {
        expect(wordsOf(lineOf(words) ?? '')).toEqual(words);
      }),
    );
  });
});
