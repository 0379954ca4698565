/**
 * Vitest reporter for `npm run verify`: a line for each test file while it runs, and a JSON report (ESTEPE_REPORT) with
 * every skipped and failed test, its reason and what it printed. Vitest's own JSON reporter leaves out the note of a skip.
 */
import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export interface Report {
  passed: number;
  failures: { name: string; text: string }[];
  skips: { name: string; reason: string }[];
  /** passed, but only at a second try */
  retried: string[];
}

type Told = Parameters<NonNullable<Reporter['onTestRunEnd']>>[1][number];
type Log = Parameters<NonNullable<Reporter['onUserConsoleLog']>>[0];

export default class VerifyReporter implements Reporter {
  readonly #said = new Map<string, string>();

  onUserConsoleLog(log: Log): void {
    const key = log.taskId ?? '';
    const before = this.#said.get(key) ?? '';
    // A test that floods its console must not flood the report as well.
    if (before.length < 20_000) this.#said.set(key, before + log.content);
  }

  onTestModuleEnd(module: TestModule): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const test of module.children.allTests()) counts[test.result().state]++;
    const mark = module.ok() ? (counts.passed > 0 ? '✓' : '-') : '✗';
    const words = [`${counts.passed} passed`];
    if (counts.failed > 0) words.push(`${counts.failed} failed`);
    if (counts.skipped > 0) words.push(`${counts.skipped} skipped`);
    const seconds = (module.diagnostic().duration / 1000).toFixed(1);
    process.stdout.write(`    ${mark} ${module.relativeModuleId}: ${words.join(', ')} (${seconds} s)\n`);
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly Told[]): void {
    const report: Report = { passed: 0, failures: [], skips: [], retried: [] };
    for (const module of modules) this.#addModule(module, report);
    for (const error of unhandled) report.failures.push({ name: 'error outside of any test', text: textOf([error]) });
    const path = process.env.ESTEPE_REPORT;
    if (path !== undefined) writeFileSync(path, JSON.stringify(report));
  }

  #addModule(module: TestModule, report: Report): void {
    // A file that does not load, or a hook that fails, has no failed test of its own: it counts as one failure.
    const own = module.errors();
    if (own.length > 0)
      report.failures.push({ name: module.relativeModuleId, text: textOf(own) + this.#log(module.id) });
    for (const suite of module.children.allSuites()) {
      const errors = suite.errors();
      if (errors.length > 0) report.failures.push({ name: nameOf(module, suite.fullName), text: textOf(errors) });
    }
    for (const test of module.children.allTests()) this.#addTest(module, test, report);
  }

  #addTest(module: TestModule, test: TestCase, report: Report): void {
    const result = test.result();
    const name = nameOf(module, test.fullName);
    if (result.state === 'passed') {
      report.passed++;
      if (test.diagnostic()?.flaky === true) report.retried.push(name);
    } else if (result.state === 'failed') {
      report.failures.push({ name, text: textOf(result.errors) + this.#log(test.id) });
    } else if (result.state === 'skipped') {
      report.skips.push({ name, reason: result.note ?? (test.options.mode === 'todo' ? 'to do' : '') });
    } else report.failures.push({ name, text: 'never finished' });
  }

  #log(id: string): string {
    const said = this.#said.get(id);
    return said === undefined ? '' : `\nprinted:\n${said}`;
  }
}

function nameOf(module: TestModule, name: string): string {
  return `${module.relativeModuleId} > ${name}`;
}

function textOf(errors: readonly Told[]): string {
  return errors
    .map((error) => {
      const diff = typeof error.diff === 'string' ? `\n${error.diff}` : '';
      const where = (error.stack ?? '')
        .split('\n')
        .filter((line) => /^\s+at /.test(line) && !line.includes('node_modules'));
      return [`${error.name ?? 'Error'}: ${error.message}${diff}`, ...where.slice(0, 6)].join('\n');
    })
    .join('\n');
}
