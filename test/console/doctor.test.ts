/** The doctor's page: never looked, looking, and what was found, in each language, light and dark, wide and narrow. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { doctorAreas } from '../../src-main/contract/doctor.ts';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { reportOf, someChecks } from '../unit/console/doctor-double.ts';
import { type Doubled, doubled } from './fixtures/doubled.ts';

describeWithPeers('the console in a browser: the doctor', ['chromium'], () => {
  let console: Doubled;
  beforeAll(async () => {
    console = await doubled();
    for (const page of console.pages) await page.locator('nav a[href="#doctor"]').click();
  });
  afterAll(() => console.end());

  const inState = (state: string) =>
    Promise.all(console.pages.map((page) => page.locator(`[data-doctor=${state}]`).waitFor()));
  const names = ['192.0.2.', 'OK'];

  it('before the first look the page says so, and the button begins one', async () => {
    await inState('ended');
    await console.page.getByText('Nothing has been looked at since Estepe started.').waitFor();
    expect(await console.page.title()).toContain('Doctor');
    await console.inspect('doctor never', names);
    await console.page.getByRole('button', { name: 'Look now' }).click();
  });

  it('a look under way shows how far it is, and the button begins no second one', async () => {
    await inState('running');
    expect(console.desk.asked.filter(({ call }) => call === 'doctor.start')).toHaveLength(1);
    await console.page.getByText('Looking: 3 of 15 done').waitFor();
    await console.inspect('doctor looking', names);
    await console.page.locator('button.main').click({ force: true });
    expect(console.desk.asked.filter(({ call }) => call === 'doctor.start')).toHaveLength(1);
  });

  it('what is wrong comes first, with the evidence and what to do', async () => {
    console.desk.doctor.show({ running: null, report: reportOf(someChecks, Date.now() - 5_000) });
    await inState('ended');
    const { page } = console;
    await page.locator('[data-area]').first().waitFor();
    expect(
      await page.locator('[data-area]').evaluateAll((all) => all.map((one) => one.getAttribute('data-area'))),
    ).toEqual(['names', 'certificate', 'addresses', 'ports']);
    const wrong = page.locator('[data-check="names.inside"]');
    expect(await wrong.innerText()).toContain('points at the passive node (192.0.2.2)');
    expect(await wrong.innerText()).toContain('Restart the 3CX System service on the active node (192.0.2.1)');
    await page.getByText('Problems: 1').waitFor();
    await console.inspect('doctor found', names);
    await page.getByRole('button', { name: 'Look again' }).click();
    await inState('running');
    // what was found before stays in sight while it looks
    expect(await wrong.isVisible()).toBe(true);
  });

  it('every area has its words', async () => {
    const checks = doctorAreas.map(
      (area) => ({ id: `${area}.x`, area, state: 'ok', sentence: 'x', evidence: '', todo: '' }) as const,
    );
    console.desk.doctor.show({ running: null, report: reportOf(checks, Date.now()) });
    await console.page.locator('[data-area=firewall]').waitFor();
    await inState('ended');
    await console.inspect('doctor areas', names);
  });
});
