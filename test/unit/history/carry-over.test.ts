import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type CarryOver, carryOver } from '../../../src-main/history/carry-over.ts';
import { lookInto, newHistory, noon, ownFolder } from './workbench.ts';

function threadFor(file: string): CarryOver {
  const thread = carryOver(file);
  onTestFinished(() => thread.end());
  return thread;
}

/** What the file holds without its log. */
function epochWithoutLog(file: string): unknown {
  const copy = join(ownFolder(), 'estepe.db');
  copyFileSync(file, copy);
  return lookInto(copy, (db) => db.prepare('SELECT epoch FROM standing').pluck().get());
}

it('what the log holds is in the file afterwards, each time, while the history goes on writing', async () => {
  const history = newHistory();
  const thread = threadFor(history.file);
  history.saveStanding({ role: 'passive', epoch: 1, since: noon });
  expect(await thread.run()).toBe(true);
  expect(epochWithoutLog(history.file)).toBe(1);
  history.saveStanding({ role: 'passive', epoch: 2, since: noon });
  expect(epochWithoutLog(history.file)).toBe(1);
  const running = thread.run();
  history.saveStanding({ role: 'passive', epoch: 3, since: noon });
  expect(await running).toBe(true);
  expect(await thread.run()).toBe(true);
  expect(epochWithoutLog(history.file)).toBe(3);
  expect(history.trouble()).toBeNull();
});

it('where that thread cannot do it, it says so and is not tried again', async () => {
  const thread = threadFor(join(ownFolder(), 'nowhere.db'));
  expect([await thread.run(), await thread.run()]).toEqual([false, false]);
});

it('its end leaves a history that closes in order', async () => {
  const history = newHistory();
  const thread = carryOver(history.file);
  history.saveStanding({ role: 'active', epoch: 4, since: noon });
  await thread.run();
  await thread.end();
  history.close();
  expect(epochWithoutLog(history.file)).toBe(4);
});
