/**
 * The second pass: what the survey found, as a zip with the manifest first. Every file is hashed again while it is
 * compressed; what turned out different is said in a last entry. Runs in the archive's worker.
 */
import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import { codeOf } from './faults.ts';
import { type Change, changesName, entryNameOf, type FileItem, type Manifest, manifestName } from './manifest.ts';
import { openFile } from './survey.ts';

/** As quick as `zip -1`; the CPU at hand is a small site's server that carries calls. */
const compressionLevel = 1;
/** Packed already: compressing again costs time and gains nothing. */
const packed = new Set(
  '.zip .gz .tgz .bz2 .xz .zst .7z .rar .jpg .jpeg .png .gif .webp .mp3 .ogg .opus .m4a .mp4 .g729 .age'.split(' '),
);
const blockBytes = 64 * 1024;
/** Below 4 GiB with room for a file that does not shrink. */
const zip64From = 0xf000_0000;

const fileType = 0o100000;
const linkType = 0o120000;

export interface Packing {
  output: Readable;
  /** complete when `output` has ended */
  changes: Change[];
}

/** So many bytes from the beginning of a file, hashed as they pass; notes what is not as the survey had it. */
async function* bytesOf(item: FileItem, source: string, changes: Change[], tell: (bytes: number) => void) {
  const hash = createHash('sha256');
  let at = 0;
  let gone = false;
  const handle = await openFile(source).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ELOOP') return null;
    throw error;
  });
  if (handle === null) gone = true;
  else {
    try {
      while (at < item.size) {
        const block = Buffer.allocUnsafe(Math.min(blockBytes, item.size - at));
        const { bytesRead } = await handle.read(block, 0, block.length, at);
        if (bytesRead === 0) break;
        const read = block.subarray(0, bytesRead);
        hash.update(read);
        at += bytesRead;
        tell(bytesRead);
        yield read;
      }
    } finally {
      await handle.close();
    }
  }
  const sha256 = hash.digest('hex');
  if (gone) changes.push({ path: item.path, how: 'gone' });
  else if (sha256 !== item.sha256) changes.push({ path: item.path, how: 'changed', size: at, sha256 });
}

/**
 * Starts the zip. It waits while nobody reads `output`.
 * @param from absolute path by item path
 */
export function pack(manifest: Manifest, from: ReadonlyMap<string, string>, tell: (bytes: number) => void): Packing {
  const zip = new ZipFile();
  const output = zip.outputStream;
  if (!(output instanceof Readable)) throw new Error('yazl no longer writes to a stream of Node');
  zip.on('error', (error: Error) => output.destroy(error));
  const changes: Change[] = [];
  const createdAt = new Date(manifest.createdAt.wall);
  zip.addBuffer(Buffer.from(JSON.stringify(manifest)), manifestName, {
    mtime: createdAt,
    mode: fileType | 0o600,
    compressionLevel,
  });
  // One after the other: yazl keeps whatever it is given at once, and looks through its list from the beginning.
  const add = async (): Promise<void> => {
    for (const item of manifest.items) {
      const name = entryNameOf(item);
      const mtime = new Date(item.mtime);
      if (item.kind === 'folder') zip.addEmptyDirectory(name, { mtime, mode: 0o040000 | item.mode });
      else if (item.kind === 'link') {
        zip.addBuffer(Buffer.from(item.target), name, { mtime, mode: linkType | 0o777, compress: false });
      } else {
        const source = from.get(item.path) ?? '';
        const bytes = Readable.from(bytesOf(item, source, changes, tell), { objectMode: false });
        bytes.once('error', (error) => zip.emit('error', error));
        const ended = new Promise<void>((resolve) => bytes.once('close', () => resolve()));
        zip.addReadStream(bytes, name, {
          mtime,
          mode: fileType | item.mode,
          compressionLevel: packed.has(extname(item.path).toLowerCase()) ? 0 : compressionLevel,
          forceZip64Format: item.size > zip64From,
        });
        await ended;
      }
    }
    if (changes.length > 0) {
      zip.addBuffer(Buffer.from(JSON.stringify(changes)), changesName, { mtime: createdAt, mode: fileType | 0o600 });
    }
    zip.end();
  };
  add().catch((error: unknown) => output.destroy(error instanceof Error ? error : new Error(String(error))));
  return { output, changes };
}
