/**
 * `npm run simulate -- --seeds 10000 --days 7 [--first-seed N]`: many worlds, one after the other, on one core. Exit code 1
 * when an invariant was violated, 2 for wrong usage. A failing seed is told with the command line that replays it.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Decision } from '../../src-main/engine/decide.ts';
import type { CoreState, Observation } from '../../src-main/engine/observation.ts';
import { recordingHead, recordingLine } from '../../src-main/engine/recording.ts';
import { type PairBug, pairBugs } from './pair/pair-node.ts';
import { runPair } from './pair/pair-simulation.ts';
import { inLines, Sums, traceLine } from './report.ts';
import { runSeed } from './seed.ts';
import { type Bug, bugs } from './sim-site.ts';
import type { SimulationOptions } from './simulation.ts';

const usage = `Usage: npm run simulate -- [--seeds N] [--days N] [--first-seed N] [--json] [--trace] [--record FILE] [--plant BUG]
  --seeds N       how many worlds; default 100
  --days N        how long each lives; default 7
  --first-seed N  number of the first; default 1
  --json          one JSON document instead of lines
  --trace         with one seed: everything that happens, in order of time
  --record FILE   with one seed: what the core was given, for \`estepe replay FILE\`
  --pair          both nodes with their location and the link between them; slower
  --plant BUG     a fault on purpose: ${bugs.join(', ')}; with --pair: ${pairBugs.join(', ')}`;

class WrongUsage extends Error {}

interface Asked {
  seeds: number;
  days: number;
  firstSeed: number;
  json: boolean;
  trace: boolean;
  record: string | null;
  pair: boolean;
  bug: Bug | null;
  pairBug: PairBug | null;
}

function ask(words: string[]): Asked | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    seeds: text,
    days: text,
    'first-seed': text,
    record: text,
    plant: text,
    json: flag,
    trace: flag,
    pair: flag,
  };
  let values: ReturnType<typeof parseArgs<{ options: typeof options & { help: typeof flag } }>>['values'];
  try {
    ({ values } = parseArgs({ args: words, options: { ...options, help: flag } }));
  } catch (error) {
    throw new WrongUsage(error instanceof Error ? error.message : String(error));
  }
  if (values.help) return null;
  const asked: Asked = {
    seeds: whole('--seeds', values.seeds ?? '100', 1, 100_000_000),
    days: whole('--days', values.days ?? '7', 1, 3_650),
    firstSeed: whole('--first-seed', values['first-seed'] ?? '1', 0, 0xffff_ffff),
    json: values.json,
    trace: values.trace,
    record: values.record ?? null,
    pair: values.pair,
    ...plantOf(values.plant, values.pair),
  };
  if (asked.pair && asked.record !== null) throw new WrongUsage('--record is for one node: leave out --pair.');
  if (asked.trace && asked.json)
    throw new WrongUsage('--trace prints lines and --json one document: take one of them.');
  for (const [option, given] of Object.entries({ trace: asked.trace, record: asked.record !== null }))
    if (given && asked.seeds !== 1) throw new WrongUsage(`--${option} is for one seed: add --seeds 1.`);
  return asked;
}

/** The fault to be planted, for one node or for both. */
function plantOf(plant: string | undefined, pair: boolean): Pick<Asked, 'bug' | 'pairBug'> {
  const bug = pair ? null : (bugs.find((one) => one === plant) ?? null);
  const pairBug = pair ? (pairBugs.find((one) => one === plant) ?? null) : null;
  if (plant !== undefined && bug === null && pairBug === null)
    throw new WrongUsage(`--plant ${plant} is none of ${(pair ? pairBugs : bugs).join(', ')}.`);
  return { bug, pairBug };
}

function whole(option: string, text: string, least: number, most: number): number {
  const n = Number(text);
  if (/^\d+$/.test(text) && n >= least && n <= most) return n;
  throw new WrongUsage(`${option} takes a whole number from ${least} to ${most}, not "${text}".`);
}

/** Writes observations down. Each life of the engine begins with the state that it stands on. */
function recorder(file: string): { note: NonNullable<SimulationOptions['onDecided']>; close: () => void } {
  let handle: number;
  try {
    handle = openSync(file, 'w');
  } catch (error) {
    throw new WrongUsage(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}.`);
  }
  let left: CoreState | null = null;
  return {
    note(before: CoreState, observation: Observation, decision: Decision) {
      if (before !== left) writeSync(handle, `${recordingHead(before)}\n`);
      writeSync(handle, `${recordingLine(observation)}\n`);
      left = decision.state;
    },
    close: () => closeSync(handle),
  };
}

function replayOf(asked: Asked): (seed: number) => string {
  const plant = asked.bug ? ` --plant ${asked.bug}` : '';
  return (seed) => `npm run -s simulate -- --first-seed ${seed} --seeds 1 --days ${asked.days}${plant} --trace`;
}

async function simulate(asked: Asked): Promise<number> {
  const record = asked.record === null ? null : recorder(asked.record);
  const options: SimulationOptions = {
    ...(asked.bug ? { bug: asked.bug } : {}),
    ...(asked.trace ? { onTrace: (at, who, what) => void process.stdout.write(`${traceLine(at, who, what)}\n`) } : {}),
    ...(record ? { onDecided: record.note } : {}),
  };
  const sums = new Sums(replayOf(asked));
  const progress = process.stderr.isTTY && !asked.trace;
  const started = performance.now();
  const cpu = process.cpuUsage();
  let shown = started;
  for (let seed = asked.firstSeed; seed < asked.firstSeed + asked.seeds; seed += 1) {
    sums.add(await runSeed(seed, asked.days, options));
    const now = performance.now();
    if (now - shown < 250) continue;
    shown = now;
    // Lets signals and output through; a seed itself never leaves the microtask queue.
    await new Promise((go) => setImmediate(go));
    const rate = Math.round((sums.seeds * asked.days) / ((now - started) / 1000));
    if (progress) process.stderr.write(`\r\x1b[K${sums.seeds} of ${asked.seeds} seeds, ${rate} days a second`);
  }
  if (progress) process.stderr.write('\r\x1b[K');
  record?.close();
  const { user, system } = process.cpuUsage(cpu);
  const report = sums.report({
    firstSeed: asked.firstSeed,
    daysEach: asked.days,
    elapsedMs: performance.now() - started,
    cpuMs: (user + system) / 1000,
  });
  process.stdout.write(asked.json ? `${JSON.stringify(report, null, 2)}\n` : `${inLines(report).join('\n')}\n`);
  return report.failures.length === 0 ? 0 : 1;
}

/** Both nodes: what was counted over all seeds, and each failing one with what it told first. */
async function simulatePair(asked: Asked): Promise<number> {
  const sum: Record<string, number> = {};
  const failures: { seed: number; violations: string[]; replay: string }[] = [];
  const started = performance.now();
  const plant = asked.pairBug ? ` --plant ${asked.pairBug}` : '';
  for (let seed = asked.firstSeed; seed < asked.firstSeed + asked.seeds; seed += 1) {
    const { violations, ...counted } = await runPair(seed, asked.days, {
      ...(asked.pairBug ? { bug: asked.pairBug } : {}),
      ...(asked.trace
        ? { onTrace: (at, who, what) => void process.stdout.write(`${traceLine(at, who, what)}\n`) }
        : {}),
    });
    for (const [key, value] of Object.entries(counted)) sum[key] = (sum[key] ?? 0) + value;
    const replay = `npm run -s simulate -- --pair --first-seed ${seed} --seeds 1 --days ${asked.days}${plant} --trace`;
    if (violations.length > 0) failures.push({ seed, violations, replay });
    await new Promise((go) => setImmediate(go));
  }
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  const report = { firstSeed: asked.firstSeed, seeds: asked.seeds, daysEach: asked.days, seconds, ...sum, failures };
  const lines = [
    `${asked.seeds} pairs, ${asked.days} days each, in ${seconds} s: ${failures.length} violate an invariant`,
    Object.entries(sum)
      .map(([key, value]) => `${key} ${value}`)
      .join(', '),
    ...failures.slice(0, 20).map(({ seed, violations, replay }) => `seed ${seed}: ${violations[0]}\n  ${replay}`),
  ];
  process.stdout.write(asked.json ? `${JSON.stringify(report, null, 2)}\n` : `${lines.join('\n')}\n`);
  return failures.length === 0 ? 0 : 1;
}

try {
  const asked = ask(process.argv.slice(2));
  if (asked === null) process.stdout.write(`${usage}\n`);
  else process.exitCode = await (asked.pair ? simulatePair(asked) : simulate(asked));
} catch (error) {
  if (!(error instanceof WrongUsage)) throw error;
  process.stderr.write(`${error.message}\n${usage}\n`);
  process.exitCode = 2;
}
