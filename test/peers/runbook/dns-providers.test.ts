/** E6 at Cloudflare and Route 53: servers of our own that keep their rules, with a real name server behind them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DnsEnd, DnsRecord } from '../../../src-main/engine/ports.ts';
import { type Provider, startCloudflare, startRoute53 } from '../fixtures/dns-providers.ts';
import { freePort } from '../fixtures/free-port.ts';
import { type Named, newKey, newNetwork, startNamed } from '../fixtures/named.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { back, change, contextOf, dnsOf, recordOf } from './dns-rig.ts';

const key = newKey('provider');
const secrets = {
  token: 'cf-token-4711',
  read: 'cf-read-only',
  wrong: 'cf-wrong',
  aws: 'aws-secret-key',
  bad: 'aws-wrong-key',
};
const hidden = Object.values(secrets);

describeWithPeers('E6 DNS at a provider', ['named', 'dig', 'nsupdate', 'netns'], () => {
  const at = newNetwork();
  let port = 0;
  let named: Named;
  beforeAll(async () => {
    port = await freePort(at(1));
    const zones = ['cf.test', 'aws.test'].map((name) => ({
      name,
      servers: { ns1: at(1) },
      updates: 'allow-update { key provider; };',
    }));
    named = await startNamed({ address: at(1), port, keys: [key], zones });
  });
  afterAll(() => named?.stop());

  const run = async (one: DnsRecord, which = change, more = {}): Promise<DnsEnd> => {
    const end = await dnsOf(secrets, port).switch(one, which, contextOf(more));
    for (const secret of hidden) expect(JSON.stringify(end)).not.toContain(secret);
    return end;
  };
  const changes = ({ asked }: Provider): number => asked.filter((question) => !question.startsWith('GET')).length;

  describe('Cloudflare', () => {
    const name = 'pbx.cf.test';
    let provider: Provider;
    beforeEach(async () => {
      provider = await startCloudflare(
        { named, key },
        'cf.test',
        [
          { name, value: '192.0.2.1', ttl: 300 },
          { name: 'www.cf.test', value: '192.0.2.80', ttl: 1 },
        ],
        {
          [secrets.token]: 'edit',
          [secrets.read]: 'read',
        },
      );
      named.update(key, `update delete ${name} A`, `update add ${name} 300 A 192.0.2.1`);
      return () => provider.close();
    });
    const record = (token = 'token', more: Partial<DnsRecord> = {}) =>
      recordOf({ kind: 'cloudflare', token, endpoint: provider.endpoint }, { name, zone: 'cf.test', ...more });

    it('changes the record by its own id, and asks the name servers that Cloudflare names', async () => {
      const end = await run(record());
      expect(end).toMatchObject({ outcome: 'done' });
      expect(end.sentence).toBe(
        `${name} points to 192.0.2.2 (Cloudflare took the change; ${at(1)}:${port} answers 192.0.2.2); whoever asked before may keep the old address for up to 5 min, the TTL it had (configured: 1 min)`,
      );
      expect(provider.records[0]).toEqual({ name, value: '192.0.2.2', ttl: 60, proxied: false });
      expect(provider.records[1]).toMatchObject({ value: '192.0.2.80' });
      expect(await run(record())).toMatchObject({ sentence: expect.stringContaining('already') });
      expect(changes(provider)).toBe(1);
      expect(await run(record(), back)).toMatchObject({ outcome: 'done' });
      expect(named.dig(name)).toEqual(['192.0.2.1']);
    });

    it('a record behind the proxy is taken out of it', async () => {
      Object.assign(provider.records[0] ?? {}, { value: '192.0.2.2', proxied: true });
      expect(await run(record())).toMatchObject({ outcome: 'done' });
      expect(provider.records[0]).toMatchObject({ value: '192.0.2.2', proxied: false });
    });

    it.each([
      [
        'E6 token wrong',
        'wrong',
        'Cloudflare refuses the token (403: 9109 Invalid access token): it needs DNS edit for the zone',
      ],
      ['E6 refused: the token may only read', 'read', 'Cloudflare refuses the token (403: 10000 Authentication error)'],
    ])('%s', async (_, token, words) => {
      expect(await run(record(token))).toMatchObject({ outcome: 'failed', sentence: expect.stringContaining(words) });
      expect(provider.records[0]).toMatchObject({ value: '192.0.2.1' });
    });

    it('E6 someone already switched, before or just in between', async () => {
      provider.orders.meddle = '192.0.2.98';
      const between = await run(record());
      expect(between.sentence).toContain('points to 192.0.2.98, not to 192.0.2.1: somebody switched it already');
      expect(await run(record())).toMatchObject({ outcome: 'failed' });
      expect(provider.records[0]).toMatchObject({ value: '192.0.2.98' });
      expect(changes(provider)).toBe(1);
    });

    it('E6 a lost answer is asked after: done, or worth another attempt', async () => {
      provider.orders.loseQuestion = true;
      expect(await run(record())).toMatchObject({ outcome: 'failed', again: true });
      provider.orders.loseAnswer = true;
      const end = await run(record());
      expect(end).toMatchObject({ outcome: 'done' });
      expect(end.sentence).toContain('Cloudflare has 192.0.2.2 now, though its answer was lost');
      expect(changes(provider)).toBe(2);
    });

    it('429: waits as long as it is told, within its time', async () => {
      provider.orders.busy = { times: 2, seconds: 1 };
      expect(await run(record())).toMatchObject({ outcome: 'done' });
      provider.orders.busy = { times: 1, seconds: 3600 };
      const end = await run(record('token', { withinMs: 2_000 }), back);
      expect(end).toMatchObject({ outcome: 'failed', again: true });
      expect(end.sentence).toContain('Cloudflare wants fewer questions (429: 971 Please wait');
    });

    it('no such zone, no such record, nobody there, another TTL than it takes', async () => {
      expect((await run(record('token', { zone: 'other.test' }))).sentence).toContain(
        'Cloudflare shows no zone other.test to this token',
      );
      expect((await run(record('token', { name: 'none.cf.test' }))).sentence).toContain(
        'there is no record none.cf.test',
      );
      expect((await run(record('token', { ttlS: 5 }))).sentence).toContain('Cloudflare answers 400: 9021 Invalid TTL');
      provider.close();
      expect(await run(record())).toMatchObject({
        again: true,
        sentence: expect.stringContaining('Cloudflare was not reached: 127.0.0.1'),
      });
    });

    it('G5 a rehearsal reads only', async () => {
      const end = await dnsOf(secrets, port).rehearse(record(), change, contextOf());
      expect(end).toMatchObject({ outcome: 'done' });
      expect(changes(provider)).toBe(0);
    });
  });

  describe('Route 53', () => {
    const name = 'pbx.aws.test';
    let provider: Provider & { zoneId: string };
    beforeEach(async () => {
      provider = await startRoute53({ named, key }, 'aws.test', [{ name, value: '192.0.2.1', ttl: 300 }], {
        ...{ AKIDEXAMPLE: secrets.aws, reader: secrets.aws },
      });
      named.update(key, `update delete ${name} A`, `update add ${name} 300 A 192.0.2.1`);
      return () => provider.close();
    });
    const record = (change: { keyId?: string; key?: string; zoneId?: string } = {}, more: Partial<DnsRecord> = {}) => {
      const { keyId = 'AKIDEXAMPLE', key = 'aws', zoneId = provider.zoneId } = change;
      return recordOf(
        { kind: 'route53', zoneId, keyId, key, endpoint: provider.endpoint },
        { name, zone: 'aws.test', ...more },
      );
    };

    it('deletes and creates in one batch, and waits until it is in sync', async () => {
      provider.orders.pending = 2;
      const end = await run(record());
      expect(end).toMatchObject({ outcome: 'done' });
      expect(end.sentence).toContain(
        `${name} points to 192.0.2.2 (Route 53 has the change on all its servers (INSYNC); ${at(1)}:${port} answers 192.0.2.2)`,
      );
      expect(end.sentence).toContain('up to 5 min, the TTL it had');
      expect(provider.records).toEqual([{ name, value: '192.0.2.2', ttl: 60 }]);
      expect(await run(record())).toMatchObject({ sentence: expect.stringContaining('already') });
      expect(changes(provider)).toBe(1);
      delete provider.orders.pending;
      expect(await run(record(), back)).toMatchObject({ outcome: 'done' });
    });

    it.each([
      ['E6 key wrong', { key: 'bad' }, 'Route 53 refuses the key (SignatureDoesNotMatch'],
      ['E6 key unknown', { keyId: 'AKIDOTHER' }, 'Route 53 refuses the key (InvalidClientTokenId'],
      ['E6 refused', { keyId: 'reader' }, 'Route 53 refuses the key (AccessDenied: User is not authorized'],
      [
        'no such zone',
        { zoneId: 'Z0' },
        'Route 53 has no such hosted zone (NoSuchHostedZone: No hosted zone found with ID: Z0)',
      ],
    ])('%s', async (_, which, words) => {
      expect(await run(record(which))).toMatchObject({ outcome: 'failed', sentence: expect.stringContaining(words) });
      expect(provider.records[0]).toMatchObject({ value: '192.0.2.1' });
    });

    it('E6 clock off', async () => {
      const end = await dnsOf(secrets, port, '/nowhere', 900_000).switch(record(), change, contextOf());
      expect(end).toMatchObject({ outcome: 'failed' });
      expect(end.sentence).toContain(
        'Route 53 says that the clock of this machine is off (SignatureDoesNotMatch: Signature expired',
      );
    });

    it('E6 someone already switched just in between: the batch is refused as a whole', async () => {
      provider.orders.meddle = '192.0.2.98';
      const end = await run(record());
      expect(end.sentence).toContain('points to 192.0.2.98, not to 192.0.2.1: somebody switched it already');
      expect(provider.records).toEqual([{ name, value: '192.0.2.98', ttl: 300 }]);
    });

    it('E6 a lost answer is asked after: done, or worth another attempt', async () => {
      provider.orders.loseQuestion = true;
      expect(await run(record())).toMatchObject({ outcome: 'failed', again: true });
      provider.orders.loseAnswer = true;
      const end = await run(record());
      expect(end).toMatchObject({ outcome: 'done', sentence: expect.stringContaining('Route 53 has 192.0.2.2 now') });
      expect(changes(provider)).toBe(2);
    });

    it('an alias is left alone', async () => {
      Object.assign(provider.records[0] ?? {}, { alias: true });
      expect((await run(record())).sentence).toContain('is no plain record at Route 53');
      expect(changes(provider)).toBe(0);
    });

    it('told to ask less: waits, and goes on', async () => {
      provider.orders.busy = { times: 1, seconds: 1 };
      expect(await run(record())).toMatchObject({ outcome: 'done' });
    });

    it('G5 a rehearsal reads only', async () => {
      expect(await dnsOf(secrets, port).rehearse(record(), change, contextOf())).toMatchObject({ outcome: 'done' });
      expect(changes(provider)).toBe(0);
    });
  });
});
