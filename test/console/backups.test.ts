/**
 * The page about backups, each of its states in all three languages, light and dark, wide and narrow. Shown by the desk double:
 * a real pair is not brought to most of them within a test's time.
 */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { BackupsView } from '../../src-main/contract/backups.ts';
import type { Snapshot } from '../../src-main/contract/snapshot.ts';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { backupsAt, backupsOff, rowsAt, workAt } from '../unit/console/backups-double.ts';
import { awaiting, healthySnapshot } from '../unit/console/desk-double.ts';
import { type Doubled, doubled } from './fixtures/doubled.ts';

const hour = 3_600_000;
const busy = 'a restore is under way; it can be cancelled';

describeWithPeers('the page about backups', ['chromium'], () => {
  let shown: Doubled;
  beforeAll(async () => {
    shown = await doubled();
    for (const page of shown.pages) await page.locator('nav a[href="#backups"]').click();
  });
  afterAll(() => shown.end());
  beforeEach(() => {
    const { version: _, at: __, ...healthy } = healthySnapshot(Date.now());
    shown.desk.change(healthy);
  });

  const region = (name: string) => shown.page.getByRole('region', { name });
  const change = (backups: Partial<BackupsView>, more: Partial<Snapshot> = {}) =>
    shown.desk.change({ ...more, backups: { ...backupsAt(Date.now()), ...backups } });

  /** The state, and what the English page says of it by the names of its parts. */
  type State = readonly [name: string, set: () => void, says: Readonly<Record<string, readonly (string | RegExp)[]>>];
  const states: readonly State[] = [
    [
      'all well',
      () => change({}),
      {
        'Offset: age of the restored data': [
          /within the bound\s+9 h 02 min old, at most 24 h/,
          /restored 7 h 00 min ago/,
          'manifest and SHA-256 of every file',
        ],
        Schedules: [
          'Every day at 01:00',
          'the active node makes the backups',
          /every day at 03:00, next in (3 h|2 h 59 min)/,
          'Europe/Madrid',
        ],
        'How the last ones ended': [/Backup\s+none yet/, /Restore\s+done/, 'by the schedule', 'restored and proven'],
        'Nothing is under way': ['Not now:', 'this node is the passive one'],
        'Stored backups (7)': [
          /9 h 00 min old/,
          '812 MB',
          'encrypted',
          'Restored here',
          'not verified',
          /restored \w+, \w+ \d+/,
        ],
      },
    ],
    [
      'restoring',
      () => change({ work: workAt(Date.now()), refusals: { backup: busy, verify: busy, restore: busy } }),
      { Restoring: ['fetching', '406 MB of 812 MB', '50 %', /for 1 min 1\d s/, 'by console'] },
    ],
    [
      'backing up, a setback, cancelling, no total yet',
      () =>
        change({
          work: workAt(Date.now(), {
            ...{ kind: 'backup', by: 'schedule', name: null, phase: 'source', bytes: 3_400_000, total: null },
            ...{ setback: 'attempt 1 failed, the next one in 5 s: the server closed the connection', cancelling: true },
          }),
          refusals: { backup: busy, verify: busy, restore: busy },
        }),
      {
        'Backing up': [
          'collecting the data',
          '3.4 MB',
          'by the schedule',
          'Trying again:',
          'closed the connection',
          'Cancelling …',
        ],
      },
    ],
    [
      'a phase of a later version',
      () => change({ work: workAt(Date.now(), { kind: 'verify', phase: 'defragment', bytes: 0, total: null }) }),
      { Verifying: ['defragment'] },
    ],
    [
      'near the bound',
      () => change({}, offset(19 * hour, true)),
      { 'Offset: age of the restored data': [/close to the bound\s+19 h 00 min old/] },
    ],
    [
      'too old',
      () => change({}, offset(25 * hour, true)),
      { 'Offset: age of the restored data': [/too old\s+1 d 1 h old, at most 24 h/] },
    ],
    [
      'not verified',
      () => change({}, offset(hour, false)),
      { 'Offset: age of the restored data': [/not verified\s+1 h 00 min old/] },
    ],
    [
      'no location configured',
      () =>
        shown.desk.change({
          backups: backupsOff(),
          offset: { state: 'not-kept', ageMs: null, maxMs: null, verified: false },
        }),
      { 'No place for backups is set': ['estepe.yaml', 'location:'], 'Offset: age of the restored data': ['Not kept'] },
    ],
    [
      'never listed',
      () => change({ rows: [], count: 0, listedAt: null, restored: null, last: none }, never),
      {
        'Stored backups': ['The list was not read yet.'],
        'Offset: age of the restored data': ['Nothing was restored here yet.'],
      },
    ],
    [
      'listing',
      () => change({ rows: [], count: 0, listedAt: null, listing: true, restored: null, last: none }, never),
      { 'Stored backups': ['Reading the list …'] },
    ],
    [
      'empty',
      () => change({ rows: [], count: 0, restored: null, last: none }, never),
      { 'Stored backups (0)': ['No backup is stored there yet.', /read at \d\d:\d\d:\d\d/] },
    ],
    [
      'the list could not be read',
      () =>
        change({
          listedAt: Date.now() - 2 * hour,
          listTrouble: {
            sentence: 'nas.example.com refuses the password of pbx.',
            todo: 'Write the new one to the secret.',
          },
        }),
      {
        'Stored backups (7)': [
          'The list could not be read.',
          'refuses the password',
          'To do: Write the new one',
          /What is shown is from .* \(2 h 00 min ago\)/,
          '812 MB',
        ],
      },
    ],
    [
      'ended badly and cancelled',
      () => {
        const at = Date.now() - 60_000;
        const end = { at, by: 'console', name: rowsAt(at, 1)[0]?.name ?? null, todo: '' };
        change({
          last: {
            backup: {
              ...end,
              ok: false,
              cancelled: false,
              sentence: 'There is no room at the location.',
              todo: 'Make room, or keep fewer.',
            },
            verify: { ...end, ok: false, cancelled: true, sentence: 'cancelled by console' },
            restore: {
              ...end,
              ok: false,
              cancelled: false,
              sentence: 'The archive is damaged: byte 77 of a.txt differs.',
              todo: 'Restore the one before it.',
            },
          },
        });
      },
      {
        'How the last ones ended': [
          /Backup\s+failed/,
          'no room at the location',
          'To do: Make room',
          /Verification\s+cancelled/,
          /Restore\s+failed/,
          '1 min 00 s ago',
        ],
      },
    ],
    [
      'schedules of other shapes, none, due now, never again',
      () =>
        change({
          schedules: {
            backup: null,
            restore: { cron: '0 1 1 * *', timeZone: 'America/Sao_Paulo', nextAt: null, whenNewer: false, paused: '' },
          },
        }),
      { Schedules: ['Not set: by hand only.', /on day 1 of every month.*never again/, 'America/Sao_Paulo'] },
    ],
    [
      'very long names',
      () => {
        const rows = rowsAt(Date.now(), 2).map((row, i) => ({ ...row, name: `${'long-'.repeat(40)}${i}.zip` }));
        change({
          ...{ rows, count: 2, location: `sftp://pbx@${'nas'.repeat(40)}.example.com/3CX_PBX_Backups` },
          restored: {
            name: rows[0]?.name ?? '',
            createdAt: Date.now(),
            restoredAt: Date.now(),
            proven: 'x'.repeat(900),
          },
          work: workAt(Date.now(), {
            name: rows[1]?.name ?? null,
            by: 'somebody-with-a-name-of-many-letters'.repeat(2),
          }),
        });
      },
      { 'Stored backups (2)': ['long-long'] },
    ],
    [
      'the newest was dated by a clock that was wrong',
      () => {
        const [first, ...rest] = rowsAt(Date.now(), 3);
        const createdAt = Date.now() + 400 * 24 * hour;
        change({ rows: first === undefined ? rest : [{ ...first, createdAt, restoredAt: null }, ...rest] });
      },
      { 'Stored backups (7)': ['dated in the future', /1 d 9 h old/] },
    ],
    [
      'two hundred of 512',
      () => change({ rows: rowsAt(Date.now(), 200), count: 512 }),
      { 'Stored backups (512)': ['The newest 200 of 512.', 'Show 180 older ones'] },
    ],
    [
      'the active is down meanwhile',
      () => shown.desk.change(awaiting(Date.now(), 290_000)),
      { 'The active server is down': ['This server takes over by itself in', /4:\d\d/] },
    ],
  ];
  const none = { backup: null, verify: null, restore: null };
  const never: Partial<Snapshot> = { offset: { state: 'never', ageMs: null, maxMs: 24 * hour, verified: false } };
  function offset(ageMs: number, verified: boolean): Partial<Snapshot> {
    return { offset: { state: 'known', ageMs, maxMs: 24 * hour, verified } };
  }

  it.each(states)('%s', async (name, set, says) => {
    set();
    for (const [part, texts] of Object.entries(says)) {
      const box = region(part).or(shown.page.getByRole('group', { name: part }));
      for (const text of texts) await box.filter({ hasText: text }).first().waitFor();
    }
    await shown.inspect(`backups ${name}`, ['nasnas']);
    expect(Object.values(shown.visitors).flatMap(({ complaints }) => complaints)).toEqual([]);
  });

  it('the dialog before a restore: what is replaced by what, and what speaks against it', async () => {
    change({});
    const { pages, page } = shown;
    for (const each of pages) await each.locator('tr[data-backup]').nth(3).locator('button').last().click();
    const dialog = page.getByRole('dialog', { name: 'Restore this backup here' });
    for (const text of [
      /Here now\s+9 h 00 min old/,
      /Here afterwards\s+3 d 9 h old/,
      'It is older than what stands here now',
      'It is older than the bound of 24 h',
      'It was never read back',
    ]) {
      await dialog.filter({ hasText: text }).waitFor();
    }
    await shown.inspect('backups restore dialog');
    for (const each of pages) await each.keyboard.press('Escape');
    await page
      .locator('tr[data-backup]')
      .first()
      .getByRole('button', { name: /^Restore:/ })
      .click();
    await dialog.filter({ hasText: 'stands here already' }).waitFor();
    expect(await dialog.innerText()).not.toContain('older');
    await page.keyboard.press('Escape');
  });

  it('the dialog before a restore of what is dated in the future gives it no age, and says why', async () => {
    const [first] = rowsAt(Date.now(), 1);
    if (first === undefined) throw new Error('there is one');
    const { page } = shown;
    change({ rows: [{ ...first, name: 'of-2028.zip', createdAt: Date.now() + 400 * 24 * hour }], count: 1 });
    await page.getByRole('button', { name: 'Restore: of-2028.zip' }).click();
    const dialog = page.getByRole('dialog', { name: 'Restore this backup here' });
    await dialog.filter({ hasText: 'dated by a clock that was wrong' }).waitFor();
    await dialog.filter({ hasText: /Here afterwards\s+dated in the future/ }).waitFor();
    await page.keyboard.press('Escape');
  });

  it('the gauge of each kind looks different, and says so in words', async () => {
    const looks: string[] = [];
    for (const [kind, state] of [
      ['within', offset(9 * hour, true)],
      ['near', offset(19 * hour, true)],
      ['unverified', offset(9 * hour, false)],
    ] as const) {
      change({}, state);
      const card = shown.page.locator(`[data-gauge=${kind}]`);
      const fill = card.locator('.fill');
      looks.push(
        await fill.evaluate(
          (box) => `${getComputedStyle(box).backgroundColor} ${getComputedStyle(box).backgroundImage}`,
        ),
      );
      looks.push((await card.locator('.look').innerText()).trim());
    }
    expect(new Set(looks).size).toBe(6);
  });

  it('at 360 px the list is still a table to whoever hears it', async () => {
    change({});
    const { page } = shown;
    await page.setViewportSize({ width: 360, height: 740 });
    const table = page.getByRole('table', { name: /^Stored backups/ });
    expect(await table.getByRole('row').count()).toBe(8);
    expect(await table.getByRole('columnheader').allInnerTexts()).toEqual(['Age, made at', 'Size', 'State', 'Actions']);
    expect(await table.getByRole('row').nth(1).getByRole('cell').count()).toBe(3);
    await page.setViewportSize({ width: 1180, height: 900 });
  });
});
