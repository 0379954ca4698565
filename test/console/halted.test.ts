/** A runbook that stopped, maintenance, and a configuration that went wrong (G7): what the page says and lets a person do. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { until } from '../peers/fixtures/until.ts';
import { startBrowser, type TestBrowser, type Visitor } from './fixtures/browser.ts';
import { type ConsolePage, consolePage } from './fixtures/console-page.ts';
import { type Pair, type PairWish, startPair } from './fixtures/pair.ts';

describeWithPeers('the console in a browser: stopped, maintained, misconfigured', ['chromium'], () => {
  let browser: TestBrowser;
  let pair: Pair;
  let visitor: Visitor;
  let shown: ConsolePage;

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    expect(visitor.complaints).toEqual([]);
    await visitor.context.close();
    await pair.end();
  });

  async function watching(wish: PairWish = {}): Promise<void> {
    pair = await startPair(wish);
    visitor = await browser.visit(pair.engine.link);
    shown = consolePage(visitor.page);
    await shown.inPhase('watching');
  }

  async function promoted(wish: PairWish = {}): Promise<void> {
    await watching(wish);
    await pair.active.kill();
    await shown.button('Promote now').click();
  }

  it('halted at a step that must not be left out: try again, or give up', async () => {
    await promoted();
    pair.before.open(2);
    await shown.inPhase('halted');
    expect(await shown.heading.innerText()).toMatch(
      /^The runbook stopped: Run the before-script: stop-old-active\.sh ended with 2 .* Try again, or give it up\.$/,
    );
    expect(await shown.button('Skip step').count()).toBe(0);
    await shown.stepIs('before-script', 'failed');
    await shown.step('before-script').getByText('ending with 2').waitFor();

    pair.before.shut();
    await shown.button('Try again').click();
    await shown.stepIs('before-script', 'running');
    expect(await shown.step('before-script').innerText()).toContain('attempt 2');
    pair.before.open(3);
    await shown.inPhase('halted');
    await shown.button('Give up').click();
    await shown.inPhase('awaiting');
    expect(await shown.runbook.innerText()).toContain('Promotion: cancelled');
    await visitor.page.getByText('You said not to take over.').waitFor();
    expect(pair.before.runs).toEqual(['before-script 1 1', 'before-script 2 1']);
  });

  it('halted at a step that may be left out: skipped, and done without it', async () => {
    await promoted({ beforeOnFail: 'ask' });
    pair.before.open(2);
    await shown.inPhase('halted');
    expect(await shown.heading.innerText()).toContain('Try again, leave the step out, or give it up.');
    pair.after.open();
    await shown.button('Skip step').click();
    await shown.inPhase('active');
    await shown.stepIs('before-script', 'skipped');
    expect(await shown.step('before-script').innerText()).toContain('left out by console');
    await shown.event('halted.resumed', 'console left the failed step out');
  });

  it('a PBX that stays silent here: long evidence is cut and can be opened', async () => {
    await promoted({ silentServices: true, proveWithin: '500ms' });
    pair.before.open();
    await shown.inPhase('halted');
    await visitor.page.setViewportSize({ width: 360, height: 740 });
    const step = shown.step('prove-alive');
    const result = step.locator('.evidence');
    const more = step.getByRole('button', { name: 'more' });
    await more.waitFor();
    const cut = (await result.boundingBox())?.height ?? 0;
    await more.click();
    await until('the text to be whole', async () => ((await result.boundingBox())?.height ?? 0) > cut);
    expect(await result.evaluate((box) => box.scrollHeight <= box.clientHeight)).toBe(true);
    expect(await result.innerText()).toMatch(/^not proven alive within .* \(sip: ECONNREFUSED .* tunnel: ECONNREFUSED/);
    expect(await step.getByRole('button', { name: 'less' }).getAttribute('aria-expanded')).toBe('true');
    expect(await shown.button('Skip step').count()).toBe(1);
  });

  it('maintenance: switched on with a reason, nobody is asked; switched off, a person is', async () => {
    await watching();
    await shown.button('Maintenance …').click();
    await shown.dialog.getByLabel('For how long').selectOption({ label: '2 h' });
    await shown.dialog.getByLabel('Reason (optional)').fill('update of the PBX');
    await shown.dialog.getByRole('button', { name: 'Start maintenance' }).click();
    const banner = visitor.page.locator('[data-overlay=maintenance]');
    await banner.waitFor();
    expect(await banner.innerText()).toMatch(
      /^Maintenance until .*: no takeover by itself\.\s+(?:2 h 00|1 h 59) min left · by console · update of the PBX/,
    );
    expect(await shown.button('Maintenance …').count()).toBe(0);
    await shown.event('order.maintenance-on', 'console switched maintenance on for 120 min: update of the PBX');

    await pair.active.kill();
    await shown.event(
      'suspecting.down-maintenance',
      '3 of 3 rounds in a row failed, but maintenance is on for another',
    );
    await shown.inPhase('suspecting');
    await shown.button('End maintenance').click();
    await shown.inPhase('awaiting');
    expect(await banner.count()).toBe(0);
    await shown.event('order.maintenance-off', 'console switched maintenance off');
  });

  it('G7 a wrong configuration: the line is named, the old one goes on; corrected, it is gone', async () => {
    await watching();
    const line = pair.configText.split('\n').findIndex((text) => text.includes('interval: 1s')) + 1;
    pair.configure(['interval: 1s', 'interval: 1 minute']);
    const trouble = visitor.page.locator('[data-trouble=config-refused]');
    const heartbeat = visitor.page.getByRole('region', { name: 'Heartbeat' });
    await trouble.waitFor();
    expect(await trouble.innerText()).toContain(`estepe.yaml:${line}:`);
    expect(await trouble.innerText()).toContain('heartbeat.interval: `1 minute` is not');
    await visitor.page.locator('section[data-phase=watching][data-standing=attention]').waitFor();
    await heartbeat.getByText('every 1 s').waitFor();
    await shown.event('config.refused', 'estepe.yaml changed and is refused; the old one goes on');

    pair.configure(['interval: 1s', 'interval: 2s']);
    await heartbeat.getByText('every 2 s').waitFor();
    expect(await trouble.count()).toBe(0);
    await visitor.page.locator('section[data-phase=watching][data-standing=good]').waitFor();
    await shown.event('config.accepted', 'estepe.yaml changed and is used from now on');
  });
});
