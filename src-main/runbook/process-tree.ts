/**
 * Finds and ends all processes of a run: its leader, the leader's group and session, their descendants, and whoever
 * carries the run's mark although it left them all (setsid, double fork). Must not know what the run was for.
 *
 * Linux: complete but for a process that wiped its environment, left the session and lost its parent before the run
 * was ended. Other POSIX systems: the group only. Windows: `taskkill /T /F`, which follows the living parents.
 */
import { spawn } from 'node:child_process';
import { win32 } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  carriersOf,
  isAlive,
  ownLine,
  type ProcessId,
  type ProcessRow,
  processRow,
  processTable,
} from './process-table.ts';

/** What is known of a run. */
export interface Run {
  token: string;
  /** null: an earlier life of this engine started it, only the token is known */
  leader: ProcessId | null;
  /** whether the leader was waited for, so that its number may be given to a stranger */
  leaderGone(): boolean;
}

export interface Patience {
  /** from TERM to KILL, ms */
  graceMs: number;
  /** from the first KILL until we give up on what does not even die of that (a hung disk), ms */
  killMs: number;
}

export interface TreeEnd {
  /** how many processes were found */
  found: number;
  /** those that could not be ended: rights, or uninterruptible in the kernel */
  left: readonly number[];
}

const keyOf = (id: ProcessId) => `${id.pid}@${id.startedAt}`;

/** The run's processes of this moment. `known`: those seen before, who may have lost what tied them to the run. */
async function membersOf(run: Run, known: ReadonlyMap<string, ProcessId>): Promise<ProcessRow[]> {
  const table = await processTable();
  const own = ownLine(table);
  const since = run.leader?.startedAt ?? 0;
  const rows = table.filter((row) => !row.zombie && row.startedAt >= since && !own.has(row.pid));
  const marked = new Set((await carriersOf(run.token, rows)).map((row) => row.pid));
  const leader = run.leader?.pid;
  // The kernel gives a number again only when no process, group or session has it. So if the leader was waited for and
  // its number lives, that is a stranger, and our group was empty.
  const groupIsOurs = leader !== undefined && !(run.leaderGone() && table.some((row) => row.pid === leader));
  const isMember = (row: ProcessRow) =>
    marked.has(row.pid) || known.has(keyOf(row)) || (groupIsOurs && (row.group === leader || row.session === leader));
  const members = new Map(rows.filter(isMember).map((row) => [row.pid, row]));
  for (let size = -1; size !== members.size; ) {
    size = members.size;
    for (const row of rows) if (members.has(row.parent)) members.set(row.pid, row);
  }
  return [...members.values()];
}

/** How many processes of the run there are, apart from the leader. */
export async function countMembers(run: Run): Promise<number> {
  const members = await membersOf(run, new Map());
  return members.filter((row) => row.pid !== run.leader?.pid).length;
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch {
    // ESRCH: it is gone, as wanted. EPERM: another user's; what is left in the end is counted.
  }
}

/** The whole group at once, so that nobody forks away between two signals; then those outside it. */
function signalAll(run: Run, members: readonly ProcessId[], name: 'SIGTERM' | 'SIGKILL'): void {
  const group = run.leader !== null && !run.leaderGone() ? run.leader.pid : null;
  if (group !== null) signal(-group, name);
  for (const member of members) {
    // Looked at again: between the table and now it may have ended and its number gone to somebody else.
    const row = processRow(member.pid);
    if (row !== null && row.startedAt === member.startedAt && row.group !== group) signal(member.pid, name);
  }
}

/** Waits until none of these runs, or until the deadline (performance.now). */
async function gone(members: Iterable<ProcessId>, deadline: number): Promise<boolean> {
  const waiting = [...members];
  for (let ms = 5; ; ms = Math.min(ms * 2, 200)) {
    if (!waiting.some(isAlive)) return true;
    const left = deadline - performance.now();
    if (left <= 0) return false;
    await pause(Math.min(ms, left));
  }
}

/** TERM once, and time to tidy up; then KILL until nobody is left. Never rejects. */
export async function endTree(run: Run, patience: Patience): Promise<TreeEnd> {
  const known = new Map<string, ProcessId>();
  const look = async () => {
    const members = await membersOf(run, known);
    for (const member of members) known.set(keyOf(member), member);
    return members;
  };
  signalAll(run, await look(), 'SIGTERM');
  // Whoever appears from now on was started to tidy up and is not TERMed for it.
  const graceEnds = performance.now() + patience.graceMs;
  while ((await gone(known.values(), graceEnds)) && (await look()).length > 0 && performance.now() < graceEnds);
  const killEnds = performance.now() + patience.killMs;
  // Twice nobody: a fork may slip past one reading of the table, its child does not slip past the next.
  for (let empty = 0; empty < 2; ) {
    const members = await look();
    empty = members.length === 0 ? empty + 1 : 0;
    if (members.length > 0) signalAll(run, members, 'SIGKILL');
    if (!(await gone(members, killEnds)) || performance.now() > killEnds + patience.killMs)
      return { found: known.size, left: members.filter(isAlive).map((m) => m.pid) };
  }
  return { found: known.size, left: [] };
}

/** POSIX without /proc: the group is all that can be named. */
export async function endGroup(run: Run, patience: Patience): Promise<TreeEnd> {
  const leader = run.leader?.pid;
  if (leader === undefined) return { found: 0, left: [] };
  const alive = () => {
    try {
      return process.kill(-leader, 0);
    } catch {
      return false;
    }
  };
  for (const [name, ms] of [
    ['SIGTERM', patience.graceMs],
    ['SIGKILL', patience.killMs],
  ] as const) {
    if (run.leaderGone() && !alive()) break;
    signal(-leader, name);
    const deadline = performance.now() + ms;
    while (alive() && performance.now() < deadline) await pause(20);
  }
  return { found: 1, left: alive() ? [leader] : [] };
}

/**
 * Windows: ends the process and all that descend from it through living parents. There is no TERM for a program
 * without a window, so there is no grace.
 * @param systemRoot as in %SystemRoot%
 */
export function endWindowsTree(pid: number, systemRoot: string, patience: Patience): Promise<TreeEnd> {
  return new Promise((resolve) => {
    const done = (ok: boolean) => {
      clearTimeout(timer);
      resolve({ found: 1, left: ok ? [] : [pid] });
    };
    const taskkill = spawn(win32.join(systemRoot, 'System32', 'taskkill.exe'), ['/T', '/F', '/PID', String(pid)], {
      stdio: 'ignore',
      windowsHide: true,
      timeout: patience.killMs,
    });
    const timer = setTimeout(() => done(false), patience.killMs + 1000);
    taskkill.once('error', () => done(false));
    // 128: there is no such process (any more)
    taskkill.once('exit', (code) => done(code === 0 || code === 128));
  });
}
