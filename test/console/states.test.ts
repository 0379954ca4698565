/**
 * Every state of the page in all three languages, light and dark, wide and narrow: nothing serious for axe-core, nothing that
 * scrolls sideways at 360 px, no word left in English. One pair is led through its states; each builds on the one before.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rendererFolder } from '../../src-main/console/engine-host.ts';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { until } from '../peers/fixtures/until.ts';
import { startBrowser, type TestBrowser, type Visitor } from './fixtures/browser.ts';
import { consolePage } from './fixtures/console-page.ts';
import { leftInEnglish, type Reader, seriousFaults, takePicture, tooWide } from './fixtures/inspection.ts';
import { fqdn, type Pair, startPair } from './fixtures/pair.ts';

const readers: readonly Reader[] = ['en', 'pt-BR', 'es'];
/** What people named and wrote. */
const names = ['head-office', fqdn, '4711'];

describeWithPeers('the console in a browser: its states', ['chromium'], () => {
  let browser: TestBrowser;
  let pair: Pair;
  let visitors: Record<Reader, Visitor>;

  async function visitAll(link: string): Promise<Record<Reader, Visitor>> {
    const [en, pt, es] = await Promise.all(readers.map((locale) => browser.visit(link, { locale })));
    if (en === undefined || pt === undefined || es === undefined) throw new Error('a visitor is missing');
    return { en, 'pt-BR': pt, es };
  }

  beforeAll(async () => {
    browser = await startBrowser();
    pair = await startPair();
    visitors = await visitAll(pair.engine.link);
  });
  afterAll(async () => {
    await browser.close();
    await pair.end();
  });

  const pages = (): Page[] => readers.map((reader) => visitors[reader].page);
  const english = () => consolePage(visitors.en.page);
  const inPhase = (phase: Parameters<ReturnType<typeof consolePage>['inPhase']>[0]) =>
    Promise.all(pages().map((page) => consolePage(page).inPhase(phase)));
  /** Clicks the n-th button of the state card in every language. */
  const act = (n: number) => Promise.all(pages().map((page) => page.locator('.actions button').nth(n).click()));
  const press = (key: string) => Promise.all(pages().map((page) => page.keyboard.press(key)));
  const see = (selector: string) => Promise.all(pages().map((page) => page.locator(selector).first().waitFor()));

  const states: readonly [name: string, reach: () => Promise<unknown>][] = [
    ['healthy', () => inPhase('watching')],
    [
      'promote dialog with a guard in the way',
      async () => {
        await act(0);
        await see('[data-override]');
        await Promise.all(pages().map((page) => page.locator('[data-override] input[type=checkbox]').check()));
      },
    ],
    [
      'maintenance dialog',
      async () => {
        await press('Escape');
        await act(1);
        await see('dialog select');
      },
    ],
    [
      'maintenance, and a configuration refused',
      async () => {
        await press('Escape');
        pair.configure(['interval: 1s', 'interval: 1 minute']);
        pair.engine.station.desk.maintenanceOn({ by: 'console', reason: '4711', forMs: 3_600_000 });
        await see('[data-overlay=maintenance]');
        await see('[data-trouble=config-refused]');
      },
    ],
    [
      'suspecting, in maintenance and observe-only',
      async () => {
        pair.configure(['mode: confirm', 'observeOnly: true\n  mode: confirm']);
        await pair.active.kill();
        await inPhase('suspecting');
        await see('[data-overlay=observe-only]');
      },
    ],
    [
      'awaiting',
      async () => {
        pair.configure();
        pair.engine.station.desk.maintenanceOff({ by: 'console' });
        await inPhase('awaiting');
      },
    ],
    [
      'refused order',
      async () => {
        // Every page's order is held until the first one was given: all but one are refused.
        let given = 0;
        for (const page of pages()) {
          await page.route('**/rpc/promote', async (route) => {
            given += 1;
            await until('all orders', () => given === readers.length);
            await route.continue();
          });
        }
        await act(0);
        await inPhase('promoting');
        await until('two refusals', async () => {
          const problems = await Promise.all(pages().map((page) => consolePage(page).problem.count()));
          return problems.filter((count) => count === 1).length === 2;
        });
        for (const page of pages()) await page.unroute('**/rpc/promote');
      },
    ],
    ['promoting', () => see('[data-step=before-script][data-state=running] pre')],
    [
      'halted',
      async () => {
        pair.before.open(2);
        await inPhase('halted');
      },
    ],
    [
      'active',
      async () => {
        pair.before.open();
        pair.after.open();
        await english().button('Try again').click();
        await inPhase('active');
      },
    ],
    [
      'both nodes answer',
      async () => {
        await pair.active.restart();
        await see('[data-phase=active][data-standing=alarm]');
      },
    ],
    [
      'unreachable',
      async () => {
        await pair.stopEngine();
        await see('.lost');
      },
    ],
    [
      'key refused',
      async () => {
        rmSync(join(pair.data, 'secrets', 'console-token'));
        await pair.startEngine();
        await see('.card .problem');
      },
    ],
    [
      'no key',
      async () => {
        await Promise.all(readers.map((reader) => visitors[reader].context.close()));
        visitors = await visitAll(pair.engine.url);
        await see('h1');
      },
    ],
  ];

  it.each(states)('%s', async (name, reach) => {
    await reach();
    for (const reader of readers) await takePicture(visitors[reader].page, `${name} ${reader}`.replaceAll(/\W+/g, '-'));
    for (const reader of readers) expect(await tooWide(visitors[reader].page, 360), `${reader} at 360 px`).toEqual([]);
    for (const reader of ['pt-BR', 'es'] as const) {
      const { page } = visitors[reader];
      expect(await page.evaluate(() => document.documentElement.lang)).toBe(reader);
      expect(await leftInEnglish(visitors.en.page, page, reader, names), reader).toEqual([]);
    }
    const { page } = visitors.en;
    expect([...(await seriousFaults(page, 'light')), ...(await seriousFaults(page, 'dark'))]).toEqual([]);
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await seriousFaults(page, 'light'), 'at 360 px').toEqual([]);
    await page.setViewportSize({ width: 1180, height: 900 });
  });

  it('the language is chosen on the page, remembered, and the page stays in', async () => {
    const { page, context } = await browser.visit(pair.engine.link);
    const shown = consolePage(page);
    await page.getByLabel('Language').selectOption('pt-BR');
    await page.getByLabel('Idioma').waitFor();
    await shown.inPhase('active');
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('pt-BR');
    const another = await context.newPage();
    await another.goto(pair.engine.link);
    await another.getByLabel('Idioma').waitFor();
    expect(await another.getByLabel('Idioma').inputValue()).toBe('pt-BR');
    await another.getByLabel('Idioma').selectOption('en');
    await another.getByLabel('Language').waitFor();
    await context.close();
  });

  it('loads nothing but its own few files', async () => {
    const { page, context } = await browser.visit(pair.engine.link);
    await consolePage(page).inPhase('active');
    const loaded = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
    const files = loaded.filter((name) => name.includes('/assets/')).map((name) => new URL(name));
    const origins = new Set(loaded.map((name) => new URL(name).origin));
    expect([...origins]).toEqual([new URL(pair.engine.url).origin]);
    for (const { pathname } of files) {
      const bytes = gzipSync(readFileSync(join(rendererFolder(), pathname)), { level: 9 }).length;
      console.log(`first load: ${pathname} ${(bytes / 1024).toFixed(1)} KB gzipped`);
    }
    await context.close();
  });
});
