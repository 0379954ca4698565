import { describe, expect, it } from 'vitest';
import { problemLine } from '../../../src-main/config/problems.ts';
import { splitHostPort } from '../../../src-main/config/scalars.ts';
import { toPeerLink } from '../../../src-main/config/schema.ts';
import { checkText } from '../../../src-main/config/text.ts';
import { minimal } from './texts.ts';

const ends = (section: string) => {
  const checked = checkText(`${minimal}${section}`);
  return checked.ok ? toPeerLink(checked.config) : checked.problems.map((p) => problemLine('estepe.yaml', p));
};
const usual = { listen: { host: '192.0.2.2', port: 7443 }, address: { host: '192.0.2.1', port: 7443 } };

describe('the section peer', () => {
  it.each([
    ['left out: no link', '', null],
    ['empty: the addresses of the pair', 'peer: {}\n', usual],
    [
      'a port of its own',
      'peer: { listen: "192.0.2.2:9000" }\n',
      { ...usual, listen: { host: '192.0.2.2', port: 9000 } },
    ],
    [
      'an address without a port',
      'peer: { address: 10.0.0.1 }\n',
      { ...usual, address: { host: '10.0.0.1', port: 7443 } },
    ],
    [
      'IPv6',
      'peer: { listen: "2001:db8::2", address: "[2001:db8::1]:9000" }\n',
      { listen: { host: '2001:db8::2', port: 7443 }, address: { host: '2001:db8::1', port: 9000 } },
    ],
  ])('%s', (_, section, expected) => {
    expect(ends(section)).toEqual(expected);
  });

  it.each([
    '192.0.2.2:0',
    '192.0.2.2:65536',
    '192.0.2.2:',
    ':7443',
    'https://a:7443',
    '[192.0.2.2]:1',
    '300.1.1.1:1',
    '2001:db8::1]:1',
  ])('%s is refused in words', (text) => {
    expect(splitHostPort(text)).toBeNull();
    expect(ends(`peer: { listen: "${text}" }\n`)).toEqual([
      expect.stringContaining('is not an address with a port. Allowed: ADDRESS, ADDRESS:PORT or [IPv6]:PORT'),
    ]);
  });
});
