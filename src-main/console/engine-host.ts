/**
 * One engine with its console, as `estepe serve`, the lab and the tray run it: starts the station, serves its desk on loopback,
 * and tells clients where. Knows no terminal and no window.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sentenceOf } from '../contract/errors.ts';
import { type Station, type StationOptions, startStation } from '../station.ts';
import { startConsole } from './server.ts';

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

/**
 * Starts an engine and its console.
 * @throws EstepeError as `startStation` and `startConsole` do; nothing runs then
 */
export async function hostEngine(options: StationOptions): Promise<EngineHost> {
  const station = await startStation(options);
  const { desk, log, publish } = station;
  // A new one with every start: who once saw the old one is out.
  const token = randomBytes(24).toString('base64url');
  try {
    const console = await startConsole({
      desk,
      host: station.console.address,
      port: station.console.port,
      token,
      rendererFolder: rendererFolder(),
      version: options.version,
      onFault: (error) => log.error(`console: ${sentenceOf(error)}`),
    });
    publish({ endpoint: console.url, token });
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
