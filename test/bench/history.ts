/**
 * What ten years of beats at 3 tests / 30 s cost: size on disk, the queries behind the 24 h, 30 d and 1 y views (cold and
 * warm), a commit, and the longest time that pruning holds the thread. Prints, asserts nothing; cleans up after itself.
 *
 * Two files are measured: `everything` keeps all 31.5 million beats and all rollups (no retention: the worst case), `kept`
 * holds what the default retention leaves of the same ten years. Rows are written in the order of time, test after test,
 * as they would come, so that the pages are as full as in real life and no fuller.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type History, openHistory } from '../../src-main/history/history.ts';
import { defaultRetention, type Retention } from '../../src-main/history/prune.ts';
import { connect, type Sqlite } from '../../src-main/history/runtime.ts';
import type { Print } from './bench.ts';

const dayMs = 86_400_000;
const intervalMs = 30_000;
const tests = ['sip', 'web', 'tunnel'];
const years = 10;
/** 1 January 2026: ten years end here */
const end = Date.UTC(2026, 0, 1);
const start = end - years * 365 * dayMs;
/** pruning is cut here; it would go on with the next one */
const pruneForMs = 60_000;

/** for the file with everything: a tenth of it goes */
const nineYears: Retention = { beatsMs: 9 * 365 * dayMs, minutesMs: 9 * 365 * dayMs, hoursMs: null, eventsMs: null };

const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
const mb = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;

function timed<T>(call: () => T): { value: T; took: number } {
  const begun = performance.now();
  const value = call();
  return { value, took: performance.now() - begun };
}

/** Rounds from one time to the other into `beat`; deterministic: some latency, a short outage every few days. */
function fillBeats(db: Sqlite, from: number): void {
  db.prepare(
    `INSERT INTO beat (test, t, outcome, ms, evidence)
     WITH RECURSIVE round(n) AS (SELECT ? UNION ALL SELECT n + 1 FROM round WHERE n + 1 < ?)
     SELECT test.id, n * ${intervalMs}, iif(n % 9973 < 4, 2, 0), 8 + (n * 7919) % 190, iif(n % 9973 < 4, 2, 1)
     FROM round CROSS JOIN test`,
  ).run(from / intervalMs, end / intervalMs);
}

/** The same from a formula, for rollups older than the beats they were made of. */
function fillRollup(db: Sqlite, table: string, unit: number, from: number): void {
  const beats = unit / intervalMs;
  db.prepare(
    `INSERT INTO ${table}
     WITH RECURSIVE step(n) AS (SELECT ? UNION ALL SELECT n + 1 FROM step WHERE n + 1 < ?)
     SELECT test.id, n, ${beats}, 0, iif(n % 4987 = 0, 1, 0), 0, 0, ${beats} * (100 + n % 17), 190 + n % 9
     FROM step CROSS JOIN test`,
  ).run(Math.ceil(from / unit), end / unit);
}

function build(file: string, kept: boolean): void {
  openHistory(file).close();
  const db = connect(file);
  db.pragma('journal_mode = OFF');
  db.pragma('synchronous = OFF');
  db.pragma('cache_size = -200000');
  db.exec('BEGIN');
  for (const test of tests) db.prepare('INSERT INTO test (name) VALUES (?)').run(test);
  const today = end / dayMs;
  for (const text of ['SIP/2.0 200 OK', 'no answer within 4 s']) {
    db.prepare('INSERT INTO evidence (text, day) VALUES (?, ?)').run(text, today);
  }
  const back = (keep: number | null): number => (kept && keep !== null ? end - keep : start);
  fillBeats(db, back(defaultRetention.beatsMs));
  fillRollup(db, 'minute', 60_000, back(defaultRetention.minutesMs));
  fillRollup(db, 'hour', 3_600_000, back(defaultRetention.hoursMs));
  fillRollup(db, 'day', dayMs, start);
  db.exec('COMMIT');
  db.pragma('journal_mode = WAL');
  db.close();
}

/** Takes the file out of the system's page cache, so that the next reads come from the disk; false where that cannot be done. */
function chill(file: string): boolean {
  return spawnSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none']).status === 0;
}

const views: readonly { name: string; days: number; ask: (history: History, from: number) => unknown }[] = [
  ...[1, 30, 365].map((days) => ({
    name: `series ${days === 1 ? '24 h' : days === 30 ? '30 d' : '1 y'}, 400 points`,
    days,
    ask: (history: History, from: number) => history.series({ test: 'web', from, to: end, points: 400 }).points.length,
  })),
  ...[1, 30, 365].map((days) => ({
    name: `availability ${days === 1 ? '24 h' : days === 30 ? '30 d' : '1 y'}`,
    days,
    ask: (history: History, from: number) => history.availability('web', from, end).share,
  })),
  {
    name: 'the last 60 beats',
    days: 1,
    ask: (history: History, from: number) => history.beatRows({ test: 'web', from, to: end, limit: 60 }).length,
  },
];

function queries(file: string, print: Print): void {
  // Not at a full hour: both ends of a span then need finer rows.
  for (const { name, days, ask } of views) {
    const from = end - days * dayMs - 1_234_567;
    const chilled = chill(file);
    const history = openHistory(file, { wall: () => end });
    try {
      const cold = timed(() => ask(history, from));
      const warm = Array.from({ length: 5 }, () => timed(() => ask(history, from)).took).sort((a, b) => a - b);
      print(
        `  ${name}: cold ${chilled ? ms(cold.took) : 'not measured'}, warm ${ms(warm[2] ?? 0)} (answer ${cold.value})`,
      );
    } finally {
      history.close();
    }
  }
}

function commits(file: string, print: Print): void {
  const history = openHistory(file, { wall: () => end });
  try {
    const rounds = Array.from({ length: 300 }, (_, n) => {
      const at = end + n * intervalMs;
      const beats = tests.map((test) => ({
        test,
        at,
        beat: { test, outcome: 'alive' as const, ms: 20, evidence: 'SIP/2.0 200 OK' },
      }));
      return timed(() => history.beats(beats)).took;
    }).sort((a, b) => a - b);
    const standings = Array.from(
      { length: 300 },
      (_, n) => timed(() => history.saveStanding({ role: 'passive', epoch: 1, since: n })).took,
    ).sort((a, b) => a - b);
    const said = (all: number[]): string => `median ${ms(all[150] ?? 0)}, 99th of 100 ${ms(all[297] ?? 0)}`;
    print(`  commit of a round (3 beats, 9 rollups, synchronous=FULL): ${said(rounds)}`);
    print(`  commit of the standing (synchronous=FULL): ${said(standings)}`);
  } finally {
    history.close();
  }
}

/** Prunes as of `wall`, watched by a timer of 1 ms that sees how long the thread was not free. */
async function pruned(file: string, wall: number, retention: Retention, print: Print): Promise<void> {
  const history = openHistory(file, { wall: () => wall });
  let last = performance.now();
  let longest = 0;
  const watch = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  try {
    const until = performance.now() + pruneForMs;
    const report = await history.prune(retention, {
      stop: () => (performance.now() > until ? `the bench's ${pruneForMs / 1000} s were over` : null),
    });
    const rows = report.beats + report.minutes + report.hours;
    print(
      `  prune: ${rows.toLocaleString('en')} rows and ${mb(report.bytes)} given back in ${(report.ms / 1000).toFixed(1)} s` +
        `${report.stopped === null ? '' : ` (stopped: ${report.stopped})`}; longest chunk ${ms(report.longestBlockMs)},` +
        ` longest block of the thread as a 1 ms timer sees it ${ms(longest)}`,
    );
  } finally {
    clearInterval(watch);
    history.close();
  }
}

function checked(file: string, print: Print): void {
  const db = connect(file, { readonly: true });
  try {
    const check = timed(() => db.pragma('quick_check(1)', { simple: true }));
    print(`  quick_check of the whole file: ${ms(check.took)} (${check.value})`);
    const beats = Number(db.prepare('SELECT count(*) FROM beat').pluck().get());
    const bytes = Number(db.prepare(`SELECT sum(pgsize) FROM dbstat WHERE name = 'beat'`).pluck().get());
    print(`  ${beats.toLocaleString('en')} beats, ${(bytes / beats).toFixed(1)} bytes each on disk`);
  } finally {
    db.close();
  }
}

/** Runs the whole measurement in a folder of its own, which it removes again; under three minutes, about 2 GB for a while. */
export async function benchHistory(print: Print): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'estepe-bench-history-'));
  try {
    for (const [name, kept] of [
      ['kept', true],
      ['everything', false],
    ] as const) {
      const file = join(folder, `${name}.db`);
      const built = timed(() => build(file, kept));
      print(
        `History, ten years at 3 tests / 30 s, ${kept ? 'as the default retention keeps them' : 'all 31.5 million beats and all rollups'}:` +
          ` ${mb(statSync(file).size)} on disk (built in ${(built.took / 1000).toFixed(0)} s)`,
      );
      checked(file, print);
      queries(file, print);
      commits(file, print);
      // In its steady state: what each night has to take away. With everything: its first year at once, 4.7 million rows.
      if (kept) await pruned(file, end + dayMs, defaultRetention, print);
      else await pruned(file, end, nineYears, print);
      for (const suffix of ['', '-wal', '-shm']) if (existsSync(file + suffix)) rmSync(file + suffix);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
