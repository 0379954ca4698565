/**
 * When a drill runs and what becomes of it: by schedule, missed, refused, cancelled, cut off, told once. On the simulated clock with a real
 * history and data folder; what a drill looks at stands in, and ends when the test says so.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { meansOf } from '../../../src-main/backup/work-of-config.ts';
import { openDataFolder } from '../../../src-main/config/data-folder.ts';
import { checkText } from '../../../src-main/config/text.ts';
import type { DrillReport, DrillRow } from '../../../src-main/contract/drill.ts';
import type { Role } from '../../../src-main/contract/words.ts';
import { openHistory } from '../../../src-main/history/history.ts';
import { Drill } from '../../../src-main/station/drill/drill.ts';
import { Clockwork } from '../clockwork.ts';
import { temporaryFolder } from '../config/temporary-folder.ts';
import { drillReportOf } from '../console/drill-double.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

const row = (state: DrillRow['state']): DrillRow => ({
  ...{ id: 'promotion.x', area: 'promotion', state, sentence: 'It is so.', evidence: '', todo: '' },
});

class Bench {
  readonly work = new Clockwork();
  readonly #temporary = temporaryFolder();
  readonly folder = openDataFolder(this.#temporary.at('data'));
  readonly #history = openHistory(this.folder.db, { wall: () => this.work.time.wall() });
  readonly rules: string[] = [];
  readonly told: string[] = [];
  role: Role = 'passive';
  runbook = false;
  storeroom: string | null = null;
  begun = 0;
  /** ends the drill under way with this row */
  #end: ((state: DrillRow['state']) => void) | null = null;
  drill: Drill;
  readonly #section: string;
  /** under which the location was tried last */
  trial = '';

  constructor(section = 'timeZone: UTC') {
    this.#section = section;
    mkdirSync(this.#temporary.at('nas'));
    this.drill = this.#made();
    this.drill.start();
    onTestFinished(async () => {
      await this.drill.close();
      this.#history.close();
      this.#temporary[Symbol.dispose]();
    });
  }

  nas(name: string): string {
    return join(this.#temporary.at('nas'), name);
  }

  get sandbox(): string {
    return join(this.folder.spool, 'drill');
  }

  #made(): Drill {
    const checked = checkText(`role: passive
pair: { fqdn: pbx.example.com, active: 192.0.2.1, passive: 192.0.2.2, profile: generic }
backup: { location: { kind: local, folder: ${this.#temporary.at('nas')} }, source: { folders: [ /srv/pbx ] } }
drill: { ${this.#section} }
`);
    if (!checked.ok) throw new Error(checked.problems.map(({ wrong }) => wrong).join('; '));
    const { config } = checked;
    const { clock } = this.work;
    return new Drill({
      ...{ clock, folder: this.folder, store: this.#history, means: meansOf(this.folder, clock) },
      config: () => config,
      role: () => this.role,
      runbookOpen: () => this.runbook,
      storeroomAt: () => this.storeroom,
      rehearse: (how, trial) => this.#rehearse(how, trial),
      note: (rule) => void this.rules.push(rule),
      tell: ({ key }) => void this.told.push(key),
      clean: (text) => text,
      onChange: () => {},
    });
  }

  #rehearse({ by, sandbox, signal }: { by: string; sandbox: string; signal: AbortSignal }, trial: string) {
    this.begun += 1;
    this.trial = trial;
    mkdirSync(sandbox, { recursive: true });
    writeFileSync(join(sandbox, 'fetched.zip'), 'x');
    writeFileSync(this.nas(trial), 'x');
    return new Promise<DrillReport>((done, fail) => {
      signal.addEventListener('abort', () => fail(new Error('It was cancelled.')), { once: true });
      this.#end = (state) => done({ ...drillReportOf([row(state)], this.work.time.wall()), by, role: this.role });
    });
  }

  /** Lets the drill under way come to that, and waits until it is over. */
  async end(state: DrillRow['state']): Promise<void> {
    this.#end?.(state);
    await this.over();
  }

  async over(): Promise<void> {
    await expect.poll(() => this.drill.view().running).toBeNull();
  }

  async untilBegun(count: number, atMost = 40 * day): Promise<void> {
    await this.work.until(`drill ${count}`, () => this.drill.view().running !== null, atMost);
    await expect.poll(() => this.begun).toBe(count);
  }

  /** kill -9, and the next start after so long. */
  dieFor(ms: number): void {
    this.work.die();
    this.work.time.now += ms;
    this.drill = this.#made();
    this.drill.start();
  }
}

it('runs once a month by itself, and its result is kept over a restart', async () => {
  const b = new Bench();
  const { nextAt } = b.drill.view().schedule ?? {};
  expect(new Date(nextAt ?? 0).toISOString()).toMatch(/-01T04:00:00/);
  await b.untilBegun(1);
  expect(b.work.time.wall()).toBeGreaterThanOrEqual(nextAt ?? 0);
  expect(b.work.time.wall() - (nextAt ?? 0)).toBeLessThan(minute);
  await b.end('ok');
  expect(existsSync(b.sandbox)).toBe(false);
  const view = b.drill.view();
  expect(view).toMatchObject({ last: { passed: true, by: 'schedule' }, ended: { how: 'passed' } });
  expect(view.lastPassedAt).toBe(view.last?.at);
  b.dieFor(minute);
  expect(b.drill.view()).toMatchObject({ last: { passed: true }, lastPassedAt: view.lastPassedAt });
  expect(b.drill.desk.report()?.rows).toHaveLength(1);
  expect(b.told).toEqual([]);
});

it('one that fell due while the machine was off is caught up, once', async () => {
  const b = new Bench();
  b.dieFor(75 * day);
  await b.untilBegun(1, minute);
  await b.end('ok');
  await b.work.pass(60 * minute);
  expect(b.begun).toBe(1);
});

it('off: never by itself; a person may', async () => {
  const b = new Bench('schedule: off');
  expect(b.drill.view().schedule).toBeNull();
  await b.work.pass(100 * day);
  expect(b.begun).toBe(0);
  expect(b.drill.desk.start({ by: 'ann' })).toMatchObject({ accepted: true });
  expect(b.drill.desk.start({ by: 'ann' })).toMatchObject({
    accepted: false,
    reason: expect.stringContaining('one at a time'),
  });
  await expect.poll(() => b.begun).toBe(1);
  await b.end('ok');
});

it('one that fails by schedule is told once, and told again when the next one passes', async () => {
  const b = new Bench();
  for (const count of [1, 2]) {
    await b.untilBegun(count);
    await b.end('problem');
  }
  expect(b.told).toEqual(['drill.failed']);
  expect(b.drill.view()).toMatchObject({ last: { passed: false }, lastPassedAt: null });
  await b.untilBegun(3);
  await b.end('ok');
  expect(b.told).toEqual(['drill.failed', 'drill.recovered']);
});

it('one that a person ordered and sees fail is not told', async () => {
  const b = new Bench();
  b.drill.desk.start({ by: 'ann' });
  await expect.poll(() => b.begun).toBe(1);
  await b.end('problem');
  expect(b.told).toEqual([]);
  expect(b.rules).toContain('drill.failed');
});

it('waits for the storeroom, and is refused to a person with what is under way', async () => {
  const b = new Bench();
  b.storeroom = 'restore';
  expect(b.drill.desk.start({ by: 'ann' }).reason).toContain('A restore is under way');
  await b.work.pass(32 * day);
  expect(b.begun).toBe(0);
  b.storeroom = null;
  await b.untilBegun(1, minute);
  await b.end('ok');
});

it('a runbook cancels it at once; it is begun again when that came to nothing', async () => {
  const b = new Bench();
  await b.untilBegun(1);
  b.runbook = true;
  b.drill.look();
  await b.over();
  expect(existsSync(b.sandbox)).toBe(false);
  expect(b.drill.view()).toMatchObject({ last: null, ended: { how: 'cancelled' } });
  expect(b.drill.view().refusal).toContain('A runbook is open');
  await b.work.pass(60 * minute);
  expect(b.begun).toBe(1);
  b.runbook = false;
  await b.untilBegun(2, 20 * minute);
  await b.end('ok');
});

it('killed in the middle: sandbox and trial are gone after the next start, and one that was due is begun again', async () => {
  const b = new Bench();
  await b.untilBegun(1);
  const { trial } = b;
  expect([existsSync(b.sandbox), existsSync(b.nas(trial))]).toEqual([true, true]);
  b.dieFor(minute);
  await expect.poll(() => existsSync(b.sandbox)).toBe(false);
  await expect.poll(() => existsSync(b.nas(trial))).toBe(false);
  expect(b.rules).toContain('drill.cut-off');
  await b.untilBegun(2, 11 * minute);
  await b.end('ok');
});

it('one that kills the engine each time is not begun again for ever', async () => {
  const b = new Bench();
  await b.untilBegun(1);
  for (const count of [2, 3, 4]) {
    b.dieFor(minute);
    await b.untilBegun(count, 11 * minute);
  }
  b.dieFor(minute);
  await b.work.pass(2 * day);
  expect(b.begun).toBe(4);
});

it('on the active node none runs by itself, and one that passes there does not count as a rehearsal', async () => {
  const b = new Bench();
  b.role = 'active';
  b.drill.look();
  expect(b.drill.view().schedule).toMatchObject({ nextAt: null, paused: expect.stringContaining('active') });
  await b.work.pass(70 * day);
  expect(b.begun).toBe(0);
  b.drill.desk.start({ by: 'ann' });
  await expect.poll(() => b.begun).toBe(1);
  await b.end('ok');
  expect(b.drill.view()).toMatchObject({ last: { passed: true, role: 'active' }, lastPassedAt: null });
});
