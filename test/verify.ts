/**
 * `npm run verify`: lint, types, the rule table's check, build and every test, on any machine. Installs the system peers
 * first where it may. The very last line is `N passed, N failed, N skipped`: tests of all suites plus one for each step
 * that is not a suite. Exit code 1 when anything failed.
 */
import { globSync } from 'node:fs';
import { installPeers, mayInstall, missingPeers } from './verify/peers.ts';
import { endAll, run } from './verify/run.ts';
import { runSuite, suites } from './verify/suites.ts';

/** ESTEPE_VERIFY_MINUTES bounds the whole, for machines that are not waited for. */
const deadline = performance.now() + 60_000 * Number(process.env.ESTEPE_VERIFY_MINUTES ?? 120);
const left = (atMost: number): number => Math.max(1_000, Math.min(atMost, deadline - performance.now()));

const totals = { passed: 0, failed: 0, skipped: 0 };
const skips: string[] = [];
const retried: string[] = [];
const failures: { name: string; text: string }[] = [];
const times: { name: string; ms: number; words: string }[] = [];

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    endAll();
    process.exit(1);
  });
}

say('Estepe verify');
const required = await peersStep();
await commandStep('lint', [['npm', 'run', '-s', 'lint']]);
await commandStep('types', [['npm', 'run', '-s', 'types']]);
await ruleTableStep();
await commandStep('build', [['npm', 'run', '-s', 'build']]);
for (const suite of suites) {
  say(`${suite.project} …`);
  const { report, ran } = await runSuite(suite, { required, limitMs: left(1_800_000) });
  totals.passed += report.passed;
  totals.failed += report.failures.length;
  totals.skipped += report.skips.length;
  failures.push(...report.failures);
  retried.push(...report.retried);
  skips.push(...report.skips.map((skip) => (skip.reason === '' ? skip.name : `${skip.name}: ${skip.reason}`)));
  const words = `${report.passed} passed, ${report.failures.length} failed, ${report.skips.length} skipped`;
  note(suite.project, ran.ms, words);
  showFailures(report.failures);
}
end();

/** Brings the machine's peers up to what the tests want; answers whether all of them must be there now. */
async function peersStep(): Promise<boolean> {
  const started = performance.now();
  const missing = await missingPeers();
  const names = missing.map((peer) => `${peer.package} (${peer.what})`).join(', ');
  if (missing.length === 0) {
    say('peers: every system package is there');
    // Without root there are no network namespaces, whatever is installed: those tests may still skip themselves.
    return mayInstall() || process.env.ESTEPE_REQUIRE_PEERS === '1';
  }
  if (!mayInstall()) {
    say(
      `peers: not here, and only root on Debian may install them: ${names}. Tests that need them are skipped by name.`,
    );
    return process.env.ESTEPE_REQUIRE_PEERS === '1';
  }
  say(`peers: installing ${names} …`);
  const trouble = await installPeers(missing);
  if (trouble !== null) fail('peers', `the system packages could not be installed:\n${trouble}`);
  else totals.passed++;
  note('peers', performance.now() - started, trouble === null ? 'installed' : 'failed');
  return true;
}

async function commandStep(name: string, commands: readonly (readonly string[])[]): Promise<void> {
  say(`${name} …`);
  let ms = 0;
  for (const argv of commands) {
    const ran = await run(argv, { limitMs: left(600_000) });
    ms += ran.ms;
    if (ran.ok) continue;
    fail(name, `\`${argv.join(' ')}\` ${ran.why}\n${ran.output}`);
    return note(name, ms, 'failed');
  }
  totals.passed++;
  note(name, ms, 'ok');
}

/** Every reachable phase and verdict meets exactly one rule, and no phase is a dead end. Part of `unit`, said by itself too. */
async function ruleTableStep(): Promise<void> {
  const files = globSync('test/unit/**/*rule*table*.test.ts');
  if (files.length > 0) {
    await commandStep('rule table', [
      ['node', 'node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', '--reporter', 'dot', ...files],
    ]);
    return;
  }
  fail('rule table', 'no test/unit/**/*rule*table*.test.ts: the check of the rule table is missing');
}

function fail(name: string, text: string): void {
  totals.failed++;
  failures.push({ name, text });
  showFailures([{ name, text }]);
}

function showFailures(all: readonly { name: string; text: string }[]): void {
  for (const { name, text } of all) say(`  ✗ ${name}\n${text.trimEnd().replace(/^/gm, '      ')}`);
}

function note(name: string, ms: number, words: string): void {
  times.push({ name, ms, words });
  say(`${name}: ${words} (${(ms / 1000).toFixed(1)} s)`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function end(): void {
  say('');
  for (const { name, ms, words } of times) say(`${name.padEnd(12)} ${(ms / 1000).toFixed(1).padStart(7)} s  ${words}`);
  if (skips.length > 0) say(`\nSkipped:\n${skips.map((skip) => `  - ${skip}`).join('\n')}`);
  if (retried.length > 0) say(`\nPassed only at the second try:\n${retried.map((name) => `  ~ ${name}`).join('\n')}`);
  if (failures.length > 0) say(`\nFailed:\n${failures.map(({ name }) => `  ✗ ${name}`).join('\n')}`);
  say(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  process.exitCode = totals.failed > 0 ? 1 : 0;
}
