/**
 * The configuration that somebody begins with: the commented example, what only this site can tell left open. And whether a file
 * that stands there is still the example as it was printed.
 */
import { EXAMPLE_YAML } from './example.ts';

/** What no example can know: each key keeps its line and its comment. */
const open = ['role', 'fqdn', 'active', 'passive', 'profile'];

const opened = (line: string): string => {
  const [, before, value, after] = /^( *(?:\w+):)( +[^#]+?)( +#.*)?$/.exec(line) ?? [];
  if (before === undefined || value === undefined || !open.includes(before.trim().slice(0, -1))) return line;
  return after === undefined ? before : before + ' '.repeat(value.length) + after;
};

/** The tests of the example are those of one product; without them each product has its own. */
function withoutTests(lines: readonly string[]): string[] {
  const from = lines.findIndex((line) => line.startsWith('  tests:'));
  const to = lines.findIndex((line, i) => i > from && /^ {2}\w/.test(line));
  return lines.map((line, i) => (i < from || i >= to || /^ *#/.test(line) ? line : line.replace(/^ {2}/, '  # ')));
}

/** The text that the first configuration is made from. It cannot be used before the open keys are filled. */
export function firstText(): string {
  const lines = EXAMPLE_YAML.split('\n');
  const pairEnds = lines.findIndex((line) => line.startsWith('heartbeat:'));
  const begun = lines.map((line, i) => (i < pairEnds ? opened(line) : line));
  return withoutTests(begun.filter((line) => !line.startsWith('  name:'))).join('\n');
}

const plain = (text: string): string =>
  text
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
    .trim();

/** Whether the text is the printed example, never touched: it names nodes that do not exist. */
export const isUntouched = (text: string): boolean => plain(text) === plain(EXAMPLE_YAML);
