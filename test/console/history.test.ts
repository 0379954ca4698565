/**
 * The page about the history over a real engine whose file holds a year: filters, pages and files held against what stands in
 * estepe.db, charts of which gaps stay gaps, by pointer and by keyboard, in each language, light and dark, wide and narrow.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Download, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { EventView } from '../../src-main/contract/snapshot.ts';
import { openHistory } from '../../src-main/history/history.ts';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { until } from '../peers/fixtures/until.ts';
import { lookInto } from '../unit/history/workbench.ts';
import { startBrowser, type TestBrowser, type Visitor } from './fixtures/browser.ts';
import { leftInEnglish, seriousFaults, takePicture, tooWide } from './fixtures/inspection.ts';
import { fqdn, makePair, type Pair } from './fixtures/pair.ts';
import { day, hour, planted, yearOfBeats } from './fixtures/year-of-history.ts';

describeWithPeers('the console in a browser: history', ['chromium'], () => {
  let browser: TestBrowser;
  let pair: Pair;
  let visitor: Visitor;
  let brazil: Visitor;
  const now = Date.now();

  beforeAll(async () => {
    pair = await makePair();
    const history = openHistory(join(pair.data, 'estepe.db'), { waitingLimit: 100_000 });
    for (const beats of yearOfBeats(now)) history.beats(beats);
    for (const event of planted(now)) history.event(event);
    history.close();
    await pair.startEngine();
    browser = await startBrowser();
    visitor = await browser.visit(pair.engine.link);
    brazil = await browser.visit(pair.engine.link, { locale: 'pt-BR' });
  });
  afterAll(async () => {
    await browser?.close();
    await pair?.end();
  });
  beforeEach(async () => {
    for (const { page } of [visitor, brazil]) {
      await page.goto(`${pair.engine.url}#history`);
      await page.reload();
      await page.locator('[data-rows]').waitFor();
    }
  });

  const page = () => visitor.page;
  const rows = async () =>
    (await page()
      .locator('[data-event]')
      .evaluateAll((all) => all.map((one) => Number(one.dataset.event)))) as number[];
  const choice = (name: string) => page().getByRole('combobox', { name, exact: true });
  const box = (name: string) => page().getByLabel(name, { exact: true });
  const text = () => page().getByLabel('Text in rule, reason or evidence');
  const list = () => page().locator('section[data-page]');
  const settled = (pageNumber = 1) => page().locator(`section[data-page="${pageNumber}"][aria-busy=false]`).waitFor();
  const series = (test = 'sip') => page().locator(`[data-series=${test}][data-chart=drawn]`);
  const slider = () => series().getByRole('slider');
  const said = async () => (await slider().getAttribute('aria-valuetext')) ?? '';

  /** What stands in the file, newest first. */
  const stored = (where: string, ...values: (string | number)[]): EventView[] =>
    lookInto(join(pair.data, 'estepe.db'), (db) =>
      db
        .prepare<(string | number)[], EventView & { evidence: string }>(
          `SELECT id, at, kind, severity, rule, reason, phase, verdict, evidence FROM event WHERE ${where} ORDER BY id DESC`,
        )
        .all(...values)
        .map((row) => ({ ...row, evidence: JSON.parse(row.evidence) as EventView['evidence'] })),
    );
  const idsOf = (events: readonly EventView[]) => events.map(({ id }) => id);
  const shows = (ids: readonly number[]) =>
    until(`rows ${ids.slice(0, 3).join(', ')} …`, async () => JSON.stringify(await rows()) === JSON.stringify(ids));

  it('filters by kind, severity, text and time, and says when nothing is like that', async () => {
    await choice('Kind').selectOption('order');
    await shows(idsOf(stored("kind = 'order'")).slice(0, 50));
    await choice('Severity').selectOption('warning');
    await shows(idsOf(stored("kind = 'order' AND severity = 'warning'")).slice(0, 50));
    await page().getByRole('button', { name: 'Clear the filter' }).click();
    await text().fill('PLANTED 7');
    const found = idsOf(stored("reason LIKE 'planted 7%'"));
    expect(found.length).toBeGreaterThan(5);
    await shows(found);
    await choice('Time').selectOption('7d');
    await shows(idsOf(stored("reason LIKE 'planted 7%' AND at >= ?", now - 7 * day)));
    await choice('Time').selectOption('between');
    const local = (at: number) =>
      page().evaluate((ms) => {
        const date = new Date(ms);
        return new Date(ms - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
      }, at);
    const [from, to] = [
      Math.floor((now - 60 * hour) / 60_000) * 60_000,
      Math.floor((now - 30 * hour) / 60_000) * 60_000,
    ];
    await text().fill('planted');
    await box('From').fill(await local(from));
    await box('To').fill(await local(to));
    const between = idsOf(stored("reason LIKE 'planted%' AND at >= ? AND at < ?", from, to));
    expect(between).toHaveLength(30);
    await shows(between);
    await box('To').fill(await local(from - hour));
    await page().getByText('"From" has to be before "To".').waitFor();
    await page().getByRole('button', { name: 'Clear the filter' }).click();
    await text().fill('nobody ever wrote this');
    await page().getByText('No event matches the filter.').waitFor();
    expect(await rows()).toEqual([]);
    expect(await page().getByRole('button', { name: 'Save as CSV' }).getAttribute('aria-disabled')).toBe('true');
  });

  it('goes through the pages and back, by the keyboard, from the top of each', async () => {
    await text().fill('planted');
    const all = idsOf(stored("reason LIKE 'planted%'"));
    await shows(all.slice(0, 50));
    const older = page().getByRole('button', { name: 'Older' });
    await older.focus();
    await page().keyboard.press('Enter');
    await settled(2);
    expect(await rows()).toEqual(all.slice(50, 100));
    expect(
      await list()
        .locator('.list')
        .evaluate((box) => box === document.activeElement),
    ).toBe(true);
    await older.click();
    await settled(3);
    expect(await rows()).toEqual(all.slice(100));
    expect(await older.getAttribute('aria-disabled')).toBe('true');
    await page().getByRole('button', { name: 'Newer' }).click();
    await settled(2);
    await page().getByText('Page 2').waitFor();
    expect(await rows()).toEqual(all.slice(50, 100));
  });

  it('what is decided meanwhile comes to the newest page and moves no older one', async () => {
    await text().fill('maintenance');
    await until('filtered', async () => (await rows()).length === 0);
    pair.engine.station.desk.maintenanceOn({ by: 'console', reason: 'looked at by a test', forMs: 3_600_000 });
    await until('the order', async () => (await rows()).length > 0);
    pair.engine.station.desk.maintenanceOff({ by: 'console' });
    expect(await page().locator('[data-event]').first().innerText()).toContain('maintenance');
  });

  it('H3 what strangers sent is text: long, with markup, and opened with all its evidence', async () => {
    await text().fill('stranger');
    const [event] = stored("reason LIKE '%stranger%'");
    await shows([event?.id ?? 0]);
    const row = page().locator('[data-event]');
    await row.locator('summary').last().press('Enter');
    await row.getByText('<img src=x onerror=').first().waitFor();
    expect(await page().locator('main img').count()).toBe(0);
    expect(await tooWide(page(), 360)).toEqual([]);
  });

  async function saved(button: string): Promise<{ name: string; text: string }> {
    const coming: Promise<Download> = page().waitForEvent('download');
    await page().getByRole('button', { name: button }).click();
    const download = await coming;
    return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') };
  }

  it('saves what is filtered, all pages of it, as CSV: the same as in the file, and no formula', async () => {
    await text().fill('planted');
    const all = stored("reason LIKE 'planted%'");
    await shows(idsOf(all).slice(0, 50));
    const { name, text: csv } = await saved('Save as CSV');
    expect(name).toMatch(/^estepe-history-pbx\.example\.com-\d{4}-\d\d-\d\d-\d\d-\d\d\.csv$/);
    const [head, ...lines] = csvRows(csv.replace(/^\ufeff/, ''));
    expect(head).toEqual(['id', 'time', 'kind', 'severity', 'phase', 'verdict', 'rule', 'reason', 'evidence']);
    expect(lines).toEqual(
      all.map(({ id, at, kind, severity, phase, verdict, rule, reason, evidence }) => [
        String(id),
        new Date(at).toISOString(),
        kind,
        severity,
        phase ?? '',
        verdict ?? '',
        rule,
        reason,
        JSON.stringify(evidence),
      ]),
    );
    await text().fill('stranger');
    await until('filtered', async () => (await rows()).length === 1);
    const [, formula] = csvRows((await saved('Save as CSV')).text);
    expect(formula?.[7]).toMatch(/^'=cmd\|/);
  });

  it('saves the same as JSON, with what it was taken from, and no secret in it', async () => {
    await choice('Kind').selectOption('runbook');
    const all = stored("kind = 'runbook'");
    await shows(idsOf(all).slice(0, 50));
    const { name, text: json } = await saved('Save as JSON');
    expect(name).toMatch(/\.json$/);
    expect(JSON.parse(json)).toEqual({
      ...{ fqdn, at: expect.any(String) as string, filter: { kind: 'runbook' }, cut: false },
      events: all.map((event) => ({ ...event, at: new Date(event.at).toISOString() })),
    });
    await page().getByRole('button', { name: 'Clear the filter' }).click();
    await until('all of them', async () => (await rows()).length === 50);
    const token = readFileSync(join(pair.data, 'secrets', 'console-token'), 'utf8').trim();
    expect((await saved('Save as JSON')).text).not.toContain(token);
  });

  const spans = [
    // days and hours of the seed: measured, answered
    ['24 hours', '24h', 21, 20.5],
    ['30 days', '30d', 25 * 24 - 3, 24 * 24 - 3.5],
    ['1 year', '1y', 300 * 24 - 3, 299 * 24 - 3.5],
  ] as const;
  it.each(spans)(
    'over %s: availability of the measured time alone, the rest not measured',
    async (name, span, measured, answered) => {
      await page().getByRole('radio', { name }).check({ force: true });
      await page().locator('section[aria-busy=false] [data-series=sip]').waitFor();
      await series().waitFor();
      const words = await series().locator('.figures').innerText();
      const [, share] = /([\d.]+) % of the measured time answered/.exec(words) ?? [];
      // The span moves on while the test runs, by whole units of what it is counted in.
      expect(Math.abs(Number(share) - (100 * answered) / measured)).toBeLessThan(0.6);
      const hoursOf = (pattern: RegExp) => {
        const [, days = '0', hours = '0'] = pattern.exec(words) ?? [];
        return 24 * Number(days) + Number(hours);
      };
      expect(Math.abs(hoursOf(/(?<!not )measured (?=\d)(?:(\d+) d )?(?:(\d+) h)?/) - measured)).toBeLessThanOrEqual(2);
      const whole = { '24h': 24, '30d': 30 * 24, '1y': 365 * 24 }[span];
      expect(
        Math.abs(hoursOf(/not measured (?=\d)(?:(\d+) d )?(?:(\d+) h)?/) - (whole - measured)),
      ).toBeLessThanOrEqual(2);
    },
  );

  it('a gap is a gap: no line is drawn over it, the keyboard and the table say so', async () => {
    await series().waitFor();
    // from 12 to 9 hours ago: in the middle of it the line would be seen if it went across
    const ink = await inkOfLine(page(), [1 - 11.5 / 24, 1 - 9.5 / 24]);
    expect(ink.within).toBe(0);
    expect(ink.elsewhere).toBeGreaterThan(100);
    await slider().focus();
    const newest = await said();
    expect(newest).toContain('answered');
    await page().keyboard.press('Home');
    const oldest = await said();
    expect(oldest).not.toBe(newest);
    let moves = 0;
    for (; moves < 40 && !(await said()).includes('not measured'); moves++) await page().keyboard.press('PageDown');
    expect(await said()).toContain('not measured');
    for (; moves < 40 && !(await said()).includes('no answer'); moves++) await page().keyboard.press('PageDown');
    await page().keyboard.press('End');
    expect(await said()).toContain('answered');
    await series().locator('summary').press('Enter');
    const gaps = await series().locator('tbody tr.none').allInnerTexts();
    expect([2, 3]).toContain(gaps.length);
    for (const gap of gaps) expect(gap).toContain('not measured');
    // The newest hours hold what the engine itself tests meanwhile.
    const failed = (await series().locator('tbody tr:not(.none) td:nth-child(3)').allInnerTexts()).slice(2);
    expect(failed.map(Number).reduce((sum, n) => sum + n, 0)).toBe(30);
  });

  it('another span by the arrow keys; the year shows its months', async () => {
    await page().getByRole('radio', { name: '24 hours' }).focus();
    await page().keyboard.press('ArrowRight');
    await page().keyboard.press('ArrowRight');
    expect(await page().getByRole('radio', { name: '1 year' }).isChecked()).toBe(true);
    await page().locator('section[aria-busy=false] [data-series=sip][data-chart=drawn]').waitFor();
    await series().locator('summary').press('Enter');
    const gaps = await series().locator('tbody tr.none').count();
    // sixty days of weeks, and five days
    expect([8, 9]).toContain(gaps);
  });

  it('says that it reads, that it could not, and tries again', async () => {
    let open = (): void => {};
    const held = new Promise<void>((go) => {
      open = go;
    });
    await page().route('**/rpc/history/**', async (route) => {
      await held;
      await route.abort();
    });
    await page().reload();
    await page().getByText('Reading the history …').first().waitFor();
    await takePicture(page(), 'history-reading');
    open();
    await list().getByText('The history could not be read').waitFor();
    await inspect('history-unread');
    await page().unroute('**/rpc/history/**');
    await list().getByRole('button', { name: 'Try again' }).click();
    await settled();
    expect((await rows()).length).toBe(50);
    expect(await list().getByText('The history could not be read').count()).toBe(0);
  });

  async function inspect(name: string): Promise<void> {
    await takePicture(page(), name);
    expect([...(await seriousFaults(page(), 'light')), ...(await seriousFaults(page(), 'dark'))]).toEqual([]);
    const before = page().viewportSize();
    await page().setViewportSize({ width: 360, height: 740 });
    expect([...(await seriousFaults(page(), 'light')), ...(await seriousFaults(page(), 'dark'))], '360 px').toEqual([]);
    if (before !== null) await page().setViewportSize(before);
  }

  it('nothing is wrong with the page, wide and narrow, light and dark, nor left in English', async () => {
    await series().waitFor();
    await brazil.page.locator('[data-series=sip][data-chart=drawn]').waitFor();
    expect(await page().title()).toContain('History');
    await inspect('history');
    await takePicture(brazil.page, 'history-pt-BR');
    for (const one of [visitor, brazil]) expect(await tooWide(one.page, 360)).toEqual([]);
    expect(await leftInEnglish(page(), brazil.page, 'pt-BR', ['head-office', fqdn, 'planted', 'Estepe'])).toEqual([]);
    expect([...visitor.complaints, ...brazil.complaints].filter((said) => !said.includes('net::ERR_FAILED'))).toEqual(
      [],
    );
  });

  it('H1 without the token nothing of it is told', async () => {
    for (const call of ['events', 'series', 'beats']) {
      const answer = await fetch(`${pair.engine.url}rpc/history/${call}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ json: { limit: 10 } }),
      });
      expect(answer.status).toBe(401);
      expect(await answer.text()).not.toContain('planted');
    }
  });
});

/** RFC 4180, as a spreadsheet reads it. */
function csvRows(text: string): string[][] {
  const all: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === ',') continue;
    all.push(row);
    row = [];
  }
  return all;
}

/** Pixels of the line's colour on the chart of SIP, between two shares of its width and beside them. */
function inkOfLine(page: Page, [from, to]: readonly [number, number]): Promise<{ within: number; elsewhere: number }> {
  return page.evaluate(
    ([from, to]) => {
      const box = document.querySelector('[data-series=sip] .u-over');
      const canvas = document.querySelector<HTMLCanvasElement>('[data-series=sip] canvas');
      const context = canvas?.getContext('2d');
      if (!box || !canvas || !context) throw new Error('there is no chart');
      const scale = canvas.width / canvas.getBoundingClientRect().width;
      const left = (box.getBoundingClientRect().left - canvas.getBoundingClientRect().left) * scale;
      const wide = box.getBoundingClientRect().width * scale;
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      const wanted = getComputedStyle(document.documentElement).getPropertyValue('--accent').trim();
      const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(wanted.slice(at, at + 2), 16));
      const count = { within: 0, elsewhere: 0 };
      for (let i = 0; i < data.length; i += 4) {
        const off = [r, g, b].map((value, k) => Math.abs((value ?? 0) - (data[i + k] ?? 0)));
        if ((data[i + 3] ?? 0) < 200 || Math.max(...off) > 12) continue;
        const x = (((i / 4) % canvas.width) - left) / wide;
        if (x > from && x < to) count.within++;
        else count.elsewhere++;
      }
      return count;
    },
    [from, to] as const,
  );
}
