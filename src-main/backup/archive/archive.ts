/**
 * Archives as the engine sees them: made as a stream to be uploaded, proven, and extracted, each in a worker of its own so
 * that the engine's thread only passes blocks on.
 */
import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { ArchiveError } from './faults.ts';
import type { Manifest } from './manifest.ts';
import type { Proven } from './read-archive.ts';
import type { Created, CreateTask, FromWorker, ReadDone, ReadTask, Task, ToWorker } from './worker-protocol.ts';

/** As it is run from its sources, and as it is built. */
const places = ['./archive-worker.ts', './archive-worker.js', '../archive-worker.js'];

function workerFile(): string {
  const found = places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) => existsSync(path));
  if (found === undefined) throw new Error('the program of the archive worker is missing');
  return found;
}

export interface Watch {
  /** ends it; rejects with ArchiveError `disk`, leaves nothing of its own behind but the folders it extracted into */
  signal: AbortSignal;
  /** bytes read so far, at most ten times a second */
  onProgress?: (bytes: number) => void;
}

/** Starts a worker. `end` resolves when it is gone, whatever became of its task. */
function start(task: Task, watch: Watch, hear: (message: FromWorker) => void, lost: (error: ArchiveError) => void) {
  const worker = new Worker(workerFile(), { workerData: task, resourceLimits: { maxYoungGenerationSizeMb: 4 } });
  const cancel = (): void => void worker.terminate();
  watch.signal.addEventListener('abort', cancel, { once: true });
  if (watch.signal.aborted) cancel();
  worker.on('message', (message: FromWorker) => {
    if (message.say === 'progress') watch.onProgress?.(message.bytes);
    else if (message.say === 'failed') lost(new ArchiveError(message.fault, message.message));
    else hear(message);
  });
  // What nobody caught: a library's fault in the face of an archive that is not what it seems.
  worker.on('error', (error) => {
    const fault = task.kind === 'create' ? 'source' : 'damaged';
    lost(
      new ArchiveError(fault, `The archive's worker ended: ${error instanceof Error ? error.message : error}.`, error),
    );
  });
  worker.once('exit', () => {
    watch.signal.removeEventListener('abort', cancel);
    lost(new ArchiveError('disk', watch.signal.aborted ? 'It was cancelled.' : "The archive's worker ended early."));
  });
  return worker;
}

export interface Making {
  /** the archive's bytes; fails with ArchiveError, never just ends. Destroy it to give up. */
  stream: Readable;
  /** what it holds, once every file was hashed; before the first byte */
  manifest: Promise<Manifest>;
  /** when the last byte was read off the stream */
  created: Promise<Created>;
}

/**
 * Starts to make an archive. Waits while nobody reads its stream; memory does not grow with its size.
 * @param what `createdAt` is the wall clock when its data was current
 */
export function createArchive(what: Omit<CreateTask, 'kind'>, watch: Watch): Making {
  const manifest = Promise.withResolvers<Manifest>();
  const created = Promise.withResolvers<Created>();
  // Whoever only reads the stream hears of a failure there.
  manifest.promise.catch(() => {});
  created.promise.catch(() => {});
  const more: ToWorker = { say: 'more' };
  let asked = false;
  let ready: Uint8Array[] = [];
  let ended = false;
  const give = (): void => {
    while (asked && ready.length > 0) {
      const chunk = ready.shift();
      asked = stream.push(chunk);
      worker.postMessage(more);
    }
    if (ended && ready.length === 0) stream.push(null);
  };
  const lost = (error: ArchiveError): void => {
    if (ended) return;
    manifest.reject(error);
    created.reject(error);
    stream.destroy(error);
  };
  const worker = start(
    { kind: 'create', ...what },
    watch,
    (message) => {
      if (message.say === 'manifest') manifest.resolve(message.manifest);
      if (message.say === 'chunk') ready.push(message.bytes);
      if (message.say === 'created') {
        ended = true;
        created.resolve(message.created);
      }
      give();
    },
    lost,
  );
  const stream = new Readable({
    highWaterMark: 256 * 1024,
    read() {
      asked = true;
      give();
    },
    destroy(error, callback) {
      ready = [];
      void worker.terminate().then(() => callback(error));
    },
  });
  return { stream, manifest: manifest.promise, created: created.promise };
}

/** Where to put what an archive holds: absolute paths that must not exist yet, by root id. What it throws ends the extraction. */
export type Placing = (proven: Proven) => Promise<ReadonlyMap<string, string>>;

function reading(task: ReadTask, placing: Placing | null, watch: Watch): Promise<ReadDone> {
  return new Promise((resolve, reject) => {
    // Answered only when the worker is gone and nobody is placing: then nothing writes any more.
    let answer = (): void => reject(new ArchiveError('disk', 'It was cancelled.'));
    let settled = false;
    const settle = (how: () => void): void => {
      if (settled) return;
      settled = true;
      answer = how;
    };
    let proven: Proven | null = null;
    let placed: Promise<void> = Promise.resolve();
    const place = async (where: Placing, holds: Proven): Promise<void> => {
      try {
        const into: ToWorker = { say: 'into', into: [...(await where(holds))] };
        worker.postMessage(into);
      } catch (error) {
        settle(() => reject(error));
        void worker.terminate();
      }
    };
    const worker = start(
      task,
      watch,
      (message) => {
        if (message.say === 'holds') {
          proven = message.proven;
          if (placing !== null) placed = place(placing, proven);
        }
        if (message.say === 'read' && proven !== null) {
          const done = { proven, ownersLost: message.ownersLost };
          settle(() => resolve(done));
        }
      },
      (error) => settle(() => reject(error)),
    );
    worker.once('exit', () => void placed.then(() => answer()));
  });
}

type Reading = Omit<ReadTask, 'kind' | 'extract'>;

/** Proves every byte of an archive file. @throws ArchiveError: why it is refused */
export function verifyArchive(what: Reading, watch: Watch): Promise<ReadDone> {
  return reading({ kind: 'read', extract: false, ...what }, null, watch);
}

/**
 * Extracts an archive file, proving it on the way; everything is on the disk when it resolves. When it rejects, what was begun
 * is still there for the caller to remove.
 * @param placing called once it is known whose the archive is and what it says that it holds, none of which is proven yet
 * @throws ArchiveError, and what `placing` throws
 */
export function extractArchive(what: Reading, placing: Placing, watch: Watch): Promise<ReadDone> {
  return reading({ kind: 'read', extract: true, ...what }, placing, watch);
}
