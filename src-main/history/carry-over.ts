/**
 * Carries the log over into the file on a thread of its own. That syncs the disk twice, which took 2 ms on a disk that had
 * nothing else to do and once 210 ms on a busy one (see the bench): the engine's thread must not wait for it.
 */
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

/** CommonJS as text, so that it is no file to be found wherever the rest is bundled to. A connection lives for one run. */
const program = `
const { parentPort, workerData } = require('node:worker_threads');
const Database = require(workerData.sqlite);
parentPort.on('message', () => {
  const db = new Database(workerData.file, { fileMustExist: true, timeout: 0 });
  try {
    db.pragma('wal_checkpoint(PASSIVE)');
  } finally {
    db.close();
  }
  parentPort.postMessage('done');
});`;

export interface CarryOver {
  /** Resolves when all that nobody reads any more is carried over; false where the thread cannot do it. Never rejects. */
  run(): Promise<boolean>;
  end(): Promise<void>;
}

/** The thread begins with the first `run`. */
export function carryOver(file: string): CarryOver {
  let worker: Worker | null = null;
  let broken = false;

  function begun(): Worker {
    const sqlite = createRequire(import.meta.url).resolve('better-sqlite3');
    return new Worker(program, { eval: true, workerData: { file, sqlite } });
  }

  return {
    run() {
      if (broken) return Promise.resolve(false);
      return new Promise((resolve) => {
        const failed = (): void => {
          broken = true;
          resolve(false);
        };
        try {
          worker ??= begun();
        } catch {
          return failed();
        }
        const thread = worker;
        thread.once('error', failed);
        thread.once('message', () => {
          thread.off('error', failed);
          // Idle, it must not keep the process alive.
          thread.unref();
          resolve(true);
        });
        thread.ref();
        thread.postMessage('run');
      });
    },
    async end() {
      await worker?.terminate();
      worker = null;
    },
  };
}
