import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, consoleUnderTest, planted, raw, token, type UnderTest } from './console-under-test.ts';

let under: UnderTest;
beforeAll(async () => {
  under = await consoleUnderTest();
});
afterAll(() => under.end());

const get = (path: string, method = 'GET') => ask(under.running.port, { path, method });

describe('the built page', () => {
  test('the page comes with its type and a policy that lets no inline script or style run', async () => {
    const answer = await get('/');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.headers['cache-control']).toBe('no-cache');
    expect(answer.headers['content-security-policy']).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self'",
    );
    expect(answer.headers['content-security-policy']).not.toContain('unsafe');
    expect(answer.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(answer.headers['referrer-policy']).toBe('no-referrer');
    expect(answer.headers['cross-origin-opener-policy']).toBe('same-origin');
    expect(answer.headers['cross-origin-resource-policy']).toBe('same-origin');
  });

  test('names with a hash may be kept for ever', async () => {
    const answer = await get('/assets/index-Ab12_x.js');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(answer.headers['cache-control']).toContain('immutable');
  });

  test('HEAD has the length and no body; POST is refused', async () => {
    const head = await get('/', 'HEAD');
    expect([head.status, head.body, Number(head.headers['content-length'])]).toEqual([200, '', 34]);
    expect((await get('/', 'POST')).status).toBe(405);
  });

  test.each([
    '/..%2foutside.js',
    '/%2e%2e/outside.js',
    '/../outside.js',
    '/assets/../../outside.js',
    '/assets/..%2f..%2foutside.js',
    '/..\\outside.js',
    '/..%5coutside.js',
    '//outside.js',
    '/./../outside.js',
    '/assets//../outside.js',
    '/link.js',
    '/.hidden.js',
    '/outside.js%00.js',
    '/%252e%252e/outside.js',
    '/etc/passwd',
    '/assets',
    '/assets/',
    '/index.html/',
  ])('H1 path traversal %s: 404 and nothing from outside', async (path) => {
    const answer = await get(path);
    expect(answer.status).toBe(404);
    expect(answer.body).not.toContain(planted);
  });

  test.each([
    ['a proxy request', 'GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n'],
    ['no leading slash', 'GET ../outside.js HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n'],
    ['no Host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: evil.example\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n'],
    ['CONNECT', 'CONNECT evil.example:80 HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n'],
    ['no HTTP', 'nonsense\r\n\r\n'],
    ['huge headers', `GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
  ])('H1 strange requests get no page: %s', async (_, bytes) => {
    const answer = await raw(under.running.port, bytes.replaceAll('PORT', String(under.running.port)));
    expect(answer).not.toMatch(/^HTTP\/1\.1 2/);
    expect(answer).not.toContain(planted);
  });
});

describe('H1 slow and many clients', () => {
  const limits = { headersMs: 200, requestMs: 400, connections: 8 };

  test('H1 headers and bodies that never end are cut off', async () => {
    const other = await consoleUnderTest(limits);
    const { port } = other.running;
    const start = `POST /rpc/promote HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`;
    const head = `${start}Authorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n`;
    const answers = await Promise.all([raw(port, start), raw(port, `${head}{"json"`)]);
    expect(answers.map((answer) => /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])).toEqual(['408', '408']);
    expect(other.desk.asked).toEqual([]);
    await other.end();
  });

  test('H1 more connections than the cap are turned away, and there is room again once they are gone', async () => {
    const other = await consoleUnderTest(limits);
    const { port } = other.running;
    const idle = Array.from({ length: 30 }, () => raw(port, 'GET / HTTP/1.1\r\n'));
    const answers = await Promise.all(idle);
    expect(answers.filter((answer) => answer === '').length).toBeGreaterThanOrEqual(30 - limits.connections);
    expect((await ask(port, { path: '/healthz' })).status).toBe(200);
    await other.end();
  });
});

describe('/healthz', () => {
  test('tells version and phase without a token', async () => {
    const answer = await get('/healthz');
    expect([answer.status, JSON.parse(answer.body)]).toEqual([200, { ok: true, version: '9.9.9', phase: 'watching' }]);
  });

  test('503 while a trouble keeps the engine from watching, 200 with any other', async () => {
    const sentence = 'x';
    under.desk.change({ troubles: [{ key: 'config', sentence, todo: '' }] });
    expect((await get('/healthz')).status).toBe(200);
    under.desk.change({ troubles: [{ key: 'watch-stalled', sentence, todo: '' }] });
    const answer = await get('/healthz');
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      503,
      { ok: false, version: '9.9.9', phase: 'watching', trouble: 'watch-stalled' },
    ]);
    under.desk.change({ troubles: [] });
  });
});

test('without a build the page says what to run, and calls still work', async () => {
  const other = await consoleUnderTest();
  rmSync(other.folder, { recursive: true });
  const answer = await ask(other.running.port, {});
  expect([answer.status, answer.body]).toEqual([503, 'The page is not built; run npm run build\n']);
  expect((await other.client.snapshot()).pair.name).toBe('head-office');
  await other.end();
});
