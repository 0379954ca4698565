/** A lab as a process of its own, in a temporary folder of its own: by that folder everything it leaves behind is found. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { until } from '../../peers/fixtures/until.ts';
import { type Started, startEstepe } from '../cli/estepe-process.ts';

export interface LabUnderTest extends Started {
  temporary: string;
  /** waits until this was printed */
  said(text: string | RegExp): Promise<unknown>;
  /** fails when a file or a process is left; takes the temporary folder away */
  expectNothingLeft(): Promise<void>;
}

/** Generous: other tests run on this machine at the same time. */
export const patienceMs = 60_000;

export function temporary(): { path: string; expectNothingLeft(): Promise<void> } {
  const path = mkdtempSync(join(tmpdir(), 'estepe-lab-test-'));
  return {
    path,
    async expectNothingLeft() {
      expect(readdirSync(path)).toEqual([]);
      // A child that had not even loaded when its parent left finds that out first thing, and goes.
      await until('no process of the lab is left', () => processesIn(path).length === 0, patienceMs).catch(() => {
        expect(processesIn(path)).toEqual([]);
      });
      rmSync(path, { recursive: true, force: true });
    },
  };
}

export function startLab(...args: string[]): LabUnderTest {
  return startLabInside([], ...args);
}

/** @param inside words before the program, such as those that run it in a network namespace */
export function startLabInside(inside: readonly string[], ...args: string[]): LabUnderTest {
  const { path, expectNothingLeft } = temporary();
  const started = startEstepe(['lab', ...args], { TMPDIR: path }, inside);
  const said = (text: string | RegExp) =>
    until(`the lab says ${text}; it said ${started.out()}`, () => new RegExp(text).test(started.out()), patienceMs);
  return { ...started, temporary: path, said, expectNothingLeft };
}

/** Command lines of the processes that have this temporary folder in their environment; the lab's all inherit it. */
function processesIn(folder: string): string[] {
  const read = (pid: string, file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'latin1');
    } catch {
      return '';
    }
  };
  const numbers = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return numbers
    .filter((pid) => read(pid, 'environ').split('\0').includes(`TMPDIR=${folder}`))
    .map((pid) => read(pid, 'cmdline').replaceAll('\0', ' '));
}
