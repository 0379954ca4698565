/**
 * What the engine costs the machine that it waits on: from its start to the first beat on the disk, resident memory, and the time of a core
 * over ten minutes at default settings. A process of its own, as `estepe serve` is started, watching an address of loopback
 * where every port is refused at once. Prints, asserts nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import type { Print } from './bench.ts';

const program = fileURLToPath(new URL('../../src-main/estepe.ts', import.meta.url));
const watchedMs = 600_000;
const starts = 5;
/** Linux: clock ticks a second, as sysconf(_SC_CLK_TCK) has it on every Debian */
const ticks = 100;

const yaml = `role: passive
pair: { name: bench, fqdn: pbx.example.com, active: 127.0.9.1, passive: 127.0.9.2, profile: generic }
`;

const pause = (ms: number): Promise<void> => new Promise((go) => setTimeout(go, ms));

interface Running {
  pid: number;
  /** from the start of the process to the first beat in estepe.db, ms */
  firstBeatMs: number;
  end(): Promise<void>;
}

function beatsIn(file: string): number {
  if (!existsSync(file)) return 0;
  try {
    const db = new Database(file, { readonly: true, timeout: 0 });
    try {
      return (db.prepare('SELECT count(*) AS n FROM beat').get() as { n: number }).n;
    } finally {
      db.close();
    }
  } catch {
    // not there yet, or being made
    return 0;
  }
}

async function started(): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'estepe-footprint-'));
  writeFileSync(join(folder, 'estepe.yaml'), yaml);
  const began = performance.now();
  const child = spawn(process.execPath, [program, 'serve', '--data', folder], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  while (beatsIn(join(folder, 'estepe.db')) === 0) {
    if (child.exitCode !== null) throw new Error(`the engine ended with ${child.exitCode}`);
    await pause(5);
  }
  return {
    pid: child.pid ?? 0,
    firstBeatMs: performance.now() - began,
    async end() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resident memory in MB, of which shared pages of the program are a part (proc_pid_status(5), VmRSS). */
function residentMb(pid: number): number {
  const [, kb = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return (Number(kb) * 1024) / 1e6;
}

/** Seconds of a core so far, its own and the kernel's for it (proc_pid_stat(5), utime and stime). */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticks;
}

export async function benchFootprint(print: Print): Promise<void> {
  if (process.platform !== 'linux') return print('  not measured: memory and time are read from /proc, which is Linux');
  const first: number[] = [];
  for (let n = 0; n < starts; n += 1) {
    const engine = await started();
    first.push(engine.firstBeatMs);
    await engine.end();
  }
  const inOrder = [...first].sort((a, b) => a - b);
  print(`  from start to first beat, ${starts} starts: ${inOrder.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  const engine = await started();
  try {
    // what is compiled and read at the start is no part of waiting
    await pause(20_000);
    const [memory, cpu, at] = [residentMb(engine.pid), cpuSeconds(engine.pid), performance.now()];
    print(`  resident memory 20 s after its start: ${memory.toFixed(0)} MB`);
    await pause(watchedMs);
    const share = (cpuSeconds(engine.pid) - cpu) / ((performance.now() - at) / 1000);
    print(`  resident memory after ${watchedMs / 60_000} min: ${residentMb(engine.pid).toFixed(0)} MB`);
    print(`  time of a core over them: ${(100 * share).toFixed(2)} %`);
  } finally {
    await engine.end();
  }
}
