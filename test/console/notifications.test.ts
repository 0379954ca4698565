/** The page of notifications: no channel, channels in each state, a test that gets through and one that does not; in each language, light and dark. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { notifyOff, someChannels, someDeliveries } from '../unit/console/notify-double.ts';
import { type Doubled, doubled } from './fixtures/doubled.ts';

describeWithPeers('the console in a browser: notifications', ['chromium'], () => {
  let console: Doubled;
  beforeAll(async () => {
    console = await doubled();
    for (const page of console.pages) await page.locator('nav a[href="#notifications"]').click();
  });
  afterAll(() => console.end());

  const names = ['example.com', 'Webhook', 'notify'];
  const tests = () => console.desk.asked.filter(({ call }) => call === 'notify.test');

  it('without a channel the page says that nobody is told', async () => {
    await console.page.getByText('Nobody is told: no channel is configured.').waitFor();
    await console.page.getByText('Nothing has been sent yet.').waitFor();
    expect(await console.page.title()).toContain('Notifications');
    await console.inspect('notifications none', names);
  });

  it('each channel with where it leads and whether it gets through; the last messages with what became of them', async () => {
    const now = Date.now();
    console.desk.notify.show(someDeliveries(now));
    console.desk.change({ notify: someChannels(now) });
    const { page } = console;
    for (const [name, standing] of [
      ['desktop', 'new'],
      ['email', 'works'],
      ['webhook', 'failing'],
    ])
      await Promise.all(
        console.pages.map((one) => one.locator(`[data-channel=${name}][data-standing=${standing}]`).waitFor()),
      );
    const webhook = await page.locator('[data-channel=webhook]').innerText();
    expect(webhook).toContain('answered 502: Bad Gateway (look at the service there)');
    expect(webhook).toContain('Waiting: 2; tried again at');
    // what was mended is no failure any more
    expect(await page.locator('[data-channel=email]').innerText()).not.toContain('ECONNREFUSED');
    await Promise.all(console.pages.map((one) => one.locator('[data-delivery="4"]').waitFor()));
    const shown = await page.locator('[data-delivery]').evaluateAll((all) => all.map((one) => one.dataset.state));
    expect(shown).toEqual(['waiting', 'sent', 'sent', 'given-up']);
    await console.inspect('notifications', names);
  });

  it('a test is sent once however often it is clicked, and what was answered is shown', async () => {
    const { page } = console;
    let answered = (): void => {};
    const held = new Promise<void>((go) => {
      answered = go;
    });
    console.desk.notify.answer = async () => {
      await held;
      return { results: [{ channel: 'email', sent: true, said: '250 queued as 4712', todo: '', ms: 120 }] };
    };
    const button = page.locator('[data-channel=email] button');
    await button.click();
    await page.getByText('Sending …').waitFor();
    await button.click({ force: true });
    answered();
    await page.locator('[data-answer=sent]').waitFor();
    expect(await page.locator('[data-answer]').innerText()).toContain('250 queued as 4712');
    expect(tests()).toEqual([{ call: 'notify.test', ask: { by: 'console', channel: 'email' } }]);
  });

  it('one that is not sent says why, and what to do', async () => {
    const { page } = console;
    const said = 'notify-send is not installed on this machine';
    const todo = 'install it (Debian: libnotify-bin)';
    console.desk.notify.answer = async () => ({ results: [{ channel: 'desktop', sent: false, said, todo, ms: 80 }] });
    for (const one of console.pages) await one.locator('[data-channel=desktop] button').click();
    await Promise.all(console.pages.map((one) => one.locator('[data-answer=failed]').waitFor()));
    expect(await page.locator('[data-channel=desktop]').innerText()).toContain(`${said} (${todo})`);
    await console.inspect('notifications test', names);
  });

  it('what was sent meanwhile is fetched anew', async () => {
    const now = Date.now();
    const [first, ...others] = someDeliveries(now);
    if (first === undefined) throw new Error('no delivery');
    console.desk.notify.show([{ ...first, state: 'sent', said: 'answered 200' }, ...others]);
    console.desk.change({ notify: { ...someChannels(now), changes: 4 } });
    await console.page.locator('[data-delivery="4"][data-state=sent]').waitFor();
    console.desk.change({ notify: notifyOff });
    await console.page.getByText('Nobody is told').waitFor();
  });
});
