/** Where the FQDN leads, in a table; the repair; TTL; inside and outside. */
import { describe, expect, it } from 'vitest';
import type { DnsRecord } from '../../../../src-main/engine/ports.ts';
import {
  type Answer,
  judgeKeptTtl,
  judgeName,
  judgeSplit,
  judgeTtl,
  repairOf,
} from '../../../../src-main/station/doctor/names.ts';
import { ends } from './rig.ts';

const meaning = { right: ['192.0.2.1', '203.0.113.1'], wrong: ['192.0.2.2', '203.0.113.2'] };
const answer = (addresses: readonly string[] | null, who = 'the resolver of this machine'): Answer => ({
  ...{ who, addresses, ttlS: null },
  why: addresses === null ? 'SERVFAIL' : null,
});
const judge = (addresses: readonly string[] | null, silence: 'problem' | 'skipped' = 'problem') =>
  judgeName(
    { id: 'inside', name: ends.fqdn, answer: answer(addresses), meaning, silence, repair: 'Point it back.' },
    ends,
  );

describe('where a name leads', () => {
  it.each([
    ['the active', ['192.0.2.1'], 'ok', /leads to the active node/],
    ['the active from outside', ['203.0.113.1'], 'ok', /leads to the active node/],
    [
      'the passive by accident',
      ['192.0.2.2'],
      'problem',
      /points at the passive node \(192\.0\.2\.2\).*Installing the PBX/,
    ],
    ['both', ['192.0.2.1', '192.0.2.2'], 'problem', /leads to both nodes/],
    ['a stranger', ['198.51.100.9'], 'warning', /neither node's address/],
    ['the active and a stranger', ['192.0.2.1', '198.51.100.9'], 'warning', /and to 198\.51\.100\.9 besides/],
    ['the active, and its own IPv6 address', ['192.0.2.1', '2001:db8::1'], 'ok', /leads to the active node/],
    ['nowhere', [], 'problem', /has no address/],
    ['no answer', null, 'problem', /^The resolver of this machine gives no answer/],
  ] as const)('%s', (_name, addresses, state, sentence) => {
    const said = judge(addresses);
    expect(said.state).toBe(state);
    expect(said.sentence).toMatch(sentence);
    if (state === 'ok') expect(said.todo).toBe('');
    else expect(said.todo).not.toBe('');
  });

  it('the repair stands where the passive is named', () => expect(judge(['192.0.2.2']).todo).toBe('Point it back.'));

  it('a resolver that the switch does not need may be silent, and may not know an inside name', () => {
    expect(judge(null, 'skipped').state).toBe('skipped');
    expect(judge([], 'skipped').state).toBe('warning');
    expect(judge(['192.0.2.2'], 'skipped').state).toBe('problem');
  });
});

describe('the repair', () => {
  const record = (way: DnsRecord['way']): DnsRecord => ({
    ...{ name: 'pbx.example.com', zone: 'example.com', ttlS: 60, servers: [], withinMs: 1000, way },
  });
  const of = (way: DnsRecord['way'] | null, profile: typeof ends.profile) =>
    repairOf({ ...ends, profile }, way && record(way), '192.0.2.1', '192.0.2.2');

  it('3CX puts its own name back when its System service is restarted', () => {
    expect(of(null, '3cx-windows')).toMatch(/^Restart the 3CX System service on the active node \(192\.0\.2\.1\)/);
    expect(of({ kind: 'cloudflare', token: 't', endpoint: null }, '3cx-linux')).toMatch(
      /3CX System service.*at Cloudflare/,
    );
  });

  it.each([
    [
      { kind: 'rfc2136', server: { host: '192.0.2.53', port: 53 }, key: 'estepe' },
      'update add pbx.example.com 60 A 192.0.2.1',
    ],
    [{ kind: 'dnscmd', server: 'dc1' }, 'dnscmd dc1 /recorddelete example.com pbx A 192.0.2.2 /f'],
    [{ kind: 'route53', zoneId: 'z', keyId: 'i', key: 'k', endpoint: null }, 'in Route 53'],
    [{ kind: 'script', argv: ['dns.sh'], timeoutMs: 1 }, 'dns.sh'],
  ] as const)('is the command of the way: %o', (way, text) => {
    expect(of(way, 'generic')).toContain(text);
    expect(of(way, 'generic')).not.toContain('3CX');
  });

  it('without any way it says where to look', () =>
    expect(of(null, 'generic')).toBe('Set the record of pbx.example.com to 192.0.2.1 at whoever serves it.'));
});

describe('TTL', () => {
  const at = (ttlS: number | null, wanted = 60) =>
    judgeTtl('1', { name: ends.fqdn, ttlS: wanted }, [{ server: 'ns1', addresses: ['192.0.2.1'], ttlS, why: null }]);
  it.each([
    [60, 60, 'ok'],
    [300, 60, 'warning'],
    [300, 300, 'ok'],
    [3600, 3600, 'warning'],
    [null, 60, 'skipped'],
  ] as const)('%s s at the server, %s s configured: %s', (seen, wanted, state) =>
    expect(at(seen, wanted).state).toBe(state),
  );

  it('of a kept answer what is left is a lower bound', () => {
    const kept = (ttlS: number | null) => judgeKeptTtl('x', ends.fqdn, { ...answer(['192.0.2.1']), ttlS }, ends);
    expect(kept(null)).toBeNull();
    expect(kept(20)?.state).toBe('ok');
    expect(kept(21_000)).toMatchObject({ state: 'warning', todo: expect.stringContaining('edition') });
  });
});

describe('inside and outside', () => {
  const outside = (addresses: readonly string[] | null) => [answer(addresses, 'the resolver 9.9.9.9')];
  it.each([
    ['none configured', ['10.0.0.1'], [], 'skipped'],
    ['split', ['10.0.0.1'], outside(['203.0.113.1']), 'ok'],
    ['the same public one', ['203.0.113.1'], outside(['203.0.113.1']), 'ok'],
    ['the same private one', ['10.0.0.1'], outside(['10.0.0.1']), 'warning'],
    ['silence outside', ['10.0.0.1'], outside(null), 'skipped'],
    ['silence inside', null, outside(['203.0.113.1']), 'skipped'],
  ] as const)('%s', (_name, inside, out, state) => expect(judgeSplit(answer(inside), out).state).toBe(state));
});
