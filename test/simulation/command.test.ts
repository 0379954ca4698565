/** `npm run simulate` as its users run it: what it prints, its exit codes, and that a recording replays. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { replay } from '../../src-main/engine/recording.ts';
import type { Report } from './report.ts';

function simulate(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((go) => {
    execFile('node_modules/.bin/node', ['test/simulation/simulate.ts', ...words], (error, out, err) => {
      go({ code: error ? Number(error.code) : 0, out, err });
    });
  });
}

test('one JSON document, and nothing else on stdout', async () => {
  const { code, out } = await simulate('--seeds', '5', '--days', '2', '--first-seed', '40', '--json');
  const report = JSON.parse(out) as Report;
  expect(code).toBe(0);
  expect(report).toMatchObject({ firstSeed: 40, seeds: 5, daysEach: 2, simulatedDays: 10, failures: [] });
  expect(report.rounds).toBeGreaterThan(100);
  expect(report.roundsPassedOver).toBeGreaterThan(5 * 2_000);
});

test('a failing seed: exit code 1, the invariant, and the command line that replays it', async () => {
  const { code, out } = await simulate('--seeds', '1', '--first-seed', '20', '--plant', 'ignore-claim');
  expect(code).toBe(1);
  expect(out).toMatch(/seed 20:\n {2}at [\d.]+ s: 1: services are started under epoch \d+, which belongs to other#1/);
  const line = /npm run -s simulate -- (.*)/.exec(out)?.[1] ?? '';
  expect(line).toBe('--first-seed 20 --seeds 1 --days 7 --plant ignore-claim --trace');
  const traced = await simulate(...line.split(' '));
  expect(traced.code).toBe(1);
  const at = traced.out.split('\n').findIndex((text) => text.includes('VIOLATED  1: services are started'));
  expect(at).toBeGreaterThan(0);
  // What led there stands before it, in order of time.
  expect(traced.out.split('\n').slice(0, at).join('\n')).toMatch(
    /another claimant[\s\S]*runbook\.begun[\s\S]*step\.claim/,
  );
});

test.each([
  [['--seeds', 'many'], '--seeds takes a whole number from 1 to 100000000, not "many".'],
  [['--days', '0'], '--days takes a whole number from 1 to 3650, not "0".'],
  [['--seed', '1'], "Unknown option '--seed'"],
  [['--seeds', '2', '--trace'], '--trace is for one seed: add --seeds 1.'],
  [['--plant', 'weeds'], '--plant weeds is none of skip-confirmation, ignore-claim, lose-results.'],
  [['--seeds', '1', '--record', '/nowhere/at/all'], '/nowhere/at/all cannot be written: ENOENT'],
])('wrong usage %j: exit code 2 and a sentence', async (words, sentence) => {
  const { code, out, err } = await simulate(...words);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err.split('\n')[0]).toContain(sentence);
});

test('a recorded seed is decided over again, to the same rules', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'estepe-simulate-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'observations.jsonl');
  const { code, out } = await simulate('--seeds', '1', '--first-seed', '12', '--record', file);
  expect(code, out).toBe(0);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const decided = [...replay(lines)].map(({ decision }) => decision.rule);
  // Every observation was met, over all lives of the engine, each of which begins with its own state.
  const heads = lines.filter((line) => line.startsWith('{"estepe"')).length;
  expect(decided).toHaveLength(lines.length - heads);
  expect(decided).toEqual(expect.arrayContaining(['watching.failed-round', 'order.refused', 'promoting.done']));
});
