/**
 * The first run as a person goes through it: no configuration, one question after the other, each wrong answer said, places really
 * tested, and at the end an engine that watches a PBX that really answers.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type EngineHost, type Host, hostEngine, hostHere } from '../../src-main/console/engine-host.ts';
import { type EmbeddedPbx, startEmbeddedPbx } from '../../src-main/lab/embedded-pbx.ts';
import { newCode } from '../../src-main/peer/code.ts';
import { freePort } from '../peers/fixtures/free-port.ts';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { until } from '../peers/fixtures/until.ts';
import { clientOf } from '../unit/console/console-under-test.ts';
import { startBrowser, type TestBrowser, type Visitor } from './fixtures/browser.ts';
import { names, questions, startTold, type Told } from './fixtures/first-run.ts';
import { askedBeside, toldByChannels } from './fixtures/first-run-steps.ts';
import { leftInEnglish, takePicture } from './fixtures/inspection.ts';

const fqdn = 'pbx.example.com';
const net = `127.${210 + (process.pid % 40)}.${(process.pid >> 8) % 200}`;
const passphrase = 'a passphrase that nobody may see';
const mailPassword = 'the password of the mail server';
const hookSecret = 'the secret of the webhook';
const secrets = [passphrase, mailPassword, hookSecret];
/** Four looks of axe at a page, beside everything else that runs. */
vi.setConfig({ testTimeout: 300_000 });

describeWithPeers('the console in a browser: first run', ['chromium'], () => {
  const data = mkdtempSync(join(tmpdir(), 'estepe-first-'));
  const store = mkdtempSync(join(tmpdir(), 'estepe-store-'));
  let browser: TestBrowser;
  let pbx: EmbeddedPbx;
  let host: Host;
  let visitor: Visitor;
  let brazil: Visitor;
  let spain: Visitor;
  /** the node that is the active one, as it was set up by hand before */
  let other: EngineHost;
  let told: Told;
  const otherData = mkdtempSync(join(tmpdir(), 'estepe-other-'));
  const content = mkdtempSync(join(tmpdir(), 'estepe-content-'));
  const answers: string[] = [];

  beforeAll(async () => {
    const free = () => freePort(`${net}.1`);
    const [sipPort, webPort, tunnelPort] = [await free(), await free(), await free()];
    pbx = await startEmbeddedPbx({ address: `${net}.1`, sipPort, webPort, tunnelPort, fqdn });
    host = await hostHere({ dataFolder: data, version: '0.1.0', trust: pbx.certificate.ca });
    browser = await startBrowser();
    visitor = await browser.visit(host.link);
    brazil = await browser.visit(host.link, { locale: 'pt-BR' });
    spain = await browser.visit(host.link, { locale: 'es' });
    told = await startTold();
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
    await spain?.context.close();
    await browser?.close();
    await host?.close();
    await other?.close();
    await pbx?.stop();
    await told?.close();
    for (const folder of [otherData, content]) rmSync(folder, { recursive: true, force: true });
    rmSync(data, { recursive: true, force: true });
    rmSync(store, { recursive: true, force: true });
  });

  const page = () => visitor.page;
  const steps = questions(page);
  const { field, input, next, onStep, wrong, inspect, fold, goOn, inLanguages: compared } = steps;
  const inLanguages = (name: string) =>
    compared(name, [
      ['pt-BR', brazil],
      ['es', spain],
    ]);

  it('nothing is watched, and the page says what is asked first', async () => {
    await onStep('pbx');
    expect(await page().title()).toBe('Set up – Estepe');
    expect(host.station).toBeNull();
    const health = await fetch(`${host.url}healthz`);
    expect([health.status, await health.json()]).toEqual([503, expect.objectContaining({ trouble: 'first-run' })]);
    await inspect('first-run-pbx');
    await inLanguages('first-run-pbx');
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
    await page().locator('[data-note=no-link] li').first().waitFor();
    await inspect('first-run-other-wrong');
    await input('peer').check();
    await until('no note', async () => (await page().locator('[data-note]').count()) === 0);
    await inLanguages('first-run-other');
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
    await input('backup.source.folders').fill(content);
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
    await inLanguages('first-run-location');
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
    await fold('rehearsal');
    await input('drill.maxAge').fill('1h');
    await until('too short', async () => (await wrong('drill.maxAge')).includes('is too short'));
    await input('drill.maxAge').fill('60d');
    await until('all right', async () => (await page().locator('[data-wrong]').count()) === 0);
    await inspect('first-run-schedule');
    await inLanguages('first-run-schedule');
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
    await inLanguages('first-run-watch');
    await goOn('decide');
    await inspect('first-run-decide');
    await input('promotion.scripts.before').fill('no-such-script.sh');
    await page().locator('form button[type=submit][aria-disabled=false]').waitFor();
    await page().getByRole('button', { name: 'Test scripts and rights' }).click();
    await page().locator('[data-trial=rights][data-ended=bad]').waitFor();
    await page().locator('[data-row="script:no-such-script.sh"][data-state=problem]').waitFor();
    await input('promotion.scripts.before').fill('');
  });

  it('fence, DNS and services are asked beside it, closed until they are needed; wrong input holds the step', async () => {
    await askedBeside(page, steps);
    await inspect('first-run-decide-more');
    await inLanguages('first-run-decide-more');
    await input('promotion.dns.kind').selectOption('none');
    await until('all right', async () => (await page().locator('[data-wrong]').count()) === 0);
    await goOn('tell');
  });

  it('who is told: each channel is tried as it is written, and what its other end says is shown', async () => {
    await toldByChannels(page, steps, told, { mailPassword, hookSecret });
    await inspect('first-run-tell');
    await inLanguages('first-run-tell');
    await input('notify.desktop').uncheck();
    await goOn('write');
  });

  it('then the file is shown; an error in it is said with its line and is not saved', async () => {
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
    await inLanguages('first-run-write');
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

  it('once it is written the engine watches, and the two nodes are paired by a code', async () => {
    writeFileSync(join(content, 'voicemail'), 'x'.repeat(5000));
    mkdirSync(join(otherData, 'secrets'), { mode: 0o700 });
    writeFileSync(join(otherData, 'secrets', 'backup-passphrase'), passphrase, { mode: 0o600 });
    const text = await page().locator('#settings-text').inputValue();
    writeFileSync(join(otherData, 'estepe.yaml'), text.replace('role: passive', 'role: active '), { mode: 0o600 });
    for (const name of ['smtp', 'webhook']) writeFileSync(join(otherData, 'secrets', name), 'x', { mode: 0o600 });
    await page().getByRole('button', { name: 'Write it and begin to watch' }).click();
    await page().locator('[data-step=pair] [data-peer=unpaired]').waitFor();
    expect(host.station?.desk.snapshot().tests.map(({ id }) => id)).toEqual(['sip', 'web', 'tunnel']);
    expect(JSON.parse(readFileSync(join(data, 'engine.json'), 'utf8')).endpoint).toBe(host.url);
    const token = decodeURIComponent(host.link.split('#token=')[1] ?? '');
    const { events } = clientOf(host.url, token).history;
    expect((await events({ limit: 10 })).length).toBeGreaterThan(0);
    // whoever had the first run open in another tab is led on, too
    for (const [reader, { page: its }] of [
      ['pt-BR', brazil],
      ['es', spain],
    ] as const) {
      await its.locator('[data-step=pair] [data-peer=unpaired]').waitFor();
      expect(await leftInEnglish(page(), its, reader, names)).toEqual([]);
      await takePicture(its, `first-run-pair-${reader}`);
    }
    await inspect('first-run-pair');
    await page().reload();
    await page().locator('[data-step=pair] [data-peer=unpaired]').waitFor();
    const dialog = page().locator('dialog');
    const typed = async (code: string, why: string) => {
      await dialog.locator('input').fill(code);
      await page().keyboard.press('Enter');
      await dialog.locator(`[data-refused=${why}]`).waitFor();
    };
    await page().locator('[data-peer] button').first().click();
    await typed('ABCD', 'unreadable');
    // nobody listens there yet
    await typed(newCode({ hex: (bytes) => randomBytes(bytes).toString('hex') }), 'not-reached');
    other = await hostEngine({ dataFolder: otherData, version: '0.1.0', trust: pbx.certificate.ca });
    const link = other.station.desk.pair;
    await until('the other listens', () => link.status().listening !== null);
    await typed(newCode({ hex: (bytes) => randomBytes(bytes).toString('hex') }), 'not-open');
    const { code } = link.open({ by: 'a test' });
    await typed(newCode({ hex: (bytes) => randomBytes(bytes).toString('hex') }), 'wrong');
    await inspect('first-run-pair-wrong');
    await dialog.locator('input').fill(code);
    await page().keyboard.press('Enter');
    await page().getByText('The two servers are paired.').waitFor();
    await page().keyboard.press('Escape');
    await page().locator('[data-peer=up]').waitFor();
    await until('up on both', () => link.status().state === 'up');
    await page().getByRole('button', { name: 'Next', exact: true }).click();
    await page().locator('[data-step=drill]').waitFor();
  });

  it('the last step rehearses for real, with what there is to restore', async () => {
    const { desk } = other.station;
    expect(desk.backups.run({ by: 'a test' })).toMatchObject({ accepted: true });
    await until('a backup', () => desk.snapshot().backups.rows.some(({ verified }) => verified), 60_000);
    await until('seen here', async () => {
      await host.station?.desk.backups.refresh();
      return (host.station?.desk.snapshot().backups.rows.length ?? 0) > 0;
    });
    await page().getByText('Finish without a rehearsal').waitFor();
    await inspect('first-run-drill');
    // it waits for the restore that the new backup has begun
    await page().locator('[data-drill=ended] button.main[aria-disabled=false]').click();
    await page().locator('[data-drill=running]').waitFor();
    await page().locator('[data-drill=ended]:not([data-last=never])').waitFor({ timeout: 120_000 });
    const { last } = host.station?.desk.snapshot().drill ?? { last: null };
    expect(last?.backup).not.toBeNull();
    await page()
      .locator(`[data-last=${last?.passed ? 'passed' : 'failed'}]`)
      .waitFor();
    await inspect('first-run-drilled');
    for (const [reader, { page: its }] of [
      ['pt-BR', brazil],
      ['es', spain],
    ] as const) {
      await its.locator('[data-step=pair] .row button').last().click();
      await its.locator('[data-step=drill] [data-drill=ended]').waitFor();
      expect(await leftInEnglish(page(), its, reader, [...names, content])).toEqual([]);
      await takePicture(its, `first-run-drilled-${reader}`);
    }
    await page().getByRole('button', { name: 'Finish', exact: true }).click();
    await page().locator('section[data-phase=watching]').waitFor();
    await page().reload();
    await page().locator('section[data-phase=watching]').waitFor();
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

  it('no answer ever held a secret, nor snapshot, file, log or page', async () => {
    expect(answers.length).toBeGreaterThan(20);
    const log = readFileSync(join(data, 'logs', 'estepe.log'), 'utf8');
    const file = readFileSync(join(data, 'estepe.yaml'), 'utf8');
    const snapshot = JSON.stringify(host.station?.desk.snapshot());
    const shown = await page().content();
    for (const secret of secrets) {
      expect([...answers, log, file, snapshot, shown].filter((text) => text.includes(secret))).toEqual([]);
    }
    expect(visitor.complaints.filter((one) => !/503|409/.test(one))).toEqual([]);
  });
});
