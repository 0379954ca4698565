import { describe, expect, it } from 'vitest';
import { checkWord, Heard, maxWordBytes, parseWord, writeWord } from '../../../src-main/peer/word.ts';
import { lifeA, lifeB, wordWith as word } from './words.ts';

const reader = { pair: 'head-office', fqdn: 'pbx.example.com', place: '192.0.2.2' };
const whyNot = (data: unknown): string => {
  const read = checkWord(data, reader);
  return 'why' in read ? read.why : 'read';
};

describe('the word as text', () => {
  it('comes back as it was written', () => {
    expect(parseWord(writeWord(word()), reader)).toEqual({ word: word() });
    const bare = word({ healthy: null, backup: null, tests: [], services: 'unknown' });
    expect(parseWord(writeWord(bare), reader)).toEqual({ word: bare });
  });

  it.each([
    ['of another pair', word({ pair: 'branch' }), 'it is of another pair, `branch`'],
    ['of another FQDN', word({ fqdn: 'other.example.com' }), 'it is of another FQDN, other.example.com'],
    ['our own echo', word({ place: '192.0.2.2' }), "it is this node's own, of 192.0.2.2"],
    [
      'of a newer Estepe',
      { ...word(), format: 2, more: true },
      'it is written in format 2, by a newer Estepe than this one, which knows 1',
    ],
    ['with a negative epoch', word({ epoch: -1 }), expect.stringContaining('epoch')],
    ['with an epoch no number can hold', word({ epoch: 2 ** 60 }), expect.stringContaining('epoch')],
    ['with a key unknown here', { ...word(), standDown: true }, expect.stringContaining('standDown')],
    ['with a name of two lines', word({ node: 'a\nb' }), expect.stringContaining('node')],
    ['a list', [], expect.stringContaining('it is no word of a node')],
    ['nothing', null, expect.stringContaining('it is no word of a node: the whole')],
  ])('refuses one %s', (_, data, why) => {
    expect(whyNot(data)).toEqual(why);
  });

  it('refuses half a file and a far too large one', () => {
    expect(parseWord(writeWord(word()).slice(0, 90), reader)).toEqual({
      why: 'it is no JSON: half written, or of something else',
    });
    expect(parseWord(JSON.stringify({ ...word(), more: 'x'.repeat(maxWordBytes) }), reader)).toEqual({
      why: 'it is larger than 16 KiB',
    });
  });

  it('shortens evidence of any length until it can be read', () => {
    const evidence = `first line\n${'ü€'.repeat(300)}`;
    const tests = Array.from({ length: 64 }, (_, n) => ({ id: `test ${n}`, outcome: 'dead' as const, evidence }));
    for (const count of [1, 20, 64]) {
      const read = parseWord(writeWord(word({ tests: tests.slice(0, count) })), reader);
      expect('word' in read && read.word.tests.length).toBe(count);
    }
  });
});

describe('what was heard', () => {
  it('nothing at first; then its age grows by our clock, whatever theirs says', () => {
    const heard = new Heard();
    expect(heard.newest(0)).toBeNull();
    expect(heard.hear('peer-link', word({ at: 5 }), 1000)).toBe(true);
    expect(heard.newest(31_000)).toEqual({
      role: 'active',
      epoch: 3,
      ageMs: 30_000,
      healthy: true,
      via: 'peer-link',
      everyMs: 30_000,
    });
  });

  it('the same word again is no news, nor an older one of that life', () => {
    const heard = new Heard();
    heard.hear('location', word({ seq: 7 }), 1000);
    expect(heard.hear('location', word({ seq: 7 }), 2000)).toBe(false);
    expect(heard.hear('location', word({ seq: 6 }), 3000)).toBe(false);
    expect(heard.newest(4000)?.ageMs).toBe(3000);
    expect(heard.hear('location', word({ seq: 8 }), 5000)).toBe(true);
    expect(heard.newest(5000)?.ageMs).toBe(0);
  });

  it('a new life counts, a life that was left never again', () => {
    const heard = new Heard();
    heard.hear('location', word({ life: lifeA, seq: 900 }), 1000);
    expect(heard.hear('location', word({ life: lifeB, seq: 1, epoch: 4 }), 2000)).toBe(true);
    expect(heard.hear('location', word({ life: lifeA, seq: 901 }), 3000)).toBe(false);
    expect(heard.newest(3000)).toMatchObject({ epoch: 4, ageMs: 1000 });
  });

  it('remembers the last 16 lives', () => {
    const heard = new Heard();
    const life = (n: number) => n.toString(16).padStart(16, '0');
    for (let n = 0; n < 17; n++) expect(heard.hear('location', word({ life: life(n), seq: 1 }), n)).toBe(true);
    for (let n = 1; n < 16; n++) expect(heard.hear('location', word({ life: life(n), seq: 99 }), 100)).toBe(false);
  });

  it('of two channels the later word counts, and its first reading', () => {
    const heard = new Heard();
    heard.hear('peer-link', word({ seq: 10 }), 1000);
    // the location lags behind
    expect(heard.hear('location', word({ seq: 8, healthy: false }), 1500)).toBe(true);
    expect(heard.newest(2000)).toMatchObject({ via: 'peer-link', healthy: true, ageMs: 1000 });
    // the same word by the slower way is not younger for it
    heard.hear('location', word({ seq: 10 }), 2500);
    expect(heard.newest(3000)).toMatchObject({ via: 'peer-link', ageMs: 2000 });
    // the link is gone, the location goes on
    heard.hear('location', word({ seq: 11 }), 3500);
    expect(heard.newest(3500)).toMatchObject({ via: 'location', ageMs: 0 });
  });

  it('a stale file of an earlier life does not silence the link', () => {
    const heard = new Heard();
    heard.hear('peer-link', word({ life: lifeB, seq: 1, epoch: 4 }), 1000);
    heard.hear('location', word({ life: lifeA, seq: 5000, epoch: 3 }), 1200);
    expect(heard.hear('peer-link', word({ life: lifeB, seq: 2, epoch: 4 }), 2000)).toBe(true);
    expect(heard.newest(2000)).toMatchObject({ epoch: 4, via: 'peer-link', everyMs: 30_000 });
  });

  it('a node that could not test itself is not taken for one that serves', () => {
    const heard = new Heard();
    heard.hear('peer-link', word({ healthy: null }), 0);
    expect(heard.newest(0)?.healthy).toBe(false);
  });

  it('forgets what a channel brought that is no longer listened to', () => {
    const heard = new Heard();
    heard.hear('peer-link', word(), 0);
    heard.forget('peer-link');
    expect(heard.newest(0)).toBeNull();
    expect(heard.last('peer-link')).toBeNull();
  });
});
