/**
 * Notices that estepe.yaml changed, however it was written: in place, by an editor's rename, over a network mount
 * that tells nothing. Says what the change came to; what to do with it is the caller's. Must not know the engine.
 */
import { createHash } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { sentenceOf } from '../contract/errors.ts';
import type { Cancel } from '../engine/ports.ts';
import { checkBytes, configFileName, type FileChecked } from './load.ts';
import { maxBytes } from './text.ts';

export interface WatchOptions {
  /** the text that runs now; what differs from it is a change, also one made before the watch began */
  running?: string;
  /** how long a new content must stand unchanged, milliseconds */
  settleMs?: number;
  /** how often the file is read where the system tells of no change, milliseconds */
  pollMs?: number;
}

/** An editor that deletes and writes anew leaves the file away for a moment. */
const missingSettleMs = 2000;

type Seen = { mark: string; bytes: Buffer } | { mark: string; why: string };

const markOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Off the engine's thread: a network mount may hang. */
async function lookAt(file: string): Promise<Seen> {
  try {
    const handle = await open(file, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxBytes + 1), 0, maxBytes + 1, 0);
      const bytes = buffer.subarray(0, bytesRead);
      return { mark: markOf(bytes), bytes };
    } finally {
      await handle.close();
    }
  } catch (error) {
    const missing = error instanceof Error && Reflect.get(error, 'code') === 'ENOENT';
    const why = missing ? 'the file is gone' : `the file cannot be read (${sentenceOf(error)})`;
    return { mark: why, why };
  }
}

const absent = (file: string, wrong: string): FileChecked => ({
  file,
  text: null,
  ok: false,
  problems: [
    { path: '', line: 1, column: 1, wrong, allowed: 'the file in its place; what runs now goes on until then' },
  ],
});

/**
 * Watches the configuration of a data folder.
 * @param onChange called once for each content that stood still for `settleMs`: a configuration, or problems, upon
 * which the running one stays (G7). Must not throw
 * @returns ends the watch; nothing is called afterwards
 */
export function watchConfig(
  dataFolder: string,
  onChange: (result: FileChecked) => void,
  { running, settleMs = 250, pollMs = 2000 }: WatchOptions = {},
): Cancel {
  const file = join(dataFolder, configFileName);
  let known: string | null = running === undefined ? null : markOf(Buffer.from(running));
  let candidate: string | null = null;
  let looking = false;
  /** something was told while a look was under way */
  let again = false;
  let ended = false;
  let timer: NodeJS.Timeout;

  const lookAfter = (ms: number): void => {
    clearTimeout(timer);
    if (!ended) timer = setTimeout(look, ms).unref();
  };

  /** Decides on what was seen; answers when to look again. */
  const judge = (seen: Seen): number => {
    known ??= seen.mark;
    if (seen.mark === known) {
      candidate = null;
      return pollMs;
    }
    if (seen.mark !== candidate) {
      candidate = seen.mark;
      return 'bytes' in seen ? settleMs : missingSettleMs;
    }
    known = seen.mark;
    candidate = null;
    onChange('bytes' in seen ? { file, ...checkBytes(seen.bytes) } : absent(file, seen.why));
    return pollMs;
  };

  const look = (): void => {
    looking = true;
    again = false;
    void lookAt(file).then((seen) => {
      looking = false;
      if (ended) return;
      let next = pollMs;
      try {
        next = judge(seen);
      } finally {
        lookAfter(again ? Math.min(next, settleMs) : next);
      }
    });
  };

  let watcher: FSWatcher | null = null;
  try {
    // The folder, not the file: a rename puts another file in its place.
    watcher = watch(dataFolder, { persistent: false }, (_, name) => {
      if (name !== null && name !== configFileName) return;
      if (looking) again = true;
      else lookAfter(settleMs);
    });
    watcher.on('error', () => watcher?.close());
  } catch {
    // no watch to be had (network mount, no inotify left): polling alone does it
  }
  timer = setTimeout(look, 0).unref();
  return () => {
    ended = true;
    clearTimeout(timer);
    watcher?.close();
  };
}
