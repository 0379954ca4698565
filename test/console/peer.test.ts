/** The link to the other node on the overview, in each of its states, and the pairing by hand. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { peerGoods } from '../../src-main/contract/peer.ts';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { doubledCode, peerUnpaired, peerUp } from '../unit/console/peer-double.ts';
import { type Doubled, doubled } from './fixtures/doubled.ts';

describeWithPeers('the console in a browser: the link to the other node', ['chromium'], () => {
  let console: Doubled;
  beforeAll(async () => {
    console = await doubled();
  });
  afterAll(() => console.end());

  const inState = (state: string) =>
    Promise.all(console.pages.map((page) => page.locator(`[data-peer=${state}]`).waitFor()));
  const names = ['XXXX-XXXX'];

  it('without a link the page says what is not protected', async () => {
    await inState('off');
    expect(await console.page.locator('[data-peer] li').count()).toBe(peerGoods.length);
    expect(await console.page.locator('[data-peer] button').count()).toBe(0);
    await console.inspect('peer off', names);
  });

  it('a wrong code is told in the dialog, the right one pairs', async () => {
    console.desk.change({ peer: peerUnpaired });
    await inState('unpaired');
    for (const page of console.pages) await page.locator('[data-peer] button').first().click();
    for (const page of console.pages) await page.locator('dialog input').fill('ABCD');
    for (const page of console.pages) await page.keyboard.press('Enter');
    for (const page of console.pages) await page.locator('dialog .problem').waitFor();
    await console.inspect('peer pairing dialog', names);
    await console.page.locator('dialog input').fill(doubledCode);
    await console.page.keyboard.press('Enter');
    await inState('up');
    await console.page.getByText('The two servers are paired.').waitFor();
    expect(console.desk.asked.at(-1)).toEqual({ call: 'pair.join', ask: { by: 'console', code: doubledCode } });
    for (const page of console.pages) await page.keyboard.press('Escape');
    for (const page of console.pages) await page.locator('dialog').waitFor({ state: 'detached' });
    await console.inspect('peer up', names);
  });

  it('shows a code, how many tries are left, and how it ended', async () => {
    const { page, desk } = console;
    desk.change({ peer: peerUnpaired });
    await inState('unpaired');
    await page.locator('[data-peer] button').first().click();
    await page.getByRole('button', { name: 'Show a code here' }).click();
    await page.getByText(doubledCode).waitFor();
    await inState('pairing');
    const open = { state: 'open', until: Date.now() + 500_000, triesLeft: 2 } as const;
    desk.change({ peer: { ...peerUnpaired, state: 'pairing', pairing: open } });
    await page.getByText('Wrong tries left: 2').waitFor();
    desk.change({ peer: { ...peerUp(Date.now()), pairing: { state: 'ended', paired: true, sentence: 'Paired.' } } });
    await page.getByText('The two servers are paired.').waitFor();
    await page.keyboard.press('Escape');
  });

  it('a link that is down says why; removing the pairing is asked twice', async () => {
    const { page, desk } = console;
    const trouble = 'Nobody listens on 192.0.2.1:7443: Estepe does not run there, or without a peer link.';
    desk.change({ peer: { ...peerUp(Date.now() - 90_000), state: 'down', trouble, unprotected: [...peerGoods] } });
    await inState('down');
    await console.inspect('peer down', names);
    await page.getByRole('button', { name: 'Remove the pairing' }).click();
    expect(desk.asked.at(-1)?.call).not.toBe('pair.remove');
    await page.getByRole('button', { name: 'Remove it now' }).click();
    await inState('unpaired');
    expect(desk.asked.at(-1)).toEqual({ call: 'pair.remove', ask: { by: 'console' } });
  });
});
