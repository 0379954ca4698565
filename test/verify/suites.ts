/** Runs one vitest project and reads its report. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from './reporter.ts';
import { type Ran, run } from './run.ts';

export interface Suite {
  /** the vitest project */
  project: string;
  /** every test may be skipped (its runtime cannot be had everywhere); without this, a suite that ran nothing failed */
  mayBeSkipped: boolean;
}

/** In the order they run: what needs least comes first. */
export const suites: readonly Suite[] = [
  { project: 'unit', mayBeSkipped: false },
  { project: 'processes', mayBeSkipped: false },
  { project: 'simulation', mayBeSkipped: false },
  { project: 'peers', mayBeSkipped: false },
  { project: 'engines', mayBeSkipped: false },
  { project: 'console', mayBeSkipped: false },
  { project: 'packaging', mayBeSkipped: false },
  { project: 'electron', mayBeSkipped: true },
];

/**
 * @param required the machine has every peer, so a suite in which everything was skipped failed
 * @returns the report; whatever vitest itself could not do is one more failure in it
 */
export async function runSuite(
  suite: Suite,
  options: { required: boolean; limitMs: number },
): Promise<{ report: Report; ran: Ran }> {
  const folder = mkdtempSync(join(tmpdir(), 'estepe-verify-'));
  const path = join(folder, 'report.json');
  try {
    const ran = await run(
      [
        'node',
        'node_modules/vitest/vitest.mjs',
        'run',
        '--project',
        suite.project,
        '--reporter',
        './test/verify/reporter.ts',
      ],
      {
        limitMs: options.limitMs,
        env: {
          ESTEPE_REPORT: path,
          NO_COLOR: '1',
          FORCE_COLOR: '0',
          ...(options.required ? { ESTEPE_REQUIRE_PEERS: '1' } : {}),
        },
        onOutput: (chunk) => process.stdout.write(chunk),
      },
    );
    const report = readReport(path);
    if (report === null) {
      // Its output was already shown as it came.
      return {
        ran,
        report: { passed: 0, skips: [], retried: [], failures: [{ name: suite.project, text: `vitest ${ran.why}` }] },
      };
    }
    judge(suite, report, ran, options.required);
    return { ran, report };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function judge(suite: Suite, report: Report, ran: Ran, required: boolean): void {
  if (report.failures.length > 0) return;
  if (report.passed === 0 && report.skips.length === 0) {
    report.failures.push({ name: suite.project, text: 'the suite has no test' });
  } else if (report.passed === 0 && required && !suite.mayBeSkipped) {
    report.failures.push({ name: suite.project, text: 'every test was skipped although the machine has every peer' });
  } else if (!ran.ok) {
    report.failures.push({ name: suite.project, text: `no test failed, but vitest ${ran.why}` });
  }
}

function readReport(path: string): Report | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch {
    return null;
  }
}
