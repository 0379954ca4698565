/** The page without a pointer: what can be reached, where the focus is kept and where it goes back to. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { until } from '../peers/fixtures/until.ts';
import { startBrowser, type TestBrowser, type Visitor } from './fixtures/browser.ts';
import { type ConsolePage, consolePage } from './fixtures/console-page.ts';
import { type Pair, startPair } from './fixtures/pair.ts';

describeWithPeers('the console in a browser: by keyboard only', ['chromium'], () => {
  let browser: TestBrowser;
  let pair: Pair;
  let visitor: Visitor;
  let page: Page;
  let shown: ConsolePage;

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    pair = await startPair();
    visitor = await browser.visit(pair.engine.link);
    page = visitor.page;
    shown = consolePage(page);
    await shown.inPhase('watching');
  });
  afterEach(async () => {
    await visitor.context.close();
    await pair.end();
  });

  /** What has the focus, by its name or text. */
  const focused = () =>
    page.evaluate(() => {
      const element = document.activeElement;
      if (element === null || element === document.body) return 'nothing';
      const label = element.getAttribute('aria-label') ?? element.closest('label')?.textContent ?? element.textContent;
      return (label ?? '').replace(/\s+/g, ' ').trim();
    });

  /** Presses Tab until this has the focus. */
  async function tabTo(name: string | RegExp): Promise<void> {
    const passed: string[] = [];
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press('Tab');
      const now = await focused();
      if (typeof name === 'string' ? now === name : name.test(now)) return;
      passed.push(now);
    }
    throw new Error(`Tab never came to ${name}; it passed ${passed.join(' | ')}`);
  }

  it('the dialog keeps the focus; Escape and Cancel give it back to its button', async () => {
    for (const leave of ['Escape', 'Cancel']) {
      await tabTo('Promote …');
      await page.keyboard.press('Enter');
      await shown.dialog.locator('[data-override]').waitFor();
      const inside = new Set<string>();
      for (let presses = 0; presses < 15; presses += 1) {
        const place = await page.evaluate(() => {
          const element = document.activeElement;
          // Past the last one Chromium hands the focus to its own window for one press.
          if (element === null || element === document.body) return 'window';
          return element.closest('dialog') === null ? 'page' : 'dialog';
        });
        expect(place).not.toBe('page');
        if (place === 'dialog') inside.add(await focused());
        await page.keyboard.press('Tab');
      }
      expect([...inside]).toEqual(expect.arrayContaining(['Override', 'Reason (optional)', 'Cancel']));
      if (leave === 'Cancel') {
        await tabTo('Cancel');
        await page.keyboard.press('Enter');
      } else await page.keyboard.press('Escape');
      await until('the dialog to be gone', async () => (await shown.dialog.count()) === 0);
      expect(await focused()).toBe('Promote …');
      await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    }
  });

  it('overrides, ticks, promotes and cancels; afterwards the focus is at the state', async () => {
    await tabTo('Promote …');
    await page.keyboard.press('Enter');
    await shown.dialog.locator('[data-override]').waitFor();
    await tabTo('Override');
    await page.keyboard.press('Space');
    await tabTo(/^Reason for overriding "Active proven down"/);
    await page.keyboard.type('rehearsal on a quiet Sunday');
    await tabTo(/^I have read the plan\./);
    await page.keyboard.press('Space');
    await tabTo('Promote this server');
    await page.keyboard.press('Enter');
    await shown.stepIs('before-script', 'running');
    await until('the focus at the state', async () => (await focused()).startsWith('This node is taking over'));
    await tabTo('Cancel the promotion');
    await page.keyboard.press('Enter');
    await until('the cancellation', async () => (await shown.runbook.innerText()).includes('Promotion: cancelled'));
    await shown.inPhase('watching');
  });

  it('the confirmation: decided by Tab and Enter', async () => {
    await pair.active.kill();
    await shown.inPhase('awaiting');
    await tabTo('Promote now');
    await page.keyboard.press('Enter');
    await shown.stepIs('before-script', 'running');
    await until('the focus at the state', async () => (await focused()).startsWith('This node is taking over'));
  });

  it('maintenance on and off', async () => {
    await tabTo('Maintenance …');
    await page.keyboard.press('Enter');
    await shown.dialog.waitFor();
    await tabTo('Start maintenance');
    await page.keyboard.press('Enter');
    await page.locator('[data-overlay=maintenance]').waitFor();
    // Its button is gone: on from the state.
    await until('the focus at the state', async () => (await focused()).startsWith('The active answers'));
    await tabTo('End maintenance');
    await page.keyboard.press('Enter');
    await until('its end', async () => (await page.locator('[data-overlay=maintenance]').count()) === 0);
    await until('the focus at the state', async () => (await focused()).startsWith('The active answers'));
  });

  it('a heartbeat bar is one stop, and the arrows go from beat to beat', async () => {
    const beats = shown.bar('SIP server').getByRole('option');
    await until('four beats', async () => (await beats.count()) >= 4);
    await tabTo(/^SIP server, last \d+ beats; arrow keys move$/);
    const tip = page.getByRole('tooltip');
    const read = async () => (await tip.locator('strong').innerText()).trim();
    await page.keyboard.press('Home');
    const first = await read();
    expect(await beats.first().getAttribute('aria-label')).toContain(first);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    const third = await read();
    expect(await beats.nth(2).getAttribute('aria-label')).toContain(third);
    expect(await beats.nth(2).getAttribute('aria-selected')).toBe('true');
    // The same beat stays chosen while new ones come.
    const before = await beats.count();
    await until('two more beats', async () => (await beats.count()) >= before + 2);
    expect(await read()).toBe(third);
    await page.keyboard.press('Tab');
    expect(await focused()).toMatch(/^Web server,/);
    expect(await tip.innerText()).toContain('HTTP/1.1 200 OK');
  });
});
