/** What is to run at boot: which program, on which data folder, under which account. Pure. */
import { EstepeError } from '../../contract/errors.ts';

export interface BootPlan {
  /** the engine's command line; the program by its absolute path */
  argv: readonly string[];
  /** absolute */
  dataFolder: string;
  /** `root`, `SYSTEM`, a user of this machine or of its domain */
  account: string;
}

/** How this very process was started; what the machine is to start is the same program. */
export interface Started {
  execPath: string;
  argv: readonly string[];
  /** Electron runs us: a packaged Estepe, or one that is developed */
  electron: { defaultApp: boolean } | null;
  /** the command that a package put around it, for a machine without a display; null: none */
  launcher: string | null;
}

export const startedHere = (): Started => ({
  execPath: process.execPath,
  argv: process.argv,
  electron:
    process.versions.electron === undefined
      ? null
      : { defaultApp: (process as NodeJS.Process & { defaultApp?: boolean }).defaultApp === true },
  launcher: process.env.ESTEPE_LAUNCHER || null,
});

/** `Estepe.exe --headless …` of a packaged Estepe, or what its package put around that; else `node …/estepe.ts serve …`. */
export function engineArgv({ execPath, argv, electron, launcher }: Started, words: readonly string[]): string[] {
  if (electron !== null && launcher !== null) return [launcher, 'serve', ...words];
  if (electron === null) return [execPath, argv[1] ?? '', 'serve', ...words];
  return [execPath, ...(electron.defaultApp ? [argv[1] ?? ''] : []), '--headless', ...words];
}

/** The folder behind `--data`, as an installed command line says it. */
export function dataFolderIn(argv: readonly string[]): string | null {
  const at = argv.indexOf('--data');
  return at < 0 ? null : (argv[at + 1] ?? null);
}

/** @throws EstepeError `usage`: no text file of either system can carry it */
export function refuseControls(words: readonly string[]): void {
  for (const word of words) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    if (/[\u0000-\u001f\u007f]/.test(word)) {
      const shown = JSON.stringify(word);
      throw new EstepeError('usage', `${shown} holds a control character.`, 'use a path without one');
    }
  }
}
