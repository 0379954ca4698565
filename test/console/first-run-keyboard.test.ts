/** The whole first run by the keyboard alone: nothing is clicked, and each thing is reached by Tab. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Host, hostHere } from '../../src-main/console/engine-host.ts';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { until } from '../peers/fixtures/until.ts';
import { startBrowser, type TestBrowser, type Visitor } from './fixtures/browser.ts';
import { questions } from './fixtures/first-run.ts';

const net = `127.${150 + (process.pid % 40)}.${(process.pid >> 8) % 200}`;
/** No step has so many things to go through. */
const mostTabs = 60;

describeWithPeers('the console in a browser: first run by the keyboard', ['chromium'], () => {
  const data = mkdtempSync(join(tmpdir(), 'estepe-keys-'));
  let browser: TestBrowser;
  let host: Host;
  let visitor: Visitor;
  beforeAll(async () => {
    host = await hostHere({ dataFolder: data, version: '0.1.0' });
    browser = await startBrowser();
    visitor = await browser.visit(host.link);
  });
  afterAll(async () => {
    await visitor?.context.close();
    await browser?.close();
    await host?.close();
    rmSync(data, { recursive: true, force: true });
  });

  const page = () => visitor.page;
  const { input, onStep } = questions(page);
  const press = (key: string) => page().keyboard.press(key);

  async function tabTo(wanted: Locator): Promise<void> {
    for (let tabs = 0; tabs < mostTabs; tabs++) {
      if (await wanted.evaluate((element) => element === document.activeElement)) return;
      await press('Tab');
    }
    throw new Error(`Tab does not lead to ${String(wanted)}`);
  }
  async function type(id: string, text: string): Promise<void> {
    await tabTo(input(id));
    await press('Control+A');
    await page().keyboard.type(text);
  }
  async function goOn(step: string): Promise<void> {
    const next = page().locator('button[type=submit][aria-disabled=false]');
    await next.waitFor();
    await tabTo(next);
    await press('Enter');
    await onStep(step);
    // a step begins at its heading
    await until('at its heading', () => page().evaluate(() => document.activeElement?.tagName === 'H1'));
  }

  it('from the first question to the overview', async () => {
    await onStep('pbx');
    await tabTo(page().locator('[id="pair.profile-3cx-windows"]'));
    for (const _ of ['3cx-linux', 'freepbx', 'generic']) await press('ArrowDown');
    await goOn('role');
    await tabTo(page().locator('[id="role-passive"]'));
    await press('Space');
    await goOn('other');
    await type('pair.fqdn', 'pbx.example.com');
    await type('pair.active', `${net}.1`);
    await type('pair.passive', `${net}.2`);
    await tabTo(input('peer'));
    await press('Space');
    await goOn('location');
    await goOn('schedule');
    await goOn('watch');
    await type('heartbeat.references', 'tcp:127.0.0.1:9');
    await goOn('decide');
    await tabTo(page().locator('details[data-section=fence] summary'));
    await press('Enter');
    await type('promotion.fence.silenceWithin', '20s');
    await goOn('tell');
    await tabTo(input('notify.webhook'));
    await press('Space');
    await input('notify.webhook.url').waitFor();
    await type('notify.webhook.url', 'http://127.0.0.1:9/hook');
    await tabTo(input('notify.webhook.secret'));
    await page().keyboard.type('known to nobody');
    await press('Enter');
    await page().locator('[data-field="notify.webhook.secret"] [data-secret=set]').waitFor();
    await page().locator('button[type=submit][aria-disabled=false]').waitFor();
    await tabTo(page().locator('[data-trial=webhook] button').first());
    await press('Enter');
    await page().locator('[data-trial=webhook][data-ended=bad]').waitFor();
    await goOn('write');
    await page().locator('[data-save=ready]').waitFor();
    expect(existsSync(join(data, 'estepe.yaml'))).toBe(false);
    await tabTo(page().getByRole('button', { name: 'Write it and begin to watch' }));
    await press('Enter');
    await page().locator('[data-step=pair] [data-peer=unpaired]').waitFor();
    await until('at its heading', () => page().evaluate(() => document.activeElement?.tagName === 'H1'));
    await tabTo(page().locator('[data-peer] button').first());
    await press('Enter');
    await tabTo(page().getByRole('button', { name: 'Show a code here' }));
    await press('Enter');
    await page().locator('dialog .code').waitFor();
    await press('Escape');
    await page().locator('dialog').waitFor({ state: 'detached' });
    await tabTo(page().getByRole('button', { name: 'Go on without pairing' }));
    await press('Enter');
    await page().locator('[data-step=drill] [data-drill]').waitFor();
    await tabTo(page().getByRole('button', { name: 'Finish without a rehearsal' }));
    await press('Enter');
    await page().locator('section[data-phase]').waitFor();
    const file = readFileSync(join(data, 'estepe.yaml'), 'utf8');
    expect(file).toContain('silenceWithin: 20s');
    expect(file).not.toContain('known to nobody');
  }, 180_000);
});
