/**
 * `npm run simulate -- --seeds 10000 --days 7 [--first-seed N]`: many worlds, one after the other, on one core. Exit code 1
 * when an invariant was violated, 2 for wrong usage. A failing seed is told with the command line that replays it.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Decision } from '../../src-main/engine/decide.ts';
import type { CoreState, Observation } from '../../src-main/engine/observation.ts';
import { recordingHead, recordingLine } from '../../src-main/engine/recording.ts';
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
  --plant BUG     a fault on purpose: ${bugs.join(', ')}`;

class WrongUsage extends Error {}

interface Asked {
  seeds: number;
  days: number;
  firstSeed: number;
  json: boolean;
  trace: boolean;
  record: string | null;
  bug: Bug | null;
}

function ask(words: string[]): Asked | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = { seeds: text, days: text, 'first-seed': text, record: text, plant: text, json: flag, trace: flag };
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
    bug: bugs.find((bug) => bug === values.plant) ?? null,
  };
  if (values.plant !== undefined && asked.bug === null)
    throw new WrongUsage(`--plant ${values.plant} is none of ${bugs.join(', ')}.`);
  if (asked.trace && asked.json)
    throw new WrongUsage('--trace prints lines and --json one document: take one of them.');
  for (const [option, given] of Object.entries({ trace: asked.trace, record: asked.record !== null }))
    if (given && asked.seeds !== 1) throw new WrongUsage(`--${option} is for one seed: add --seeds 1.`);
  return asked;
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

try {
  const asked = ask(process.argv.slice(2));
  if (asked === null) process.stdout.write(`${usage}\n`);
  else process.exitCode = await simulate(asked);
} catch (error) {
  if (!(error instanceof WrongUsage)) throw error;
  process.stderr.write(`${error.message}\n${usage}\n`);
  process.exitCode = 2;
}
