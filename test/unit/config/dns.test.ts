/** `promotion.dns`: one record or many, and what is wrong with them, in sentences. */
import { describe, expect, it } from 'vitest';
import { problemLine } from '../../../src-main/config/problems.ts';
import { toDns } from '../../../src-main/config/schema.ts';
import { checkText } from '../../../src-main/config/text.ts';
import { minimal } from './texts.ts';

const one = '{ kind: rfc2136, server: 192.0.2.53, zone: example.com, record: pbx, key: estepe }';
const withDns = (dns: string, base = minimal): string => `${base}promotion:\n  dns: ${dns}\n`;
const said = (text: string): string[] => {
  const checked = checkText(text);
  return checked.ok ? [] : checked.problems.map((problem) => problemLine('estepe.yaml', problem));
};
function dnsOf(dns: string, base = minimal) {
  const checked = checkText(withDns(dns, base));
  if (!checked.ok) throw new Error(checked.problems.map(({ wrong }) => wrong).join('; '));
  return toDns(checked.config);
}

describe('promotion.dns', () => {
  it('one record, or a list of them, each with addresses of its own', () => {
    expect(dnsOf(one)).toEqual(dnsOf(`[${one}]`));
    expect(dnsOf('[]')).toEqual([]);
    const outside =
      '{ kind: cloudflare, zone: example.com, record: "@", token: cf, active: 203.0.113.1, passive: 203.0.113.2, within: 5m, onFail: continue, servers: ["ns1.example.net", "[2001:db8::53]:5353"] }';
    expect(dnsOf(`[${one}, ${outside}]`)).toMatchObject([
      {
        from: '192.0.2.1',
        to: '192.0.2.2',
        onFail: 'ask',
        record: { name: 'pbx.example.com', ttlS: 60, withinMs: 60_000 },
      },
      {
        ...{ from: '203.0.113.1', to: '203.0.113.2', onFail: 'continue' },
        record: {
          ...{ name: 'example.com', withinMs: 300_000, way: { kind: 'cloudflare', token: 'cf', endpoint: null } },
          servers: [
            { host: 'ns1.example.net', port: 53 },
            { host: '2001:db8::53', port: 5353 },
          ],
        },
      },
    ]);
  });

  it('every way has what it needs', () => {
    const ways = dnsOf(`
    - { kind: dnscmd, server: dc1, zone: ad.example.com, record: pbx }
    - { kind: route53, zoneId: Z1, zone: example.com, record: pbx, keyId: AKID, key: aws }
    - { kind: script, run: [dns.sh, --now], timeout: 5s }`);
    expect(ways.map(({ record }) => record.way)).toEqual([
      { kind: 'dnscmd', server: 'dc1' },
      { kind: 'route53', zoneId: 'Z1', keyId: 'AKID', key: 'aws', endpoint: null },
      { kind: 'script', argv: ['dns.sh', '--now'], timeoutMs: 5_000 },
    ]);
    expect(ways[2]?.record).toMatchObject({ name: 'pbx.example.com', zone: null });
  });

  const named = minimal.replace('192.0.2.1', 'pbx-a.example.com');
  it.each([
    [
      'an unknown kind',
      withDns(one.replace('rfc2136', 'rfc2163')),
      '4:16 promotion.dns.kind: `rfc2163` is not known here; did you mean `rfc2136`? Allowed: rfc2136, dnscmd, cloudflare, route53, script.',
    ],
    [
      'an unknown key of one in a list',
      withDns(`[${one}, ${one.replace('record: pbx', 'record: pbx, zones: x')}]`),
      '4:162 promotion.dns[1].zones: the key `zones` is not known here; did you mean `zone`? Allowed: kind, server, port, zone, record, ttl, key, active, passive, servers, within, onFail.',
    ],
    [
      'a missing key',
      withDns(one.replace(', key: estepe', '')),
      '4:3 promotion.dns.key: the key `key` is missing. Allowed: the name of a file in the secrets folder (letters, digits, `.`, `_`, `-`); never the secret itself.',
    ],
    [
      'neither a record nor a list',
      withDns('pbx'),
      '4:8 promotion.dns: `pbx` is not a record. Allowed: a group with kind: rfc2136, dnscmd, cloudflare, route53 or script; or a list of at most 8 of them.',
    ],
    [
      'nine records',
      withDns(`[${Array(9).fill(one).join(', ')}]`),
      '4:8 promotion.dns: the list is too long. Allowed: a group with kind: rfc2136, dnscmd, cloudflare, route53 or script; or a list of at most 8 of them.',
    ],
    [
      'a pair by host names',
      withDns(one, named),
      '4:8 promotion.dns: `pair.active` is the host name `pbx-a.example.com`, and a record holds an address. Allowed: `active` here, with the address that the record shall hold, or an address in `pair.active`.',
    ],
    [
      'two families',
      withDns(`[${one}, ${one.replace('record: pbx', 'record: pbx, passive: "2001:db8::2"')}]`),
      '4:93 promotion.dns[1]: `192.0.2.1` and `2001:db8::2` are of two families, and one record holds one. Allowed: two IPv4 or two IPv6 addresses in `active` and `passive`.',
    ],
    [
      'the same address twice',
      withDns(one.replace('record: pbx', 'record: pbx, passive: 192.0.2.1')),
      '4:8 promotion.dns: `192.0.2.1` is the address of both nodes, so nothing would be switched. Allowed: two different addresses in `active` and `passive`.',
    ],
    [
      'a record with its zone',
      withDns(one.replace('record: pbx', 'record: pbx.example.com')),
      '4:72 promotion.dns.record: `pbx.example.com` ends with the zone, so the name would be `pbx.example.com.example.com`. Allowed: the name without the zone, as in `pbx`, or `@`.',
    ],
    [
      'an address that is none',
      withDns(one.replace('record: pbx', 'record: pbx, active: pbx-a')),
      '4:85 promotion.dns.active: `pbx-a` is not an IP address. Allowed: an IPv4 or IPv6 address in numbers.',
    ],
    [
      'a name server that is none',
      withDns(one.replace('record: pbx', 'record: pbx, servers: ["ns1:x"]')),
      '4:87 promotion.dns.servers[0]: `ns1:x` is not a name server. Allowed: HOST or HOST:PORT; an IPv6 address with a port stands in brackets.',
    ],
    [
      'the key itself in place of its name',
      withDns(one.replace('key: estepe', 'key: "estepe:hmac-sha256:c2VjcmV0"')),
      '4:82 promotion.dns.key: this is not the name of a secret. Allowed: the name of a file in the secrets folder (letters, digits, `.`, `_`, `-`); never the secret itself.',
    ],
  ])('%s', (_, text, line) => {
    expect(said(text)).toEqual([`estepe.yaml:${line}`]);
  });

  it('a pair by host names needs addresses only where DNS is switched', () => {
    expect(said(named)).toEqual([]);
    expect(dnsOf(one.replace('record: pbx', 'record: pbx, active: 192.0.2.1'), named)).toMatchObject([
      { from: '192.0.2.1' },
    ]);
  });
});
