/**
 * Puts an archive's files into new folders, with owners, modes, times and links as they were, all of it on the disk when it
 * ends. Never writes through a link and never over anything. Runs in the archive's worker.
 */
import { constants } from 'node:fs';
import { chmod, chown, lchown, lutimes, mkdir, open, symlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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

/** Half a millisecond on top: as a float of seconds a whole one may come out as the one before. */
const secondsOf = ({ mtime }: Item): number => (mtime + 0.5) / 1000;

export class Extraction implements Sink {
  /** how many belong to somebody else than they did, because only root may give files away */
  ownersLost = 0;
  readonly #places: ReadonlyMap<string, string>;
  readonly #folders: Item[] = [];
  readonly #root = process.getuid?.() === 0;

  /** @param places absolute path that must not exist yet, by the root's id in the manifest */
  constructor(places: ReadonlyMap<string, string>) {
    this.#places = places;
  }

  async begin({ manifest }: Proven): Promise<void> {
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
    const handle = await open(
      this.#place(item),
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0),
      0o600,
    );
    return {
      take: async (block: Buffer): Promise<void> => {
        for (let at = 0; at < block.length; ) at += (await handle.write(block, at)).bytesWritten;
      },
      end: async (): Promise<void> => {
        // The owner first: giving a file away takes its set-user-id bit.
        if (this.#mayGive(item)) await handle.chown(item.uid, item.gid);
        if (!windows) await handle.chmod(item.mode);
        await handle.utimes(secondsOf(item), secondsOf(item));
        await handle.sync();
        await handle.close();
      },
      drop: (): Promise<void> => handle.close().catch(() => {}),
    };
  }

  /** Modes and times of folders last: writing into them would change the time, and may be what their mode forbids. */
  async end(): Promise<void> {
    for (const item of this.#folders.reverse()) {
      const place = this.#place(item);
      if (this.#mayGive(item)) await chown(place, item.uid, item.gid);
      await syncFolder(place);
      if (!windows) await chmod(place, item.mode);
      await utimes(place, secondsOf(item), secondsOf(item));
    }
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
