/** A location of some kind with a real server behind it, for the contract that all kinds keep. */
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type Location, LocationError } from '../../../src-main/backup/location.ts';
import { type LocationConfig, type LocationNeeds, openLocation } from '../../../src-main/backup/locations/open.ts';
import type { Clock } from '../../../src-main/engine/ports.ts';
import { RealClock } from '../../../src-main/heartbeat/real-clock.ts';
import { type CuttingWire, cuttingWire } from '../fixtures/cutting-wire.ts';
import type { FileServer } from '../fixtures/file-server.ts';
import { user } from '../fixtures/file-server.ts';

export interface Reach {
  /** below the user's home; default: a folder of its own that is not there yet */
  folder?: string;
  /** through the wire that can be cut */
  wired?: boolean;
  port?: number;
  user?: string;
  password?: string;
  silenceMs?: number;
  needs?: Partial<LocationNeeds>;
}

export interface Rig {
  /** null: there is no line that could be cut */
  server: Pick<FileServer, 'freeze' | 'thaw'> | null;
  wire: CuttingWire | null;
  /** the user's home, as the test sees it; empty where there are no folders */
  home: string;
  /** where there are no folders: what is there, sorted; what is not finished with `temporaryPrefix` before it */
  inside?: (folder: string) => Promise<string[]>;
  /** so much of an object is on its way before its end is known; default: any byte */
  begunBytes?: number;
  open(reach?: Reach): Location;
  stop(): Promise<void>;
}

export const clock = new RealClock();
/** Its wall clock is off by so much. */
export const clockAhead = (ms: number): Clock => ({
  now: () => clock.now(),
  wall: () => clock.wall() + ms,
  after: (delay, call) => clock.after(delay, call),
  onGap: (call) => clock.onGap(call),
});
export const never = new AbortController().signal;
/** Patience with silence in tests about silence. */
export const shortSilenceMs = 1500;

let folders = 0;
/** A name that no other test uses. */
export const newName = (): string => `set-${++folders}`;

/** A rig for a kind with a server. */
export async function serverRig(
  server: FileServer,
  config: (at: { host: string; port: number; user: string; folder: string }) => LocationConfig,
  needs: Partial<LocationNeeds> = {},
): Promise<Rig> {
  const wire = await cuttingWire(server.ports);
  const opened: Location[] = [];
  return {
    server,
    wire,
    home: server.home,
    open: (reach = {}) => {
      const port = reach.port ?? server.port;
      const at = { host: reach.wired === true ? wire.address : '127.0.0.1', port };
      const location = openLocation(
        config({ ...at, user: reach.user ?? user.name, folder: reach.folder ?? newName() }),
        {
          ...usualNeeds(reach),
          smbPort: port,
          ...needs,
          ...reach.needs,
        },
      );
      opened.push(location);
      return location;
    },
    stop: async () => {
      for (const location of opened) await location.close();
      await wire.close();
      await server.stop();
    },
  };
}

export function usualNeeds(reach: Reach): LocationNeeds {
  const password = reach.password ?? user.password;
  return {
    clock,
    secretOf: () => password,
    hostKeys: { pinned: () => null, pin: () => {} },
    silenceMs: reach.silenceMs ?? 15_000,
  };
}

/** Bytes that nothing compresses or guesses. */
export const noise = (bytes: number): Buffer => randomBytes(bytes);
/** Each piece a copy: a location gives back the memory of what it has written. */
export const sourceOf = (bytes: Buffer): Readable =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += 65_536) yield Buffer.from(bytes.subarray(at, at + 65_536));
    })(),
    { objectMode: false },
  );

export async function allOf(stream: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

export const put = (location: Location, name: string, bytes: Buffer): Promise<unknown> =>
  location.write(name, sourceOf(bytes), bytes.length, { signal: never });

export const namesIn = async (location: Location): Promise<string[]> =>
  (await location.list('', never)).map(({ name }) => name).sort();

/** What lies in a folder of the server, hidden names included. */
export const onDisk = async (rig: Rig, folder: string): Promise<string[]> =>
  rig.inside === undefined ? readdirSync(join(rig.home, folder)).sort() : rig.inside(folder);

/** The fault that a call fails with, checked to hold no secret. */
export async function faultOf(
  work: Promise<unknown>,
  secrets: readonly string[] = [user.password],
): Promise<LocationError> {
  let done: unknown;
  try {
    done = await work;
  } catch (error) {
    if (!(error instanceof LocationError)) throw error;
    const told = [error.message, error.todo, error.stack, JSON.stringify(error), String(error.cause)].join('\n');
    for (const secret of secrets) if (told.includes(secret)) throw new Error('the error holds a secret');
    return error;
  }
  throw new Error(`it was to fail, but gave ${JSON.stringify(done)}`);
}
