/**
 * `npm run bench` measures everything, `npm run bench -- history` only what is named. Prints and asserts nothing: a figure
 * holds for one machine, and which one that was stands at the head.
 *
 * A further bench is a file beside this one with a function that takes `print`, and a row in `benches`.
 */
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { benchBackup } from './backup.ts';
import { benchConsole } from './console.ts';
import { benchFootprint } from './footprint.ts';
import { benchHistory } from './history.ts';

export type Print = (line: string) => void;

interface Bench {
  name: string;
  /** what is measured, and against which target */
  what: string;
  run(print: Print): Promise<void>;
}

const benches: readonly Bench[] = [
  {
    name: 'history',
    what: 'ten years of beats: at most 20 ms a query behind a view, pruning holds the thread under 50 ms',
    run: benchHistory,
  },
  {
    name: 'backup',
    what: 'not slower than zip -1 and the tool (ratio at most 1.0), memory under 150 MB whatever the size',
    run: benchBackup,
  },
  {
    name: 'console',
    what: 'first load at most 200 kB of JavaScript (gzip), first paint at most 500 ms, at most 4 ms of scripting a beat',
    run: benchConsole,
  },
  {
    name: 'footprint',
    what: 'the engine without a screen: first beat within 500 ms of its start, at most 90 MB, at most 0.2 % of a core over 10 min',
    run: benchFootprint,
  },
];

const print: Print = (line) => console.log(line);

/** What the figures depend on. The load says whether the machine had anything else to do. */
function machine(): string {
  const [cpu] = cpus();
  const gb = (totalmem() / 2 ** 30).toFixed(0);
  const load = loadavg()[0]?.toFixed(1) ?? '?';
  return `${cpu?.model.trim() ?? 'unknown CPU'}, ${availableParallelism()} cores, ${gb} GB; ${process.platform} ${release()}; Node ${process.versions.node}; load ${load}`;
}

async function main(asked: readonly string[]): Promise<number> {
  const unknown = asked.filter((name) => !benches.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    console.error(
      `There is no bench ${unknown.join(', ')}. There are: ${benches.map((bench) => bench.name).join(', ')}.`,
    );
    return 2;
  }
  print(machine());
  for (const bench of benches) {
    if (asked.length > 0 && !asked.includes(bench.name)) continue;
    const begun = performance.now();
    print(`\n${bench.name}: ${bench.what}`);
    await bench.run(print);
    print(`${bench.name}: measured in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  }
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
