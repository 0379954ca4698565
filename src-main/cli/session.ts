/**
 * What every command is given and gives back: the data folder, whether a program reads the answer, and the two streams.
 * Knows nothing of any single command.
 */
import { userInfo } from 'node:os';
import { styleText } from 'node:util';
import { dataFolderAt } from '../config/data-folder.ts';

/** What a command has done: one document for programs, the same as text for people. */
export interface Done {
  exit: 0 | 1 | 2;
  document: unknown;
  text: string;
}

export interface Session {
  /** absolute */
  dataFolder: string;
  json: boolean;
  /** a person watches: stdout is a terminal and no `--json` */
  terminal: boolean;
  /** Prints a line at once, for what takes time. Silent with `--json`: there stdout carries one document alone. */
  say(line: string): void;
  paint: Paint;
}

/** Wraps a command: it gets a session, its options and its words, and answers what it has done. */
export type Run = <O extends object = object>(
  command: (session: Session, options: O, words: string[]) => Promise<Done>,
) => (...given: unknown[]) => Promise<void>;

type Style = Parameters<typeof styleText>[0];
/** Colours a text where a terminal shows it and nobody forbade it (NO_COLOR, no terminal, TERM=dumb). */
export type Paint = (style: Style, text: string) => string;

export function makeSession(options: { data?: string | undefined; json?: boolean | undefined }): Session {
  const json = options.json === true;
  return {
    dataFolder: dataFolderAt(options.data).root,
    json,
    terminal: process.stdout.isTTY === true && !json,
    say(line) {
      if (!json) process.stdout.write(`${line}\n`);
    },
    // Node lets FORCE_COLOR win over NO_COLOR; who says no means it (no-color.org).
    paint: (style, text) => (process.env.NO_COLOR ? text : styleText(style, text, { stream: process.stdout })),
  };
}

/** Who gives orders from here, as history shows it. */
export function whoAmI(): string {
  try {
    return `${userInfo().username.slice(0, 60)} (command line)`;
  } catch {
    // a user id without an entry in passwd, as in some containers
    return 'command line';
  }
}
