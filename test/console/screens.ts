/**
 * `npm run screens [NAME]`: a picture of every page and dialog in out/screens/, light and dark, English and Portuguese, 1280 and
 * 390 px wide, for people to look at; NAME: only those that begin so. The pages are the built ones, over the same desk double that
 * the console's tests look at them with; the first run is the real one over a folder of its own.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { hostHere, rendererFolder } from '../../src-main/console/engine-host.ts';
import { startConsole } from '../../src-main/console/server.ts';
import { firstRunSteps } from '../../src-main/contract/settings-steps.ts';
import { site } from '../unit/config/texts.ts';
import { makeDeskDouble } from '../unit/console/desk-double.ts';
import { manyEvents, someSeries } from '../unit/console/history-double.ts';
import { type Screen, screens } from './fixtures/screens.ts';

const folder = fileURLToPath(new URL('../../out/screens/', import.meta.url));
const token = 'c0de'.repeat(8);
const locales = ['en', 'pt-BR'] as const;

/** Its picture in each width and scheme. */
async function picture(page: Page, name: string): Promise<void> {
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      // The browser paints what was just changed before it answers.
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
      await page.screenshot({
        path: join(folder, `${name}-${width}-${colorScheme}.png`),
        // A dialog is looked at as it lies over the page; a page as a whole.
        fullPage: (await page.locator('dialog[open]').count()) === 0,
      });
    }
  }
}

async function screen(browser: Browser, { name, place, desk: set, reach, shown }: Screen): Promise<void> {
  const desk = makeDeskDouble();
  desk.history.older = manyEvents(Date.now() - 6 * 3600_000, 11);
  desk.history.onSeries = someSeries;
  const running = await startConsole({
    ...{ desk, host: '127.0.0.1', port: 0, token, version: '0.1.0' },
    rendererFolder: rendererFolder(),
  });
  set?.(desk);
  try {
    for (const locale of locales) {
      const context = await browser.newContext({
        locale,
        reducedMotion: 'reduce',
        viewport: { width: 1280, height: 900 },
      });
      context.setDefaultTimeout(30_000);
      const page = await context.newPage();
      await page.goto(running.link);
      await page.locator('main h1').waitFor();
      await page.locator(`nav a[href="#${place}"]`).click();
      await reach?.(page);
      for (const selector of shown ?? []) await page.locator(selector).first().waitFor();
      await picture(page, `${name}-${locale}`);
      await context.close();
    }
  } finally {
    await running.close();
  }
}

/** Each step with what a site would have answered by then, and the first one as it is met. */
async function firstRun(browser: Browser, only: string): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'estepe-screens-'));
  const host = await hostHere({ dataFolder: data, version: '0.1.0' });
  // What comes behind writing it runs on the engine that it began, and is the pages Overview and Drill within the same frame.
  const before = firstRunSteps.slice(0, firstRunSteps.indexOf('write') + 1);
  const wanted = ['begin', ...before].filter((step) => `first-run-${step}`.startsWith(only));
  try {
    for (const locale of wanted.length === 0 ? [] : locales) {
      const context = await browser.newContext({
        locale,
        reducedMotion: 'reduce',
        viewport: { width: 1280, height: 900 },
      });
      context.setDefaultTimeout(30_000);
      const page = await context.newPage();
      await page.goto(host.link);
      await page.locator('form[data-step=pbx]').waitFor();
      if (wanted.includes('begin')) await picture(page, `first-run-begin-${locale}`);
      for (const step of wanted.filter((one) => one !== 'begin')) {
        // As a tab keeps it that was left in the middle: no file stands there yet.
        await page.evaluate(
          (kept) => sessionStorage.setItem('estepe-draft', kept),
          JSON.stringify({ text: site, base: '', step }),
        );
        await page.reload();
        await page.locator(`form[data-step=${step}]`).waitFor();
        await page.locator('button[type=submit][aria-disabled=false], [data-save=ready]').first().waitFor();
        await picture(page, `first-run-${step}-${locale}`);
      }
      await context.close();
    }
    if (wanted.length > 0) process.stdout.write(`first-run: ${wanted.join(', ')}\n`);
  } finally {
    await host.close();
    rmSync(data, { recursive: true, force: true });
  }
}

const only = process.argv[2] ?? '';
if (only === '') rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.ESTEPE_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking'],
});
try {
  for (const one of screens.filter(({ name }) => name.startsWith(only))) {
    await screen(browser, one);
    process.stdout.write(`${one.name}\n`);
  }
  await firstRun(browser, only);
} finally {
  await browser.close();
}
