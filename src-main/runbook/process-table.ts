/**
 * What Linux says of the running processes, in /proc: who descends from whom, and who carries the mark of a run.
 * Reads only; must not signal anything. On other systems the table is empty.
 */
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { runMark } from './child-environment.ts';

/** One process beyond doubt: a number is given again after its process ended, number and start together are not. */
export interface ProcessId {
  pid: number;
  /** clock ticks since the machine's boot, proc(5) `stat` field 22 */
  startedAt: number;
}

export interface ProcessRow extends ProcessId {
  parent: number;
  group: number;
  session: number;
  /** ended, but its parent has not asked for its end yet */
  zombie: boolean;
}

function parseStat(pid: number, stat: string): ProcessRow | null {
  // The name, in parentheses, may hold spaces and parentheses itself: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group, session] = fields;
  const startedAt = fields[19];
  if (state === undefined || startedAt === undefined) return null;
  return {
    pid,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    startedAt: Number(startedAt),
    zombie: state === 'Z' || state === 'X',
  };
}

/** One process now, or null when there is none of that number (or no /proc). */
export function processRow(pid: number): ProcessRow | null {
  try {
    return parseStat(pid, readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return null;
  }
}

/** Whether exactly this process still runs. */
export function isAlive(id: ProcessId): boolean {
  const row = processRow(id.pid);
  return row !== null && row.startedAt === id.startedAt && !row.zombie;
}

/** All processes. Read without blocking the thread: a server has hundreds. */
export async function processTable(): Promise<ProcessRow[]> {
  let names: string[];
  try {
    names = await readdir('/proc');
  } catch {
    return [];
  }
  const rows = await inBatches(
    names.filter((name) => /^\d+$/.test(name)),
    async (name) => {
      try {
        return parseStat(Number(name), await readFile(`/proc/${name}/stat`, 'latin1'));
      } catch {
        return null; // ended meanwhile
      }
    },
  );
  return rows.filter((row) => row !== null);
}

/**
 * Those of `rows` that were started under this run. Another user's environment cannot be read, nor could that process
 * be ended.
 */
export async function carriersOf(runToken: string, rows: readonly ProcessRow[]): Promise<ProcessRow[]> {
  if (runToken === '') return [];
  const mark = `\0${runMark}=${runToken}\0`;
  const found = await inBatches(rows, async (row) => {
    try {
      return `\0${await readFile(`/proc/${row.pid}/environ`, 'utf8')}\0`.includes(mark) ? row : null;
    } catch {
      return null;
    }
  });
  return found.filter((row) => row !== null);
}

/** This process and everything it descends from. */
export function ownLine(rows: readonly ProcessRow[]): Set<number> {
  const parents = new Map(rows.map((row) => [row.pid, row.parent]));
  const line = new Set<number>();
  let pid: number | undefined = process.pid;
  while (pid !== undefined && pid > 0 && !line.has(pid)) {
    line.add(pid);
    pid = parents.get(pid);
  }
  return line;
}

/** A few at a time: /proc is quick, and Node has four threads for all of the engine's files. */
async function inBatches<In, Out>(all: readonly In[], read: (one: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = [];
  for (let i = 0; i < all.length; i += 32) results.push(...(await Promise.all(all.slice(i, i + 32).map(read))));
  return results;
}
