/** The `sip` test against a real kamailio and a scripted sipp. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Beat, TestSpec } from '../../../src-main/engine/ports.ts';
import { RealNet } from '../../../src-main/heartbeat/real-net.ts';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';
import { type Certificates, makeCertificates } from '../fixtures/certificates.ts';
import { freePort } from '../fixtures/free-port.ts';
import { startKamailio } from '../fixtures/kamailio.ts';
import type { Peer } from '../fixtures/peer-process.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { ordinaryAnswer, startSipp } from '../fixtures/sipp.ts';
import { lossyWire, seeded } from '../fixtures/wire.ts';

const net = new RealNet({ proc: new RealProc(), scripts: '/nonexistent', dataFolder: '/nonexistent' });
const fqdn = 'pbx.example.com';

function probe(
  transport: 'udp' | 'tcp' | 'tls',
  port: number,
  more: { timeoutMs?: number; address?: string } = {},
): Promise<Beat> {
  const test: TestSpec = { id: 'sip', kind: 'sip', transport, port, timeoutMs: more.timeoutMs ?? 4000 };
  return net.probe(test, { address: more.address ?? '127.0.0.1', fqdn }, new AbortController().signal);
}

describeWithPeers('sip test with kamailio', ['kamailio', 'openssl'], () => {
  const running: Peer[] = [];
  let certificates: Certificates;
  beforeAll(() => {
    certificates = makeCertificates(fqdn);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((peer) => peer.stop()));
  });
  afterAll(() => certificates.remove());

  async function kamailio(
    options: Omit<Parameters<typeof startKamailio>[0], 'address'> & { address?: string },
  ): Promise<Peer> {
    const peer = await startKamailio({ address: '127.0.0.1', ...options });
    running.push(peer);
    return peer;
  }

  it('A1 is alive over UDP, TCP and TLS, and dead once the service is down', async () => {
    const [plain, secure] = [await freePort(), await freePort()];
    const peer = await kamailio({ udpPort: plain, tcpPort: plain, tlsPort: secure, certificate: certificates.good });
    for (const [transport, port] of [
      ['udp', plain],
      ['tcp', plain],
      ['tls', secure],
    ] as const) {
      const beat = await probe(transport, port);
      expect(beat).toMatchObject({ test: 'sip', outcome: 'alive', evidence: 'SIP/2.0 200 OK (kamailio)' });
    }
    await peer.kill();
    for (const [transport, port] of [
      ['udp', plain],
      ['tcp', plain],
      ['tls', secure],
    ] as const) {
      const beat = await probe(transport, port);
      expect(beat).toMatchObject({ outcome: 'dead', evidence: `ECONNREFUSED 127.0.0.1:${port}` });
    }
  });

  it('A3 hung service: stopped processes accept and never answer, and are alive again when continued', async () => {
    const [plain, secure] = [await freePort(), await freePort()];
    const peer = await kamailio({ udpPort: plain, tcpPort: plain, tlsPort: secure, certificate: certificates.good });
    await peer.freeze();
    const [udp, tcp, tls] = await Promise.all([
      probe('udp', plain, { timeoutMs: 2000 }),
      probe('tcp', plain, { timeoutMs: 2000 }),
      probe('tls', secure, { timeoutMs: 2000 }),
    ]);
    expect(udp).toMatchObject({ outcome: 'dead', evidence: 'no answer within 2 s (3 requests sent)' });
    expect(tcp).toMatchObject({ outcome: 'dead', evidence: 'no answer within 2 s (1 request sent)' });
    expect(tls).toMatchObject({ outcome: 'dead', evidence: 'port accepts, but no TLS handshake within 2 s' });
    peer.thaw();
    expect(await probe('udp', plain)).toMatchObject({ outcome: 'alive' });
    expect(await probe('tls', secure)).toMatchObject({ outcome: 'alive' });
  });

  it('A4 an answer just under the time-out is alive, just over it dead', async () => {
    const [quick, slow] = [await freePort(), await freePort()];
    await kamailio({ udpPort: quick, tcpPort: quick, delayMs: 1100 });
    await kamailio({ udpPort: slow, tcpPort: slow, delayMs: 2600 });
    const beats = await Promise.all([
      probe('udp', quick, { timeoutMs: 1900 }),
      probe('tcp', quick, { timeoutMs: 1900 }),
      probe('udp', slow, { timeoutMs: 1900 }),
      probe('tcp', slow, { timeoutMs: 1900 }),
    ]);
    expect(beats.map(({ outcome }) => outcome)).toEqual(['alive', 'alive', 'dead', 'dead']);
    expect(beats[0]?.ms).toBeGreaterThan(1000);
  });

  it.each([
    [200, 'OK', 'alive'],
    [401, 'Unauthorized', 'alive'],
    [404, 'Not Found', 'alive'],
    [400, 'Bad Request', 'degraded'],
    [503, 'Service Unavailable', 'degraded'],
  ])('A5 answers %i %s: %s', async (status, reason, outcome) => {
    const port = await freePort();
    await kamailio({ udpPort: port, reply: { status, reason } });
    expect(await probe('udp', port)).toMatchObject({ outcome, evidence: `SIP/2.0 ${status} ${reason} (kamailio)` });
  });

  it('A5 over TLS a wrong name or an untrusted certificate still proves life, an expired one is degraded', async () => {
    for (const [leaf, outcome, fault] of [
      [certificates.wrongName, 'alive', 'wrong-name'],
      [certificates.selfSigned, 'alive', 'untrusted'],
      [certificates.expired, 'degraded', 'expired'],
    ] as const) {
      const port = await freePort();
      await kamailio({ tlsPort: port, certificate: leaf });
      const beat = await probe('tls', port);
      expect(beat.outcome).toBe(outcome);
      const certificate = beat.detail?.certificate as { faults: { kind: string }[] };
      expect(certificate.faults.map(({ kind }) => kind)).toContain(fault);
    }
  });

  it('A5 plain SIP on the TLS port is a failed TLS: dead', async () => {
    const port = await freePort();
    await kamailio({ tcpPort: port });
    const beat = await probe('tls', port, { timeoutMs: 2500 });
    expect(beat.outcome).toBe('dead');
  });

  it('IPv6: answers on ::1 over UDP, TCP and TLS', async () => {
    const [plain, secure] = [await freePort('::1'), await freePort('::1')];
    await kamailio({ address: '::1', udpPort: plain, tcpPort: plain, tlsPort: secure, certificate: certificates.good });
    for (const [transport, port] of [
      ['udp', plain],
      ['tcp', plain],
      ['tls', secure],
    ] as const) {
      expect(await probe(transport, port, { address: '::1' })).toMatchObject({ outcome: 'alive' });
    }
    expect(await probe('udp', await freePort('::1'), { address: '::1' })).toMatchObject({ outcome: 'dead' });
  });

  it.each([20, 50, 80])(
    'A7 %i %% packet loss: alive exactly when one request and its answer got through',
    async (percent) => {
      const port = await freePort();
      await kamailio({ udpPort: port });
      const loss = percent / 100;
      const probes = Array.from({ length: 12 }, async (_, i) => {
        const seed = percent * 1000 + i;
        const wire = await lossyWire({ address: '127.0.0.1', port }, loss, seed);
        const beat = await probe('udp', wire.port, { timeoutMs: 4000 });
        await wire.close();
        // the same draws: one a request, one more for the answer of each request that arrived
        const draw = seeded(seed);
        const through = [0, 1, 2, 3].some(() => draw() >= loss && draw() >= loss);
        return { got: beat.outcome, expected: through ? 'alive' : 'dead' };
      });
      for (const { got, expected } of await Promise.all(probes)) expect(got).toBe(expected);
    },
  );
});

describeWithPeers('sip test with sipp', ['sipp'], () => {
  let peer: Peer | null = null;
  afterEach(async () => {
    await peer?.stop();
    peer = null;
  });

  it.each([
    ['udp', '401 Unauthorized', 'alive'],
    ['udp', '503 Service Unavailable', 'degraded'],
    ['tcp', '404 Not Found', 'alive'],
  ] as const)('A5 over %s, answer %s: %s', async (transport, status, outcome) => {
    const port = await freePort();
    peer = await startSipp({ address: '127.0.0.1', port, transport, answers: [ordinaryAnswer(status)] });
    expect(await probe(transport, port)).toMatchObject({ outcome, evidence: `SIP/2.0 ${status}` });
  });

  it('a provisional answer is waited on', async () => {
    const port = await freePort();
    const answers = [ordinaryAnswer('100 Trying'), ordinaryAnswer('486 Busy Here')];
    peer = await startSipp({ address: '127.0.0.1', port, transport: 'udp', answers });
    expect(await probe('udp', port)).toMatchObject({ outcome: 'alive', evidence: 'SIP/2.0 486 Busy Here' });
  });

  it('a provisional answer alone is no answer', async () => {
    const port = await freePort();
    peer = await startSipp({ address: '127.0.0.1', port, transport: 'udp', answers: [ordinaryAnswer('100 Trying')] });
    const beat = await probe('udp', port, { timeoutMs: 1200 });
    expect(beat.outcome).toBe('dead');
    expect(beat.evidence).toContain('only SIP/2.0 100 Trying came');
  });

  it.each(['udp', 'tcp'] as const)('A5 garbage on the port over %s: something else answers', async (transport) => {
    const port = await freePort();
    const answers = [['HTTP/1.1 400 Bad Request', 'Server: something', 'Content-Length: 0']];
    peer = await startSipp({ address: '127.0.0.1', port, transport, answers });
    const beat = await probe(transport, port, { timeoutMs: 1200 });
    expect(beat.outcome).toBe('foreign');
    expect(beat.evidence).toContain('something else answers on this port: no SIP start line, "HTTP/1.1 400');
  });
});
