/** What is told to people: written before and after each attempt, over a restart, from an older file, and through damage. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { NewDelivery } from '../../../src-main/history/deliveries.ts';
import { openHistory } from '../../../src-main/history/history.ts';
import { migrations } from '../../../src-main/history/schema.ts';
import { day, lookInto, newHistory, noon, opened, ownFolder } from './workbench.ts';

const one: NewDelivery = {
  channel: 'email',
  key: 'isolated',
  severity: 'alert',
  text: 'cut off',
  toldAt: noon,
  life: 'a',
};

it('an attempt that was begun is open until its end is written, also for the next start', () => {
  const file = join(ownFolder(), 'estepe.db');
  const first = openHistory(file);
  const [id = 0, other = 0] = first.deliveries.add([one, { ...one, channel: 'webhook', toldAt: noon + 0.4 }]);
  first.deliveries.trying([id], noon + 5.6);
  first.close();
  const { deliveries } = opened(file);
  expect(deliveries.waiting()).toEqual([
    {
      ...{
        ...one,
        id,
        state: 'waiting',
        attempts: 1,
        triedAt: noon + 6,
        dueAt: noon,
        open: true,
        said: '',
        reached: [],
      },
    },
    expect.objectContaining({ id: other, channel: 'webhook', attempts: 0, triedAt: null, open: false, toldAt: noon }),
  ]);
  deliveries.ended([id], { state: 'waiting', dueAt: noon + 10_000, said: 'no', reached: ['x'] });
  expect(deliveries.waiting()[0]).toMatchObject({ open: false, said: 'no', reached: ['x'], dueAt: noon + 10_000 });
  deliveries.ended([id, other], { state: 'sent', dueAt: noon, said: '250', reached: [] });
  expect(deliveries.waiting()).toEqual([]);
  expect(deliveries.list(1)).toMatchObject([{ id: other, state: 'sent', said: '250' }]);
});

it('what has ended goes after ninety days, what waits stays', () => {
  const { deliveries } = newHistory();
  const [gone = 0, waits = 0] = deliveries.add([one, one]);
  deliveries.ended([gone], { state: 'given-up', dueAt: noon, said: '', reached: [] });
  deliveries.add([{ ...one, toldAt: noon + 90 * day }]);
  expect(deliveries.list(9)).toHaveLength(3);
  deliveries.add([{ ...one, toldAt: noon + 91 * day }]);
  expect(deliveries.list(9).map(({ id }) => id)).not.toContain(gone);
  expect(deliveries.waiting().map(({ id }) => id)).toContain(waits);
});

it('a file of the version before gets the table', () => {
  const file = join(ownFolder(), 'estepe.db');
  openHistory(file, { migrations: migrations.filter(({ version }) => version < 3) }).close();
  const { deliveries } = opened(file);
  expect(deliveries.list(9)).toEqual([]);
  deliveries.add([one]);
  expect(deliveries.waiting()).toHaveLength(1);
});

it('what waits is saved from a damaged file, and said', () => {
  const file = join(ownFolder(), 'estepe.db');
  const first = openHistory(file);
  const [sent = 0] = first.deliveries.add([one, { ...one, text: 'still waits' }]);
  first.deliveries.ended([sent], { state: 'sent', dueAt: noon, said: '', reached: [] });
  first.close();
  // another table of the same file
  const [page = 0] = lookInto(file, (db) =>
    db.prepare<[], number>(`SELECT pageno FROM dbstat WHERE name = 'claim'`).pluck().all(),
  );
  const bytes = readFileSync(file);
  bytes.fill(0xa5, (page - 1) * 4096, page * 4096);
  writeFileSync(file, bytes);
  const history = opened(file, { onDamage: 'set-aside', wall: () => noon });
  expect(history.notice?.sentence).toContain('1 message that waits to be sent');
  expect(history.deliveries.list(9)).toMatchObject([{ text: 'still waits', state: 'waiting' }]);
});
