/** The real clock in a process that is really stopped. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { Gap } from '../../../src-main/engine/ports.ts';
import { until } from '../fixtures/until.ts';

const program = fileURLToPath(new URL('../fixtures/clock-child.ts', import.meta.url));

interface Line {
  ready?: number;
  gap?: Gap;
  timer?: number;
}

describe.skipIf(process.platform === 'win32')('C1 the observer itself', () => {
  let child: ChildProcessWithoutNullStreams | null = null;
  afterEach(() => {
    child?.kill('SIGKILL');
    child = null;
  });

  it('C1 our own process stopped: the gap is told, before anything that was due in it', async () => {
    const started = spawn(process.execPath, [program]);
    child = started;
    const lines: Line[] = [];
    let rest = '';
    started.stdout.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString('utf8')).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts.map((part) => JSON.parse(part) as Line));
    });
    await until('the clock to run', () => lines.some(({ timer }) => timer !== undefined));
    expect(lines.some(({ gap }) => gap !== undefined)).toBe(false);

    started.kill('SIGSTOP');
    const stat = `/proc/${started.pid}/stat`;
    if (process.platform === 'linux') await until('it to stand', () => readFileSync(stat, 'latin1').includes(') T '));
    const from = performance.now();
    await until('three seconds to pass', () => performance.now() - from > 3000);
    const before = lines.length;
    started.kill('SIGCONT');
    const gap = await until('the gap to be told', () => lines.find((line) => line.gap !== undefined)?.gap);
    expect(gap.id).toBe(1);
    expect(gap.kind).toBe('stall');
    expect(gap.ms).toBeGreaterThan(3000);
    // the first line after the stop is the gap, not the timer that was due meanwhile
    expect(lines[before]?.gap).toBeDefined();
    const at = lines.length;
    await until('the clock to go on', () => lines.length > at + 6);
    expect(lines.filter((line) => line.gap !== undefined)).toHaveLength(1);
  });
});
