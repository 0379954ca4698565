/** The drill's page: none yet, under way, cancelled, failed, passed too long ago; saved, printed; in each language, light and dark. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { drillAreas } from '../../src-main/contract/drill.ts';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { drillAfter, drillNever, drillReportOf, drillRunning, someRows } from '../unit/console/drill-double.ts';
import { type Doubled, doubled } from './fixtures/doubled.ts';

const day = 24 * 3600_000;

describeWithPeers('the console in a browser: the drill', ['chromium'], () => {
  let console: Doubled;
  beforeAll(async () => {
    console = await doubled();
    console.desk.change({ drill: drillNever });
    for (const page of console.pages) await page.locator('nav a[href="#drill"]').click();
  });
  afterAll(() => console.end());

  const inState = (state: string) =>
    Promise.all(console.pages.map((page) => page.locator(`[data-drill=${state}]`).waitFor()));
  const lastShown = (standing: string) =>
    Promise.all(console.pages.map((page) => page.locator(`[data-last=${standing}]`).waitFor()));
  const names = ['192.0.2.', 'OK'];
  const begun = () => console.desk.asked.filter(({ call }) => call === 'drill.start');

  it('before the first drill the page says so, and the button begins one', async () => {
    await inState('ended');
    await console.page.getByText('No drill has ended here yet.').waitFor();
    expect(await console.page.title()).toContain('Drill');
    expect(await console.page.getByRole('button', { name: 'Save as HTML' }).count()).toBe(0);
    await console.inspect('drill never', names);
    await console.page.getByRole('button', { name: 'Run the drill' }).click();
  });

  it('one under way shows how far it is, and can be cancelled once', async () => {
    await inState('running');
    expect(begun()).toEqual([{ call: 'drill.start', ask: { by: 'console' } }]);
    await console.page.getByText('Drilling: 0 of 17 done').waitFor();
    await console.page.getByText('Restored into the sandbox: 21 MB of 42 MB').waitFor();
    await console.inspect('drill running', names);
    console.desk.change({ drill: { ...drillNever, running: { ...drillRunning, cancelling: true } } });
    await console.page.getByText('Cancelling …').waitFor();
    await console.page.locator('[data-drill] button').click({ force: true });
    expect(console.desk.asked.filter(({ call }) => call === 'drill.cancel')).toEqual([]);
    console.desk.change({ drill: { ...drillNever, running: drillRunning } });
    await console.page.getByRole('button', { name: 'Cancel the drill' }).click();
    await inState('ended');
    const ended = { at: Date.now(), how: 'cancelled', sentence: 'The drill was cancelled by a person.' } as const;
    console.desk.change({ drill: { ...drillNever, ended } });
    await console.page.getByText('The drill was cancelled by a person.').waitFor();
    await console.inspect('drill cancelled', names);
  });

  it('what would hinder a promotion comes first, with the evidence and what to do', async () => {
    const report = drillReportOf(someRows, Date.now() - 90_000);
    console.desk.drill.show(report);
    console.desk.change({ drill: drillAfter(report, Date.now() - 40 * day) });
    await lastShown('failed');
    const { page } = console;
    await page.locator('[data-area]').first().waitFor();
    const areas = await page.locator('[data-area]').evaluateAll((all) => all.map((one) => one.dataset.area));
    expect(areas).toEqual(['promotion', 'link', 'restore']);
    const wrong = page.locator('[data-check="promotion.script.stop-old-active.sh"]');
    expect(await wrong.innerText()).toContain('line 3: syntax error');
    await page.getByText('The last one that passed: 40 d 0 h ago').waitFor();
    await console.inspect('drill failed', names);
  });

  it('is saved as a file of its own, and printed without what is to be clicked', async () => {
    for (const [reader, title] of [
      ['en', 'Drill: pbx.example.com'],
      ['pt-BR', 'Ensaio: pbx.example.com'],
    ] as const) {
      const { page } = console.visitors[reader];
      const saved = page.waitForEvent('download');
      await page.locator('[data-drill] button').nth(1).click();
      const download = await saved;
      expect(download.suggestedFilename()).toMatch(/^estepe-drill-pbx\.example\.com-[\d-]+\.html$/);
      const html = readFileSync(await download.path(), 'utf8');
      expect(html).toContain(`<title>${title}</title>`);
      expect(html).toContain('unexpected &lt;end of file&gt;');
    }
    const { page } = console;
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await page.locator('nav').isVisible()).toBe(false);
    expect(await page.getByRole('button').count()).toBe(0);
    expect(await page.locator('[data-area=promotion]').isVisible()).toBe(true);
    const ink = await page.locator('[data-area=promotion] h2').evaluate((one) => getComputedStyle(one).color);
    expect(ink).toBe('rgb(23, 32, 42)');
    await page.emulateMedia({ media: 'screen', colorScheme: 'light' });
  });

  it('while it is refused the button says why, and orders nothing', async () => {
    const report = drillReportOf(someRows, Date.now() - 90_000);
    const refusal = 'A restore is under way: wait for its end, or cancel it.';
    const before = begun().length;
    console.desk.change({ drill: { ...drillAfter(report, null), refusal } });
    const { page } = console;
    await page.getByText(refusal).waitFor();
    await page.getByRole('button', { name: 'Run it again' }).click({ force: true });
    expect(begun()).toHaveLength(before);
    await page.getByText('None has passed here yet').waitFor();
    await console.inspect('drill refused', names);
  });

  it('passed, passed too long ago, and every area has its words; the state says how the last one ended', async () => {
    const rows = drillAreas.map(
      (area) => ({ id: `${area}.x`, area, state: 'ok', sentence: 'x', evidence: '', todo: '' }) as const,
    );
    const now = drillReportOf(rows, Date.now() - 3600_000);
    console.desk.drill.show(now);
    console.desk.change({ drill: drillAfter(now, now.at) });
    await lastShown('passed');
    await Promise.all(console.pages.map((page) => page.locator('[data-area=firewall]').waitFor()));
    await console.inspect('drill passed', names);
    const old = { ...now, at: Date.now() - 100 * day };
    console.desk.drill.show(old);
    console.desk.change({ drill: drillAfter(old, old.at) });
    await lastShown('old');
    await console.page.getByText('Passed, but longer ago than 90 d.').waitFor();
    for (const page of console.pages) await page.locator('nav a[href="#overview"]').click();
    await console.page.getByText('Last drill passed too long ago: 100 d 0 h ago').waitFor();
    await console.inspect('drill on the overview', names);
    console.desk.change({ drill: { ...drillNever, running: drillRunning } });
    await console.page.getByText('A drill is under way').waitFor();
    await console.page.getByRole('link', { name: 'See the drill' }).click();
    await console.page.locator('[data-drill=running]').waitFor();
  });
});
