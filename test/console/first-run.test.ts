/**
 * The first run as a person goes through it: no configuration, one question after the other, each wrong answer said, places really
 * tested, and at the end an engine that watches a PBX that really answers.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Host, hostHere } from '../../src-main/console/engine-host.ts';
import { type EmbeddedPbx, startEmbeddedPbx } from '../../src-main/lab/embedded-pbx.ts';
import { freePort } from '../peers/fixtures/free-port.ts';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { until } from '../peers/fixtures/until.ts';
import { clientOf } from '../unit/console/console-under-test.ts';
import { startBrowser, type TestBrowser, type Visitor } from './fixtures/browser.ts';
import { leftInEnglish, seriousFaults, takePicture, tooWide } from './fixtures/inspection.ts';

const fqdn = 'pbx.example.com';
const net = `127.${210 + (process.pid % 40)}.${(process.pid >> 8) % 200}`;
const passphrase = 'a passphrase that nobody may see';

describeWithPeers('the console in a browser: first run', ['chromium'], () => {
  const data = mkdtempSync(join(tmpdir(), 'estepe-first-'));
  const store = mkdtempSync(join(tmpdir(), 'estepe-store-'));
  let browser: TestBrowser;
  let pbx: EmbeddedPbx;
  let host: Host;
  let visitor: Visitor;
  let brazil: Visitor;
  const answers: string[] = [];

  beforeAll(async () => {
    const free = () => freePort(`${net}.1`);
    const [sipPort, webPort, tunnelPort] = [await free(), await free(), await free()];
    pbx = await startEmbeddedPbx({ address: `${net}.1`, sipPort, webPort, tunnelPort, fqdn });
    host = await hostHere({ dataFolder: data, version: '0.1.0', trust: pbx.certificate.ca });
    browser = await startBrowser();
    visitor = await browser.visit(host.link);
    brazil = await browser.visit(host.link, { locale: 'pt-BR' });
    visitor.page.on('response', (response) => {
      if (response.url().includes('/rpc/') && !response.url().includes('/feed')) {
        void response.text().then(
          (text) => answers.push(text),
          () => {},
        );
      }
    });
  });
  afterAll(async () => {
    await visitor?.context.close();
    await brazil?.context.close();
    await browser?.close();
    await host?.close();
    await pbx?.stop();
    rmSync(data, { recursive: true, force: true });
    rmSync(store, { recursive: true, force: true });
  });

  const page = () => visitor.page;
  const field = (id: string) => page().locator(`[data-field="${id}"]`);
  const input = (id: string) => field(id).locator('input, select, textarea').first();
  const next = () => page().getByRole('button', { name: 'Next', exact: true });
  const onStep = (step: string) => page().locator(`form[data-step=${step}]`).waitFor();
  const wrong = (id: string) => field(id).locator('.wrong').innerText();
  const names = ['Estepe', 'estepe', '3CX', 'FreePBX', 'SFTP', 'Google', 'SHA256', '127.'];
  async function inspect(name: string): Promise<void> {
    await takePicture(page(), name);
    expect(await tooWide(page(), 390)).toEqual([]);
    expect([...(await seriousFaults(page(), 'light')), ...(await seriousFaults(page(), 'dark'))]).toEqual([]);
  }
  async function goOn(step: string): Promise<void> {
    await page().locator('button[type=submit][aria-disabled=false]').click();
    await onStep(step);
  }

  it('nothing is watched, and the page says what is asked first', async () => {
    await onStep('pbx');
    expect(await page().title()).toBe('Set up – Estepe');
    expect(host.station).toBeNull();
    const health = await fetch(`${host.url}healthz`);
    expect([health.status, await health.json()]).toEqual([503, expect.objectContaining({ trouble: 'first-run' })]);
    expect(await leftInEnglish(page(), brazil.page, 'pt-BR', names)).toEqual([]);
    await inspect('first-run-pbx');
    await takePicture(brazil.page, 'first-run-pbx-pt-BR');
  });

  it('goes on only past what is right, by the keyboard alone', async () => {
    await next().focus();
    await page().keyboard.press('Enter');
    expect(await wrong('pair.profile')).toContain('Line 12: nothing stands here.');
    await page().locator('[id="pair.profile-generic"]').focus();
    await page().keyboard.press('Space');
    await page().locator('button[type=submit][aria-disabled=false]').waitFor();
    await next().focus();
    await page().keyboard.press('Enter');
    await onStep('role');
    expect(await page().evaluate(() => document.activeElement?.tagName)).toBe('H1');
    await page().locator('[id="role-passive"]').focus();
    await page().keyboard.press('Space');
    await page().locator('button[type=submit][aria-disabled=false]').waitFor();
    await next().focus();
    await page().keyboard.press('Enter');
    await onStep('other');
  });

  it('wrong input in a form is said beside its field, with what is allowed', async () => {
    await input('pair.fqdn').fill('192.0.2.1');
    await input('pair.active').fill('not an address!');
    await input('pair.passive').fill(`${net}.2`);
    await input('pair.name').fill('lab');
    await until('the name refused', async () => (await wrong('pair.fqdn')).includes('is not a full domain name'));
    await until('the address refused', async () => (await wrong('pair.active')).includes('is not an address'));
    await next().click();
    await page().getByText('First correct what is marked above.').waitFor();
    await inspect('first-run-other-wrong');
    await input('pair.fqdn').fill(fqdn);
    await input('pair.active').fill(`${net}.1`);
    await until('all right', async () => (await field('pair.active').getAttribute('data-wrong')) === null);
  });

  it('the active server is tested before anything is written', async () => {
    const trial = page().locator('[data-trial=tests]');
    await trial.getByRole('button', { name: 'Test the active server now' }).click();
    // on the ports of the product, where nothing answers here
    await page().locator('[data-trial=tests][data-ended=bad]').waitFor();
    expect(await trial.locator('[data-row=sip]').getAttribute('data-state')).toBe('problem');
    await inspect('first-run-tested');
    await goOn('location');
  });

  it('a location is tested by using it: one that is not there, one that works', async () => {
    await input('backup.location.kind').selectOption('local');
    await input('backup.location.folder').fill('/proc/no-such-folder');
    await input('backup.source.folders').fill('/etc/hostname-of-nobody');
    const trial = page().locator('[data-trial=location]');
    await page().locator('form button[type=submit][aria-disabled=false]').waitFor();
    await trial.getByRole('button', { name: 'Test the place' }).click();
    await page().locator('[data-trial=location][data-ended=bad]').waitFor();
    expect(await trial.locator('[data-row=write]').getAttribute('data-state')).not.toBe('ok');
    await inspect('first-run-location-bad');
    await input('backup.location.folder').fill(join(store, 'backups'));
    await trial.getByText('The settings were changed since.').waitFor();
    await page().locator('form button[type=submit][aria-disabled=false]').waitFor();
    await trial.getByRole('button', { name: 'Test the place' }).click();
    await page().locator('[data-trial=location][data-ended=good]').waitFor();
    expect(await trial.locator('[data-state=ok]').count()).toBe(8);
  });

  it('a secret goes in, is named in the text, and is shown nowhere', async () => {
    const box = field('backup.encrypt.passphrase');
    await box.locator('input').fill(passphrase);
    await box.getByRole('button', { name: 'Keep it' }).click();
    await box.locator('[data-secret=set]').waitFor();
    expect(await box.locator('input').inputValue()).toBe('');
    expect(readFileSync(join(data, 'secrets', 'backup-passphrase'), 'utf8')).toBe(passphrase);
    await inspect('first-run-location');
    await goOn('schedule');
  });

  it('back and forward keep what was typed, also over a reload', async () => {
    await input('backup.schedule').fill('61 1 * * *');
    await until('the schedule refused', async () => (await wrong('backup.schedule')).includes('is not a schedule'));
    await input('backup.schedule').fill('30 2 * * *');
    await until('the schedule taken', async () => (await wrong('backup.schedule')) === '');
    await goOn('watch');
    await page().getByRole('button', { name: 'Back', exact: true }).click();
    await onStep('schedule');
    expect(await input('backup.schedule').inputValue()).toBe('30 2 * * *');
    await page().reload();
    await onStep('schedule');
    await until('kept', async () => (await input('backup.schedule').inputValue()) === '30 2 * * *');
    await goOn('watch');
  });

  it('what to watch and how to decide', async () => {
    await input('heartbeat.tests.sip.port').fill(String(pbx.ports.sip));
    await input('heartbeat.tests.web').check();
    await input('heartbeat.tests.web.port').fill(String(pbx.ports.web));
    await input('heartbeat.tests.tunnel').check();
    await input('heartbeat.tests.tunnel.port').fill(String(pbx.ports.tunnel));
    await input('heartbeat.interval').fill('1s');
    await until('too short', async () => (await wrong('heartbeat.interval')).includes('is too short'));
    await input('heartbeat.interval').fill('5s');
    await input('heartbeat.confirm.every').fill('2s');
    await input('heartbeat.references').fill('tcp:127.0.0.1:9');
    await until('all right', async () => (await page().locator('[data-wrong]').count()) === 0);
    await inspect('first-run-watch');
    await goOn('decide');
    await inspect('first-run-decide');
    await input('promotion.scripts.before').fill('no-such-script.sh');
    await page().locator('form button[type=submit][aria-disabled=false]').waitFor();
    await page().getByRole('button', { name: 'Test scripts and rights' }).click();
    await page().locator('[data-trial=rights][data-ended=bad]').waitFor();
    await page().locator('[data-row="script:no-such-script.sh"][data-state=problem]').waitFor();
    await input('promotion.scripts.before').fill('');
    await goOn('rehearsal');
  });

  it('the last step shows the file; an error in it is said with its line and is not saved', async () => {
    await goOn('write');
    await page().locator('[data-save=ready]').waitFor();
    const text = page().locator('#settings-text');
    const good = await text.inputValue();
    expect(good).toContain('# active | passive: what this node is at the start');
    await inspect('first-run-write');
    await text.fill(good.replace('role: passive', 'role: pasive'));
    await page().locator('[data-save=wrong]').waitFor();
    await page().getByText('did you mean `passive`?').waitFor();
    const begin = page().getByRole('button', { name: 'Write it and begin to watch' });
    await begin.click({ force: true });
    expect(existsSync(join(data, 'estepe.yaml'))).toBe(false);
    await page().getByRole('button', { name: 'Line 6, column 7' }).click();
    expect(await text.evaluate((box) => (box as HTMLTextAreaElement).selectionStart)).toBe(good.indexOf('role: ') + 6);
    await inspect('first-run-write-wrong');
    await text.fill(good);
    await page().locator('[data-save=ready]').waitFor();
  });

  it('H1 without the token nothing is saved, tried or kept', async () => {
    const calls: [string, unknown][] = [
      ['config/save', { by: 'x', text: 'role: passive', base: '' }],
      ['config/check', { text: '' }],
      ['config/read', {}],
      ['config/try/start', { kind: 'location', text: '' }],
      ['secrets/set', { by: 'x', name: 'x', secret: 'y' }],
    ];
    for (const [call, json] of calls) {
      const response = await fetch(`${host.url}rpc/${call}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ json }),
      });
      expect([call, response.status]).toEqual([call, 401]);
    }
    expect(existsSync(join(data, 'estepe.yaml'))).toBe(false);
    expect(existsSync(join(data, 'secrets', 'x'))).toBe(false);
    const stranger = await browser.visit(host.url);
    await stranger.page.getByRole('heading', { name: 'This page needs its key' }).waitFor();
    await stranger.context.close();
  });

  it('once it is written the engine watches, on the same page', async () => {
    await page().getByRole('button', { name: 'Write it and begin to watch' }).click();
    await page().locator('section[data-phase=watching]').waitFor();
    expect(host.station?.desk.snapshot().tests.map(({ id }) => id)).toEqual(['sip', 'web', 'tunnel']);
    expect(JSON.parse(readFileSync(join(data, 'engine.json'), 'utf8')).endpoint).toBe(host.url);
    const token = decodeURIComponent(host.link.split('#token=')[1] ?? '');
    const { events } = clientOf(host.url, token).history;
    expect((await events({ limit: 10 })).length).toBeGreaterThan(0);
    await page().locator('nav a[href="#settings"]').click();
    await page().locator('[data-save=same]').waitFor();
    expect(await input('backup.schedule').inputValue()).toBe('30 2 * * *');
  });

  it('G7 a change from the page is taken over by the running engine', async () => {
    await input('heartbeat.interval').fill('6s');
    await page().locator('[data-save=ready]').waitFor();
    await page().getByRole('button', { name: 'Save', exact: true }).click();
    await until('used', () => host.station?.desk.snapshot().pair.intervalMs === 6000);
  });

  it('no answer ever held the secret', () => {
    expect(answers.length).toBeGreaterThan(20);
    expect(answers.filter((text) => text.includes(passphrase))).toEqual([]);
    const log = readFileSync(join(data, 'logs', 'estepe.log'), 'utf8');
    expect(log).not.toContain(passphrase);
    expect(readFileSync(join(data, 'estepe.yaml'), 'utf8')).not.toContain(passphrase);
    expect(visitor.complaints.filter((one) => !/503|409/.test(one))).toEqual([]);
  });
});
