/**
 * The `command` test: a script of the site's own says whether the node lives. Exit 0 alive, 1 dead, anything else means
 * that the test itself is at fault and nothing is known. Knows the process port, never a process.
 */
import { isAbsolute, join, relative } from 'node:path';
import type { Command, CommandResult, Proc, Target, TestSpec } from '../engine/ports.ts';
import { attempt } from './attempt.ts';
import { type Finding, oneLine, span } from './evidence.ts';

export interface CommandQuestion {
  test: TestSpec & { kind: 'command' };
  target: Target;
  /** the scripts folder */
  scripts: string;
  dataFolder: string;
  runToken: string;
}

/** The process port says "time-out" itself, with what the script wrote so far; this long is waited for that. */
const slackMs = 500;

/**
 * Runs the script once. Never rejects; ends by its time-out (and half a second) or by `signal`, though the process port may
 * need longer to end a script that ignores TERM.
 */
export async function runCommandTest(question: CommandQuestion, proc: Proc, signal: AbortSignal): Promise<Finding> {
  const { test, target, scripts, dataFolder, runToken } = question;
  const [name = '', ...rest] = test.argv;
  const script = join(scripts, name);
  const inside = relative(scripts, script);
  if (name === '' || inside === '' || inside.startsWith('..') || isAbsolute(inside)) {
    return { outcome: 'unknown', evidence: `"${oneLine(name, 80)}" lies outside the scripts folder` };
  }
  const order: Command = {
    argv: [script, ...rest],
    cwd: scripts,
    env: {
      ESTEPE_TEST: test.id,
      ESTEPE_ADDRESS: target.address,
      ESTEPE_FQDN: target.fqdn,
      ESTEPE_DATA: dataFolder,
    },
    timeoutMs: test.timeoutMs,
    runToken,
    signal,
  };
  return attempt(
    test.timeoutMs + slackMs,
    signal,
    () => ({ outcome: 'dead', evidence: `no result within ${span(test.timeoutMs)}` }),
    (a) => {
      void proc.run(order).then(a.safely((result: CommandResult) => a.settle(findingOf(result, test.timeoutMs))));
    },
  );
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
