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
  environment: Readonly<Record<string, string | undefined>>;
}

export const startedHere = (): Started => ({
  execPath: process.execPath,
  argv: process.argv,
  electron:
    process.versions.electron === undefined
      ? null
      : { defaultApp: (process as NodeJS.Process & { defaultApp?: boolean }).defaultApp === true },
  environment: process.env,
});

/**
 * What lets Electron run where there is no display. It looks for one before any program of ours runs, its own `--headless` changes
 * nothing about that, and its sandbox refuses root; without a window there is no page in it either. build/linux/estepe gives the same.
 */
export const withoutDisplay = ['--ozone-platform=headless', '--disable-gpu', '--no-sandbox'] as const;

/**
 * `Estepe.exe --headless …` of a packaged Estepe, else `node …/estepe.ts serve …`. On Linux by the package's launcher, which needs no
 * display, or by the AppImage's own file: what it runs from is mounted only as long as it does.
 */
export function engineArgv({ execPath, argv, electron, environment }: Started, words: readonly string[]): string[] {
  if (electron === null) return [execPath, argv[1] ?? '', 'serve', ...words];
  if (electron.defaultApp) return [execPath, argv[1] ?? '', '--headless', ...words];
  const { ESTEPE_LAUNCHER: launcher, APPIMAGE: appImage } = environment;
  if (launcher) return [launcher, '--headless', ...words];
  if (appImage) return [appImage, ...withoutDisplay, '--headless', ...words];
  return [execPath, '--headless', ...words];
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
