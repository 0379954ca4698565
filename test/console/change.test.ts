/** Switchover, failback and standing down by the page: the plan with its point of no return, overrides by name, the order that is sent. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { healthySnapshot } from '../unit/console/desk-double.ts';
import { peerUp } from '../unit/console/peer-double.ts';
import { type Doubled, doubled } from './fixtures/doubled.ts';

describeWithPeers('the console in a browser: changes of roles', ['chromium'], () => {
  let console: Doubled;
  beforeAll(async () => {
    console = await doubled();
  });
  afterAll(() => console.end());

  const core = (phase: 'watching' | 'active') => ({ ...healthySnapshot(Date.now()).core, phase });
  const opened = async (kind: string) => {
    for (const page of console.pages) await page.locator(`[data-peer] [data-change=${kind}]`).click();
    for (const page of console.pages) await page.locator(`form[data-change=${kind}] ol li`).first().waitFor();
  };
  const closed = async () => {
    for (const page of console.pages) await page.keyboard.press('Escape');
    for (const page of console.pages) await page.locator('dialog').waitFor({ state: 'detached' });
  };
  const asksOf = (call: string) => console.desk.asked.filter((each) => each.call === call).map(({ ask }) => ask);

  it('G6 switchover: plan with its point of no return, the guard by name with a reason, sent once', async () => {
    const { page, desk } = console;
    desk.change({ core: core('watching'), peer: peerUp(Date.now()) });
    await opened('switchover');
    expect(asksOf('switchover')).toEqual(
      Array(3).fill({
        ...{ kind: 'switchover', by: 'console', reason: '', overrides: [], dryRun: true, whenIdle: false },
      }),
    );
    const lines = await page.locator('form[data-change] ol > li').allInnerTexts();
    expect(lines.map((line) => line.trim())).toEqual([
      'Have the other node make a final backup',
      'From here on it is not taken back by itself',
      'Claim the epoch',
      'Start the services',
    ]);
    const go = page.getByRole('button', { name: 'Switch over', exact: true });
    expect(await go.isDisabled()).toBe(true);
    await page.getByLabel('Wait until no call is active').check();
    await page.getByText('Wait until no call is active on the other node').waitFor();
    await page.getByLabel('I have read the plan').check();
    expect(await go.isDisabled()).toBe(true);
    await page.locator('[data-override=newer-data-here] input[type=checkbox]').check();
    await console.inspect('switchover dialog');
    await page.locator('[data-override=newer-data-here] input[type=text]').fill('given up');
    await go.dblclick();
    await page.locator('dialog').waitFor({ state: 'detached' });
    const sent = asksOf('switchover').filter((ask) => (ask as { dryRun: boolean }).dryRun === false);
    expect(sent).toEqual([
      {
        ...{ kind: 'switchover', by: 'console', reason: '', dryRun: false, whenIdle: true },
        overrides: [{ guard: 'newer-data-here', reason: 'given up' }],
      },
    ]);
    await closed();
  });

  it('G6 the old active is led home', async () => {
    const { desk } = console;
    const { nodes } = healthySnapshot(Date.now());
    const turned = nodes.map((node) => ({ ...node, self: node.place === 'active' }));
    desk.change({ core: core('watching'), nodes: turned, peer: peerUp(Date.now()) });
    await opened('failback');
    await console.inspect('failback dialog');
    await closed();
    expect(asksOf('switchover').at(-1)).toMatchObject({ kind: 'failback', dryRun: true });
  });

  it('an active node stands down once that was read and confirmed', async () => {
    const { page, desk } = console;
    desk.change({ core: core('active'), nodes: healthySnapshot(Date.now()).nodes, peer: peerUp(Date.now()) });
    await opened('stand-down');
    await console.inspect('stand-down dialog');
    expect(await page.getByLabel('Wait until no call is active').count()).toBe(0);
    await page.getByLabel('I have read the plan').check();
    await page.getByRole('button', { name: 'Stand down', exact: true }).click();
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(asksOf('standDown').at(-1)).toEqual({ by: 'console', reason: '', overrides: [], dryRun: false });
    await closed();
  });

  it('what was refused is said, and the dialog stays with what is in the way now', async () => {
    const { page, desk } = console;
    desk.change({ core: core('watching'), nodes: healthySnapshot(Date.now()).nodes, peer: peerUp(Date.now()) });
    await opened('switchover');
    const asked = asksOf('switchover').length;
    const real = desk.switchover;
    desk.switchover = (ask) => real({ ...ask, overrides: [] });
    await page.getByLabel('I have read the plan').check();
    await page.locator('[data-override=newer-data-here] input[type=checkbox]').check();
    await page.locator('[data-override=newer-data-here] input[type=text]').fill('given up');
    await page.getByRole('button', { name: 'Switch over', exact: true }).click();
    await page.locator('dialog .problem').waitFor();
    expect(await page.locator('dialog .problem').innerText()).toContain('newer-data-here');
    // asked, and looked again
    await page.locator('[data-override=newer-data-here]').waitFor();
    expect(asksOf('switchover').length).toBe(asked + 2);
    desk.switchover = real;
    await closed();
  });
});
