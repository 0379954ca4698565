/**
 * One engine with its console, as `estepe serve`, the lab and the tray run it: starts the station, serves its desk on loopback,
 * and tells clients where. Knows no terminal and no window.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import { type Station, type StationOptions, startStation } from '../station.ts';
import { type ConsoleOptions, type RunningConsole, startConsole } from './server.ts';

export interface EngineHost {
  readonly station: Station;
  /** `http://127.0.0.1:PORT/` */
  readonly url: string;
  /** the same with the token in its fragment: lets a browser in; secret */
  readonly link: string;
  /** Console first, then the engine. Calling it again does nothing. */
  close(): Promise<void>;
}

/** Where the built page lies: beside the sources in the repository, beside the build in a package. */
export function rendererFolder(): string {
  const places = ['../../out/renderer', '../renderer', '../../renderer'];
  const folders = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return folders.find((folder) => existsSync(join(folder, 'index.html'))) ?? (folders[0] as string);
}

/** A page that is open somewhere looks for its engine where it was: the same port again where no other was asked for. */
async function listen(options: ConsoleOptions, before: number | null): Promise<RunningConsole> {
  if (options.port !== 0 || before === null) return startConsole(options);
  try {
    return await startConsole({ ...options, port: before });
  } catch (error) {
    if (!(error instanceof EstepeError) || error.code !== 'port') throw error;
    return startConsole(options);
  }
}

/**
 * Starts an engine and its console.
 * @throws EstepeError as `startStation` and `startConsole` do; nothing runs then
 */
export async function hostEngine(options: StationOptions): Promise<EngineHost> {
  const station = await startStation(options);
  const { desk, log, publish, token } = station;
  const { address: host, port, before } = station.console;
  try {
    const console = await listen(
      {
        ...{ desk, host, port, token },
        rendererFolder: rendererFolder(),
        version: options.version,
        onFault: (error) => log.error(`console: ${sentenceOf(error)}`),
      },
      before,
    );
    publish(console);
    log.info(`console on ${console.url}`);
    return {
      station,
      url: console.url,
      link: console.link,
      async close() {
        await console.close();
        await station.close();
      },
    };
  } catch (error) {
    await station.close();
    throw error;
  }
}
