/**
 * A folder of this machine: its own disk, a mounted share, a UNC path. Only the last part of the path is made when it is
 * missing: the part above it may be where a share is to be mounted.
 */
import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../engine/ports.ts';
import { letGo } from '../let-go.ts';
import { LocationError } from '../location.ts';
import type { Door, Entry } from './door.ts';
import { cancelledFault, codeOf, locationFault, ofSystem, type Place } from './faults.ts';
import { answerOf } from './flow.ts';

export interface LocalSettings {
  /** absolute path */
  folder: string;
  /** as people know it */
  title: string;
  clock: Clock;
  silenceMs: number;
  /** what to do when this user may not; default: the usual */
  permissionTodo?: string | undefined;
}

const chunkBytes = 256 * 1024;

/** Windows: somebody else (a virus scanner) may hold a fresh file for a moment. */
async function insisting<T>(work: () => Promise<T>): Promise<T> {
  for (let left = process.platform === 'win32' ? 20 : 0; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (left === 0 || !/^(EPERM|EACCES|EBUSY)$/.test(codeOf(error))) throw error;
      await pause(25);
    }
  }
}

/** A folder's new entries are on the disk only when the folder is; Windows opens none, NTFS journals its renames. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch (error) {
    // Some mounted shares know no such thing.
    if (!/^(EINVAL|ENOTSUP|ENOSYS|EBADF|EACCES)$/.test(codeOf(error))) throw error;
  } finally {
    await handle.close();
  }
}

export class LocalDoor implements Door {
  readonly place: Place;
  readonly #settings: LocalSettings;
  /** calls that were given up and still hang in the system: each holds one of Node's few threads */
  #hanging = 0;

  constructor(settings: LocalSettings) {
    this.#settings = settings;
    this.place = { title: settings.title, secrets: [] };
  }

  entries(path: string, signal: AbortSignal): Promise<Entry[]> {
    return this.#ask(path, signal, async () => {
      const folder = this.#at(path);
      const names = await readdir(folder);
      const found = await Promise.all(names.map((name) => entryOf(join(folder, name), name)));
      return found.filter((entry) => entry !== null);
    });
  }

  entry(path: string, signal: AbortSignal): Promise<Entry | null> {
    return this.#ask(path, signal, () => entryOf(this.#at(path), path.slice(path.lastIndexOf('/') + 1)));
  }

  makeFolder(path: string, signal: AbortSignal): Promise<void> {
    return this.#ask(path, signal, async () => {
      try {
        await mkdir(this.#at(path));
      } catch (error) {
        if (codeOf(error) !== 'EEXIST' || !(await stat(this.#at(path))).isDirectory()) throw error;
      }
    });
  }

  async makeRoot(signal: AbortSignal): Promise<void> {
    try {
      await this.makeFolder('', signal);
    } catch (error) {
      if (!(error instanceof LocationError) || error.fault !== 'missing') throw error;
      const above = dirname(this.#settings.folder);
      throw locationFault(
        this.place,
        'missing',
        `${above} does not exist`,
        'make it, or mount the share that belongs there',
      );
    }
  }

  async read(path: string, from: number, signal: AbortSignal): Promise<Readable> {
    const handle = await this.#ask(
      path,
      signal,
      () => open(this.#at(path), 'r'),
      (late) => late.close(),
    );
    return Readable.from(this.#pieces(handle, path, from, signal), { objectMode: false, highWaterMark: chunkBytes });
  }

  async *#pieces(handle: FileHandle, path: string, from: number, signal: AbortSignal): AsyncGenerator<Buffer> {
    try {
      for (let at = from; ; ) {
        const { bytesRead, buffer } = await this.#ask(path, signal, () =>
          handle.read({ buffer: Buffer.allocUnsafe(chunkBytes), position: at }),
        );
        if (bytesRead === 0) return;
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      // Not waited for: where the disk hangs this hangs too.
      handle.close().catch(() => {});
    }
  }

  async put(path: string, source: Readable, signal: AbortSignal): Promise<void> {
    const handle = await this.#ask(
      path,
      signal,
      () => open(this.#at(path), 'wx', 0o640),
      // Made after it was given up, and maybe after what was begun had been tidied away.
      (late) => late.close().then(() => rm(this.#at(path), { force: true })),
    );
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        await this.#ask(path, signal, () => handle.writeFile(chunk));
        letGo(chunk);
      }
      await this.#ask(path, signal, () => handle.sync());
      await this.#ask(path, signal, () => handle.close());
    } catch (error) {
      // Not waited for: where the disk hangs this hangs too.
      handle.close().catch(() => {});
      throw error;
    }
  }

  replace(from: string, to: string, signal: AbortSignal): Promise<void> {
    return this.#ask(to, signal, async () => {
      await insisting(() => rename(this.#at(from), this.#at(to)));
      await syncFolder(join(this.#at(to), '..'));
    });
  }

  moveNew(from: string, to: string, signal: AbortSignal): Promise<boolean> {
    return this.#ask(to, signal, async () => {
      try {
        await insisting(async () => {
          // Windows says EPERM both for a name that is taken and for a file that is held.
          if (process.platform === 'win32' && (await entryOf(this.#at(to), to)) !== null) throw taken();
          await rename(this.#at(from), this.#at(to));
        });
      } catch (error) {
        if (/^(ENOTEMPTY|EEXIST|ENOTDIR)$/.test(codeOf(error))) return false;
        throw error;
      }
      await syncFolder(join(this.#at(to), '..'));
      return true;
    });
  }

  removeFile(path: string, signal: AbortSignal): Promise<void> {
    return this.#ask(path, signal, () => insisting(() => rm(this.#at(path), { force: true })));
  }

  removeFolder(path: string, signal: AbortSignal): Promise<void> {
    return this.#ask(path, signal, async () => {
      try {
        await rmdir(this.#at(path));
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error;
      }
    });
  }

  async close(): Promise<void> {}

  #at(path: string): string {
    return path === '' ? this.#settings.folder : join(this.#settings.folder, ...path.split('/'));
  }

  /** @param late what to do with an answer that nobody waits for any more */
  async #ask<T>(
    path: string,
    signal: AbortSignal,
    work: () => Promise<T>,
    late?: (value: T) => Promise<void>,
  ): Promise<T> {
    const what = path === '' ? 'the folder' : path;
    const fault = () => locationFault(this.place, 'timeout', `${what}: the disk or the share does not answer`);
    if (signal.aborted) throw cancelledFault(this.place);
    if (this.#hanging > 0) throw fault();
    let unheard = false;
    const running = work();
    running.then(
      (value) => {
        if (unheard) late?.(value).catch(() => {});
      },
      () => {},
    );
    const silent = (): Error => {
      this.#hanging += 1;
      const back = (): void => {
        this.#hanging -= 1;
      };
      running.then(back, back);
      return fault();
    };
    const giveUp = (): void => {
      unheard = true;
    };
    const cancelled = () => cancelledFault(this.place);
    try {
      return await answerOf(running, { ...this.#settings, signal, silent, cancelled, letGo: giveUp });
    } catch (error) {
      throw this.#named(error, what);
    }
  }

  #named(error: unknown, what: string): unknown {
    const code = codeOf(error);
    if (error instanceof LocationError || code === '') return error;
    const fault = ofSystem(this.place, error, what) ?? locationFault(this.place, 'other', `${what}: ${code}`);
    if (fault.fault !== 'permission' || code === 'EROFS') return fault;
    return locationFault(
      this.place,
      'permission',
      `${what}: this user may not do that there`,
      this.#settings.permissionTodo,
    );
  }
}

const taken = (): Error => Object.assign(new Error('taken'), { code: 'EEXIST' });

/** Links are not followed: what they lead to is not ours. Null for what is neither file nor folder, or went away meanwhile. */
async function entryOf(path: string, name: string): Promise<Entry | null> {
  try {
    const found = await (name === '' ? stat(path) : lstat(path));
    if (!found.isFile() && !found.isDirectory()) return null;
    const folder = found.isDirectory();
    return { name, folder, size: folder ? 0 : found.size, modifiedAt: Math.round(found.mtimeMs) };
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null;
    throw error;
  }
}
