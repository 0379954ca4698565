/**
 * H1 in a real browser: a page of another origin, one of another site, and a name that was pointed at this machine, each
 * even with a stolen token. What they send is what the console's own page would be obeyed for.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { until } from '../peers/fixtures/until.ts';
import { startBrowser, type TestBrowser } from './fixtures/browser.ts';
import { consolePage } from './fixtures/console-page.ts';
import { type Pair, startPair } from './fixtures/pair.ts';

const evil = 'evil.example';
/** Accepted, were it let in: the guard that says no is overridden. */
const order = JSON.stringify({
  json: { by: 'intruder', overrides: [{ guard: 'proven-down', reason: 'because I can' }] },
});

describeWithPeers('H1 the console in a browser: intruders', ['chromium'], () => {
  let browser: TestBrowser;
  let pair: Pair;
  let attacker: Server;
  let attackerPort: number;

  beforeAll(async () => {
    browser = await startBrowser(`--host-resolver-rules=MAP ${evil} 127.0.0.1`);
    pair = await startPair();
    await until('a healthy active', () => pair.engine.station.desk.snapshot().core.phase === 'watching');
    attacker = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end('<!doctype html><title>a nice page</title><iframe name="hole"></iframe>');
    });
    await new Promise<void>((resolve) => attacker.listen(0, '127.0.0.1', resolve));
    attackerPort = (attacker.address() as AddressInfo).port;
  });
  afterAll(async () => {
    await browser.close();
    await new Promise((resolve) => attacker.close(resolve));
    await pair.end();
  });

  const token = () => decodeURIComponent(new URL(pair.engine.link).hash.slice('#token='.length));

  /** Nothing of what was asked has reached the engine. */
  function expectUntouched(): void {
    const { core, runbook, events } = pair.engine.station.desk.snapshot();
    expect(core.phase).toBe('watching');
    expect(runbook).toBeNull();
    expect(events.filter(({ kind }) => kind === 'order')).toEqual([]);
  }

  /** Status of each answer that the console gave to this page. */
  function answersTo(page: Page): number[] {
    const statuses: number[] = [];
    page.on('response', (response) => {
      if (response.url().includes('/rpc/')) statuses.push(response.status());
    });
    return statuses;
  }

  it('the same call from the console’s own page is answered: the attacks below are aimed well', async () => {
    const { page, context } = await browser.visit(pair.engine.link);
    await consolePage(page).inPhase('watching');
    const status = await page.evaluate(
      async ({ bearer }) => {
        const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
        return (await fetch('/rpc/promote', { method: 'POST', headers, body: '{"json":{"dryRun":true}}' })).status;
      },
      { bearer: token() },
    );
    expect(status).toBe(200);
    await context.close();
  });

  it.each([
    ['another port of this machine', '127.0.0.1'],
    ['another site', evil],
  ])('a page of %s: calls, forms, beacons and frames do nothing and learn nothing', async (_, host) => {
    const { page, context } = await browser.visit(`http://${host}:${attackerPort}/`);
    const statuses = answersTo(page);
    const learned = await page.evaluate(
      async ({ base, body, bearer }) => {
        const said: string[] = [];
        const authorized = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
        const tries: RequestInit[] = [
          { headers: authorized },
          { headers: authorized, credentials: 'include' },
          { headers: { 'content-type': 'application/json' } },
          { mode: 'no-cors', headers: { 'content-type': 'text/plain' } },
          { mode: 'no-cors', credentials: 'include' },
        ];
        for (const call of ['promote', 'snapshot']) {
          for (const options of tries) {
            const answer = await fetch(`${base}rpc/${call}`, { method: 'POST', body, ...options }).catch(() => null);
            if (answer !== null && answer.type !== 'opaque') said.push(`${call} ${answer.status}`);
            if (answer !== null) said.push(await answer.text().catch(() => ''));
          }
        }
        navigator.sendBeacon(`${base}rpc/promote`, new Blob([body], { type: 'text/plain' }));
        return said.filter((text) => text !== '');
      },
      { base: pair.engine.url, body: order, bearer: token() },
    );
    expect(learned).toEqual([]);
    for (const enctype of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      await page.evaluate(
        ({ base, body, type }) =>
          new Promise<void>((answered) => {
            document.querySelector('iframe')?.addEventListener('load', () => answered(), { once: true });
            const form = document.createElement('form');
            Object.assign(form, { method: 'post', action: `${base}rpc/promote`, enctype: type, target: 'hole' });
            const field = document.createElement('input');
            // As text/plain this is sent as valid JSON: the value only closes the string that the name left open.
            Object.assign(field, { name: `${body.slice(0, -1)},"meta":["`, value: '"]}' });
            form.append(field);
            document.body.append(form);
            form.submit();
          }),
        { base: pair.engine.url, body: order, type: enctype },
      );
    }
    expect(statuses.length).toBeGreaterThan(0);
    expect(statuses.filter((status) => status !== 403)).toEqual([]);
    expectUntouched();

    await page.evaluate((link) => {
      const frame = document.createElement('iframe');
      frame.name = 'framed';
      frame.src = link;
      document.body.append(frame);
    }, pair.engine.link);
    const framed = await until('the frame to end', () => {
      const frame = page.frame('framed');
      return frame?.url().startsWith('chrome-error:') && frame;
    });
    expect(await framed.locator('[data-phase]').count()).toBe(0);
    await context.close();
  });

  it('DNS rebinding: under a foreign name there is no page, and no call is taken, token or not', async () => {
    const { port } = new URL(pair.engine.url);
    const { page, context } = await browser.visit('about:blank');
    const answer = await page.goto(`http://${evil}:${port}/`);
    expect(answer?.status()).toBe(421);
    // The foreign name's own origin now: nothing of the browser's stands between it and the console.
    const statuses = await page.evaluate(
      async ({ body, bearer }) => {
        const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
        const ask = async (path: string, init: RequestInit) => (await fetch(path, init)).status;
        return [
          await ask('/rpc/promote', { method: 'POST', headers, body }),
          await ask('/rpc/snapshot', { method: 'POST', headers, body: '{}' }),
          await ask('/healthz', {}),
        ];
      },
      { body: order, bearer: token() },
    );
    expect(statuses).toEqual([421, 421, 421]);
    expectUntouched();
    await context.close();
  });
});
