/**
 * How the command line fails: every error becomes one EstepeError, one shape on stdout or stderr and one exit code.
 */
import { CommanderError } from 'commander';
import { EstepeError, sentenceOf } from '../contract/errors.ts';

/** Wrong words on the command line. */
export function usage(message: string, todo = 'See `estepe --help`.'): EstepeError {
  return new EstepeError('usage', message, todo);
}

/** Whatever was thrown, as an error an admin can act on; null for commander's way of saying "help was shown". */
export function asEstepeError(error: unknown): EstepeError | null {
  if (error instanceof EstepeError) return error;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return null;
    // commander has shown that command's help on stderr
    if (error.code === 'commander.help') return usage('A word is missing: say which of these commands.');
    // "error: unknown command 'stauts'\n(Did you mean status?)"
    const [first = '', ...more] = error.message.replace(/^error: /, '').split('\n');
    const hint = more
      .join(' ')
      .trim()
      .replace(/^\((.*)\)$/, '$1');
    return usage(sentence(first), hint === '' ? 'See `estepe --help`.' : `${hint} See \`estepe --help\`.`);
  }
  const told = new EstepeError(
    'internal',
    `Something went wrong that Estepe did not expect: ${sentenceOf(error).split('\n')[0]}`,
    'Run it again with ESTEPE_DEBUG=1 to see where, and report it.',
  );
  if (error instanceof Error && error.stack !== undefined) told.stack = error.stack;
  return told;
}

/** Prints an error the way the caller reads it and answers the exit code. */
export function tell(error: EstepeError, json: boolean): 1 | 2 {
  if (process.env.ESTEPE_DEBUG === '1') process.stderr.write(`${causes(error)}\n`);
  if (json) process.stdout.write(`${JSON.stringify({ error: error.toJSON() }, null, 2)}\n`);
  else process.stderr.write(`${error.message}\n${sentence(error.todo)}\n`);
  return error.exitCode;
}

function causes(error: Error): string {
  const own = error.stack ?? String(error);
  return error.cause instanceof Error ? `${own}\ncaused by: ${causes(error.cause)}` : own;
}

function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(begun) || begun === '' ? begun : `${begun}.`;
}
