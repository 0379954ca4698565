/**
 * States that this version's engine cannot be brought to here, shown by the desk double: offsets (no backups yet), a
 * contradicting word (no peer link yet), beats and certificates of other kinds, output without end.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { rendererFolder } from '../../src-main/console/engine-host.ts';
import { type RunningConsole, startConsole } from '../../src-main/console/server.ts';
import type { OffsetView } from '../../src-main/contract/snapshot.ts';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { until } from '../peers/fixtures/until.ts';
import {
  type DeskDouble,
  guardsAllOk,
  healthySnapshot,
  makeDeskDouble,
  runbookAt,
} from '../unit/console/desk-double.ts';
import { startBrowser, type TestBrowser, type Visitor } from './fixtures/browser.ts';
import { type ConsolePage, consolePage } from './fixtures/console-page.ts';
import { leftInEnglish, seriousFaults, takePicture, tooWide } from './fixtures/inspection.ts';

const hour = 3_600_000;
const token = 'c0de'.repeat(8);
const certificate =
  'HTTP/1.1 200 OK; certificate has 3 days left; certificate is for DNS:phones.example.net, DNS:www.phones.example.net, ' +
  'DNS:mail.phones.example.net, not for pbx.example.com; certificate chain not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE)';

describeWithPeers('the console in a browser, by the desk double', ['chromium'], () => {
  let browser: TestBrowser;
  let desk: DeskDouble;
  let running: RunningConsole;
  let visitor: Visitor;
  let brazilian: Visitor;
  let shown: ConsolePage;

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    desk = makeDeskDouble();
    running = await startConsole({
      ...{ desk, host: '127.0.0.1', port: 0, token, version: '0.1.0' },
      rendererFolder: rendererFolder(),
    });
    visitor = await browser.visit(running.link);
    brazilian = await browser.visit(running.link, { locale: 'pt-BR' });
    shown = consolePage(visitor.page);
    await Promise.all([visitor, brazilian].map(({ page }) => consolePage(page).inPhase('watching')));
  });
  afterEach(async () => {
    expect(visitor.complaints).toEqual([]);
    await Promise.all([visitor, brazilian].map(({ context }) => context.close()));
    await running.close();
  });

  /** As every state is looked at; see states.test.ts. */
  async function inspect(name: string): Promise<void> {
    const { page } = visitor;
    await takePicture(page, `double-${name}`);
    expect(await tooWide(page, 360)).toEqual([]);
    expect(await leftInEnglish(page, brazilian.page, 'pt-BR', ['head-office', 'pbx.example.com'])).toEqual([]);
    expect([...(await seriousFaults(page, 'light')), ...(await seriousFaults(page, 'dark'))]).toEqual([]);
  }

  const offsets: readonly [string, OffsetView, RegExp, number | null][] = [
    [
      'within',
      { state: 'known', ageMs: 9 * hour, maxMs: 24 * hour, verified: true },
      /within the bound\s+9 h 00 min old, at most 24 h/,
      9 * hour,
    ],
    [
      'beyond',
      { state: 'known', ageMs: 25 * hour, maxMs: 24 * hour, verified: true },
      /too old\s+1 d 1 h old/,
      24 * hour,
    ],
    [
      'unverified',
      { state: 'known', ageMs: hour, maxMs: 24 * hour, verified: false },
      /not verified\s+1 h 00 min old/,
      hour,
    ],
    [
      'without a bound',
      { state: 'known', ageMs: hour, maxMs: null, verified: true },
      /1 h 00 min old, no bound set/,
      null,
    ],
    [
      'never',
      { state: 'never', ageMs: null, maxMs: 24 * hour, verified: false },
      /Nothing was restored here yet/,
      null,
    ],
  ];

  it.each(offsets)('offset %s', async (name, offset, words, value) => {
    desk.change({ offset });
    const card = visitor.page.getByRole('region', { name: 'Offset: age of the restored data' });
    await card
      .getByText(words)
      .or(card.filter({ hasText: words }))
      .first()
      .waitFor();
    const meter = card.getByRole('meter');
    if (value === null) expect(await meter.count()).toBe(0);
    else expect(await meter.getAttribute('aria-valuenow')).toBe(String(value));
    await inspect(`offset ${name}`);
  });

  it('conflicting: the active fails its tests but says that it serves', async () => {
    const { core } = healthySnapshot(Date.now());
    desk.change({
      core: {
        ...core,
        phase: 'conflicting',
        verdict: 'conflicting',
        severity: 'alert',
        sentence: 'The active fails its tests but says itself that it serves. The spare does not take over.',
      },
      guards: guardsAllOk.map((guard) => (guard.name === 'no-contradiction' ? { ...guard, ok: false } : guard)),
    });
    await shown.inPhase('conflicting');
    expect(await shown.heading.innerText()).toContain('says itself that it serves');
    expect(await visitor.page.locator('section[data-phase]').getAttribute('data-standing')).toBe('alarm');
    expect(await shown.guard('no-contradiction').innerText()).toContain('does not hold');
    expect(await shown.button('Promote …').count()).toBe(1);
    await inspect('conflicting');
  });

  it('every kind of beat looks and reads differently; a whole certificate’s trouble is cut and opened', async () => {
    const outcomes = ['degraded', 'dead', 'foreign', 'unknown'] as const;
    const at = Date.now() + 1000;
    for (const [i, outcome] of outcomes.entries()) {
      desk.beat('sip', { at: at + i, outcome, ms: 4, evidence: `evidence of ${outcome}` });
    }
    desk.beat('web', { at, outcome: 'degraded', ms: 21, evidence: certificate });
    const bar = shown.bar('SIP server');
    await bar.locator('[data-outcome=unknown]').waitFor();
    const looks = await bar.getByRole('option').evaluateAll((beats) =>
      beats.slice(-5).map((beat) => {
        const { height, backgroundColor, backgroundImage } = getComputedStyle(beat);
        return `${height} ${backgroundColor} ${backgroundImage}`;
      }),
    );
    expect(new Set(looks).size).toBe(5);
    const words = await bar
      .getByRole('option')
      .evaluateAll((all) => all.slice(-4).map((b) => b.getAttribute('aria-label')));
    expect(words.map((label) => label?.split(', ')[1])).toEqual([
      'degraded',
      'dead',
      'something else answers',
      'not tested',
    ]);
    await visitor.page.setViewportSize({ width: 360, height: 740 });
    const web = visitor.page.locator('.test').filter({ hasText: 'Web server' });
    const evidence = web.locator('.evidence[lang=en]');
    expect(await evidence.evaluate((box) => box.scrollHeight > box.clientHeight)).toBe(true);
    await web.getByRole('button', { name: 'more' }).click();
    await until('the whole text', () => evidence.evaluate((box) => box.scrollHeight <= box.clientHeight));
    await visitor.page.setViewportSize({ width: 1180, height: 900 });
    await inspect('beats');
  });

  it('very much output: the step stays in its place, the newest lines show, reading back is not disturbed', async () => {
    const { core } = healthySnapshot(Date.now());
    const runbook = runbookAt(Date.now(), 3);
    let output = `${'x'.repeat(4000)}\n${'line\n'.repeat(2000)}`;
    const tell = (more: string) => {
      output += more;
      const steps = runbook.steps.map((step) => (step.state === 'running' ? { ...step, output } : step));
      desk.change({ core: { ...core, phase: 'promoting' }, runbook: { ...runbook, steps } });
    };
    tell('the newest line');
    const pre = visitor.page.locator('[data-state=running] pre');
    await pre.waitFor();
    expect((await pre.boundingBox())?.height).toBeLessThan(300);
    expect(await pre.evaluate((box) => box.scrollWidth <= box.clientWidth)).toBe(true);
    const fromEnd = () => pre.evaluate((box) => box.scrollHeight - box.clientHeight - box.scrollTop);
    await until('the newest line to be in sight', async () => (await fromEnd()) < 4);
    tell(`\n${'more\n'.repeat(50)}`);
    await pre.getByText('more').waitFor();
    await until('what came since to be in sight', async () => (await fromEnd()) < 4);
    await pre.evaluate((box) => box.scrollTo(0, 40));
    await until('the scroll to be noticed', async () => (await pre.evaluate((box) => box.scrollTop)) === 40);
    tell('\nand the last');
    await pre.getByText('and the last').waitFor();
    expect(await pre.evaluate((box) => box.scrollTop)).toBe(40);
    await inspect('output');
  });

  it('an engine that does not watch any more: no calm sentence in any language', async () => {
    desk.change({
      core: {
        ...healthySnapshot(Date.now()).core,
        severity: 'alert',
        sentence: 'No round of tests has ended for 200 s.',
      },
      troubles: [{ key: 'watch-stalled', sentence: 'No round of tests has ended for 200 s.', todo: 'See the log.' }],
    });
    await visitor.page.locator('[data-standing=alarm]').waitFor();
    await brazilian.page.getByRole('heading', { name: 'O outro servidor não está sendo monitorado.' }).waitFor();
    await inspect('stalled');
  });
});
