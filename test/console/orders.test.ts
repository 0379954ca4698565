/** What persons order through the page: twice at once, against a guard, in the middle of it (G1, G2, G3). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { until } from '../peers/fixtures/until.ts';
import { clientOf } from '../unit/console/console-under-test.ts';
import { startBrowser, type TestBrowser, type Visitor } from './fixtures/browser.ts';
import { type ConsolePage, consolePage } from './fixtures/console-page.ts';
import { type Pair, type PairWish, startPair } from './fixtures/pair.ts';

describeWithPeers('the console in a browser: orders', ['chromium'], () => {
  let browser: TestBrowser;
  let pair: Pair;
  const visitors: Visitor[] = [];

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    await Promise.all(visitors.splice(0).map(({ context }) => context.close()));
    await pair.end();
  });

  async function visit(): Promise<ConsolePage> {
    const visitor = await browser.visit(pair.engine.link);
    visitors.push(visitor);
    return consolePage(visitor.page);
  }

  /** A page on a pair whose active was seen healthy and then killed. */
  async function asked(wish: PairWish = {}): Promise<ConsolePage> {
    pair = await startPair(wish);
    const shown = await visit();
    await shown.inPhase('watching');
    await pair.active.kill();
    return shown;
  }

  const eventsOf = (rule: string) => pair.engine.station.desk.events({ limit: 200 }).filter((e) => e.rule === rule);
  const token = () => decodeURIComponent(pair.engine.link.split('#token=')[1] ?? '');

  it('G1 a double click promotes once, and its second click does not cancel', async () => {
    const shown = await asked();
    await shown.button('Promote now').dblclick();
    await shown.stepIs('before-script', 'running');
    await shown.button('Cancel the promotion').waitFor();
    expect(eventsOf('runbook.begun')).toHaveLength(1);
    expect(eventsOf('order.promote').filter(({ kind }) => kind === 'order')).toHaveLength(1);
    expect(eventsOf('order.cancel')).toEqual([]);
    pair.before.open();
    pair.after.open();
    await shown.inPhase('active');
    expect(pair.before.runs).toEqual(['before-script 1 1']);
  });

  it('G1 a button that appears under the pointer takes no click at once', async () => {
    pair = await startPair();
    const shown = await visit();
    await shown.inPhase('watching');
    await shown.page.evaluate(() => {
      const seen: boolean[] = [];
      Object.assign(window, { seen });
      new MutationObserver(() => {
        const button = document.querySelector('.actions button.grave');
        if (button === null || seen.length > 0) return;
        const { x, y, width, height } = button.getBoundingClientRect();
        seen.push(document.elementFromPoint(x + width / 2, y + height / 2) === button);
      }).observe(document.body, { subtree: true, childList: true });
    });
    await pair.active.kill();
    await shown.button('Promote now').click();
    await shown.stepIs('before-script', 'running');
    expect(await shown.page.evaluate(() => Reflect.get(window, 'seen') as unknown)).toEqual([false]);
  });

  it('G1 two pages promote at once: one runbook, and the other page is told', async () => {
    const first = await asked();
    const second = await visit();
    // Both orders are held on their way until both were given: neither page could know of the other's.
    let given = 0;
    for (const { page } of [first, second]) {
      await page.route('**/rpc/promote', async (route) => {
        given += 1;
        await until('both orders', () => given === 2);
        await route.continue();
      });
    }
    await Promise.all([first.button('Promote now').click(), second.button('Promote now').click()]);
    await Promise.all([first, second].map((shown) => shown.stepIs('before-script', 'running')));
    expect(eventsOf('runbook.begun')).toHaveLength(1);
    const told = await until('one page to be told of the refusal', async () => {
      const problems = await Promise.all([first, second].map((shown) => shown.problem.allInnerTexts()));
      return problems.flat().length === 1 && problems.flat()[0];
    });
    expect(told).toContain('Refused: a promotion is already running');
    pair.before.open();
    pair.after.open();
    await Promise.all([first, second].map((shown) => shown.inPhase('active')));
    expect(pair.before.runs).toEqual(['before-script 1 1']);
  });

  it('G2 cancelled while a step runs: the script is ended, nothing was started, a person decides anew', async () => {
    const shown = await asked();
    await shown.button('Promote now').click();
    await shown.stepIs('before-script', 'running');
    await shown.button('Cancel the promotion').click();
    await shown.inPhase('awaiting');
    expect(await shown.runbook.innerText()).toContain('Promotion: cancelled');
    expect(await shown.step('before-script').innerText()).toContain('stop-old-active.sh was cancelled');
    await shown.stepIs('start-services', 'waiting');
    await shown.page.getByText('You said not to take over.').waitFor();
    await shown.event('promoting.cancelled-by-person', 'console cancelled the promotion');
    expect(existsSync(join(pair.data, 'pbx.pid'))).toBe(false);

    await shown.button('Promote now').click();
    await shown.stepIs('before-script', 'running');
    pair.before.open();
    pair.after.open();
    await shown.inPhase('active');
    expect(pair.before.runs).toEqual(['before-script 1 1', 'before-script 1 2']);
  });

  it('G2 cancelled after the point of no return: it halts, and giving up stops what was started', async () => {
    const shown = await asked();
    pair.before.open();
    await shown.button('Promote now').click();
    await shown.stepIs('after-script', 'running');
    expect(existsSync(join(pair.data, 'pbx.pid'))).toBe(true);
    await shown.button('Cancel the promotion').click();
    await shown.inPhase('halted');
    expect(await shown.heading.innerText()).toContain('services may be running here already');
    await shown.button('Give up').click();
    await shown.inPhase('awaiting');
    expect(await shown.runbook.innerText()).toContain('Promotion: cancelled');
    expect(existsSync(join(pair.data, 'pbx.pid'))).toBe(false);
    await shown.event('halted.abandoned', 'console gave the runbook up');
  });

  it('G2 a person promotes during an automatic one: refused, one runbook', async () => {
    const shown = await asked({ mode: 'automatic' });
    await shown.stepIs('before-script', 'running');
    expect(await shown.button('Promote …').count()).toBe(0);
    const answer = await clientOf(pair.engine.url, token()).promote({ by: 'a second person' });
    expect(answer).toMatchObject({ accepted: false, reason: 'a promotion is already running' });
    await shown.event('order.promote', 'a second person: promote: refused: a promotion is already running');
    expect(eventsOf('runbook.begun')).toHaveLength(1);
  });

  it('G3 while healthy: refused by the guard; overridden by its name with a reason, done and recorded', async () => {
    pair = await startPair();
    const shown = await visit();
    await shown.inPhase('watching');
    const refused = await clientOf(pair.engine.url, token()).promote({ by: 'someone' });
    expect(refused).toMatchObject({ accepted: false, refusedBy: ['proven-down'] });
    await shown.event('order.promote', 'someone: promote: refused: refused by proven-down (the other node answers');

    await shown.button('Promote …').click();
    const blocked = shown.dialog.locator('[data-override]');
    expect(await blocked.evaluateAll((all) => all.map((one) => one.getAttribute('data-override')))).toEqual([
      'proven-down',
    ]);
    expect(await blocked.innerText()).toMatch(/Active proven down: does not hold proven-down\s+the other node answers/);
    const go = shown.dialog.getByRole('button', { name: 'Promote this server' });
    await shown.dialog.getByLabel('I have read the plan.').check();
    expect(await go.isDisabled()).toBe(true);
    await blocked.getByLabel('Override', { exact: true }).check();
    const why = blocked.getByLabel('Reason for overriding "Active proven down"');
    await why.fill('ab');
    expect(await go.isDisabled()).toBe(true);
    await why.fill('hardware swap at noon');
    await go.click();

    await shown.stepIs('before-script', 'running');
    expect(await shown.runbook.innerText()).toContain('Overridden proven-down: hardware swap at noon');
    const [accepted] = eventsOf('order.promote').filter(({ kind }) => kind === 'order');
    expect(accepted?.evidence).toMatchObject({
      by: 'console',
      overrides: [{ guard: 'proven-down', reason: 'hardware swap at noon' }],
    });
    pair.before.open();
    pair.after.open();
    await shown.inPhase('active');
    await shown.page
      .getByText('Both nodes answer. This one is active under epoch 1: switch the other one off.')
      .waitFor();
  });

  it('G3 while isolated and in maintenance: each guard by its own name', async () => {
    pair = await startPair();
    const shown = await visit();
    await shown.inPhase('watching');
    pair.silenceReference();
    await pair.active.kill();
    await shown.inPhase('isolated');
    await clientOf(pair.engine.url, token()).maintenance.on({ by: 'someone', forMs: 600_000 });
    await shown.button('Promote …').click();
    const names = () =>
      shown.dialog
        .locator('[data-override]')
        .evaluateAll((all) => all.map((one) => one.getAttribute('data-override')).join(' '));
    await until('three guards in the way', async () => (await names()) === 'proven-down references no-maintenance');
    const answer = await clientOf(pair.engine.url, token()).promote({
      by: 'someone',
      overrides: [{ guard: 'references', reason: 'the reference is being moved' }],
    });
    expect(answer).toMatchObject({ accepted: false, refusedBy: ['proven-down', 'no-maintenance'] });
    expect(pair.before.runs).toEqual([]);
  });
});
