/** A configuration as large as one may be, and larger: it comes through to the engine, which says what is wrong with it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { maxBytes } from '../../../src-main/config/text.ts';
import { longestText } from '../../../src-main/contract/settings.ts';
import { site } from '../config/texts.ts';
import { call, consoleUnderTest, type UnderTest } from './console-under-test.ts';

/** A good configuration of so many bytes; its filling costs six times as much as JSON. */
const sized = (bytes: number, sign = ' '): string => {
  const room = bytes - Buffer.byteLength(`${site}# \n`);
  const width = Buffer.byteLength(sign);
  return `${site}# ${sign.repeat(Math.floor(room / width))}${' '.repeat(room % width)}\n`;
};

describe('a text at the bound', () => {
  let under: UnderTest;
  beforeEach(async () => {
    under = await consoleUnderTest();
  });
  afterEach(() => under.end());

  it.each([
    ['of plain signs', ' '],
    ['of quotes', '"'],
    ['of signs that JSON writes as six', '\u001f'],
    ['of signs of three bytes', '€'],
  ])('as large as it may be, %s, is judged, tried and saved', async (_, sign) => {
    const text = sized(maxBytes, sign);
    expect(Buffer.byteLength(text)).toBe(maxBytes);
    const checked = await under.client.config.check({ text, changes: [] });
    expect(checked.text === text).toBe(true);
    expect(checked.problems.filter(({ wrong }) => wrong.includes('larger'))).toEqual([]);
    expect(await under.client.config.try.start({ kind: 'rights', text })).toMatchObject({ begun: true });
    expect(await under.client.config.save({ by: 'x', text, base: checked.base })).toMatchObject({ saved: true });
    expect(readFileSync(join(under.desk.settings.data, 'estepe.yaml'), 'utf8') === text).toBe(true);
  });

  it('one byte more is a problem of the file, and a change in it as well', async () => {
    const text = sized(maxBytes + 1);
    const checked = await under.client.config.check({ text, changes: [{ path: ['role'], value: 'active' }] });
    expect(checked.ok).toBe(false);
    expect(checked.problems.map(({ wrong }) => wrong)).toEqual(['the file is larger than 64 KiB']);
    const saved = await under.client.config.save({ by: 'x', text, base: checked.base });
    expect(saved).toMatchObject({ saved: false, refusedBy: 'problems' });
    const grown = await under.client.config.check({
      text: sized(maxBytes),
      changes: [{ path: ['pair', 'name'], value: 'a longer name than before' }],
    });
    expect(grown.problems.map(({ wrong }) => wrong)).toEqual(['the file is larger than 64 KiB']);
  });

  it('what no page sends is refused: by the contract, and before it is read by its size', async () => {
    const over = JSON.stringify({ json: { text: ' '.repeat(longestText + 1) } });
    expect((await call(under.running.port, 'config/check', over)).status).toBe(400);
    const huge = `{"json":{"text":"${' '.repeat(1024 * 1024)}"}}`;
    expect((await call(under.running.port, 'config/check', huge)).status).toBe(413);
    expect((await call(under.running.port, 'notify/test', over)).status).toBe(413);
  });
});
