/**
 * A halted promotion while the other node answers again, as the admin meets it: giving up is offered first, and going on leads
 * to the guards before it leads anywhere. The console's server, its transport and the feed are real; the desk behind them is doubled.
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { guardsWhileHealthy, healthySnapshot, runbookAt } from '../unit/console/desk-double.ts';
import { type ConsolePage, consolePage } from './fixtures/console-page.ts';
import { type Doubled, doubled } from './fixtures/doubled.ts';

describeWithPeers('halted, and the other node answers', ['chromium'], () => {
  let shown: Doubled;
  let english: ConsolePage;
  beforeEach(async () => {
    shown = await doubled();
    english = consolePage(shown.page);
  });
  afterEach(() => shown.end());

  const halt = (verdict: 'healthy' | 'down') => {
    const now = Date.now();
    const reason = 'Start the services: `start` ended with 2';
    const runbook = runbookAt(now, 3, { status: 'halted', reason, cancellable: false });
    const core = { ...healthySnapshot(now).core, phase: 'halted', verdict, severity: 'alert' } as const;
    shown.desk.change({
      core: { ...core, reason, sentence: `It stopped: ${reason}.` },
      runbook,
      guards: guardsWhileHealthy,
    });
  };
  const promotions = () => shown.desk.asked.filter(({ call }) => call === 'promote');

  it('going on shows the guard in the way first, and carries the override that was given', async () => {
    halt('healthy');
    await english.button('Try again …').click();
    const guard = shown.page.locator('[data-override=proven-down]');
    await guard.waitFor();
    expect(promotions().filter(({ ask }) => (ask as { dryRun?: boolean }).dryRun !== true)).toEqual([]);
    await guard.getByRole('checkbox').check();
    await guard.getByRole('textbox').fill('I pulled its cable');
    const dialog = shown.page.getByRole('dialog');
    await dialog.getByRole('checkbox').last().check();
    await dialog.locator('button[type=submit]').click();
    await dialog.waitFor({ state: 'hidden' });
    expect(promotions().at(-1)?.ask).toMatchObject({
      overrides: [{ guard: 'proven-down', reason: 'I pulled its cable' }],
      dryRun: false,
    });
  });

  it('every reader is told, in every language and theme, and nothing is wrong with the page', async () => {
    halt('healthy');
    await english.button('Try again …').waitFor();
    await shown.inspect('halted beside an active that answers', [
      'Start the services: `start` ended with 2',
      'It stopped: Start the services: `start` ended with 2.',
    ]);
    const gists = { 'pt-BR': /voltou a responder/, es: /vuelve a responder/ } as const;
    for (const [reader, gist] of Object.entries(gists)) {
      const heading = shown.visitors[reader as keyof typeof gists].page.getByRole('heading', { level: 1 });
      expect(await heading.textContent()).toMatch(gist);
    }
  });

  it('while the other node is down, going on is one click', async () => {
    halt('down');
    await english.button('Try again').click();
    await expect.poll(() => promotions().length).toBe(1);
  });
});
