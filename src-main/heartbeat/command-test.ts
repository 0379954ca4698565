/**
 * The `command` test: a script of the site's own says whether the node lives. Exit 0 alive, 1 dead, anything else means
 * that the test itself is at fault and nothing is known. Knows the process port, never a process.
 */
import { isAbsolute, join, relative } from 'node:path';
import type { CommandResult, Proc, Target, TestSpec } from '../engine/ports.ts';
import { type Finding, oneLine, span } from './evidence.ts';
import { programEnvironment } from './program-environment.ts';

export interface CommandQuestion {
  test: TestSpec & { kind: 'command' };
  target: Target;
  /** the scripts folder */
  scripts: string;
  dataFolder: string;
  runToken: string;
}

/** Runs the script once. Never rejects; the process port ends the whole tree at the time-out or by `signal`. */
export async function runCommandTest(question: CommandQuestion, proc: Proc, signal: AbortSignal): Promise<Finding> {
  const { test, target, scripts, dataFolder, runToken } = question;
  const [name = '', ...rest] = test.argv;
  const script = join(scripts, name);
  const inside = relative(scripts, script);
  if (name === '' || inside === '' || inside.startsWith('..') || isAbsolute(inside)) {
    return { outcome: 'unknown', evidence: `"${oneLine(name, 80)}" lies outside the scripts folder` };
  }
  const result = await proc.run({
    argv: [script, ...rest],
    cwd: scripts,
    env: {
      ...programEnvironment(),
      ESTEPE_TEST: test.id,
      ESTEPE_ADDRESS: target.address,
      ESTEPE_FQDN: target.fqdn,
      ESTEPE_DATA: dataFolder,
    },
    timeoutMs: test.timeoutMs,
    runToken,
    signal,
  });
  return findingOf(result, test.timeoutMs);
}

function findingOf({ end, output }: CommandResult, timeoutMs: number): Finding {
  const first = oneLine(output.split('\n').find((line) => line.trim() !== '') ?? '', 200);
  const said = (words: string): string => (first === '' ? words : first);
  switch (end.how) {
    case 'exit': {
      const outcome = end.code === 0 ? 'alive' : end.code === 1 ? 'dead' : 'unknown';
      const words = outcome === 'unknown' && first !== '' ? `exit ${end.code}: ${first}` : said(`exit ${end.code}`);
      return { outcome, evidence: words, detail: { exitCode: end.code } };
    }
    case 'timeout':
      return { outcome: 'dead', evidence: `no result within ${span(timeoutMs)}${first === '' ? '' : `: ${first}`}` };
    case 'signal':
      return {
        outcome: 'unknown',
        evidence: `the script was ended by ${end.signal}${first === '' ? '' : `: ${first}`}`,
      };
    case 'cancelled':
      return { outcome: 'unknown', evidence: 'cancelled' };
    case 'not-started':
      return { outcome: 'unknown', evidence: `not started: ${oneLine(end.why, 200)}` };
  }
}
