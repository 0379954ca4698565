import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeGuessLimit } from '../../../src-main/console/guesses.ts';
import { startConsole } from '../../../src-main/console/server.ts';
import { EstepeError } from '../../../src-main/contract/errors.ts';
import { ask, call, clientOf, consoleUnderTest, raw, token, type UnderTest } from './console-under-test.ts';
import { makeDeskDouble } from './desk-double.ts';

let under: UnderTest;
beforeAll(async () => {
  under = await consoleUnderTest();
});
afterAll(() => under.end());

const json = { 'content-type': 'application/json' };

describe('H1 strangers at the console', () => {
  test('H1 no token: 401, nothing is done', async () => {
    const answer = await ask(under.running.port, { method: 'POST', path: '/rpc/promote', headers: json, body: '{}' });
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body).json.data.code).toBe('unauthorized');
    expect(under.desk.asked).toEqual([]);
  });

  test.each([
    ['another token', `Bearer ${'0'.repeat(32)}`],
    ['a beginning of the right one', `Bearer ${token.slice(0, -1)}`],
    ['the right one and more', `Bearer ${token}0`],
    ['an empty one', 'Bearer '],
    ['basic', `Basic ${Buffer.from(`x:${token}`).toString('base64')}`],
  ])('H1 wrong token (%s): refused, nothing is done', async (_, authorization) => {
    const answer = await call(under.running.port, 'promote', '{}', { authorization });
    expect([401, 429]).toContain(answer.status);
    expect(answer.body).not.toContain(token);
    expect(under.desk.asked).toEqual([]);
  });

  test('H1 the token does not work in a query', async () => {
    const path = `/rpc/snapshot?token=${token}&authorization=Bearer%20${token}`;
    const answer = await ask(under.running.port, { method: 'POST', path, headers: json, body: '{}' });
    expect([401, 429]).toContain(answer.status);
  });

  test.each([
    'http://evil.example',
    'null',
    'http://127.0.0.1:1',
    'https://127.0.0.1',
    'http://127.0.0.1.evil.example',
  ])('H1 other Origin (%s): 403 even with the right token', async (origin) => {
    const answer = await call(under.running.port, 'promote', '{}', { origin });
    expect(answer.status).toBe(403);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(under.desk.asked).toEqual([]);
  });

  test('H1 its own Origin is let in', async () => {
    const origin = `http://127.0.0.1:${under.running.port}`;
    expect((await call(under.running.port, 'snapshot', '{}', { origin })).status).toBe(200);
  });

  test.each(['evil.example', 'evil.example:PORT', '127.0.0.1', '127.0.0.1:1', 'localhost.evil.example:PORT'])(
    'H1 DNS rebinding (Host: %s): 421 for page, health and calls',
    async (name) => {
      const { port } = under.running;
      const host = name.replace('PORT', String(port));
      for (const path of ['/', '/healthz']) {
        const answer = await ask(port, { path, headers: { host } });
        expect(answer.status).toBe(421);
        expect(answer.body).not.toContain('9.9.9');
      }
      expect((await call(port, 'snapshot', '{}', { host })).status).toBe(421);
    },
  );

  test.each(['localhost', '[::1]', '127.0.0.1'])('H1 the loopback name %s with the port is let in', async (name) => {
    const { port } = under.running;
    expect((await call(port, 'snapshot', '{}', { host: `${name}:${port}` })).status).toBe(200);
  });

  test.each(['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain', ''])(
    'H1 cross-site POST of a form (%s): refused even with the right token',
    async (type) => {
      const answer = await call(under.running.port, 'promote', '{"json":{"by":"x"}}', { 'content-type': type });
      expect(answer.status).toBe(415);
      expect(under.desk.asked).toEqual([]);
    },
  );

  test('H1 a page of another site (Fetch Metadata) is refused, a link from there is not', async () => {
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
    expect((await ask(under.running.port, { headers })).status).toBe(403);
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect((await ask(under.running.port, { headers: link })).status).toBe(200);
  });

  test('H1 a CORS preflight gets no leave', async () => {
    const answer = await ask(under.running.port, {
      method: 'OPTIONS',
      path: '/rpc/promote',
      headers: { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });
    expect([401, 405, 429]).toContain(answer.status);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test.each(['GET', 'PUT', 'DELETE'])('H1 %s on a call is refused', async (method) => {
    const headers = { authorization: `Bearer ${token}`, ...json };
    const path = '/rpc/promote?data=%7B%22json%22%3A%7B%7D%7D';
    expect((await ask(under.running.port, { method, path, headers })).status).toBe(405);
    expect(under.desk.asked).toEqual([]);
  });

  test('H1 oversized body: 413, said by its length or found while reading', async () => {
    const big = `{"json":{"by":"${'x'.repeat(70_000)}"}}`;
    expect((await call(under.running.port, 'promote', big)).status).toBe(413);
    const head =
      `POST /rpc/promote HTTP/1.1\r\nHost: 127.0.0.1:${under.running.port}\r\nAuthorization: Bearer ${token}\r\n` +
      'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
    const answer = await raw(under.running.port, `${head}${big.length.toString(16)}\r\n${big}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(under.desk.asked).toEqual([]);
  });

  test('H1 10,000 guesses: 429 soon, while the right token is answered all along', async () => {
    const { port } = under.running;
    const agent = new Agent({ maxSockets: 20 });
    const statuses = new Map<number, number>();
    const guess = (n: number) =>
      new Promise<void>((resolve, reject) => {
        const headers = { ...json, authorization: `Bearer ${n.toString(16).padStart(32, '0')}` };
        const sent = request({ host: '127.0.0.1', port, path: '/rpc/promote', method: 'POST', headers, agent }, (r) => {
          statuses.set(r.statusCode ?? 0, (statuses.get(r.statusCode ?? 0) ?? 0) + 1);
          r.resume();
          r.on('end', resolve);
        });
        sent.on('error', reject);
        sent.end('{}');
      });
    let right = 0;
    const begun = performance.now();
    for (let round = 0; round < 20; round++) {
      const batch = Array.from({ length: 500 }, (_, i) => guess(round * 500 + i));
      const snapshot = await under.client.snapshot();
      right += snapshot.pair.name === 'head-office' ? 1 : 0;
      await Promise.all(batch);
    }
    agent.destroy();
    expect(right).toBe(20);
    expect([...statuses.keys()].every((status) => status === 401 || status === 429)).toBe(true);
    // Ten are free, and ten more each time a block is over: the first lasts 10 s, each further one twice as long. A busy machine may see that.
    const blocksOver = Math.floor(Math.log2((performance.now() - begun) / 10_000 + 1));
    const free = 10 * (1 + blocksOver);
    expect(statuses.get(401) ?? 0).toBeLessThanOrEqual(free);
    expect(statuses.get(429) ?? 0).toBeGreaterThanOrEqual(10_000 - free);
    const late = await call(port, 'promote', '{}', { authorization: 'Bearer wrong' });
    expect(Number(late.headers['retry-after'])).toBeGreaterThan(0);
    expect(under.desk.asked).toEqual([]);
  }, 60_000);

  test('H1 guesses from ever new addresses do not grow memory, and the refusal grows', () => {
    let now = 0;
    const limit = makeGuessLimit(() => now);
    for (let i = 0; i < 100_000; i++) limit.wrong(`127.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    expect(limit.size).toBeLessThanOrEqual(256);

    const blocks: number[] = [];
    for (let i = 0; i < 5; i++) {
      let block = 0;
      while (block === 0) block = limit.wrong('::1');
      blocks.push(block);
      now += block;
    }
    expect(blocks).toEqual([10_000, 20_000, 40_000, 80_000, 160_000]);
    now += 16 * 60_000;
    expect(limit.wrong('::1')).toBe(0);
  });

  test('H1 an address that pauses between guesses is never refused for good', () => {
    let now = 0;
    const limit = makeGuessLimit(() => now);
    for (let i = 0; i < 100; i++) {
      expect(limit.wrong('::1')).toBe(0);
      now += 7_000;
    }
  });

  test('H1 refuses to listen beyond loopback, by name and with what to do', async () => {
    const open = (host: string) =>
      startConsole({ desk: makeDeskDouble(), host, port: 0, token, rendererFolder: '/', version: '1' });
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'evil.example']) {
      const error = await open(host).then(
        () => null,
        (e: unknown) => e,
      );
      expect(error).toBeInstanceOf(EstepeError);
      expect(error).toMatchObject({ code: 'port', message: expect.stringContaining(host) });
    }
  });

  test('H1 a token too short to be one is refused at the start', async () => {
    const start = startConsole({
      desk: makeDeskDouble(),
      host: '127.0.0.1',
      port: 0,
      token: 'short',
      rendererFolder: '/',
      version: '1',
    });
    await expect(start).rejects.toMatchObject({ code: 'config' });
  });
});

test('a port that is taken: EstepeError `port` names it and says what to do', async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const address = holder.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const start = startConsole({
    desk: makeDeskDouble(),
    host: '127.0.0.1',
    port,
    token,
    rendererFolder: '/',
    version: '1',
  });
  await expect(start).rejects.toMatchObject({ code: 'port', message: expect.stringContaining(String(port)) });
  await start.catch((error: EstepeError) => expect(error.todo).not.toBe(''));
  await new Promise((resolve) => holder.close(resolve));
});

test('the link carries the token in its fragment only', () => {
  const link = new URL(under.running.link);
  expect(link.hash).toBe(`#token=${token}`);
  expect(`${link.origin}${link.pathname}${link.search}`).toBe(under.running.url);
});

test('a fault of the engine is `internal` to the client and whole to the log', async () => {
  const other = await consoleUnderTest();
  other.desk.fault = new Error('secret-in-a-message at /var/lib/estepe/secrets');
  const client = clientOf(other.running.url, token);
  await expect(client.snapshot()).rejects.toMatchObject({ status: 500, data: { code: 'internal' } });
  const answer = await call(other.running.port, 'snapshot', '{}');
  expect(answer.body).not.toContain('secret');
  expect(answer.body).not.toContain('.ts');
  expect(other.faults).toContain(other.desk.fault);
  const health = await ask(other.running.port, { path: '/healthz' });
  expect(health.status).toBe(500);
  expect(health.body).not.toContain('secret');
  await other.end();
});

test('a refusal of the engine keeps its code, sentence and advice', async () => {
  const other = await consoleUnderTest();
  other.desk.onPromote = async () => {
    throw new EstepeError('nothing-to-do', 'this node is active already', 'nothing: it serves');
  };
  await expect(other.client.promote({ by: 'test' })).rejects.toMatchObject({
    status: 409,
    data: { code: 'nothing-to-do', message: 'this node is active already', todo: 'nothing: it serves' },
  });
  expect(other.faults).toEqual([]);
  await other.end();
});
