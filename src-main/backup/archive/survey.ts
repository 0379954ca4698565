/**
 * The first pass over what is to be archived: what is there, and the hash of every file. Runs in the archive's worker,
 * never on the engine's thread. Must not know zip.
 */
import { createHash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ArchiveError, codeOf } from './faults.ts';
import type { FileItem, Item, Manifest } from './manifest.ts';
import { linkTrouble, pathTrouble } from './safe-path.ts';

const blockBytes = 256 * 1024;

/** What is archived, with where each item is read from. */
export interface Survey {
  roots: Manifest['roots'];
  items: Item[];
  leftOut: Manifest['leftOut'];
  /** absolute path by item path */
  from: Map<string, string>;
  /** bytes of all files */
  bytes: number;
}

/** Opens a file for reading, never through a link and never waiting for a pipe's writer. Null: it is no file any more. */
export async function openFile(path: string): Promise<FileHandle | null> {
  const handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  return null;
}

const wallMs = (stats: BigIntStats) => Number(stats.mtimeNs / 1_000_000n);
const ownerOf = (stats: BigIntStats) => ({
  mode: Number(stats.mode & 0o7777n),
  uid: Number(stats.uid),
  gid: Number(stats.gid),
  mtime: wallMs(stats),
});

/** The hash of so many bytes from the file's beginning, and how many there really were. */
async function hashOnce(handle: FileHandle, size: number, tell: (bytes: number) => void) {
  const hash = createHash('sha256');
  const block = Buffer.allocUnsafe(Math.min(blockBytes, Math.max(1, size)));
  let at = 0;
  while (at < size) {
    const { bytesRead } = await handle.read(block, 0, Math.min(block.length, size - at), at);
    if (bytesRead === 0) break;
    hash.update(block.subarray(0, bytesRead));
    at += bytesRead;
    tell(bytesRead);
  }
  return { size: at, sha256: hash.digest('hex') };
}

/**
 * A file's item. What grows while it is read (a log) is taken as long as it was at first, which is a true state of it;
 * what is rewritten is read once more, and then taken as it is with `changed`.
 */
async function fileItem(source: string, path: string, tell: (bytes: number) => void): Promise<FileItem | null> {
  const handle = await openFile(source);
  if (handle === null) return null;
  try {
    for (let attempt = 1; ; attempt++) {
      const before = await handle.stat({ bigint: true });
      const read = await hashOnce(handle, Number(before.size), tell);
      const after = await handle.stat({ bigint: true });
      const same = after.mtimeNs === before.mtimeNs && after.size === before.size;
      const grown = after.size > before.size && read.size === Number(before.size);
      if (same || attempt === 2) {
        const item: FileItem = { kind: 'file', path, ...read, ...ownerOf(before) };
        return same || (grown && (await stillSame(handle, read))) ? item : { ...item, changed: true };
      }
    }
  } finally {
    await handle.close();
  }
}

/** Whether the beginning is still what it was: it grew at its end only. */
async function stillSame(handle: FileHandle, read: { size: number; sha256: string }): Promise<boolean> {
  return (await hashOnce(handle, read.size, () => {})).sha256 === read.sha256;
}

class Walk {
  readonly survey: Survey = { roots: [], items: [], leftOut: [], from: new Map(), bytes: 0 };
  readonly #tell: (bytes: number) => void;

  constructor(tell: (bytes: number) => void) {
    this.#tell = tell;
  }

  async root(source: string, index: number): Promise<void> {
    const id = `${index}-${basename(source).replace(/[^A-Za-z0-9_-]/g, '_') || 'root'}`;
    const stats = await lstat(source, { bigint: true }).catch((error: unknown) => {
      const why = codeOf(error) === 'ENOENT' ? 'is not there' : `cannot be looked at (${codeOf(error)})`;
      throw new ArchiveError('source', `${source} ${why}.`, error);
    });
    const kind = stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : null;
    if (kind === null) throw new ArchiveError('source', `${source} is neither a folder nor a file.`);
    this.survey.roots.push({ id, kind, path: source });
    await this.#one(source, id, stats, true);
  }

  #leaveOut(path: string, why: string): void {
    this.survey.leftOut.push({ path, why });
  }

  #add(item: Item, source: string): void {
    this.survey.items.push(item);
    this.survey.from.set(item.path, source);
  }

  async #one(source: string, path: string, stats: BigIntStats, top: boolean): Promise<void> {
    if (stats.isDirectory()) {
      this.#add({ kind: 'folder', path, ...ownerOf(stats) }, source);
      const names = await readdir(source);
      for (const name of names.sort()) await this.#below(join(source, name), `${path}/${name}`);
    } else if (stats.isFile()) {
      const item = await fileItem(source, path, this.#tell);
      if (item === null) return this.#leaveOut(source, 'turned into something else while it was read');
      this.survey.bytes += item.size;
      this.#add(item, source);
    } else if (stats.isSymbolicLink()) {
      const target = await readlink(source);
      const trouble = linkTrouble(path, target);
      if (trouble !== null) return this.#leaveOut(source, `a link that ${trouble}`);
      this.#add({ kind: 'link', path, target, ...ownerOf(stats) }, source);
    } else if (!top) {
      this.#leaveOut(source, 'a device, pipe or socket');
    }
  }

  async #below(source: string, path: string): Promise<void> {
    const trouble = pathTrouble(path, process.platform);
    if (trouble !== null) return this.#leaveOut(source, `a name that ${trouble}`);
    try {
      await this.#one(source, path, await lstat(source, { bigint: true }), false);
    } catch (error) {
      // Deleted since its folder was listed: not there is a true state. Everything else would be a hole in the backup.
      if (codeOf(error) === 'ENOENT') return;
      if (error instanceof ArchiveError) throw error;
      throw new ArchiveError('source', `${source} cannot be read (${codeOf(error)}).`, error);
    }
  }
}

/**
 * Looks at folders and files and hashes them.
 * @param tell told of bytes read
 * @throws ArchiveError `source` when something cannot be read: a backup with a hole in it is none
 */
export async function survey(paths: readonly string[], tell: (bytes: number) => void): Promise<Survey> {
  const walk = new Walk(tell);
  for (const [index, path] of paths.entries()) await walk.root(path, index);
  // Restored it would empty the spare, and in time it would push out all that is not empty.
  if (!walk.survey.items.some(({ kind }) => kind === 'file')) {
    throw new ArchiveError('source', `There is not one file in ${paths.join(', ')}: is the disk mounted?`);
  }
  return walk.survey;
}
