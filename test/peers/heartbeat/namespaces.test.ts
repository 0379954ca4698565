/** Tests and references between two machines on a cable that can be cut in silence. The prober runs inside the passive. */
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Beat, ReferenceBeat, ReferenceSpec, TestSpec } from '../../../src-main/engine/ports.ts';
import { RealNet } from '../../../src-main/heartbeat/real-net.ts';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';
import { type Certificates, makeCertificates } from '../fixtures/certificates.ts';
import { startKamailio } from '../fixtures/kamailio.ts';
import { type Cable, layCable } from '../fixtures/netns.ts';
import { startNginx } from '../fixtures/nginx.ts';
import type { Peer } from '../fixtures/peer-process.ts';
import type { ProbeOrder } from '../fixtures/probe-child.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';

const child = fileURLToPath(new URL('../fixtures/probe-child.ts', import.meta.url));
const fqdn = 'pbx.example.com';

describeWithPeers('heartbeat across a cable', ['netns', 'kamailio', 'nginx', 'openssl'], () => {
  let cable: Cable;
  let certificates: Certificates;
  const running: Peer[] = [];

  beforeAll(async () => {
    certificates = makeCertificates(fqdn);
    cable = await layCable();
    const { netns, address, address6 } = cable.right;
    running.push(await startKamailio({ netns, address, udpPort: 5060, tcpPort: 5060 }));
    running.push(await startKamailio({ netns, address: address6, udpPort: 5060 }));
    running.push(await startNginx({ netns, address, port: 5001, certificate: certificates.good }));
  });
  afterEach(() => {
    cable.left.heal();
    cable.right.heal();
  });
  afterAll(async () => {
    await Promise.all(running.map((peer) => peer.stop()));
    cable.remove();
    certificates.remove();
  });

  async function ask<T>(order: ProbeOrder): Promise<T> {
    const options = { ca: certificates.ca, ...order.options };
    const printed = await cable.left.run([process.execPath, child, JSON.stringify({ ...order, options })]);
    return JSON.parse(printed) as T;
  }
  const sip = { id: 'sip', kind: 'sip', transport: 'udp', port: 5060, timeoutMs: 2000 } as const satisfies TestSpec;
  const web = { id: 'web', kind: 'web', port: 5001, path: '/', marker: null, warnDays: 14, timeoutMs: 2000 } as const;
  const tunnel = { id: 'tunnel', kind: 'tunnel', port: 5060, timeoutMs: 2000 } as const;
  const probe = (test: TestSpec, more: { address?: string; source?: string } = {}): Promise<Beat> =>
    ask<Beat>({
      test,
      target: { address: more.address ?? cable.right.address, fqdn },
      ...(more.source === undefined ? {} : { options: { source: more.source } }),
    });
  const refer = (reference: ReferenceSpec): Promise<ReferenceBeat> => ask<ReferenceBeat>({ reference });
  const all = (): Promise<Beat[]> => Promise.all([probe(sip), probe(web), probe(tunnel)]);

  it('A2 host gone silent: every test ends by its time-out and says so, and is alive again when healed', async () => {
    expect((await all()).map(({ outcome }) => outcome)).toEqual(['alive', 'alive', 'alive']);
    cable.right.drop('in');
    cable.right.drop('out');
    const [s, w, t] = await all();
    // What a busy machine spends before the first packet is taken off these 2 s, and said.
    const said = (what: string, after = '') =>
      expect.stringMatching(new RegExp(`^${what} within (2|1\\.\\d) s${after}$`)) as string;
    expect(s).toMatchObject({ outcome: 'dead', evidence: said('no answer', ' \\(3 requests sent\\)') });
    expect(w).toMatchObject({ outcome: 'dead', evidence: said('no connection to 198.18.0.2:5001') });
    expect(t).toMatchObject({ outcome: 'dead', evidence: said('no connection to 198.18.0.2:5060') });
    cable.right.heal();
    expect((await all()).map(({ outcome }) => outcome)).toEqual(['alive', 'alive', 'alive']);
  });

  it('A2 over IPv6', async () => {
    const address = cable.right.address6;
    expect(await probe(sip, { address })).toMatchObject({ outcome: 'alive' });
    cable.right.drop('in');
    expect(await probe(sip, { address })).toMatchObject({ outcome: 'dead' });
  });

  it('A2 a host that is not there at all', async () => {
    const beat = await probe(tunnel, { address: '198.18.0.77' });
    expect(beat.outcome).toBe('dead');
  });

  it('B3 one-way cut, towards the active: requests never arrive: dead', async () => {
    cable.right.drop('in');
    expect((await all()).map(({ outcome }) => outcome)).toEqual(['dead', 'dead', 'dead']);
  });

  it('B3 one-way cut, towards the passive: requests arrive, answers are lost: dead', async () => {
    cable.left.drop('in');
    expect((await all()).map(({ outcome }) => outcome)).toEqual(['dead', 'dead', 'dead']);
  });

  it('B3 our own firewall forbids sending: unknown, for nothing was asked', async () => {
    cable.left.drop('out');
    const beat = await probe(sip);
    expect(beat).toMatchObject({ outcome: 'unknown', evidence: 'this machine could not ask: EPERM 198.18.0.2:5060' });
  });

  it('a network without a route is dead, an own address that we do not have is unknown', async () => {
    expect(await probe(sip, { address: '192.0.2.1' })).toMatchObject({
      outcome: 'dead',
      evidence: 'ENETUNREACH 192.0.2.1:5060',
    });
    expect(await probe(sip, { source: '198.18.0.99' })).toMatchObject({ outcome: 'unknown' });
    expect(await probe(web, { source: '198.18.0.99' })).toMatchObject({ outcome: 'unknown' });
    expect(await probe(sip, { source: cable.left.address })).toMatchObject({ outcome: 'alive' });
  });

  it('B2 references: a refusal and an answer are signs of life, silence is none', async () => {
    const host = cable.right.address;
    const refused: ReferenceSpec = { id: 'tcp', kind: 'tcp', host, port: 9, timeoutMs: 1500 };
    const provider: ReferenceSpec = { id: 'sip', kind: 'sip', host, port: 5060, timeoutMs: 1500 };
    expect(await refer(refused)).toMatchObject({ answered: true, evidence: '198.18.0.2:9 refuses, so it lives' });
    expect(await refer(provider)).toMatchObject({ answered: true, evidence: 'SIP/2.0 200 OK (kamailio)' });
    cable.left.drop('in');
    expect(await refer(refused)).toMatchObject({ answered: false });
    expect(await refer(provider)).toMatchObject({ answered: false });
  });

  it('B2 the gateway: none is an answer of no; one that lives answers; one that is silent does not', async () => {
    const gateway: ReferenceSpec = { id: 'gateway', kind: 'gateway', timeoutMs: 1500 };
    expect(await refer(gateway)).toMatchObject({ answered: false, evidence: 'this machine has no default gateway' });
    await cable.left.run(['ip', 'route', 'add', 'default', 'via', cable.right.address]);
    try {
      expect(await refer(gateway)).toMatchObject({ answered: true });
      cable.right.drop('in');
      // without ping on this machine nobody can be blamed: null
      expect((await refer(gateway)).answered).not.toBe(true);
    } finally {
      await cable.left.run(['ip', 'route', 'delete', 'default']);
    }
  });
});

describeWithPeers('ping', ['ping'], () => {
  it('answers on loopback', async () => {
    const net = new RealNet({ proc: new RealProc(), scripts: '/nonexistent', dataFolder: '/nonexistent' });
    const { signal } = new AbortController();
    for (const host of ['127.0.0.1', '::1']) {
      expect(await net.reference({ id: 'ping', kind: 'ping', host, timeoutMs: 2000 }, signal)).toMatchObject({
        answered: true,
      });
    }
  });
});
