/** The `web` and `tunnel` tests against a real nginx. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Beat, TestSpec } from '../../../src-main/engine/ports.ts';
import { RealNet } from '../../../src-main/heartbeat/real-net.ts';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';
import { type Certificates, makeCertificates } from '../fixtures/certificates.ts';
import { freePort } from '../fixtures/free-port.ts';
import { frontPage, startNginx } from '../fixtures/nginx.ts';
import type { Peer } from '../fixtures/peer-process.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { slowWire, type Wire } from '../fixtures/wire.ts';

const fqdn = 'pbx.example.com';

describeWithPeers('web test with nginx', ['nginx', 'openssl'], () => {
  const running: Peer[] = [];
  const wires: Wire[] = [];
  let certificates: Certificates;
  let net: RealNet;
  beforeAll(() => {
    certificates = makeCertificates(fqdn);
    net = new RealNet({
      proc: new RealProc(),
      scripts: '/nonexistent',
      dataFolder: '/nonexistent',
      ca: certificates.ca,
    });
  });
  afterEach(async () => {
    await Promise.all(wires.splice(0).map((wire) => wire.close()));
    await Promise.all(running.splice(0).map((peer) => peer.stop()));
  });
  afterAll(() => certificates.remove());

  async function nginx(options: Partial<Parameters<typeof startNginx>[0]> = {}): Promise<{ port: number; peer: Peer }> {
    const address = options.address ?? '127.0.0.1';
    const port = await freePort(address);
    const peer = await startNginx({ port, certificate: certificates.good, ...options, address });
    running.push(peer);
    return { port, peer };
  }

  interface More {
    path?: string;
    marker?: string;
    timeoutMs?: number;
    address?: string;
    fqdn?: string;
    warnDays?: number;
  }
  function probe(port: number, more: More = {}): Promise<Beat> {
    const { path = '/', marker = null, timeoutMs = 3000, address = '127.0.0.1', warnDays = 14 } = more;
    const test: TestSpec = { id: 'web', kind: 'web', port, path, marker, warnDays, timeoutMs };
    return net.probe(test, { address, fqdn: more.fqdn ?? fqdn }, new AbortController().signal);
  }
  const tunnel = (port: number, timeoutMs = 2000): Promise<Beat> =>
    net.probe(
      { id: 'tunnel', kind: 'tunnel', port, timeoutMs },
      { address: '127.0.0.1', fqdn },
      new AbortController().signal,
    );

  it('A1 is alive with its certificate named, and dead once the service is down', async () => {
    const { port, peer } = await nginx();
    const beat = await probe(port, { marker: frontPage });
    expect(beat).toMatchObject({ outcome: 'alive', evidence: 'HTTP/1.1 200 OK' });
    expect(beat.detail?.certificate).toMatchObject({
      subject: `CN=${fqdn}`,
      issuer: 'CN=Test Authority',
      daysLeft: 89,
      faults: [],
    });
    expect(await tunnel(port)).toMatchObject({ outcome: 'alive', evidence: `port accepts (127.0.0.1:${port})` });
    await peer.kill();
    expect(await probe(port)).toMatchObject({ outcome: 'dead', evidence: `ECONNREFUSED 127.0.0.1:${port}` });
    expect(await tunnel(port)).toMatchObject({ outcome: 'dead', evidence: `ECONNREFUSED 127.0.0.1:${port}` });
  });

  it('A3 hung service: stopped, it accepts and never answers: dead, though the tunnel test cannot see it', async () => {
    const { port, peer } = await nginx();
    await peer.freeze();
    const [web, accepts] = await Promise.all([probe(port, { timeoutMs: 1500 }), tunnel(port, 1500)]);
    expect(web).toMatchObject({ outcome: 'dead', evidence: 'port accepts, but no TLS handshake within 1.5 s' });
    expect(accepts.outcome).toBe('alive');
    peer.thaw();
    expect(await probe(port)).toMatchObject({ outcome: 'alive' });
  });

  it('A4 an answer just under the time-out is alive, just over it dead', async () => {
    const { port } = await nginx();
    const [under, over] = [
      await slowWire({ address: '127.0.0.1', port }, 700),
      await slowWire({ address: '127.0.0.1', port }, 1800),
    ];
    wires.push(under, over);
    const beats = await Promise.all([probe(under.port), probe(over.port)]);
    expect(beats.map(({ outcome }) => outcome)).toEqual(['alive', 'dead']);
    expect(beats[1]?.evidence).toBe('TLS handshake done, but no HTTP answer within 3 s');
  });

  it.each([
    ['/', 'alive', 'HTTP/1.1 200 OK'],
    ['/secret', 'alive', 'HTTP/1.1 401 Unauthorized'],
    ['/nothing', 'alive', 'HTTP/1.1 404 Not Found'],
    ['/broken', 'dead', 'HTTP/1.1 500 Internal Server Error'],
    ['/down', 'dead', 'HTTP/1.1 503 Service Temporarily Unavailable'],
  ])('A5 GET %s: %s', async (path, outcome, evidence) => {
    const { port } = await nginx({
      pages: {
        '/': { status: 200, body: 'ok' },
        '/secret': { status: 401, body: 'who are you' },
        '/broken': { status: 500, body: 'broken' },
        '/down': { status: 503, body: 'down' },
      },
    });
    expect(await probe(port, { path })).toMatchObject({ outcome, evidence });
  });

  it('A5 without the marker: dead, and the marker is named', async () => {
    const { port } = await nginx();
    const beat = await probe(port, { marker: '3CX Phone System' });
    expect(beat).toMatchObject({
      outcome: 'dead',
      evidence: 'HTTP/1.1 200 OK answers, but without the marker "3CX Phone System"',
    });
  });

  it('A5 a certificate expired, of another name, untrusted or soon over: degraded, and evidence names which', async () => {
    for (const [leaf, evidence] of [
      [certificates.expired, /^HTTP\/1\.1 200 OK; certificate expired on \d{4}-\d\d-\d\d$/],
      [certificates.wrongName, /; certificate is for DNS:other\.example\.net, .*, not for pbx\.example\.com$/],
      [certificates.selfSigned, /; certificate chain not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)$/],
      [certificates.soon, /^HTTP\/1\.1 200 OK; certificate has 5 days left$/],
    ] as const) {
      const { port } = await nginx({ certificate: leaf });
      const beat = await probe(port);
      expect(beat.outcome).toBe('degraded');
      expect(beat.evidence).toMatch(evidence);
    }
  });

  it('A5 a bad certificate does not cover a dead service', async () => {
    const { port } = await nginx({ certificate: certificates.expired, pages: { '/': { status: 502, body: 'x' } } });
    expect(await probe(port)).toMatchObject({ outcome: 'dead', evidence: 'HTTP/1.1 502 Bad Gateway' });
  });

  it('A6 the FQDN resolves elsewhere: the address is asked, with the FQDN in SNI and Host', async () => {
    // localhost resolves to the machine's loopback; 127.0.0.7 is "the other node", on the same port
    const port = await freePort('127.0.0.7');
    const leaf = makeCertificates('localhost');
    try {
      const options = { port, certificate: leaf.good, onlyFor: 'localhost' };
      running.push(
        await startNginx({ ...options, address: '127.0.0.7', pages: { '/': { status: 200, body: 'node seven' } } }),
      );
      running.push(
        await startNginx({ ...options, address: '127.0.0.1', pages: { '/': { status: 500, body: 'node one' } } }),
      );
      const seven = await probe(port, { address: '127.0.0.7', fqdn: 'localhost', marker: 'node seven' });
      expect(seven.evidence).toContain('HTTP/1.1 200 OK');
      expect(seven.outcome).toBe('degraded'); // signed by the other authority: said, and no more
      const one = await probe(port, { address: '127.0.0.1', fqdn: 'localhost' });
      expect(one).toMatchObject({ outcome: 'dead', evidence: 'HTTP/1.1 500 Internal Server Error' });
      const otherName = await probe(port, { address: '127.0.0.7', fqdn });
      expect(otherName.outcome).toBe('dead');
      expect(otherName.evidence).toContain('TLS failed');
    } finally {
      leaf.remove();
    }
  });

  it('IPv6: answers on ::1, with a numeric name without SNI', async () => {
    const { port } = await nginx({ address: '::1' });
    expect(await probe(port, { address: '::1' })).toMatchObject({ outcome: 'alive' });
    expect(await probe(port, { address: '::1', fqdn: '::1' })).toMatchObject({ outcome: 'alive' });
  });

  it('a host name is looked up; one that does not resolve says nothing about the node', async () => {
    const { port } = await nginx();
    expect(await probe(port, { address: 'localhost' })).toMatchObject({ outcome: 'alive' });
    const beat = await probe(port, { address: 'node-one.invalid' });
    expect(beat.outcome).toBe('unknown');
    expect(beat.evidence).toContain('could not look up node-one.invalid');
  });
});
