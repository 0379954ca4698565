/**
 * `npm run screens`: a picture of every page in out/screens/, light and dark, English and Portuguese, 1280 and 390 px wide, for
 * people to look at. The pages are the built ones, over the same desk double that the console's tests look at them with.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { rendererFolder } from '../../src-main/console/engine-host.ts';
import { startConsole } from '../../src-main/console/server.ts';
import { awaiting, type DeskDouble, healthySnapshot, makeDeskDouble, runbookAt } from '../unit/console/desk-double.ts';
import { reportOf, someChecks } from '../unit/console/doctor-double.ts';
import { drillAfter, drillReportOf, someRows } from '../unit/console/drill-double.ts';
import { manyEvents, someSeries } from '../unit/console/history-double.ts';

const folder = fileURLToPath(new URL('../../out/screens/', import.meta.url));
const token = 'c0de'.repeat(8);

/** Each: its name, the page it is on, and what brings the desk there. */
const screens: readonly [name: string, place: string, reach: (desk: DeskDouble) => void][] = [
  ['overview', 'overview', () => {}],
  ['overview-awaiting', 'overview', (desk) => desk.change(awaiting(Date.now(), 300_000))],
  [
    'overview-promoting',
    'overview',
    (desk) =>
      desk.change({
        core: { ...healthySnapshot(Date.now()).core, phase: 'promoting' },
        runbook: runbookAt(Date.now(), 4),
      }),
  ],
  ['history', 'history', () => {}],
  ['backups', 'backups', () => {}],
  ['doctor', 'doctor', (desk) => desk.doctor.show({ running: null, report: reportOf(someChecks, Date.now() - 5_000) })],
  [
    'drill',
    'drill',
    (desk) => {
      const report = drillReportOf(someRows, Date.now() - 90_000);
      desk.drill.show(report);
      desk.change({ drill: drillAfter(report, null) });
    },
  ],
];

const shown: Readonly<Record<string, string>> = {
  history: '[data-rows]:not([data-rows="0"])',
  doctor: '[data-area]',
  drill: '[data-area]',
};

/** What has to be there before a picture is taken. */
async function settle(page: Page, place: string): Promise<void> {
  await page.locator('main h1').waitFor();
  await page
    .locator(shown[place] ?? 'main')
    .first()
    .waitFor();
  if (place === 'history') {
    for (const test of ['sip', 'web', 'tunnel']) {
      await page.locator(`[data-series=${test}][data-chart=drawn]`).waitFor();
    }
  }
  await page.evaluate(() => document.fonts.ready);
}

/** Only those whose name begins so. */
const only = process.argv[2] ?? '';
if (only === '') rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.ESTEPE_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking'],
});
try {
  for (const [name, place, reach] of screens.filter(([name]) => name.startsWith(only))) {
    const desk = makeDeskDouble();
    desk.history.older = manyEvents(Date.now() - 6 * 3600_000, 11);
    desk.history.onSeries = someSeries;
    const running = await startConsole({
      ...{ desk, host: '127.0.0.1', port: 0, token, version: '0.1.0' },
      rendererFolder: rendererFolder(),
    });
    reach(desk);
    for (const locale of ['en', 'pt-BR']) {
      const context = await browser.newContext({ locale, reducedMotion: 'reduce' });
      const page = await context.newPage();
      await page.goto(running.link);
      await page.locator('main h1').waitFor();
      await page.locator(`nav a[href="#${place}"]`).click();
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: 900 });
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          await settle(page, place);
          await page.screenshot({
            path: join(folder, `${name}-${locale}-${width}-${colorScheme}.png`),
            fullPage: true,
          });
        }
      }
      await context.close();
    }
    await running.close();
    process.stdout.write(`${name}\n`);
  }
} finally {
  await browser.close();
}
