/** 3CX's API as a means of fencing, over real TLS, against a server of our own that keeps its rules. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { XapiClient } from '../../../src-main/runbook/fence/xapi.ts';
import { type Certificates, makeCertificates } from '../fixtures/certificates.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { client, startXapi, type XapiServer } from './xapi-server.ts';

const fqdn = 'pbx.example.com';

describeWithPeers('fencing by the API of 3CX', ['openssl'], () => {
  let certificates: Certificates;
  beforeAll(() => {
    certificates = makeCertificates(fqdn);
  });
  afterAll(() => certificates.remove());

  async function asked(
    prepare: (server: XapiServer) => void = () => {},
    {
      leaf = 'good',
      secret = client.secret as string,
      dryRun = false,
      timeoutMs = 5_000,
    }: {
      leaf?: 'good' | 'wrongName' | 'selfSigned' | 'expired';
      secret?: string;
      dryRun?: boolean;
      timeoutMs?: number;
    } = {},
  ) {
    const server = await startXapi(certificates[leaf]);
    try {
      prepare(server);
      const xapi = new XapiClient({ secret: () => secret, ca: certificates.ca, pollMs: 20 });
      const plan = { address: '127.0.0.1', port: server.port, fqdn, clientId: client.id, secret: 'pbx-api', timeoutMs };
      const end = await xapi.stop(plan, { dryRun, signal: new AbortController().signal });
      expect(JSON.stringify(end)).not.toContain(client.secret);
      expect(end.sentence).not.toMatch(/token-|xk9-wrong/);
      return { server, end };
    } finally {
      await server.stop();
    }
  }

  it('stops what runs, the API’s own service last, by the address with SNI and Host of the FQDN; the database stays', async () => {
    const { server, end } = await asked();
    expect(end.outcome).toBe('stopped');
    expect(server.stopped).toEqual([['3CXPhoneSystem01', '3CXIVR01'], ['3CXSystemService01']]);
    expect(server.services.get('postgresql@15-main')).toBe('Running');
    expect(new Set(server.asked.map(({ sni }) => sni))).toEqual(new Set([fqdn]));
    expect(server.asked[0]).toMatchObject({ line: 'POST /connect/token', host: `${fqdn}:${server.port}` });
  });

  it('what is stopped already is not stopped again', async () => {
    const { server, end } = await asked(({ services }) => {
      for (const name of services.keys()) services.set(name, 'Stopped');
    });
    expect(end).toMatchObject({ outcome: 'stopped', sentence: expect.stringContaining('no service runs there') });
    expect(server.stopped).toEqual([]);
  });

  it('G5 a dry run looks and changes nothing', async () => {
    const { server, end } = await asked(() => {}, { dryRun: true });
    expect(end).toMatchObject({ outcome: 'checked', sentence: expect.stringContaining('3 services run there') });
    expect(server.stopped).toEqual([]);
  });

  it.each(['wrongName', 'selfSigned', 'expired'] as const)(
    'a certificate that is %s: the secret is not sent',
    async (leaf) => {
      const { server, end } = await asked(() => {}, { leaf });
      expect(end).toMatchObject({
        outcome: 'not-stopped',
        sentence: expect.stringContaining('the secret was not sent'),
      });
      expect(server.asked).toEqual([]);
    },
  );

  it('a secret that is not accepted, a role that may not, an answer that is none: each in words', async () => {
    const wrong = await asked(() => {}, { secret: 'xk9-wrong' });
    expect(wrong.end.sentence).toMatch(/client id or secret are not accepted there$/);
    const forbidden = await asked(({ moods }) => {
      moods.forbids = true;
    });
    expect(forbidden.end.sentence).toMatch(/this client may not do that/);
    const garbage = await asked(({ moods }) => {
      moods.garbage = true;
    });
    expect(garbage.end).toMatchObject({
      outcome: 'not-stopped',
      sentence: expect.stringContaining('list of services'),
    });
  });

  it('accepts the order and goes on running, or never answers: not stopped, within its time', async () => {
    for (const mood of ['sticks', 'hangs'] as const) {
      const { end } = await asked(({ moods }) => void Object.assign(moods, { [mood]: true }), { timeoutMs: 700 });
      expect(end).toMatchObject({ outcome: 'not-stopped', sentence: expect.stringMatching(/within 0\.7 s$/) });
    }
  });

  it('nobody there: unreachable', async () => {
    const { server } = await asked();
    const xapi = new XapiClient({ secret: () => client.secret, ca: certificates.ca });
    const plan = { address: '127.0.0.1', port: server.port, fqdn, clientId: client.id, secret: 's', timeoutMs: 5_000 };
    const end = await xapi.stop(plan, { dryRun: false, signal: new AbortController().signal });
    expect(end).toMatchObject({ outcome: 'unreachable', sentence: expect.stringContaining('ECONNREFUSED') });
  });
});
