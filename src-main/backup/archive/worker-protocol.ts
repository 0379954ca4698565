/** What the engine's thread and the archive's worker say to each other. Types only. */
import type { Encryption, Key } from './encryption.ts';
import type { ArchiveFault } from './faults.ts';
import type { About, Change, Manifest } from './manifest.ts';
import type { Expectation, Proven } from './read-archive.ts';

export interface CreateTask {
  kind: 'create';
  /** absolute paths of folders and files */
  paths: readonly string[];
  about: About;
  /** wall clock, ms */
  createdAt: number;
  encryption: Encryption | null;
}

export interface ReadTask {
  kind: 'read';
  file: string;
  key: Key | null;
  /** where an encrypted archive is put, decrypted, while it is read; removed afterwards */
  scratch: string;
  expect: Expectation;
  /** or only prove it */
  extract: boolean;
}

export type Task = CreateTask | ReadTask;

export interface Created {
  /** bytes of the whole archive, as it is uploaded */
  size: number;
  sha256: string;
  manifest: Manifest;
  /** files that were rewritten while they were read: what is stored of them may be torn */
  changes: Change[];
}

export interface ReadDone {
  proven: Proven;
  ownersLost: number;
}

export type FromWorker =
  | { say: 'progress'; bytes: number }
  /** the archive's next bytes; the worker goes on when it is told `more` often enough */
  | { say: 'chunk'; bytes: Uint8Array }
  | { say: 'manifest'; manifest: Manifest }
  | { say: 'created'; created: Created }
  /** what an archive says that it holds; to be extracted it waits until it is told `into` */
  | { say: 'holds'; proven: Proven }
  /** and every byte of it was proven */
  | { say: 'read'; ownersLost: number }
  | { say: 'failed'; fault: ArchiveFault; message: string };

export type ToWorker =
  | { say: 'more' }
  /** absolute paths that must not exist yet, by root id */
  | { say: 'into'; into: readonly (readonly [string, string])[] };

/** How many chunks may be on their way at once, and how large they are. */
export const window = 8;
export const chunkBytes = 64 * 1024;
