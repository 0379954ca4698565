/** The storeroom on real folders: who does what, by schedule and by order, and what is said of it. Time is wound by hand. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeTurn } from '../../../src-main/backup/work-of-config.ts';
import { until } from '../../peers/fixtures/until.ts';
import { day, hereFile, hour, minute, type Node, Pair } from './storeroom-bench.ts';

let pair: Pair;
beforeEach(() => {
  pair = new Pair();
});
afterEach(() => pair.end());

const stored = () => {
  const nas = pair.bench.at('nas');
  return existsSync(nas) ? readdirSync(nas).filter((name) => name.endsWith('.zip')) : [];
};
const by = 'an admin';
const bySchedule = { restore: '  whenNewer: false' };

/** A backup by order, and with `passive` its restore. */
async function fresh(active: Node, passive?: Node): Promise<void> {
  expect(active.room.desk.run({ by })).toMatchObject({ accepted: true });
  await active.quiet();
  expect(active.last('backup')).toMatchObject({ ok: true, by });
  if (passive === undefined) return;
  expect(passive.room.desk.restore({ by, name: null })).toMatchObject({ accepted: true });
  await passive.quiet();
  expect(passive.last('restore')).toMatchObject({ ok: true, by });
}

/** The location is a file for as long as it is away. */
function nasAway(): void {
  renameSync(pair.bench.at('nas'), pair.bench.at('nas-away'));
  writeFileSync(pair.bench.at('nas'), '');
}
function nasBack(): void {
  rmSync(pair.bench.at('nas'));
  renameSync(pair.bench.at('nas-away'), pair.bench.at('nas'));
}

describe('storeroom', () => {
  it('the active makes backups and the passive restores them, each at its time; both know how old the data is', async () => {
    const active = await pair.node('active').start();
    const passive = await pair.node('passive', bySchedule).start();
    expect(passive.room.data()).toEqual({ state: 'never' });
    expect(active.room.view().schedules).toMatchObject({
      backup: { cron: '0 1 * * *', timeZone: 'Europe/Madrid', nextAt: Date.UTC(2026, 2, 2), paused: '' },
      restore: { nextAt: null, paused: expect.stringContaining('the passive one restores') },
    });
    await pair.pass(day + 3 * hour);
    expect(active.rules('backup.begun', 'backup.done')).toEqual(['backup.begun', 'backup.done']);
    expect(active.last('backup')).toMatchObject({ ok: true, by: 'schedule', cancelled: false, todo: '' });
    expect(stored()).toHaveLength(1);
    expect(passive.last('restore')).toMatchObject({ ok: true, by: 'schedule', name: stored()[0] });
    expect(readFileSync(hereFile(pair), 'utf8')).toBe('first');
    const { rows, restored, count } = passive.room.view();
    expect(rows).toMatchObject([{ name: stored()[0], verified: true, restoredAt: Date.UTC(2026, 2, 2, 2) }]);
    expect({ count, restored }).toMatchObject({ count: 1, restored: { createdAt: Date.UTC(2026, 2, 2) } });
    expect(passive.room.offset()).toEqual({ state: 'known', ageMs: 3 * hour, maxMs: day, verified: true });
    expect(active.room.offset()).toEqual({ state: 'known', ageMs: 3 * hour, maxMs: day, verified: true });
    pair.write('second');
    await pair.pass(day);
    expect(readFileSync(hereFile(pair), 'utf8')).toBe('second');
    expect(passive.room.offset()).toMatchObject({ ageMs: 3 * hour });
  });

  it('D1 three quarters of the bound are told once, the bound itself once, and that it is good again; not anew by a restart', async () => {
    const config = { backup: '  schedule: "0 0 1 1 *"', restore: '  schedule: "0 0 1 1 *"' };
    const active = await pair.node('active', config).start();
    const passive = await pair.node('passive', config).start();
    await fresh(active, passive);
    const keys = (node: Node) => node.told.map(({ key }) => key).filter((key) => key.startsWith('offset.'));
    await pair.pass(18 * hour - minute);
    expect([...keys(active), ...keys(passive)]).toEqual([]);
    await pair.pass(2 * minute);
    expect([keys(active), keys(passive)]).toEqual([['offset.late'], ['offset.late']]);
    await pair.pass(6 * hour - 2 * minute);
    expect(passive.room.data()).toEqual({ state: 'known', ageMs: day - minute, verified: true });
    expect(keys(passive)).toEqual(['offset.late']);
    await pair.pass(2 * minute);
    expect(passive.room.data()).toEqual({ state: 'known', ageMs: day + minute, verified: true });
    expect(keys(passive)).toEqual(['offset.late', 'offset.over']);
    expect(passive.told.at(-1)?.text).toMatch(
      /^The data restored here is 1 d 0 h .* more than the bound of 24 h\. .*restored-data/,
    );
    await passive.reborn();
    await pair.pass(2 * hour);
    expect(keys(passive)).toHaveLength(2);
    await fresh(active, passive);
    await pair.pass(minute);
    expect(keys(passive)).toEqual(['offset.late', 'offset.over', 'offset.recovered']);
    expect(keys(active)).toEqual(['offset.late', 'offset.over', 'offset.recovered']);
    const told = passive.events().filter(({ kind, rule }) => kind === 'alert' && rule.startsWith('offset.'));
    expect(told.map(({ severity }) => severity)).toEqual(['warning', 'alert', 'info']);
  });

  it('a backup a day that comes every night is told to nobody; a night without one is, within the hour', async () => {
    const active = await pair.node('active').start();
    const passive = await pair.node('passive', { restore: '  poll: 1h' }).start();
    await fresh(active, passive);
    const told = () => [...active.told, ...passive.told].map(({ key }) => key);
    await pair.pass(day + 3 * hour);
    await pair.pass(day);
    await pair.pass(day);
    expect(passive.room.offset()).toMatchObject({ ageMs: 3 * hour });
    expect(told()).toEqual([]);
    await active.room.close();
    await pair.pass(21 * hour + minute);
    // The bound is the bound: patience is for telling only.
    expect(passive.room.data()).toMatchObject({ ageMs: day + minute });
    expect(told()).toEqual([]);
    await pair.pass(hour);
    expect(told()).toEqual(['offset.over']);
  });

  it('a restore that the schedule brings too late is told before', async () => {
    const active = await pair.node('active').start();
    const passive = await pair.node('passive', bySchedule).start();
    await fresh(active, passive);
    await pair.pass(day + 3 * hour);
    const begin = passive.told.length;
    await pair.pass(day);
    const keys = (node: Node) => node.told.map(({ key }) => key);
    expect(keys(active)).toEqual([]);
    expect(keys(passive).slice(begin)).toEqual(['offset.late', 'offset.over', 'offset.recovered']);
    expect(passive.told[begin]?.text).toContain('The next restore is due in 8 h');
  });

  it('what was never restored, or backed up, is told too when its time is over', async () => {
    const config = { backup: '  schedule: "0 0 1 1 *"', restore: '  schedule: "0 0 1 1 *"' };
    const passive = await pair.node('passive', config).start();
    await pair.pass(25 * hour);
    expect(passive.told.map(({ key }) => key)).toEqual(['offset.late', 'offset.over']);
    expect(passive.told[1]?.text).toContain('Nothing has been restored here for 1 d 0 h');
  });

  it('D5 a failed night: again after 10 and after 30 minutes, then it is told, once; and when it works again', async () => {
    const active = await pair.node('active').start();
    await fresh(active);
    nasAway();
    await pair.pass(day - minute);
    await pair.pass(2 * minute);
    const told = () => active.told.map(({ key }) => key).filter((key) => key.startsWith('backup.'));
    const failures = () => active.events().filter(({ rule }) => rule === 'backup.failed');
    expect(failures()).toMatchObject([{ severity: 'warning', reason: expect.stringContaining('again in 10 min') }]);
    await pair.pass(11 * minute);
    expect(failures()).toHaveLength(2);
    expect(told()).toEqual([]);
    await pair.pass(31 * minute);
    expect(failures()).toHaveLength(3);
    expect(failures()[2]).toMatchObject({ kind: 'alert', severity: 'alert' });
    expect(told()).toEqual(['backup.failed']);
    const { last, listTrouble, count } = active.room.view();
    expect(last.backup).toMatchObject({ ok: false, cancelled: false, todo: expect.stringMatching(/./) });
    expect({ listTrouble, count }).toEqual({
      listTrouble: expect.objectContaining({ todo: expect.any(String) }),
      count: 1,
    });
    await pair.pass(day);
    expect(told()).toEqual(['backup.failed']);
    nasBack();
    await pair.pass(day);
    expect(told()).toEqual(['backup.failed', 'backup.recovered']);
  });

  it('a second try that works ends it quietly', async () => {
    const active = await pair.node('active').start();
    await fresh(active);
    nasAway();
    await pair.pass(day + minute);
    nasBack();
    await pair.pass(20 * minute);
    expect(active.rules('backup.failed', 'backup.done')).toEqual(['backup.done', 'backup.failed', 'backup.done']);
    expect(active.told.filter(({ key }) => key.startsWith('backup'))).toEqual([]);
  });

  it('orders: refused in words by role and while something is under way; cancelled by a person, nothing is left', async () => {
    const active = await pair.node('active', { backup: sourceThatWaits() }).start();
    const passive = await pair.node('passive').start();
    expect(passive.room.desk.run({ by })).toEqual({ accepted: false, reason: expect.stringContaining('passive one') });
    expect(active.room.desk.restore({ by, name: null }).reason).toContain(
      'would overwrite the data that it serves with',
    );
    expect(active.room.desk.cancel({ by })).toEqual({ accepted: false, reason: 'nothing is under way' });
    expect(active.room.desk.run({ by }).accepted).toBe(true);
    expect(active.room.desk.verify({ by, name: null })).toEqual({
      accepted: false,
      reason: 'A backup is under way; one at a time.',
    });
    await until('the source waits', () => existsSync(pair.bench.at('waits')));
    expect(active.room.view().work).toMatchObject({ kind: 'backup', by, phase: 'source', cancelling: false });
    expect(active.room.desk.cancel({ by }).accepted).toBe(true);
    expect(active.room.view().work?.cancelling).toBe(true);
    await active.quiet();
    expect(active.last('backup')).toMatchObject({ ok: false, cancelled: true });
    expect(readdirSync(join(active.folder.spool)).filter((name) => name === 'backup')).toEqual([]);
    expect(active.rules('order.backup', 'order.cancel-work', 'backup.cancelled')).toEqual([
      'order.backup',
      'order.cancel-work',
      'backup.cancelled',
    ]);
    expect(active.told).toEqual([]);
  });

  it('one that the command line makes at the same time is waited for', async () => {
    const active = await pair.node('active').start();
    const turn = await until('the turn', () => attempted(() => takeTurn(active.folder)));
    try {
      expect(active.room.desk.run({ by })).toEqual({
        accepted: false,
        reason: expect.stringContaining('Another backup'),
      });
      await pair.pass(day + hour);
      expect(active.last('backup')).toBeNull();
    } finally {
      turn.release();
    }
    await pair.pass(minute);
    expect(active.last('backup')).toMatchObject({ ok: true, by: 'schedule' });
  });

  it('promoted: its backups begin at their next time and restores stop, both at once; stood down, the other way round, but not over what it served with', async () => {
    const active = await pair.node('active').start();
    const passive = await pair.node('passive', bySchedule).start();
    await fresh(active, passive);
    await active.close();
    passive.role = 'active';
    passive.room.look();
    expect(passive.room.view().schedules).toMatchObject({
      backup: { nextAt: Date.UTC(2026, 2, 2), paused: '' },
      restore: { nextAt: null, paused: expect.stringMatching(/./) },
    });
    await passive.quiet();
    const restores = passive.rules('restore.begun').length;
    // what is backed up here stands in the very folder that was restored
    passive.config = passive.configured({ backup: `  keep: 3`, ...bySchedule });
    await pair.pass(day + hour);
    expect(passive.last('backup')).toMatchObject({ by: 'schedule' });
    passive.role = 'passive';
    passive.room.look();
    expect(passive.room.view().schedules.backup?.nextAt).toBeNull();
    await pair.pass(3 * hour);
    expect(passive.rules('restore.begun').length).toBe(restores);
    expect(passive.room.troubles().map(({ key }) => key)).toContain('restore-held');
    expect(passive.room.desk.restore({ by, name: null }).accepted).toBe(true);
    await passive.quiet();
    expect(passive.rules('restore.begun').length).toBe(restores + 1);
    expect(passive.room.troubles().map(({ key }) => key)).not.toContain('restore-held');
  });

  it('while a runbook is open nothing begins; what fell due meanwhile begins after it', async () => {
    const active = await pair.node('active').start();
    active.runbook = true;
    active.room.look();
    expect(active.room.desk.run({ by }).reason).toContain('A runbook is open');
    expect(active.room.view().schedules.backup).toMatchObject({
      nextAt: null,
      paused: expect.stringContaining('runbook'),
    });
    await pair.pass(day + hour);
    expect(active.last('backup')).toBeNull();
    active.runbook = false;
    active.room.look();
    await pair.pass(minute);
    expect(active.last('backup')).toMatchObject({ ok: true, by: 'schedule' });
  });

  it('D4 a promotion during a restore waits until it is taken back; the old data stands, known and proven', async () => {
    const active = await pair.node('active').start();
    const passive = await pair.node('passive').start();
    await fresh(active, passive);
    pair.write('second');
    await pair.pass(hour);
    await fresh(active);
    passive.config = passive.configured({
      restore: `  before: [ [ sh, -c, "touch ${pair.bench.at('waits')}; sleep 600" ] ]`,
    });
    expect(passive.room.desk.restore({ by, name: null }).accepted).toBe(true);
    await until('the restore is at its swap', () => existsSync(pair.bench.at('waits')));
    passive.runbook = true;
    passive.room.look();
    let settled = false;
    const waiting = passive.room.settled(new AbortController().signal).then(() => {
      settled = true;
    });
    expect(settled).toBe(false);
    await waiting;
    expect(passive.room.view().work).toBeNull();
    expect(passive.last('restore')).toMatchObject({ ok: false, cancelled: true });
    expect(readFileSync(hereFile(pair), 'utf8')).toBe('first');
    expect(readdirSync(pair.bench.at('here'))).toEqual(['pbx']);
    expect(passive.room.data()).toMatchObject({ state: 'known', verified: true, ageMs: hour });
    expect(passive.room.view().restored?.createdAt).toBe(Date.UTC(2026, 2, 1));
  });

  it('as soon as a newer one is seen, where that is chosen; one that fails for good is not tried for ever', async () => {
    const active = await pair.node('active').start();
    const config = { restore: '  schedule: "0 0 1 1 *"\n  whenNewer: true\n  poll: 2m' };
    const passive = await pair.node('passive', config).start();
    await fresh(active);
    await pair.pass(3 * minute);
    expect(passive.last('restore')).toMatchObject({ ok: true, by: 'schedule' });
    await pair.pass(hour);
    expect(passive.rules('restore.begun')).toHaveLength(1);
    await fresh(active);
    const newest = stored().sort().at(-1) ?? '';
    const bytes = readFileSync(pair.bench.at('nas', newest));
    bytes.fill(0, 100, 300);
    writeFileSync(pair.bench.at('nas', newest), bytes);
    await pair.pass(5 * hour);
    // the first, then this one once
    expect(passive.rules('restore.begun')).toHaveLength(2);
    expect(passive.told.map(({ key }) => key)).toEqual(['restore.failed']);
    expect(passive.told[0]?.text).toContain(newest);
    expect(passive.room.view().rows[0]).toMatchObject({ name: newest, verified: false });
    await fresh(active);
    await pair.pass(10 * minute);
    expect(passive.told.map(({ key }) => key)).toEqual(['restore.failed', 'restore.recovered']);
  });

  it('a restore that was cut off is never taken back over data that the active serves with; as the passive again it is', async () => {
    const node = pair.node('active');
    const target = pair.bench.at('here', 'pbx');
    const old = `${target}.estepe-0123456789ab-old`;
    for (const folder of [target, old]) {
      mkdirSync(join(folder, 'conf'), { recursive: true });
      writeFileSync(join(folder, 'conf', 'sip.conf'), folder === old ? 'old' : 'live');
    }
    const journal = { id: '0123456789ab', phase: 'swapping', places: [{ target, existed: true }] };
    writeFileSync(join(node.folder.spool, 'restore.json'), JSON.stringify(journal));
    await node.start();
    await pair.pass(hour);
    expect(readFileSync(hereFile(pair), 'utf8')).toBe('live');
    expect(existsSync(old)).toBe(true);
    expect(node.told.map(({ key }) => key)).toEqual(['restore.unended']);
    expect(node.room.troubles()).toMatchObject([{ sentence: expect.stringContaining('serves with') }]);
    node.role = 'passive';
    node.room.look();
    node.runbook = true;
    await pair.pass(hour);
    expect(readFileSync(hereFile(pair), 'utf8')).toBe('live');
    node.runbook = false;
    await pair.pass(11 * minute);
    const keys = (): string[] => node.room.troubles().map(({ key }) => key);
    await until('the restore has ended', () => !keys().includes('restore-unended'));
    expect(readFileSync(hereFile(pair), 'utf8')).toBe('old');
    // It served until now: what stands here is not restored over by schedule.
    expect(keys()).toEqual(['restore-held']);
  });

  it('ends in order in the middle of a backup, and the next start takes it up', async () => {
    const active = await pair.node('active', { backup: sourceThatWaits() }).start();
    const waits = pair.bench.at('waits');
    await pair.work.pass(day);
    await until('the source waits', () => existsSync(waits));
    await active.close();
    expect(stored()).toEqual([]);
    writeFileSync(pair.bench.at('go'), '');
    await active.reborn();
    expect(active.last('backup')).toMatchObject({ ok: false, sentence: expect.stringContaining('cut off') });
    await pair.pass(11 * minute);
    expect(active.last('backup')).toMatchObject({ ok: true });
    expect(active.told).toEqual([]);
  });

  it("a backup that was cut off: that the site's `after` may not have run is told", async () => {
    const source = `  source: { folders: [ ${pair.bench.at('pbx')} ], before: [ [ 'true' ] ], after: [ [ 'true' ] ] }`;
    const active = pair.node('active', { backup: source });
    active.cutOff({ kind: 'backup', by, name: null });
    await active.reborn();
    expect(active.told).toMatchObject([{ key: 'backup.cut-off', text: expect.stringContaining('run those commands') }]);
    await active.reborn();
    expect(active.told).toHaveLength(1);
  });

  function attempted<T>(act: () => T): T | null {
    try {
      return act();
    } catch {
      return null;
    }
  }

  /** A source whose `before` waits for a file. */
  function sourceThatWaits(): string {
    const [waits, go] = [pair.bench.at('waits'), pair.bench.at('go')];
    return `  source: { folders: [ ${pair.bench.at('pbx')} ], before: [ [ sh, -c, "touch ${waits}; until [ -e ${go} ]; do sleep 0.02; done" ] ], after: [ [ 'true' ] ] }`;
  }
});
