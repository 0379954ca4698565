/**
 * A page that nobody looks at asks for nothing, and catches up once it is shown. That it is hidden is said by a double of
 * `document.hidden`: a browser under remote control takes each of its pages for shown.
 */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { until } from '../peers/fixtures/until.ts';
import { reportOf, someChecks } from '../unit/console/doctor-double.ts';
import { manyEvents, someSeries } from '../unit/console/history-double.ts';
import { someChannels, someDeliveries } from '../unit/console/notify-double.ts';
import { type Doubled, doubled } from './fixtures/doubled.ts';

describeWithPeers('the console in a browser: a hidden page', ['chromium'], () => {
  let shown: Doubled;
  let page: Page;
  let calls: string[] = [];
  beforeAll(async () => {
    shown = await doubled();
    page = shown.page;
    // Two hours pass in an instant: the page's timers and clock are the test's.
    await page.clock.install();
    await page.addInitScript(() => {
      const held = { hidden: false };
      Object.defineProperty(document, 'hidden', { get: () => held.hidden });
      window.addEventListener('hide-or-show', (event) => {
        held.hidden = (event as CustomEvent<boolean>).detail;
        document.dispatchEvent(new Event('visibilitychange'));
      });
    });
    await page.reload();
    page.on('request', (request) => {
      const [, call] = /\/rpc\/(.*)$/.exec(request.url()) ?? [];
      if (call !== undefined && call !== 'feed') calls.push(call);
    });
    shown.desk.history.older = manyEvents(Date.now(), 11);
    shown.desk.history.onSeries = someSeries;
    shown.desk.doctor.show({ running: null, report: reportOf(someChecks, Date.now()) });
    shown.desk.notify.show(someDeliveries(Date.now()));
  });
  afterAll(() => shown.end());

  const hide = (hidden: boolean) =>
    page.evaluate((detail) => window.dispatchEvent(new CustomEvent('hide-or-show', { detail })), hidden);
  const count = (call: string) => calls.filter((one) => one === call).length;
  const minutes = (n: number) => page.clock.runFor(n * 60_000);

  const places = [
    ['history', '[data-rows]', 'history/series'],
    ['doctor', '[data-area]', 'doctor/view'],
    ['settings', '[data-text=good]', 'config/try/view'],
  ] as const;
  it.each(places)(
    '%s: asked again and again while it is shown, not once while it is hidden, at once when shown again',
    async (place, there, call) => {
      calls = [];
      await page.locator(`nav a[href="#${place}"]`).click();
      await page.clock.runFor(1_000);
      await page.locator(there).first().waitFor();
      const first = count(call);
      expect(first).toBeGreaterThan(0);
      await until('asked again while shown', async () => {
        await minutes(1);
        return count(call) > first;
      });
      await hide(true);
      // what was on its way is answered
      await page.clock.runFor(1_000);
      calls = [];
      for (let i = 0; i < 12; i++) await minutes(10);
      expect(calls).toEqual([]);
      await hide(false);
      await until('it catches up', async () => {
        await page.clock.runFor(1_000);
        return count(call) > 0;
      });
    },
  );

  it('what came meanwhile is fetched once it is shown, and not before; the feed goes on for the title', async () => {
    await page.locator('nav a[href="#notifications"]').click();
    await page.clock.runFor(1_000);
    await page.locator('[data-delivery="4"]').waitFor();
    await hide(true);
    calls = [];
    const { core } = shown.desk.snapshot();
    shown.desk.change({
      notify: { ...someChannels(Date.now()), changes: 9 },
      core: { ...core, phase: 'awaiting', severity: 'alert' },
    });
    await until('the title', async () => {
      await page.clock.runFor(1_000);
      return (await page.title()).startsWith('(!)');
    });
    expect(calls).toEqual([]);
    expect(await page.locator('main').innerText()).not.toContain('Waiting for you');
    await hide(false);
    await until('it catches up', async () => {
      await page.clock.runFor(1_000);
      return count('notify/list') > 0;
    });
    await page.locator('main').getByText('Waiting for you').waitFor();
  });
});
