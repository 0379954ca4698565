/** The settings of a running engine as their page shows them: each section, wrong input, the text, the difference, secrets, saving. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { settingsSections } from '../../src-main/contract/settings-form.ts';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { everything, site } from '../unit/config/texts.ts';
import { type Doubled, doubled } from './fixtures/doubled.ts';

/** Four looks of axe at the longest page there is, beside everything else that runs. */
const longMs = 300_000;

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
  });

  it(
    'every form filled in: fence, records, services, who is told; in each language',
    async () => {
      console.desk.settings.write(everything);
      for (const page of console.pages) {
        await page.reload();
        await page.locator('[data-text=good]').waitFor();
      }
      expect(await input('promotion.dns[1].kind').inputValue()).toBe('cloudflare');
      expect(await input('services.names').inputValue()).toBe('3CX Phone*\nnginx');
      expect(await input('services.calls').inputValue()).toBe('count-calls.cmd "C:\\Program Files\\PBX"');
      expect(await input('notify.email.to').inputValue()).toBe('admin@example.com');
      expect(await field('notify.webhook.secret').locator('[data-secret=missing]').innerText()).toContain('webhook');
      await console.inspect('settings', [
        ...names,
        'example.',
        'estepe',
        'Cloudflare',
        'Route 53',
        'TSIG',
        'nginx',
        'count',
      ]);
    },
    longMs,
  );

  it.each([
    ['promotion.fence.silenceWithin', '1h', '`1h` is too long'],
    ['promotion.fence.script', '../out.sh', 'is not'],
    ['selfFence.after', 'soon', 'is not a duration'],
    ['promotion.dns[0].server', 'not a host!', 'is not an address'],
    ['promotion.dns[1].passive', 'pbx', 'is not an IP address'],
    ['services.letOnWithin', '0s', 'is too short'],
    ['notify.email.to', 'admin@example.com\nnobody', 'is not a mail address'],
    ['notify.webhook.url', 'ftp://x', 'is not an address of a service'],
    ['restore.maxOffset', 'old', 'is not a duration'],
    ['heartbeat.tests.web.port', '70000', 'is not a port'],
    ['drill.schedule', 'never', 'is not a schedule'],
  ])('wrong input in %s is said beside it, and is not saved', async (id, typed, said) => {
    const text = everything.replace('restore: {', 'peer: {}\nrestore: {');
    console.desk.settings.write(text);
    await console.page.reload();
    await console.page.locator('[data-text=good]').waitFor();
    await input(id).fill(typed);
    await saveIs('wrong');
    await console.page.locator(`[data-field="${id}"][data-wrong]`).waitFor();
    expect(await field(id).locator('.wrong').innerText()).toContain(said);
    await save().click({ force: true });
    expect(file()).toBe(text);
  });

  it('a record more, another way for the first one, comments and all; what no form knows stays', async () => {
    const text = everything
      .replace('    key: estepe ', '    onFail: halt\n      key: estepe ')
      .replace('keep: 7', 'keep: 7\n  jitter: 5m  # by hand');
    console.desk.settings.write(text);
    await console.page.reload();
    await console.page.locator('[data-text=good]').waitFor();
    await input('promotion.dns[2].kind').selectOption('script');
    await console.page.locator('[data-field="promotion.dns[2].run"]').waitFor();
    await input('promotion.dns[2].run').fill('switch-dns.sh --to "node b"');
    await input('promotion.dns[0].ttl').fill('30s');
    await saveIs('ready');
    await input('promotion.dns[1].kind').selectOption('none');
    await console.page.locator('[data-field="promotion.dns[2].run"]').waitFor({ state: 'detached' });
    await saveIs('ready');
    // what was chosen for one record says nothing of the one that took its place
    expect(await input('promotion.dns[1].kind').inputValue()).toBe('script');
    await save().click();
    await console.page.getByText('the one of before is estepe.before.yaml').waitFor();
    const lines = file().split('\n');
    expect(lines).toEqual(expect.arrayContaining(['  jitter: 5m  # by hand', '      onFail: halt', '      ttl: 30s']));
    for (const comment of ['# name of a secret', '# first silent, then here', '# in this order', '# signed']) {
      expect(file()).toContain(comment);
    }
    expect(file()).toContain('--to');
  });

  it('who is told is tried as it is written, and can be cancelled; a secret never comes back', async () => {
    console.desk.settings.write(everything);
    await console.page.reload();
    await console.page.locator('[data-text=good]').waitFor();
    const box = field('notify.email.password');
    await box.locator('input').fill('a secret of the test');
    await box.getByRole('button', { name: 'Keep it' }).click();
    await box.locator('[data-secret=set]').waitFor();
    expect(await console.page.content()).not.toContain('a secret of the test');
    expect(JSON.stringify(console.desk.settings.read())).not.toContain('a secret of the test');
    const trial = console.page.locator('[data-trial=email]');
    await trial.getByRole('button', { name: 'Send a test' }).click();
    await console.page.locator('[data-trial=email][data-ended=running]').waitFor();
    await trial.getByRole('button', { name: 'Cancel' }).click();
    await console.page.locator('[data-trial=email][data-ended=cancelled]').waitFor();
  });

  it('a text that is too large gets its sentence, and is not cut off', async () => {
    const text = console.page.locator('#settings-text');
    const large = `${site}# ${'x'.repeat(65_600)}\n`;
    await text.fill(large);
    await saveIs('wrong');
    await console.page.getByText('the file is larger than 64 KiB').waitFor();
    expect((await text.inputValue()).length).toBe(large.length);
    await text.fill(site);
    await saveIs('same');
  });

  it('a form changes its value in the text, comments stay; what saving changes is shown before', async () => {
    await input('promotion.countdown').fill('10m');
    await saveIs('ready');
    const lines = await console.page.locator('[data-diff=new], [data-diff=gone]').allInnerTexts();
    expect(lines.map((line) => line.trim())).toEqual([
      expect.stringContaining('countdown: 5m            # confirm: nobody answers'),
      expect.stringContaining('countdown: 10m           # confirm: nobody answers'),
    ]);
    expect(file()).toBe(site);
    await save().click();
    await console.page.getByText('the one of before is estepe.before.yaml').waitFor();
    expect(file()).toBe(site.replace('countdown: 5m ', 'countdown: 10m'));
    expect(readFileSync(join(console.desk.settings.data, 'estepe.before.yaml'), 'utf8')).toBe(site);
  });

  it('an error in the text is said with its line while it is typed, and is not saved', async () => {
    const text = console.page.locator('#settings-text');
    await text.fill(site.replace('interval: 30s', 'interval: soon'));
    await saveIs('wrong');
    await console.page.getByRole('button', { name: 'Line 4, column 13' }).waitFor();
    expect(await field('heartbeat.interval').getAttribute('data-wrong')).not.toBeNull();
    await save().click({ force: true });
    expect(file()).toBe(site);
    await text.fill('role: [');
    await saveIs('wrong');
    await text.fill(site);
    await saveIs('same');
  });

  it('a file that was changed meanwhile is not overwritten unseen', async () => {
    await input('backup.keep').fill('9');
    await saveIs('ready');
    console.desk.settings.write(`${site}# by hand\n`);
    await save().click();
    await console.page.getByText('was changed by somebody else meanwhile; nothing was written').waitFor();
    await saveIs('moved');
    expect(file()).toBe(`${site}# by hand\n`);
    expect(await console.page.locator('[data-diff=gone]').allInnerTexts()).toEqual(
      expect.arrayContaining([expect.stringContaining('# by hand')]),
    );
    await console.page.getByRole('button', { name: 'Throw my changes away' }).click();
    await saveIs('same');
    expect(await input('backup.keep').inputValue()).toBe('7');
  });

  it('a draft outlives another page and a reload', async () => {
    await input('backup.keep').fill('9');
    await saveIs('ready');
    await console.page.locator('nav a[href="#overview"]').click();
    await console.page.locator('nav a[href="#settings"]').click();
    await saveIs('ready');
    expect(await input('backup.keep').inputValue()).toBe('9');
    await console.page.reload();
    await saveIs('ready');
    expect(await input('backup.keep').inputValue()).toBe('9');
  });

  it('by the keyboard alone: to a section, a change, the file, saved', async () => {
    const { page } = console;
    await page.getByRole('button', { name: 'How to decide' }).focus();
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('section-decide');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await saveIs('ready');
    await page.getByRole('button', { name: 'To the file and what changes' }).focus();
    await page.keyboard.press('Enter');
    await save().focus();
    await page.keyboard.press('Enter');
    await page.getByText('Saved. It is used from now on').waitFor();
    expect(file()).toBe(site.replace('mode: confirm ', 'mode: manual  '));
  });

  it('a trial shows what each part came to, and can be cancelled', async () => {
    const { page } = console;
    await page.getByRole('button', { name: 'Test the place' }).click();
    await page.locator('[data-trial=location][data-ended=running]').waitFor();
    await page.locator('[data-trial=location]').getByRole('button', { name: 'Cancel' }).click();
    await page.locator('[data-trial=location][data-ended=cancelled]').waitFor();
    expect(console.desk.asked.map(({ call }) => call)).toEqual(
      expect.arrayContaining(['try.location', 'try.location.cancel']),
    );
  });
});
