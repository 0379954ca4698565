/** The webhook against a real HTTP server that checks the signature as the README tells it to. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RealClock } from '../../../src-main/heartbeat/real-clock.ts';
import { attempt } from '../../../src-main/notify/attempt.ts';
import { bodyOf, Webhook } from '../../../src-main/notify/webhook.ts';
import { type Certificates, makeCertificates } from '../fixtures/certificates.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { letterOf, text, whole } from './letter.ts';

const secret = 'a-shared-secret-of-the-test';

interface Heard {
  body: string;
  headers: IncomingMessage['headers'];
  genuine: boolean;
}

/** What the README tells a receiver to do. */
function isGenuine({ headers }: IncomingMessage, body: string, now = Date.now()): boolean {
  const timestamp = String(headers['estepe-timestamp']);
  const given = Buffer.from(String(headers['estepe-signature']));
  const own = Buffer.from(`sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`);
  return given.length === own.length && timingSafeEqual(given, own) && Math.abs(now / 1000 - Number(timestamp)) < 300;
}

const heard: Heard[] = [];
let answer: (response: ServerResponse, request: IncomingMessage) => void;
const take = (request: IncomingMessage, response: ServerResponse): void => {
  let body = '';
  request.on('data', (piece: Buffer) => {
    body += piece.toString();
  });
  request.on('end', () => {
    heard.push({ body, headers: request.headers, genuine: isGenuine(request, body) });
    answer(response, request);
  });
};
const server = createServer(take);
const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/with-a-token`;

const hook = (more: Partial<ConstructorParameters<typeof Webhook>[0]> = {}) =>
  new Webhook({ url: url(), secret: () => secret, timeoutMs: 15_000, version: '0.1.0', wall: Date.now, ...more });

beforeAll(() => new Promise<void>((go) => server.listen(0, '127.0.0.1', go)));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
afterEach(() => {
  heard.length = 0;
});

describe('the webhook', () => {
  it('posts JSON that the receiver can prove to be ours, the same id at each attempt', async () => {
    answer = (response) => response.writeHead(204).end();
    expect(await hook().send(letterOf(), whole())).toEqual({
      how: 'sent',
      said: `${new URL(url()).origin} answered 204`,
    });
    await hook().send(letterOf(), whole());
    expect(heard.map(({ genuine }) => genuine)).toEqual([true, true]);
    expect(heard.map(({ headers }) => headers['estepe-delivery'])).toEqual(['a1b2c3', 'a1b2c3']);
    expect(heard[0]?.headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'Estepe/0.1.0' });
    expect(JSON.parse(heard[0]?.body ?? '')).toEqual({
      ...{ id: 'a1b2c3', test: false, pair: 'head-office', fqdn: 'pbx.example.com', node: '192.0.2.2' },
      text: '[Estepe head-office] ALERT: The other node is down (sip: no answer within 4 s).',
      messages: [{ key: 'awaiting', severity: 'alert', text, at: '2026-01-31T03:04:05.000Z' }],
    });
  });

  it('a changed body, another secret or an old timestamp does not pass for ours', async () => {
    answer = (response) => response.writeHead(200).end();
    await hook({ secret: () => 'another' }).send(letterOf(), whole());
    await hook({ wall: () => Date.now() - 3600_000 }).send(letterOf(), whole());
    expect(heard.map(({ genuine }) => genuine)).toEqual([false, false]);
    await hook().send(letterOf(), whole());
    const request = { headers: heard[2]?.headers } as IncomingMessage;
    expect(isGenuine(request, bodyOf(letterOf()))).toBe(true);
    expect(isGenuine(request, bodyOf(letterOf('a1b2c3', 'All is well.')))).toBe(false);
  });

  it.each<[status: number, headers: Record<string, string>, body: string, end: object]>([
    [500, {}, 'out of\n  order', { fault: 'passing', said: expect.stringContaining('answered 500: out of order') }],
    [503, { 'retry-after': '120' }, '', { fault: 'passing', waitMs: 120_000 }],
    [429, { 'retry-after': '999999' }, '', { fault: 'passing', waitMs: 3600_000 }],
    [401, {}, 'bad signature', { fault: 'person', said: expect.stringContaining('answered 401: bad signature') }],
    [404, {}, '', { fault: 'person' }],
    [
      302,
      { location: 'http://127.0.0.1:1/elsewhere' },
      '',
      { fault: 'person', said: expect.stringContaining('answered 302') },
    ],
  ])('%d is no delivery', async (status, headers, body, end) => {
    answer = (response) => response.writeHead(status, headers).end(body);
    expect(await hook().send(letterOf(), whole())).toMatchObject({ how: 'failed', ...end });
    // a redirection is not followed: what is signed is for this address
    expect(heard).toHaveLength(1);
  });

  it('one that hangs, before or within its answer, ends by its time and leaves no connection behind', async () => {
    const clock = new RealClock();
    const closed: Promise<void>[] = [];
    for (const hang of [
      (_response: ServerResponse) => {},
      (response: ServerResponse) => void response.writeHead(200).write('half'),
    ]) {
      answer = (response, request) => {
        closed.push(new Promise((go) => request.socket.once('close', () => go())));
        hang(response);
      };
      const end = await attempt(hook(), letterOf(), {
        ...{ clock, timeoutMs: 300, outer: new AbortController().signal, reached: [] },
      });
      expect(end).toMatchObject({ how: 'failed', fault: 'passing', said: 'it did not end within 300 ms' });
    }
    await Promise.all(closed);
    expect(closed).toHaveLength(2);
    clock.close();
  });

  it('an answer without end is cut, nobody there is said, and neither path nor secret is', async () => {
    answer = (response) => {
      response.writeHead(400);
      const more = () => response.write('x'.repeat(1000), (error) => error ?? setImmediate(more));
      more();
    };
    const cut = await hook().send(letterOf(), whole());
    expect(cut).toMatchObject({ how: 'failed', fault: 'person' });
    const away = await hook({ url: 'http://127.0.0.1:1/with-a-token' }).send(letterOf(), whole());
    expect(away).toMatchObject({ how: 'failed', fault: 'passing', said: 'http://127.0.0.1:1: ECONNREFUSED' });
    const missing = await hook({
      secret: () => {
        throw new Error('The secret hook does not exist.');
      },
    }).send(letterOf(), whole());
    expect(missing).toMatchObject({ fault: 'person', said: 'The secret hook does not exist.' });
    expect(JSON.stringify([cut, away, missing, hook().target])).not.toMatch(/token|a-shared-secret/);
  });
});

describeWithPeers('the webhook over TLS', ['openssl'], () => {
  let certificates: Certificates;
  beforeAll(() => {
    certificates = makeCertificates();
  });
  afterAll(() => certificates.remove());

  it.each([
    ['good', { how: 'sent' }],
    ['expired', { how: 'failed', fault: 'person', said: expect.stringContaining('CERT_HAS_EXPIRED') }],
    ['selfSigned', { how: 'failed', fault: 'person' }],
  ] as const)('a certificate that is %s', async (which, end) => {
    const { key, cert } = certificates[which];
    const secure = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, take);
    await new Promise<void>((go) => secure.listen(0, '127.0.0.1', go));
    answer = (response) => response.writeHead(200).end();
    const { port } = secure.address() as AddressInfo;
    const sent = await hook({ url: `https://127.0.0.1:${port}/`, ca: certificates.ca }).send(letterOf(), whole());
    secure.closeAllConnections();
    secure.close();
    expect(sent).toMatchObject(end);
    expect(heard).toHaveLength(which === 'good' ? 1 : 0);
  });
});
