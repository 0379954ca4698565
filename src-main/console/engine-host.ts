/**
 * One engine with its console, as `estepe serve`, the lab and the tray run it: starts the station, serves its desk on loopback,
 * and tells clients where. Knows no terminal and no window.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import { isFirstRun, openFirstRun } from '../station/first-run.ts';
import type { Log } from '../station/log.ts';
import { type HeldFolder, holdFolder, type Station, type StationOptions, startStation } from '../station.ts';
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

/** The same where there may be no configuration yet: then the console alone, which makes one, and the engine from then on. */
export interface Host extends Omit<EngineHost, 'station'> {
  /** null: nobody has made a configuration here yet */
  readonly station: Station | null;
  readonly log: Log;
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
export async function hostEngine(options: StationOptions, held?: HeldFolder): Promise<EngineHost> {
  const station = await startStation(options, held);
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

/**
 * Starts an engine and its console; before a first configuration the console alone.
 * @throws EstepeError as `startStation` and `startConsole` do; nothing runs then
 */
export async function hostHere(options: StationOptions): Promise<Host> {
  const held = holdFolder(options.dataFolder);
  let first: boolean;
  try {
    first = isFirstRun(held.folder.root);
  } catch (error) {
    held.ownership.release();
    throw error;
  }
  if (first) return hostFirstRun(options, held);
  const host = await hostEngine(options, held);
  return { ...host, log: host.station.log };
}

async function hostFirstRun(options: StationOptions, given: HeldFolder): Promise<Host> {
  let held = given;
  let station: Station | null = null;
  const startedAt = Date.now();
  const first = openFirstRun({
    ...{
      folder: held.folder,
      trust: options.trust,
      version: options.version,
      logLevel: options.logLevel,
      onStop: options.onStop,
    },
    begin: () => begin(),
  });
  const { log, token } = first;
  let served: RunningConsole;
  const publish = (): void => {
    held.ownership.publish({ endpoint: served.url, token, pid: process.pid, startedAt, version: options.version });
  };
  try {
    served = await startConsole({
      ...{ desk: first.desk, host: '127.0.0.1', port: 0, token, version: options.version },
      rendererFolder: rendererFolder(),
      onFault: (error) => log.error(`console: ${sentenceOf(error)}`),
    });
    publish();
  } catch (error) {
    await first.close();
    held.ownership.release();
    throw error;
  }
  log.info(`no configuration yet: console on ${served.url}`);

  /** The engine in place of the first run; why not, where it does not start. */
  async function begin(): Promise<string | null> {
    if (station !== null) return null;
    try {
      station = await startStation(options, held);
    } catch (error) {
      log.error(`the engine did not start: ${sentenceOf(error)}`);
      // a start that failed has given the folder free
      held = holdFolder(options.dataFolder);
      publish();
      return error instanceof EstepeError ? `${error.message} ${error.todo}` : sentenceOf(error);
    }
    served.serve(station.desk);
    station.publish(served);
    const { port } = station.console;
    if (port !== 0 && port !== served.port) {
      log.warn(`the console listens on port ${served.port} until Estepe starts again, then on ${port}`);
    }
    // after the answer to whoever saved it; what is tried there ends with it
    setImmediate(() => void first.close());
    return null;
  }

  return {
    url: served.url,
    link: served.link,
    log,
    get station() {
      return station;
    },
    async close() {
      await served.close();
      await first.close();
      if (station === null) held.ownership.release();
      else await station.close();
    },
  };
}
