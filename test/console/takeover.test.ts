/**
 * The main job in a real browser, against a real engine and the lab's active: sees it healthy, kills it, confirms, watches the
 * steps, reads the reason. And the confirmation's own clock (G4).
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { until } from '../peers/fixtures/until.ts';
import { startBrowser, type TestBrowser, type Visitor } from './fixtures/browser.ts';
import { consolePage } from './fixtures/console-page.ts';
import { type Pair, startPair } from './fixtures/pair.ts';

describeWithPeers('the console in a browser: taking over', ['chromium'], () => {
  let browser: TestBrowser;
  let pair: Pair | null = null;
  let visitor: Visitor | null = null;

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    await visitor?.context.close();
    await pair?.end();
    visitor = pair = null;
  });

  it('healthy, killed, asked, promoted: every step live, the reason readable afterwards', async () => {
    pair = await startPair();
    visitor = await browser.visit(pair.engine.link);
    const shown = consolePage(visitor.page);

    await shown.inPhase('watching');
    expect(await shown.heading.innerText()).toMatch(/^The active answers and the spare is watching\./);
    expect(await shown.node('active').innerText()).toMatch(/^Active server\s+127/);
    expect(await shown.node('active').innerText()).toContain(pair.addresses.active);
    expect(await shown.node('passive').innerText()).toMatch(/Passive server\s+this server/);
    for (const test of ['SIP server', 'Web server', 'Tunnel port']) {
      const beats = shown.bar(test).getByRole('option');
      const before = await beats.count();
      await until(`two more beats of ${test}`, async () => (await beats.count()) >= before + 2);
      expect(await beats.last().getAttribute('aria-label')).toMatch(/, alive, /);
    }
    expect(new URL(visitor.page.url()).hash).toBe('');

    await pair.active.kill();
    await shown.inPhase('awaiting');
    expect(await shown.heading.innerText()).toBe('The active server is down.');
    const first = await shown.countdown.innerText();
    expect(first).toMatch(/takes over by itself in\s+(10:0[01]|9:\d\d)$/);
    await until('the countdown to go on', async () => (await shown.countdown.innerText()) !== first);
    expect(await visitor.page.title()).toBe('(!) Waiting for you – head-office');

    expect(await visitor.page.locator('[data-guard][data-ok=true]').count()).toBe(10);
    expect(await shown.guard('proven-down').innerText()).toMatch(/Active proven down · holds\s+\d+ rounds in a row/);
    await shown.button('See the plan first …').click();
    const plan = shown.dialog.getByRole('listitem');
    await plan.first().waitFor();
    const titles = (await plan.allInnerTexts()).map((text) => text.split(/[:\n]/)[0]);
    expect(titles).toEqual([
      'Ask the guards',
      'Claim the epoch',
      'Fence the old active',
      'Run the before-script',
      'Start the services',
      'Prove that the PBX answers here',
      'Switch DNS',
      'Run the after-script',
      'Become the active node',
    ]);
    expect(await plan.nth(3).innerText()).toContain('stop-old-active.sh');
    expect(await shown.dialog.innerText()).toContain('No guard is in the way.');
    const go = shown.dialog.getByRole('button', { name: 'Promote this server' });
    expect(await go.isDisabled()).toBe(true);
    await shown.dialog.getByLabel('Reason (optional)').fill('power is gone in the other building');
    await shown.dialog.getByRole('checkbox').check();
    await go.click();

    await shown.inPhase('promoting');
    await shown.stepIs('before-script', 'running');
    await shown.step('before-script').getByText(`asking ${pair.addresses.active} to stop its services`).waitFor();
    expect(await shown.step('claim').innerText()).toContain('epoch 1 is ours');
    await shown.stepIs('start-services', 'waiting');
    pair.before.open();
    await shown.stepIs('after-script', 'running');
    expect(await shown.step('prove-alive').innerText()).toMatch(/it answers here after .* \(sip: SIP\/2\.0 200 OK/);
    pair.after.open();

    await shown.inPhase('active');
    expect(await shown.heading.innerText()).toBe(
      'This node is active under epoch 1. Make sure that the other one stays off.',
    );
    await until('every step to be done', async () => (await visitor?.page.locator('[data-state=done]').count()) === 8);
    expect(await shown.node('passive').innerText()).toMatch(/Active server\s+this server/);
    expect(pair.after.runs).toEqual(['after-script 1 1']);
    await shown.event(
      'order.promote',
      /console ordered the promotion: power is gone in the other building; \d+ of 3 rounds in a row failed \(sip: /,
    );
    await shown.event('suspecting.down-ask', '3 of 3 rounds in a row failed; a person is asked, because: mode confirm');
    await shown.event('test.sip', 'sip turned from alive to dead');
    expect(visitor.complaints).toEqual([]);
  });

  it('mode automatic: takes over by itself, the page follows', async () => {
    pair = await startPair({ mode: 'automatic' });
    visitor = await browser.visit(pair.engine.link);
    const shown = consolePage(visitor.page);
    await shown.inPhase('watching');
    expect(await shown.heading.innerText()).toContain('If the active died now, it would take over by itself.');
    await pair.active.kill();
    await shown.stepIs('before-script', 'running');
    expect(await shown.button('Promote …').count()).toBe(0);
    pair.before.open();
    pair.after.open();
    await shown.inPhase('active');
    await shown.event('suspecting.down-automatic', 'every guard holds, mode automatic: taking over');
  });

  it('G4 nobody answers: the countdown runs out and it takes over', async () => {
    pair = await startPair({ countdown: '4s' });
    visitor = await browser.visit(pair.engine.link);
    const shown = consolePage(visitor.page);
    await shown.inPhase('watching');
    await pair.active.kill();
    await shown.countdown.getByText(/^0:0[1-4]$/).waitFor();
    await shown.inPhase('promoting');
    expect(await shown.runbook.innerText()).toContain('Started by Estepe');
    await shown.event('awaiting.go', 'nobody answered within 4 s and onSilence is promote: taking over');
  });

  it('G4 "do not take over" holds beyond the countdown, until a person promotes', async () => {
    pair = await startPair({ countdown: '5s' });
    visitor = await browser.visit(pair.engine.link);
    const shown = consolePage(visitor.page);
    await shown.inPhase('watching');
    await pair.active.kill();
    await shown.button('Do not take over').click();
    await visitor.page.getByText('You said not to take over.').waitFor();
    expect(await shown.countdown.count()).toBe(0);
    // By the page's own clock: longer asked than the countdown was.
    await visitor.page.getByText(/^since .* \((?:[6-9]|\d\d) s\)/).waitFor();
    await shown.inPhase('awaiting');
    expect(pair.before.runs).toEqual([]);
    await shown.event('awaiting.held', 'console said not to take over');

    await shown.button('Promote now').click();
    await shown.stepIs('before-script', 'running');
  });

  it('G4 onSilence hold: the countdown says so, and ends without a takeover', async () => {
    pair = await startPair({ countdown: '3s', onSilence: 'hold' });
    visitor = await browser.visit(pair.engine.link);
    const shown = consolePage(visitor.page);
    await shown.inPhase('watching');
    await pair.active.kill();
    await shown.countdown.getByText('Without an answer nothing is done.').waitFor();
    await visitor.page.getByText('The countdown is over. Estepe waits for your decision.').waitFor();
    await shown.event('awaiting.silence-held', 'Estepe does not take over by itself: onSilence is hold.');
    await shown.inPhase('awaiting');
    expect(pair.before.runs).toEqual([]);
  });

  it('the active answers again while the dialog is open: the guard comes into the way, the order waits', async () => {
    pair = await startPair();
    visitor = await browser.visit(pair.engine.link);
    const shown = consolePage(visitor.page);
    await shown.inPhase('watching');
    await pair.active.kill();
    await shown.button('See the plan first …').click();
    await shown.dialog.getByRole('checkbox').check();
    const go = shown.dialog.getByRole('button', { name: 'Promote this server' });
    await until('the order to be possible', () => go.isEnabled());
    await pair.active.restart();
    await shown.dialog.locator('[data-override=proven-down]').waitFor();
    expect(await go.isDisabled()).toBe(true);
    await visitor.page.keyboard.press('Escape');
    await shown.inPhase('watching');
    expect(pair.before.runs).toEqual([]);
  });
});
