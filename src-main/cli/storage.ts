/**
 * What `backup`, `restore` and `location` need of a data folder without its engine: the configuration, the location, a signal that Ctrl-C
 * gives, and one line on the terminal that is written over and over.
 */
import { existsSync } from 'node:fs';
import type { Location } from '../backup/location.ts';
import type { Setback } from '../backup/patience.ts';
import { type BackupSection, type Means, meansOf } from '../backup/work-of-config.ts';
import { dataFolderAt } from '../config/data-folder.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import { durationWords } from '../contract/view.ts';
import type { Standing } from '../engine/ports.ts';
import { sizeWords } from '../engine/size.ts';
import { RealClock } from '../heartbeat/real-clock.ts';
import { look } from '../history/look.ts';
import { hasRestores, type Restores, restoreTable } from '../history/restores.ts';
import type { Sqlite } from '../history/runtime.ts';
import { leave } from './leave.ts';
import type { Session } from './session.ts';

export interface Storage extends Means {
  config: Config;
  backup: BackupSection;
  location: Location;
  clock: RealClock;
  /** aborted by Ctrl-C and SIGTERM; a second one does not wait */
  signal: AbortSignal;
}

/** Gives a command its storage and lets go of it whatever happened. @throws EstepeError `config`; what the command throws */
export async function withStorage<T>(session: Session, command: (storage: Storage) => Promise<T>): Promise<T> {
  const { config } = loadConfig(session.dataFolder);
  const { backup } = config;
  if (backup === null) {
    throw new EstepeError(
      'config',
      'There is no section `backup` in estepe.yaml, so there is no location.',
      'add one: `estepe config example` shows it',
    );
  }
  const clock = new RealClock();
  const means = meansOf(dataFolderAt(session.dataFolder), clock);
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) leave(1);
    stop.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal);
  let location: Location | null = null;
  try {
    location = means.openBackups(backup);
    return await command({ config, backup, location, clock, ...means, signal: stop.signal });
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, onSignal);
    await location?.close();
    clock.close();
  }
}

/** The standing that this data folder's history holds; null when no engine ever ran here. @throws EstepeError `database` */
export const standingIn = (file: string): Standing | null =>
  lookIn(file, 'The standing of this node', null, (db) => {
    const row = db.prepare<[], Standing>('SELECT role, epoch, since FROM standing').get();
    return row ?? null;
  });

/** What this data folder's history tells of restores; `none` where it tells nothing yet. @throws EstepeError `database` */
export const restoresIn = <T>(file: string, none: T, read: (restores: Restores) => T): T =>
  lookIn(file, 'What was restored here', none, (db) => (hasRestores(db) ? read(restoreTable(db)) : none));

/** A look that changes nothing, also while an engine runs. */
function lookIn<T>(file: string, what: string, none: T, read: (db: Sqlite) => T): T {
  if (!existsSync(file)) return none;
  try {
    return look(file, 2000, read);
  } catch (error) {
    if (error instanceof EstepeError) throw error;
    throw new EstepeError(
      'database',
      `${what} cannot be read from ${file}: ${sentenceOf(error)}.`,
      'start the engine (`estepe serve`): it says what is wrong with it and saves what can be saved',
      { file },
      error,
    );
  }
}

/** `verify: 1.2 GB of 3.4 GB, 35 %` */
export function progressWords({ phase, bytes, total }: { phase: string; bytes: number; total: number | null }): string {
  if (total === null) return bytes === 0 ? `${phase} …` : `${phase}: ${sizeWords(bytes)}`;
  const percent = total === 0 ? 100 : Math.floor((bytes * 100) / total);
  return `${phase}: ${sizeWords(bytes)} of ${sizeWords(total)}, ${percent} %`;
}

export const setbackWords = ({ attempt, error, pauseMs }: Setback): string =>
  `attempt ${attempt} failed, the next one in ${durationWords(pauseMs)}: ${error.message}`;

/** One line that is written over and over; nothing at all where nobody watches. */
export function progressLine({ terminal }: Session): { show(text: string): void; end(): void } {
  const write = (text: string): void => {
    // Longer than the terminal is wide it would leave its beginning behind; some terminals say 0 for a width they don't know.
    if (terminal) process.stdout.write(`\r\u001b[2K${text.slice(0, (process.stdout.columns || 80) - 1)}`);
  };
  return { show: write, end: () => write('') };
}
