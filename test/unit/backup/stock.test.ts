/** What counts as the newest where a clock was wrong once. */
import { beforeEach, expect, it } from 'vitest';
import type { Backup } from '../../../src-main/backup/shelf.ts';
import { Facts } from '../../../src-main/backup/storeroom/facts.ts';
import type { StoreroomParts } from '../../../src-main/backup/storeroom/parts.ts';
import { Stock } from '../../../src-main/backup/storeroom/stock.ts';

const day = 86_400_000;
const now = Date.UTC(2026, 10, 24, 12);
const backup = (createdAt: number): Backup => ({
  ...{ name: new Date(createdAt).toISOString(), createdAt, size: 1, verified: true },
  proof: { epoch: 1 } as Backup['proof'],
});
const [future, fresh, old] = [backup(now + 400 * day), backup(now - 3600_000), backup(now - day)];

let facts: Facts;
let restoredAt: number;
let stock: Stock;
beforeEach(() => {
  facts = new Facts({ recall: () => null, remember: () => {} });
  const clock = { now: () => 0, wall: () => now };
  const restores = {
    restoredNow: () => ({ createdAt: restoredAt, verified: true }),
    restoredTimes: () => new Map(),
  };
  const config = () => ({ backup: {}, restore: null });
  stock = new Stock({ clock, restores, config } as unknown as StoreroomParts, facts);
});

it('the age of the backups is that of the newest which a right clock has dated', () => {
  stock.listed([future, fresh, old]);
  expect(stock.offset('active')).toMatchObject({ state: 'known', ageMs: 3600_000 });
  facts.change({ newestVerified: { name: future.name, createdAt: future.createdAt } });
  stock.verified(old.name, old.createdAt);
  expect(stock.offset('active').ageMs).toBe(day);
  stock.listed([future]);
  expect(stock.offset('active').state).toBe('known');
});

it('what stands here from the future is older than any other, and is not restored again and again', () => {
  restoredAt = future.createdAt;
  stock.read();
  expect(stock.newerThanRestored([future, fresh, old])).toBe(fresh.name);
  expect(stock.newerThanRestored([future])).toBeNull();
  restoredAt = fresh.createdAt;
  stock.read();
  expect(stock.newerThanRestored([future, fresh, old])).toBeNull();
});
