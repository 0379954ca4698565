/**
 * Replaces a small file so that after a crash or a power cut the old content stands there or the new one, never half.
 * Must not know what the file holds.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

const codeOf = (error: unknown) => (error instanceof Error ? String(Reflect.get(error, 'code')) : '');

/** Where a link points, so that the link stays; the path itself when nothing stands there yet. */
function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return path;
    throw error;
  }
}

/** Root must not take a file away from the user whose engine reads it: owner as before, or as the folder's. */
function keepOwner(fd: number, target: string): void {
  if (process.getuid?.() !== 0) return;
  const before = statSync(target, { throwIfNoEntry: false }) ?? statSync(dirname(target));
  fchownSync(fd, before.uid, before.gid);
}

function syncFolder(folder: string): void {
  // Windows opens no folders; NTFS journals the rename itself.
  if (process.platform === 'win32') return;
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** On Windows a reader (virus scanner, editor) may hold the target for a moment. */
function renameOver(from: string, to: string): void {
  for (let left = 20; ; left--) {
    try {
      renameSync(from, to);
      return;
    } catch (error) {
      if (process.platform !== 'win32' || left === 0 || !/^(EPERM|EACCES|EBUSY)$/.test(codeOf(error))) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25);
    }
  }
}

/**
 * Writes `text` to `path`, readable by its owner alone, durable when it returns. A link stays a link.
 * @param mode others than its owner may read what is no secret
 * @throws what the file system says (EACCES, ENOSPC, …); then the old content is untouched and no leftover remains
 */
export function writeAtomically(path: string, text: string, mode: 0o600 | 0o644 = 0o600): void {
  const target = targetOf(path);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
  const fd = openSync(temporary, 'wx', mode);
  try {
    try {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      keepOwner(fd, target);
      if (mode !== 0o600) fchmodSync(fd, mode);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameOver(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(target));
}

/** Whether a process of that id runs, ours or another's. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** A write takes milliseconds: after this the writer is gone, whoever has its process id now. */
const writeEndsWithinMs = 60_000;

/** Removes temporary files of writers that died. Those of a living writer stay. Never throws: it is only tidying. */
export function cleanLeftovers(folder: string, name: string): string[] {
  const removed: string[] = [];
  try {
    for (const entry of readdirSync(folder)) {
      if (!entry.startsWith(`.${name}.`) || !entry.endsWith('.tmp')) continue;
      const pid = Number(entry.slice(name.length + 2).split('.')[0]);
      const path = join(folder, entry);
      const age = Date.now() - statSync(path).mtimeMs;
      if (pid !== process.pid && isRunning(pid) && Math.abs(age) < writeEndsWithinMs) continue;
      rmSync(path, { force: true });
      removed.push(entry);
    }
  } catch {
    // a folder that cannot be read is said by whoever needs it
  }
  return removed;
}
