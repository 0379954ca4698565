/** Runs one command line of a backup or restore and makes an error of its failure that an admin can act on. */
import { tmpdir } from 'node:os';
import { redact } from '../../config/secrets.ts';
import { EstepeError } from '../../contract/errors.ts';
import { inWords } from '../../engine/duration.ts';
import type { CommandEnd, Proc } from '../../engine/ports.ts';
import type { CommandLine } from './command-lines.ts';

export interface Running {
  proc: Proc;
  /** marks the processes, so that a later life of the engine finds what was left of them */
  runToken: string;
  timeoutMs: number;
  signal: AbortSignal;
  /** what the commands may need to know, such as ESTEPE_FQDN */
  env?: Record<string, string>;
}

/** An argv of the site's own, as sentences name it. */
export const siteLine = (argv: readonly string[]): CommandLine => ({ argv, shown: argv.join(' '), secrets: [] });

/** What a program said last. */
const lastLines = (output: string): string => output.trim().split('\n').slice(-3).join(' / ').slice(-400);

function ended(end: CommandEnd, timeoutMs: number): string | null {
  switch (end.how) {
    case 'exit':
      return end.code === 0 ? null : `ended with exit code ${end.code}`;
    case 'signal':
      return `was ended by ${end.signal}`;
    case 'timeout':
      return `did not end within ${inWords(timeoutMs)}`;
    case 'cancelled':
      return 'was cancelled';
    case 'not-started':
      return `could not be started: ${end.why}`;
  }
}

/**
 * Runs it to its end and answers its output, without its secrets.
 * @throws EstepeError `backup`
 */
export async function runLine({ argv, shown, secrets }: CommandLine, running: Running): Promise<string> {
  const { proc, runToken, timeoutMs, signal, env = {} } = running;
  const result = await proc.run({ argv, cwd: tmpdir(), env, timeoutMs, runToken, signal });
  const output = redact(result.output, secrets);
  const wrong = ended(result.end, timeoutMs);
  if (wrong === null) return output;
  const said = lastLines(output);
  throw new EstepeError(
    'backup',
    redact(`\`${shown}\` ${wrong}${said === '' ? '' : `: ${said}`}`, secrets),
    'run the command by hand to see what it wants, then try again',
    { output, how: result.end.how },
  );
}

/** One after the other, up to the first that fails. */
export async function runAll(commands: readonly (readonly string[])[], running: Running): Promise<void> {
  for (const argv of commands) await runLine(siteLine(argv), running);
}
