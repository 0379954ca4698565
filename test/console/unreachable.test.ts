/**
 * An engine that is gone, hung, or started again: `estepe serve` as a process of its own, killed and frozen. What the page
 * says, what it still lets a person do, and how it gets in again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { readEndpoint } from '../../src-main/config/endpoint.ts';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { until } from '../peers/fixtures/until.ts';
import { startBrowser, type TestBrowser, type Visitor } from './fixtures/browser.ts';
import { type ConsolePage, consolePage } from './fixtures/console-page.ts';
import { makePair, type Pair } from './fixtures/pair.ts';

const estepe = fileURLToPath(new URL('../../src-main/estepe.ts', import.meta.url));

describeWithPeers('the console in a browser: the engine out of reach', ['chromium'], () => {
  let browser: TestBrowser;
  let pair: Pair;
  let visitor: Visitor;
  let shown: ConsolePage;
  let engine: ChildProcess;

  /** Starts the engine as a service would; answers the link that `estepe status` prints. */
  async function serve(): Promise<string> {
    engine = spawn(process.execPath, [estepe, 'serve', '--data', pair.data], {
      stdio: 'ignore',
      env: { ...process.env, NODE_EXTRA_CA_CERTS: join(pair.data, 'ca.pem') },
    });
    const live = await until('the engine to tell its address', () => {
      const notice = readEndpoint(pair.data);
      return notice.state === 'live' && notice.endpoint.pid === engine.pid ? notice.endpoint : null;
    });
    return `${live.endpoint}#token=${encodeURIComponent(live.token)}`;
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const gone = new Promise((resolve) => engine.once('exit', resolve));
    if (engine.exitCode !== null || engine.signalCode !== null) return;
    engine.kill(signal);
    await gone;
  }

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    pair = await makePair();
    writeFileSync(join(pair.data, 'ca.pem'), pair.active.certificate.ca);
    visitor = await browser.visit(await serve());
    shown = consolePage(visitor.page);
    await shown.inPhase('watching');
  });
  afterEach(async () => {
    await visitor.context.close();
    await end('SIGKILL');
    await pair.end();
  });

  const banner = () => visitor.page.getByText(/^Engine unreachable since \d\d:\d\d:\d\d/);
  const main = () => visitor.page.locator('.page.stale main');

  it('killed: said with the time, shown as old, and orders fail loudly', async () => {
    await end('SIGKILL');
    await banner().waitFor();
    await visitor.page.getByText('What you see below is old.').waitFor();
    expect(await visitor.page.locator('section[data-phase] .badge').innerText()).toBe('Last known: Watching');
    expect(await main().evaluate((box) => getComputedStyle(box).filter)).toBe('grayscale(1)');
    expect(await visitor.page.title()).toBe('(!) unreachable – head-office');
    await visitor.page.getByText(`estepe status --data ${pair.data}`).waitFor();

    await shown.button('Promote …').click();
    expect(await shown.dialog.locator('.problem').innerText()).toContain(
      'Not done: the engine is unreachable. Nothing was sent.',
    );
    await visitor.page.keyboard.press('Escape');
    await shown.button('Maintenance …').click();
    await shown.dialog.getByRole('button', { name: 'Start maintenance' }).click();
    expect(await shown.dialog.locator('.problem').innerText()).toContain('Nothing was sent.');
  });

  it('killed while a countdown runs: the countdown is not pretended', async () => {
    await pair.active.kill();
    await shown.countdown.waitFor();
    await end('SIGKILL');
    await visitor.page.getByText('Countdown unknown: the engine is unreachable.').waitFor();
    expect(await shown.countdown.count()).toBe(0);
    await shown.button('Promote now').click();
    expect(await shown.problem.innerText()).toContain('Not done: the engine is unreachable. Nothing was sent.');
  });

  it('started again: the page is live again by itself', async () => {
    await end('SIGKILL');
    await banner().waitFor();
    await serve();
    await until('the page to be live', async () => (await banner().count()) === 0);
    expect(await main().count()).toBe(0);
    await shown.inPhase('watching');
    await until('both starts in the events', async () => {
      const rules = await shown.events.locator('code').allInnerTexts();
      return rules.filter((rule) => rule === 'engine.started').length === 2;
    });
  });

  it('started again with another key: the page says so and how; the new link in the same tab lets in', async () => {
    await end('SIGKILL');
    await banner().waitFor();
    rmSync(join(pair.data, 'secrets', 'console-token'));
    const link = await serve();
    expect(new URL(link).origin).toBe(new URL(visitor.page.url()).origin);
    await shown.page.getByRole('alert').getByText('it was replaced').waitFor();
    await visitor.page.getByText(`estepe status --data ${pair.data}`).waitFor();
    expect(await visitor.page.title()).toBe('Estepe');

    // As a person does: the address typed into the tab that is open. Only its fragment differs.
    await visitor.page.evaluate((address) => {
      location.href = address;
    }, link);
    await shown.inPhase('watching');
    expect(new URL(visitor.page.url()).hash).toBe('');
    await visitor.page.reload();
    await shown.inPhase('watching');
  });

  it('frozen: noticed without its connection breaking; thawed, the page is live again by itself', async () => {
    engine.kill('SIGSTOP');
    await banner().waitFor({ timeout: 40_000 });
    await shown.button('Promote …').click();
    expect(await shown.dialog.locator('.problem').innerText()).toContain('Nothing was sent.');
    await visitor.page.keyboard.press('Escape');
    engine.kill('SIGCONT');
    await until('the page to be live', async () => (await banner().count()) === 0, 30_000);
    expect(await main().count()).toBe(0);
    await shown.inPhase('watching');
    await shown.event('watch.gap', 'what was being counted is discarded');
  });

  it('no token, and a wrong one: the page says how to get in, and shows nothing else', async () => {
    const { origin } = new URL(visitor.page.url());
    for (const [address, refused] of [
      [`${origin}/`, false],
      [`${origin}/#token=${'x'.repeat(32)}`, true],
    ] as const) {
      const stranger = await browser.visit(address);
      await stranger.page.getByRole('heading', { name: 'This page needs its key' }).waitFor();
      expect(await stranger.page.getByText('estepe status').innerText()).toBe('estepe status');
      if (refused) await stranger.page.getByText('The key this page had is not valid here').waitFor();
      else expect(await stranger.page.getByText('The key this page had is not valid here').count()).toBe(0);
      expect(await stranger.page.content()).not.toContain('head-office');
      await stranger.context.close();
    }
  });
});
