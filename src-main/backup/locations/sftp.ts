/**
 * A folder on an SSH server. One connection for everything, made when it is needed and again after it broke; many requests on the
 * way at once, so that a distant server is not slower than a near one.
 */
import { Readable } from 'node:stream';
import type { FileEntryWithStats, Stats } from 'ssh2';
import { letGo } from '../let-go.ts';
import { LocationError } from '../location.ts';
import type { Door, Entry } from './door.ts';
import { cancelledFault, locationFault, type Place } from './faults.ts';
import { isEnd, isUnsupported, Requests } from './sftp-requests.ts';
import { openSession, type SshSession, type SshSettings } from './ssh-session.ts';

export interface SftpSettings extends SshSettings {
  /** on the server; a relative one is below the user's home */
  folder: string;
}

/** What every server takes (draft-ietf-secsh-filexfer-02 §3: at least 34000 bytes a packet). */
const pieceBytes = 32 * 1024;
/** on the way at once: 2 MiB, enough for 160 Mbit/s at 100 ms */
const piecesAtOnce = 64;

/** from fewer bytes than that a disk counts as full */
const fullBelowBytes = 64 * 1024;
/** ST_RDONLY in statvfs@openssh.com's flags */
const readOnlyFlag = 1n;

export class SftpDoor implements Door {
  readonly place: Place;
  readonly #settings: SftpSettings;
  #session: SshSession | null = null;
  #opening: Promise<SshSession> | null = null;

  constructor(settings: SftpSettings) {
    this.#settings = settings;
    this.place = settings.place;
  }

  async entries(path: string, signal: AbortSignal): Promise<Entry[]> {
    const found = await this.#asking(signal, (requests) =>
      requests.ask<FileEntryWithStats[]>(path, (sftp, answer) => sftp.readdir(this.#at(path), answer)),
    );
    const entries = found.map(({ filename, attrs }) => entryOf(filename, attrs));
    return entries.filter((entry) => entry !== null && entry.name !== '.' && entry.name !== '..') as Entry[];
  }

  entry(path: string, signal: AbortSignal): Promise<Entry | null> {
    return this.#asking(signal, (requests) => this.#entry(path, requests));
  }

  async #entry(path: string, requests: Requests): Promise<Entry | null> {
    try {
      const stats = await requests.ask<Stats>(path, (sftp, answer) =>
        path === '' ? sftp.stat(this.#at(path), answer) : sftp.lstat(this.#at(path), answer),
      );
      return entryOf(path.slice(path.lastIndexOf('/') + 1), stats);
    } catch (error) {
      if (error instanceof LocationError && error.fault === 'missing') return null;
      throw error;
    }
  }

  makeFolder(path: string, signal: AbortSignal): Promise<void> {
    return this.#asking(signal, (requests) => this.#makeFolder(path, this.#at(path), requests));
  }

  async #makeFolder(path: string, full: string, requests: Requests): Promise<void> {
    const isThere = async (): Promise<boolean> => {
      try {
        return (await requests.ask<Stats>(path, (sftp, answer) => sftp.stat(full, answer))).isDirectory();
      } catch {
        return false;
      }
    };
    if (await isThere()) return;
    try {
      await requests.done(path, (sftp, answer) => sftp.mkdir(full, answer));
    } catch (error) {
      // Version 3 has no word for "exists": somebody made it in this moment.
      if (await isThere()) return;
      throw await this.#whyNotWritten(error, requests, full.replace(/\/?[^/]+$/, '') || '.', false);
    }
  }

  makeRoot(signal: AbortSignal): Promise<void> {
    return this.#asking(signal, async (requests) => {
      const root = this.#at('');
      const parts = root.split('/');
      if ((await this.#entry('', requests)) !== null) return;
      for (let count = 1; count <= parts.length; count += 1) {
        const folder = parts.slice(0, count).join('/');
        if (folder !== '' && folder !== '.') await this.#makeFolder('', folder, requests);
      }
    });
  }

  async read(path: string, from: number, signal: AbortSignal): Promise<Readable> {
    const requests = await this.#requests(signal);
    try {
      const handle = await requests.ask<Buffer>(path, (sftp, answer) => sftp.open(this.#at(path), 'r', answer));
      const pieces = this.#pieces(path, handle, from, requests);
      return Readable.from(pieces, { objectMode: false, highWaterMark: pieceBytes * 8 }).once('close', () => {
        // Where nobody read, the generator never began and its end is never reached.
        endOf(requests, handle);
      });
    } catch (error) {
      requests.end();
      throw error;
    }
  }

  async *#pieces(path: string, handle: Buffer, from: number, requests: Requests): AsyncGenerator<Buffer> {
    const ahead: Promise<Buffer>[] = [];
    let next = from;
    const readWhole = async (at: number): Promise<Buffer> => {
      const piece = Buffer.allocUnsafe(pieceBytes);
      let got = 0;
      // A server may give less than it was asked for, and it is not the end.
      while (got < pieceBytes) {
        const count = await this.#readSome(path, handle, piece, got, at, requests);
        if (count === 0) break;
        got += count;
      }
      return piece.subarray(0, got);
    };
    for (;;) {
      while (ahead.length < piecesAtOnce) {
        const piece = readWhole(next);
        // Heard when its turn comes.
        piece.catch(() => {});
        ahead.push(piece);
        next += pieceBytes;
      }
      const piece = (await ahead.shift()) ?? Buffer.alloc(0);
      if (piece.length > 0) yield piece;
      if (piece.length < pieceBytes) return;
    }
  }

  async #readSome(
    path: string,
    handle: Buffer,
    into: Buffer,
    got: number,
    at: number,
    requests: Requests,
  ): Promise<number> {
    return requests.ask<number>(path, (sftp, answer) =>
      sftp.read(handle, into, got, into.length - got, at + got, (error, count) => {
        const ended = isEnd(error);
        answer(ended ? null : error, ended ? 0 : count);
      }),
    );
  }

  async put(path: string, source: Readable, signal: AbortSignal): Promise<void> {
    const requests = await this.#requests(signal);
    let handle: Buffer | null = null;
    let begun = false;
    try {
      // `wx`: never into what somebody else began.
      handle = await requests.ask<Buffer>(path, (sftp, answer) =>
        sftp.open(this.#at(path), 'wx', { mode: 0o640 }, answer),
      );
      begun = true;
      await this.#writePieces(path, handle, source, requests);
      await this.#flush(path, handle, requests);
      const whole = handle;
      handle = null;
      await requests.done(path, (sftp, answer) => sftp.close(whole, answer));
    } catch (error) {
      throw await this.#whyNotWritten(error, requests, this.#at(''), begun);
    } finally {
      endOf(requests, handle);
    }
  }

  async #writePieces(path: string, handle: Buffer, source: Readable, requests: Requests): Promise<void> {
    const underway = new Set<Promise<void>>();
    let at = 0;
    let failed: { error: unknown } | null = null;
    for await (const chunk of source as AsyncIterable<Buffer>) {
      let left = Math.ceil(chunk.length / pieceBytes);
      for (let cut = 0; cut < chunk.length; cut += pieceBytes) {
        const piece = chunk.subarray(cut, cut + pieceBytes);
        const position = at;
        at += piece.length;
        const writing = requests
          .done(path, (sftp, answer) => sftp.write(handle, piece, 0, piece.length, position, answer))
          .then(
            () => {
              underway.delete(writing);
              left -= 1;
              if (left === 0) letGo(chunk);
            },
            (error: unknown) => {
              failed ??= { error };
              underway.delete(writing);
            },
          );
        underway.add(writing);
        if (underway.size >= piecesAtOnce) await Promise.race(underway);
        throwIf(failed);
      }
    }
    await Promise.all(underway);
    throwIf(failed);
  }

  /** fsync@openssh.com: a power cut after the rename must not leave an empty file of the right name. */
  async #flush(path: string, handle: Buffer, requests: Requests): Promise<void> {
    try {
      await requests.done(path, (sftp, answer) => sftp.ext_openssh_fsync(handle, answer));
    } catch (error) {
      if (!isUnsupported(error)) throw error;
    }
  }

  replace(from: string, to: string, signal: AbortSignal): Promise<void> {
    return this.#asking(signal, async (requests) => {
      const [old, fresh] = [this.#at(from), this.#at(to)];
      try {
        await requests.done(to, (sftp, answer) => sftp.ext_openssh_rename(old, fresh, answer));
        return;
      } catch (error) {
        if (!isUnsupported(error)) throw error;
      }
      // Version 3's own rename takes no name that is taken: for a moment there is none of that name, but never half of one.
      await this.#unlink(to, requests);
      await requests.done(to, (sftp, answer) => sftp.rename(old, fresh, answer));
    });
  }

  moveNew(from: string, to: string, signal: AbortSignal): Promise<boolean> {
    return this.#asking(signal, async (requests) => {
      const [old, fresh] = [this.#at(from), this.#at(to)];
      try {
        await requests.done(to, (sftp, answer) => sftp.rename(old, fresh, answer));
        return true;
      } catch (error) {
        if (error instanceof LocationError && error.fault === 'other' && (await this.#entry(to, requests)) !== null)
          return false;
        throw error;
      }
    });
  }

  removeFile(path: string, signal: AbortSignal): Promise<void> {
    return this.#asking(signal, (requests) => this.#unlink(path, requests));
  }

  #unlink(path: string, requests: Requests): Promise<void> {
    return unlessMissing(requests.done(path, (sftp, answer) => sftp.unlink(this.#at(path), answer)));
  }

  removeFolder(path: string, signal: AbortSignal): Promise<void> {
    return this.#asking(signal, (requests) =>
      unlessMissing(requests.done(path, (sftp, answer) => sftp.rmdir(this.#at(path), answer))),
    );
  }

  async close(): Promise<void> {
    this.#session?.drop();
    this.#session = null;
  }

  #at(path: string): string {
    const root = this.#settings.folder.replace(/(?<=.)\/+$/, '');
    return path === '' ? root : `${root}/${path}`;
  }

  async #connected(signal: AbortSignal): Promise<SshSession> {
    if (signal.aborted) throw cancelledFault(this.place);
    if (this.#session !== null && this.#session.broken() === null) return this.#session;
    // One that was begun for somebody who gave up is not ours to wait for.
    const opening = this.#opening ?? openSession(this.#settings, signal);
    this.#opening = opening;
    try {
      this.#session = await opening;
      return this.#session;
    } catch (error) {
      const theirs = error instanceof LocationError && error.fault === 'cancelled' && !signal.aborted;
      if (!theirs) throw error;
      if (this.#opening === opening) this.#opening = null;
      return this.#connected(signal);
    } finally {
      if (this.#opening === opening) this.#opening = null;
    }
  }

  async #asking<T>(signal: AbortSignal, work: (requests: Requests) => Promise<T>): Promise<T> {
    const requests = await this.#requests(signal);
    try {
      return await work(requests);
    } finally {
      requests.end();
    }
  }

  async #requests(signal: AbortSignal): Promise<Requests> {
    return new Requests(await this.#connected(signal), { ...this.#settings, signal });
  }

  /** Version 3 says "failure" for a full disk, a used-up quota and a read-only one: statvfs@openssh.com tells which. */
  async #whyNotWritten(error: unknown, requests: Requests, folder: string, begun: boolean): Promise<unknown> {
    if (!(error instanceof LocationError) || error.fault !== 'other') return error;
    try {
      const disk = await requests.ask<Record<string, unknown>>('', (sftp, answer) =>
        sftp.ext_openssh_statvfs(folder, answer),
      );
      const number = (name: string): bigint => BigInt(String(disk[name] ?? 0));
      if ((number('f_flag') & readOnlyFlag) !== 0n) {
        return locationFault(this.place, 'permission', 'the folder is read-only');
      }
      const free = number('f_bavail') * number('f_frsize');
      if (free < BigInt(fullBelowBytes)) return locationFault(this.place, 'full', 'the disk is full');
      // A file that could not even be begun may have other reasons.
      if (!begun) return error;
      return locationFault(
        this.place,
        'full',
        'the server takes no more bytes; its disk has room, so the quota may be used up',
      );
    } catch {
      return error;
    }
  }
}

function endOf(requests: Requests, handle: Buffer | null): void {
  const { session } = requests;
  if (handle !== null && session.broken() === null) session.sftp.close(handle, () => {});
  requests.end();
}

function throwIf(failed: { error: unknown } | null): void {
  if (failed !== null) throw failed.error;
}

async function unlessMissing(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof LocationError) || error.fault !== 'missing') throw error;
  }
}

/** Links are not followed: what they lead to is not ours. */
function entryOf(name: string, stats: Stats | FileEntryWithStats['attrs']): Entry | null {
  // S_IFMT, S_IFREG, S_IFDIR
  const kind = stats.mode & 0o170000;
  const folder = kind === 0o040000;
  if (!folder && kind !== 0o100000) return null;
  return { name, folder, size: folder ? 0 : stats.size, modifiedAt: stats.mtime * 1000 };
}
