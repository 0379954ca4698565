/** What a person or the system said to Estepe on its command line, without what is meant for Electron. Imports no Electron. */
import { withoutDisplay } from '../station/boot/plan.ts';

const forElectron: ReadonlySet<string> = new Set(withoutDisplay);

/**
 * The words behind the program's name: `--headless …`, or those of the command line (`status --json`). What the launcher on Linux
 * puts before them is left out; the same words further on are a command's own.
 * @param argv as Electron's main process has it
 * @param defaultApp Electron runs the application from a folder, named first: it is developed, not packaged
 */
export function ownWords(argv: readonly string[], defaultApp: boolean): string[] {
  const words = argv.slice(defaultApp ? 2 : 1);
  const first = words.findIndex((word) => !forElectron.has(word));
  return first < 0 ? [] : words.slice(first);
}
