/**
 * Puts an archive's files into new folders, with owners, modes, times and links as they were, all of it on the disk when it
 * ends. Never writes through a link and never over anything. Runs in the archive's worker.
 */
import { closeSync, constants, fchmodSync, fchownSync, fsync, futimesSync, openSync, writeSync } from 'node:fs';
import { lchown, lutimes, mkdir, open, symlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ArchiveError } from './faults.ts';
import type { FileItem, Item } from './manifest.ts';
import type { Proven, Sink } from './read-archive.ts';

const windows = process.platform === 'win32';

/** Makes what was renamed or created in a folder outlast a power cut. Windows opens no folders; NTFS journals that itself. */
export async function syncFolder(path: string): Promise<void> {
  if (windows) return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Disks put many files in order at once as quickly as one. Three, since the whole process shares libuv's four threads: one stays free
 * for the engine's look-ups and files.
 */
const syncsAtOnce = 3;
const sync = promisify(fsync);

/** Open files on their way to the disk. The first failure is everybody's: after it nothing can be called safe. */
class Syncs {
  readonly #underway = new Set<Promise<void>>();
  #failed: { error: unknown } | null = null;

  /** Takes a file over and closes it. Resolves when the next one may come. */
  async add(fd: number): Promise<void> {
    const syncing = sync(fd)
      .finally(() => closeSync(fd))
      .catch((error: unknown) => {
        this.#failed ??= { error };
      })
      .then(() => void this.#underway.delete(syncing));
    this.#underway.add(syncing);
    if (this.#underway.size >= syncsAtOnce) await Promise.race(this.#underway);
    this.#check();
  }

  async end(): Promise<void> {
    await Promise.all(this.#underway);
    this.#check();
  }

  #check(): void {
    if (this.#failed !== null) throw this.#failed.error;
  }
}

/** Half a millisecond on top: as a float of seconds a whole one may come out as the one before. */
const secondsOf = ({ mtime }: Item): number => (mtime + 0.5) / 1000;

export class Extraction implements Sink {
  /** how many belong to somebody else than they did, because only root may give files away */
  ownersLost = 0;
  readonly #placesOf: (proven: Proven) => Promise<ReadonlyMap<string, string>>;
  #places: ReadonlyMap<string, string> = new Map();
  readonly #folders: Item[] = [];
  readonly #syncs = new Syncs();
  readonly #root = process.getuid?.() === 0;

  /** @param placesOf asked once it is known what is in it: absolute path that must not exist yet, by the root's id */
  constructor(placesOf: (proven: Proven) => Promise<ReadonlyMap<string, string>>) {
    this.#placesOf = placesOf;
  }

  async begin(proven: Proven): Promise<void> {
    const { manifest } = proven;
    this.#places = await this.#placesOf(proven);
    for (const { id, path } of manifest.roots) {
      if (!this.#places.has(id)) {
        throw new ArchiveError('unsafe', `It holds ${path}, which this node's configuration does not name.`);
      }
    }
    for (const item of manifest.items) {
      if (item.kind !== 'folder') continue;
      await mkdir(this.#place(item), { mode: 0o700 });
      this.#folders.push(item);
    }
  }

  async folder(): Promise<void> {}

  async link(item: Extract<Item, { kind: 'link' }>): Promise<void> {
    const place = this.#place(item);
    await symlink(item.target, place);
    if (windows) return;
    if (this.#mayGive(item)) await lchown(place, item.uid, item.gid);
    await lutimes(place, secondsOf(item), secondsOf(item));
  }

  async file(item: FileItem) {
    const fd = openSync(
      this.#place(item),
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0),
      0o600,
    );
    let ours = true;
    return {
      take: (block: Buffer): void => {
        for (let at = 0; at < block.length; ) at += writeSync(fd, block, at);
      },
      end: async (): Promise<void> => {
        this.#dress(fd, item);
        ours = false;
        await this.#syncs.add(fd);
      },
      drop: (): void => {
        if (ours) closeSync(fd);
      },
    };
  }

  /** The owner first: giving a file away takes its set-user-id bit. */
  #dress(fd: number, item: Item): void {
    if (this.#mayGive(item)) fchownSync(fd, item.uid, item.gid);
    if (!windows) fchmodSync(fd, item.mode);
    futimesSync(fd, secondsOf(item), secondsOf(item));
  }

  /** Modes and times of folders last: writing into them would change the time, and may be what their mode forbids. */
  async end(): Promise<void> {
    for (const item of this.#folders.reverse()) {
      const place = this.#place(item);
      if (windows) await utimes(place, secondsOf(item), secondsOf(item));
      else {
        const fd = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW);
        this.#dress(fd, item);
        await this.#syncs.add(fd);
      }
    }
    await this.#syncs.end();
    for (const place of this.#places.values()) await syncFolder(dirname(place));
  }

  #place({ path }: Item): string {
    const [id = '', ...rest] = path.split('/');
    const place = this.#places.get(id);
    if (place === undefined) throw new ArchiveError('unsafe', `${path.slice(0, 200)} belongs nowhere.`);
    return join(place, ...rest);
  }

  #mayGive(item: Item): boolean {
    if (windows) return false;
    if (this.#root) return true;
    if (item.uid !== process.getuid?.() || item.gid !== process.getgid?.()) this.ownersLost += 1;
    return false;
  }
}
