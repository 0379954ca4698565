/**
 * What the page costs: JavaScript of its first load (gzip), the first paint of the overview on loopback, and the scripting of one beat.
 * The built page over the real console and the desk double, in Debian's chromium; prints, asserts nothing.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Browser, type CDPSession, chromium, type Page } from 'playwright-core';
import { rendererFolder } from '../../src-main/console/engine-host.ts';
import { type RunningConsole, startConsole } from '../../src-main/console/server.ts';
import { programPath } from '../peers/fixtures/require-peer.ts';
import { type DeskDouble, makeDeskDouble } from '../unit/console/desk-double.ts';
import type { Print } from './bench.ts';

const loads = 15;
const beats = 200;
const token = 'be9c'.repeat(8);

const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const median = (values: readonly number[]): number => sorted(values)[Math.floor(values.length / 2)] ?? Number.NaN;
const worst = (values: readonly number[]): number => Math.max(...values);

export async function benchConsole(print: Print): Promise<void> {
  const folder = rendererFolder();
  const executablePath = programPath('chromium');
  if (!existsSync(join(folder, 'index.html'))) return print('  not measured: the page is not built (npm run build)');
  if (executablePath === null) return print('  not measured: chromium is not installed');
  const desk = makeDeskDouble();
  const running = await startConsole({
    ...{ desk, host: '127.0.0.1', port: 0, token, version: '0.1.0', rendererFolder: folder },
  });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    await firstLoads(browser, running, folder, print);
    await oneBeat(browser, running, desk, print);
  } finally {
    await browser.close();
    await running.close();
  }
}

/** Each by a browser that was never here: nothing is cached. */
async function firstLoads(browser: Browser, running: RunningConsole, folder: string, print: Print): Promise<void> {
  const paints: number[] = [];
  const shown: number[] = [];
  const scripts = new Set<string>();
  for (let load = 0; load < loads; load += 1) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    page.on('response', (response) => {
      const { pathname } = new URL(response.url());
      if (pathname.endsWith('.js')) scripts.add(pathname);
    });
    await page.goto(running.link);
    await page.locator('main h1').waitFor();
    // as the page itself would measure it: since the navigation began
    shown.push(await page.evaluate(() => performance.now()));
    const first = await page.evaluate(
      () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null,
    );
    if (first !== null) paints.push(first);
    await context.close();
  }
  const bytes = [...scripts].reduce(
    (sum, name) => sum + gzipSync(readFileSync(join(folder, name)), { level: 9 }).length,
    0,
  );
  print(`  JavaScript of the first load: ${(bytes / 1000).toFixed(0)} kB gzip in ${scripts.size} file(s)`);
  print(
    `  first contentful paint, ${paints.length} loads: median ${median(paints).toFixed(0)} ms, worst ${worst(paints).toFixed(0)} ms`,
  );
  print(
    `  state of the pair on the screen: median ${median(shown).toFixed(0)} ms, worst ${worst(shown).toFixed(0)} ms`,
  );
}

const secondsOf = async (session: CDPSession, name: string): Promise<number> =>
  (await session.send('Performance.getMetrics')).metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;

/** Beats as the engine sends them: one slice with the tests of a round. */
async function oneBeat(browser: Browser, running: RunningConsole, desk: DeskDouble, print: Print): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(running.link);
  await page.locator('main h1').waitFor();
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  await beat(page, desk, 0);
  const [script, task] = [await secondsOf(session, 'ScriptDuration'), await secondsOf(session, 'TaskDuration')];
  const began = performance.now();
  for (let n = 1; n <= beats; n += 1) await beat(page, desk, n);
  const idle = await asMuchWithout(page, session, performance.now() - began);
  const spent = (await secondsOf(session, 'ScriptDuration')) - script - idle.script;
  const all = (await secondsOf(session, 'TaskDuration')) - task - idle.task;
  print(
    `  one beat of ${desk.snapshot().tests.length} tests with 60 bars each, ${beats} of them: ${((1000 * spent) / beats).toFixed(2)} ms scripting, ${((1000 * all) / beats).toFixed(2)} ms of the page's thread in all`,
  );
}

async function beat(page: Page, desk: DeskDouble, n: number): Promise<void> {
  const at = Date.now();
  const tests = desk.snapshot().tests.map((test) => ({
    ...test,
    beats: [...test.beats, { at, outcome: 'alive' as const, ms: 1000 + n, evidence: `beat ${n}` }].slice(-60),
  }));
  desk.change({ tests });
  // two frames on it is painted
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 20)))),
  );
}

/** What the same time costs without beats: the asking itself, the page's own clock. */
async function asMuchWithout(page: Page, session: CDPSession, ms: number): Promise<{ script: number; task: number }> {
  const [script, task] = [await secondsOf(session, 'ScriptDuration'), await secondsOf(session, 'TaskDuration')];
  const end = performance.now() + ms;
  while (performance.now() < end)
    await page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 20)))),
    );
  return {
    script: (await secondsOf(session, 'ScriptDuration')) - script,
    task: (await secondsOf(session, 'TaskDuration')) - task,
  };
}
