/** Brings one backup from its location to a file here, going on where the line broke. Must not know what is done with it. */
import { createHash } from 'node:crypto';
import { open, statfs } from 'node:fs/promises';
import { ArchiveError } from './archive/faults.ts';
import { letGo } from './let-go.ts';
import type { Location, Progress } from './location.ts';
import { type Persistence, patiently } from './patience.ts';

/** Something to go on with for everybody else on that disk. */
const reserveBytes = 16 * 1024 * 1024;

/** @throws ArchiveError `disk` when the disk of that folder has no room for so many bytes */
export async function requireRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const missing = bytes + reserveBytes - bavail * bsize;
  if (missing <= 0) return;
  throw new ArchiveError('disk', `On the disk of ${folder} ${Math.ceil(missing / 1_048_576)} MiB are missing.`);
}

export interface Fetched {
  /** bytes */
  size: number;
  sha256: string;
}

/**
 * @param file absolute path that must not exist yet; what was begun stays there when it rejects
 * @throws LocationError, ArchiveError `disk`
 */
export async function fetchBackup(
  location: Location,
  name: string,
  file: string,
  how: Persistence,
  onProgress: (progress: Progress) => void,
): Promise<Fetched> {
  const hash = createHash('sha256');
  let size = 0;
  const disk = (error: unknown): never => {
    const said = error instanceof Error ? error.message : String(error);
    throw new ArchiveError('disk', `${file} cannot be written: ${said}.`, error);
  };
  const handle = await open(file, 'wx', 0o600).catch(disk);
  try {
    await patiently(async () => {
      for await (const piece of await location.read(name, size, { signal: how.signal, onProgress })) {
        const bytes = piece as Buffer;
        for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at).catch(disk)).bytesWritten;
        hash.update(bytes);
        size += bytes.length;
        letGo(bytes);
      }
    }, how);
  } finally {
    await handle.close().catch(() => {});
  }
  return { size, sha256: hash.digest('hex') };
}
