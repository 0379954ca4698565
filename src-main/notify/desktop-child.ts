/**
 * A process of its own that shows one notice on the desktop and ends: what hangs in the desktop's own programs is ended with it, and
 * never the engine. Told by its environment; says in its last line what became of it. Exit 0: the desktop took it.
 */
import notifier from 'node-notifier';
import { sentenceOf } from '../contract/errors.ts';

const { ESTEPE_NOTICE_TITLE: title = 'Estepe', ESTEPE_NOTICE_TEXT: message = '' } = process.env;

function ended(why: string | null): void {
  process.stdout.write(`${why ?? 'shown'}\n`, () => process.exit(why === null ? 0 : 1));
}

/** The desktop's own words; the command line in front of them would repeat the message. */
function wordsOf(error: unknown): string {
  const lines = sentenceOf(error)
    .split('\n')
    .filter((line) => line.trim() !== '');
  const said = lines[0]?.startsWith('Command failed:') ? lines.slice(1) : lines;
  return said.at(-1)?.trim() ?? 'it ended without a word';
}

try {
  notifier.notify({ title, message, wait: false }, (error: unknown) => ended(error ? wordsOf(error) : null));
} catch (error) {
  ended(wordsOf(error));
}
