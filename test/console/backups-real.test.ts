/** The page about backups on a real engine and a real folder: a backup made, verified and restored by clicks, byte for byte. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { startBrowser, type TestBrowser } from './fixtures/browser.ts';
import { type ConsolePage, consolePage } from './fixtures/console-page.ts';
import { makePair, type Pair } from './fixtures/pair.ts';

describeWithPeers('the page about backups, on a real engine', ['chromium'], () => {
  let browser: TestBrowser;
  let pair: Pair;
  const folder = mkdtempSync(join(tmpdir(), 'estepe-backups-page-'));
  const file = join(folder, 'pbx', 'sip.conf');
  beforeAll(async () => {
    browser = await startBrowser();
    pair = await makePair();
    for (const name of ['pbx', 'stored']) mkdirSync(join(folder, name));
    writeFileSync(file, 'as it was backed up');
  });
  afterAll(async () => {
    await browser.close();
    await pair.end();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The page on an engine of this role that was just started. */
  async function visitAs(role: 'active' | 'passive'): Promise<ConsolePage> {
    await pair.stopEngine();
    const sections = [
      `role: ${role}`,
      `backup: { location: { kind: local, folder: '${folder}/stored' }, source: { folders: ['${folder}/pbx'] } }`,
      // by clicks only: a newer one that is restored by itself would come before them
      'restore: { maxOffset: 24h, whenNewer: false }',
    ];
    pair.configure(['role: passive', sections.join('\n')]);
    const { link } = await pair.startEngine();
    const { page } = await browser.visit(link);
    await page.getByRole('link', { name: 'Backups', exact: true }).click();
    return consolePage(page);
  }

  it('the active backs up now and verifies it', async () => {
    const { page, button } = await visitAs('active');
    await page.getByText('No backup is stored there yet.').waitFor();
    await page
      .getByRole('region', { name: 'Schedules' })
      .getByText(/every day at 01:00, next in/)
      .waitFor();
    await button('Back up now').click();
    const row = page.locator('tr[data-backup]');
    await row.waitFor();
    await page.locator('[data-end=backup][data-tone=good]').waitFor();
    await row.getByText('verified', { exact: true }).waitFor();
    await row.getByRole('button', { name: /^Verify:/ }).click();
    await page.locator('[data-end=verify][data-tone=good]').waitFor();
    expect(await row.getByRole('button', { name: /^Restore:/ }).getAttribute('aria-disabled')).toBe('true');
  });

  it('the passive restores it after being asked; the offset then counts from when it was made', async () => {
    const { page, dialog } = await visitAs('passive');
    writeFileSync(file, 'changed since');
    const row = page.locator('tr[data-backup]');
    await row.getByRole('button', { name: /^Restore:/ }).click();
    await dialog.getByText('Nothing was restored here yet.').waitFor();
    await dialog.getByRole('button', { name: 'Restore here' }).click();
    await page.locator('[data-end=restore][data-tone=good]').waitFor();
    await row.getByText('Restored here').waitFor();
    await page.locator('[data-gauge=within]').waitFor();
    expect(readFileSync(file, 'utf8')).toBe('as it was backed up');
  });
});
