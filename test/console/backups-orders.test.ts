/**
 * What a person orders on the page about backups, by pointer and by keyboard: begun, followed, cancelled, refused, and loudly not
 * sent. The console's server, its transport and the feed are real; the desk behind them is doubled.
 */
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { BackupsView } from '../../src-main/contract/backups.ts';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { until } from '../peers/fixtures/until.ts';
import { backupsAt, rowsAt, workAt } from '../unit/console/backups-double.ts';
import { type ConsolePage, consolePage } from './fixtures/console-page.ts';
import { type Doubled, doubled } from './fixtures/doubled.ts';

const free = { backup: null, verify: null, restore: null };

describeWithPeers('orders on the page about backups', ['chromium'], () => {
  let shown: Doubled;
  let page: Page;
  let english: ConsolePage;
  beforeEach(async () => {
    shown = await doubled();
    page = shown.page;
    english = consolePage(page);
    change({ refusals: free });
    await page.getByRole('link', { name: 'Backups', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Backups' }).waitFor();
  });
  afterEach(() => shown.end());

  const change = (backups: Partial<BackupsView>) =>
    shown.desk.change({ backups: { ...shown.desk.snapshot().backups, ...backups } });
  const orders = () => shown.desk.asked.filter(({ call }) => call.startsWith('backups.'));
  const row = (n: number) => page.locator('tr[data-backup]').nth(n);
  const work = () => page.locator('section[data-work]');
  const progress = () => work().getByRole('progressbar');
  const names = () => shown.desk.snapshot().backups.rows.map(({ name }) => name);
  const focused = () =>
    page.evaluate(
      () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent?.trim(),
    );

  it('backs up, and the bar follows what the feed tells until it has ended', async () => {
    await english.button('Back up now').click();
    await page.getByRole('heading', { name: 'Backing up' }).waitFor();
    expect(orders()).toEqual([{ call: 'backups.run', ask: { by: 'console' } }]);
    // nothing is known of how much there is: no value is pretended
    expect(await progress().getAttribute('value')).toBeNull();
    const steps = [
      ['store', 100_000_000, 'Storing', '100 MB of 400 MB', '25 %'],
      ['store', 399_999_999, 'Storing', '400 MB of 400 MB', '99 %'],
      ['verify', 200_000_000, 'Reading back', '200 MB of 400 MB', '50 %'],
    ] as const;
    for (const [phase, bytes, ...words] of steps) {
      change({ work: workAt(Date.now(), { kind: 'backup', phase, bytes, total: 400_000_000 }) });
      for (const text of words) await work().filter({ hasText: text }).waitFor();
      expect(await progress().getAttribute('value')).toBe(String(bytes / 400_000_000));
    }
    const [newest] = rowsAt(Date.now() + 9 * 3_600_000, 1);
    const end = { at: Date.now(), by: 'console', name: newest?.name ?? null, ok: true, cancelled: false, todo: '' };
    change({
      ...{
        work: null,
        refusals: free,
        rows: [...(newest ? [newest] : []), ...shown.desk.snapshot().backups.rows],
        count: 8,
      },
      last: { backup: { ...end, sentence: 'made and read back equal' }, verify: null, restore: null },
    });
    await page.locator('[data-end=backup][data-tone=good]').filter({ hasText: 'made and read back equal' }).waitFor();
    await page.getByRole('heading', { name: 'Nothing is under way' }).waitFor();
    expect(await row(0).getAttribute('data-backup')).toBe(newest?.name);
  });

  it('verifies the row it was asked for, and says so there', async () => {
    const name = names()[3];
    await row(3)
      .getByRole('button', { name: /^Verify:/ })
      .click();
    await row(3).getByText('Verifying').waitFor();
    expect(orders()).toEqual([{ call: 'backups.verify', ask: { by: 'console', name } }]);
    const button = row(0).getByRole('button', { name: /^Verify:/ });
    expect(await button.getAttribute('aria-disabled')).toBe('true');
    expect(
      await button.evaluate((b) =>
        document.getElementById(b.getAttribute('aria-describedby') ?? '')?.textContent?.trim(),
      ),
    ).toBe('Verifying');
    await button.click({ force: true });
    await row(0)
      .getByRole('button', { name: /^Restore:/ })
      .click({ force: true });
    expect(await english.dialog.count()).toBe(0);
    expect(orders()).toHaveLength(1);
  });

  it('asks before it restores; Cancel and Escape send nothing; one order for two clicks', async () => {
    const open = row(1).getByRole('button', { name: /^Restore:/ });
    for (const leave of ['Escape', 'Cancel']) {
      await open.click();
      await english.dialog.waitFor();
      if (leave === 'Cancel') await english.dialog.getByRole('button', { name: 'Cancel' }).click();
      else await page.keyboard.press('Escape');
      await until('the dialog to be gone', async () => (await english.dialog.count()) === 0);
      expect(await focused()).toBe(`Restore: ${names()[1]}`);
    }
    expect(orders()).toEqual([]);
    await open.click();
    await english.dialog.getByRole('button', { name: 'Restore here' }).dblclick();
    await page.getByRole('heading', { name: 'Restoring' }).waitFor();
    await until('the dialog to be gone', async () => (await english.dialog.count()) === 0);
    expect(orders()).toEqual([{ call: 'backups.restore', ask: { by: 'console', name: names()[1] } }]);
  });

  it('cancels once, and says that it is being cancelled until it is', async () => {
    change({ work: workAt(Date.now()) });
    await english.button('Cancel the restore').dblclick();
    await english.button('Cancelling …').click({ force: true });
    expect(orders()).toEqual([{ call: 'backups.cancel', ask: { by: 'console' } }]);
    const end = {
      at: Date.now(),
      by: 'console',
      name: null,
      ok: false,
      cancelled: true,
      sentence: 'cancelled by console',
      todo: '',
    };
    change({ work: null, last: { backup: null, verify: null, restore: end } });
    await page.locator('[data-end=restore]').filter({ hasText: 'cancelled by console' }).waitFor();
  });

  it('refused beforehand: said where it would be ordered, and nothing is sent', async () => {
    const runs = 'a promotion is running';
    change({ refusals: { backup: runs, verify: null, restore: runs } });
    await page.getByText('Restore · Not now:').waitFor();
    await english.button('Back up now').click({ force: true });
    await row(0)
      .getByRole('button', { name: /^Restore:/ })
      .click({ force: true });
    expect(await english.dialog.count()).toBe(0);
    for (const button of [english.button('Back up now'), row(0).getByRole('button', { name: /^Restore:/ })]) {
      expect(
        await button.evaluate((b) => document.getElementById(b.getAttribute('aria-describedby') ?? '')?.textContent),
      ).toContain(runs);
    }
    expect(orders()).toEqual([]);
  });

  it('refused by the engine although the page let it go: the reason is shown, and stays in sight in a long list', async () => {
    const rows = rowsAt(Date.now(), 200);
    change({ rows, count: 200 });
    await page.getByRole('button', { name: 'Show 180 older ones' }).click();
    expect(await page.locator('tr[data-backup]').count()).toBe(200);
    // what the desk knows by then, and the page does not yet
    shown.desk.backups.verify = () => ({ accepted: false, reason: 'another node holds the lock' });
    await row(120)
      .getByRole('button', { name: /^Verify:/ })
      .click();
    await english.problem.waitFor();
    expect(await english.problem.innerText()).toContain('Refused: another node holds the lock');
    const box = await english.problem.boundingBox();
    expect(box !== null && box.y >= 0 && box.y + box.height <= 900).toBe(true);
  });

  it('refused while the dialog is open: it says so and stays', async () => {
    await row(1)
      .getByRole('button', { name: /^Restore:/ })
      .click();
    await english.dialog.waitFor();
    change({ refusals: { ...free, restore: 'a promotion is running' } });
    await english.dialog.getByText('a promotion is running').waitFor();
    await english.dialog.getByRole('button', { name: 'Restore here' }).click({ force: true });
    expect(await english.dialog.count()).toBe(1);
    expect(orders()).toEqual([]);
  });

  it('reads the list again', async () => {
    change({ listTrouble: { sentence: 'the location is silent', todo: 'look at it' } });
    await page.getByText('The list could not be read.').waitFor();
    await english.button('Read the list again').click();
    await until(
      'the trouble to be gone',
      async () => (await page.getByText('The list could not be read.').count()) === 0,
    );
    expect(orders()).toEqual([{ call: 'backups.refresh', ask: {} }]);
  });

  it('the engine unreachable: shown as old, every order fails loudly; live again by itself', async () => {
    await shown.console.close();
    await page.getByText(/^Engine unreachable since/).waitFor();
    await page.locator('.page.stale main').waitFor();
    await page.getByText('Last known: Watching').waitFor();
    const nothing = 'Not done: the engine is unreachable. Nothing was sent.';
    await english.button('Back up now').click();
    await work().getByText(nothing).waitFor();
    await row(0)
      .getByRole('button', { name: /^Verify:/ })
      .click();
    await page
      .getByRole('region', { name: /^Stored backups/ })
      .getByText(nothing)
      .waitFor();
    await row(0)
      .getByRole('button', { name: /^Restore:/ })
      .click();
    await english.dialog.getByRole('button', { name: 'Restore here' }).click();
    await english.dialog.getByText(nothing).waitFor();
    await shown.inspect('backups unreachable', ['127.0.0.1']);
    await page.keyboard.press('Escape');
    expect(orders()).toEqual([]);
    await shown.console.open();
    await until('the page to be live', async () => (await page.locator('.page.stale').count()) === 0);
  });

  it('by keyboard alone: to the page, through its orders, and back', async () => {
    const tabTo = async (name: string | RegExp, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> => {
      const passed: string[] = [];
      for (let presses = 0; presses < 40; presses += 1) {
        await page.keyboard.press(key);
        const now = (await focused()) ?? '';
        if (typeof name === 'string' ? now === name : name.test(now)) return;
        passed.push(now);
      }
      throw new Error(`${key} never came to ${name}; it passed ${passed.join(' | ')}`);
    };
    // The click that led here gave the focus to the heading; from there backwards to the navigation.
    expect(await focused()).toBe('Backups');
    await tabTo('Overview', 'Shift+Tab');
    await page.keyboard.press('Enter');
    await english.inPhase('watching');
    await until('the focus at the state', async () => (await focused())?.startsWith('The active is healthy'));
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: 'Backups' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Backups' }).waitFor();
    await tabTo('Back up now');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Backing up' }).waitFor();
    // Its button is gone: on from the heading, and the next stops are the state's link and Cancel.
    await until('the focus at the heading', async () => (await focused()) === 'Backups');
    await tabTo('Cancel the backup');
    await page.keyboard.press('Enter');
    await english.button('Cancelling …').waitFor();
    expect(await focused()).toBe('Cancelling …');
    change({ work: null, refusals: free });
    await until('the focus at the heading', async () => (await focused()) === 'Backups');
    await tabTo(/^Restore: /);
    await page.keyboard.press('Enter');
    await english.dialog.waitFor();
    await tabTo('Restore here');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Restoring' }).waitFor();
    expect(orders().map(({ call }) => call)).toEqual(['backups.run', 'backups.cancel', 'backups.restore']);
  });

  it('times go on by the engine’s clock, not by this machine’s', async () => {
    const [newest, ...older] = rowsAt(Date.now(), 3);
    if (newest === undefined) throw new Error('no row');
    change({ rows: [{ ...newest, createdAt: Date.now() - 20_000 }, ...older] });
    const later = await shown.browser.visit('about:blank');
    await later.page.clock.install({ time: Date.now() + 5 * 3_600_000 });
    await later.page.goto(shown.console.link);
    await later.page.getByRole('link', { name: 'Backups', exact: true }).click();
    const age = later.page.locator('tr[data-backup] .age').first();
    const seconds = async () => Number(/^(\d+) s old$/.exec(await age.innerText())?.[1]);
    const before = await seconds();
    expect(before).toBeGreaterThanOrEqual(20);
    await later.page.clock.fastForward(8000);
    await until('eight seconds more', async () => (await seconds()) >= before + 8);
    await later.context.close();
  });

  it('on the overview: the newest backup and what is being done, and the way here', async () => {
    await page.getByRole('link', { name: 'Overview', exact: true }).click();
    const card = page.getByRole('region', { name: 'Way of the data' });
    await card.getByText('9 h 00 min old · verified').waitFor();
    change({ work: workAt(Date.now()) });
    await card.getByText('Restoring: fetching 50 %').waitFor();
    await card.getByRole('link', { name: 'See the backups' }).click();
    await page.getByRole('heading', { level: 1, name: 'Backups' }).waitFor();
    expect(await page.title()).toBe('Watching – head-office – Backups');
    expect(backupsAt(0).count).toBe(await page.locator('tr[data-backup]').count());
  });
});
