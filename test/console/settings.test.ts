/** The settings of a running engine as their page shows them: each section, wrong input, the text, the difference, secrets, saving. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { settingsSections } from '../../src-main/contract/settings-form.ts';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { site } from '../unit/config/texts.ts';
import { type Doubled, doubled } from './fixtures/doubled.ts';

describeWithPeers('the console in a browser: settings', ['chromium'], () => {
  let console: Doubled;
  beforeAll(async () => {
    console = await doubled();
    for (const page of console.pages) await page.locator('nav a[href="#settings"]').click();
  });
  beforeEach(async () => {
    console.desk.settings.write(site);
    for (const page of console.pages) {
      await page.evaluate(() => sessionStorage.removeItem('estepe-draft'));
      await page.reload();
      await page.locator('[data-text=good]').waitFor();
    }
  });
  afterAll(() => console.end());

  const field = (id: string) => console.page.locator(`[data-field="${id}"]`);
  const input = (id: string) => field(id).locator('input, select, textarea').first();
  const file = () => readFileSync(join(console.desk.settings.data, 'estepe.yaml'), 'utf8');
  const saveIs = (state: string) => console.page.locator(`[data-save=${state}]`).waitFor();
  const save = () => console.page.getByRole('button', { name: 'Save', exact: true });
  const names = ['192.0.2.', 'estepe.yaml', '3CX', 'SFTP', 'UDP', 'SHA256', 'Estepe', 'nas.example.com'];

  it('shows what the file says, section by section', async () => {
    const shown = await console.page
      .locator('[data-section]')
      .evaluateAll((all) => all.map((one) => one.dataset.section));
    expect(shown).toEqual([...settingsSections]);
    expect(await input('pair.fqdn').inputValue()).toBe('pbx.example.com');
    expect(await input('backup.location.kind').inputValue()).toBe('sftp');
    expect(await input('heartbeat.references').inputValue()).toBe('gateway\ntcp:9.9.9.9:53');
    await console.inspect('settings', names);
  });

  it('a form changes its value in the text, comments stay; what saving changes is shown before', async () => {
    await input('promotion.countdown').fill('10m');
    await saveIs('ready');
    const lines = await console.page.locator('[data-diff=new], [data-diff=gone]').allInnerTexts();
    expect(lines.map((line) => line.trim())).toEqual([
      expect.stringContaining('countdown: 5m            # confirm: nobody answers'),
      expect.stringContaining('countdown: 10m            # confirm: nobody answers'),
    ]);
    expect(file()).toBe(site);
    await console.inspect('settings changed', names);
    await save().click();
    await console.page.getByText('the one of before is estepe.before.yaml').waitFor();
    expect(file()).toBe(site.replace('countdown: 5m', 'countdown: 10m'));
    expect(readFileSync(join(console.desk.settings.data, 'estepe.before.yaml'), 'utf8')).toBe(site);
  });
});
