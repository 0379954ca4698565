/**
 * A folder on an FTP server, over TLS only. One connection for words, which take turns; a connection of its own for each file on the way,
 * so that a long restore holds up nobody.
 */
import { PassThrough, Readable } from 'node:stream';
import { type Client, type FileInfo, FTPError, type FTPResponse } from 'basic-ftp';
import { LocationError } from '../location.ts';
import type { Door, Entry } from './door.ts';
import { cancelledFault, type Place } from './faults.ts';
import { type FtpSession, type FtpsSettings, ftpFault, onlyWhileWanted, openFtp } from './ftp-session.ts';

export interface FtpsFolder extends FtpsSettings {
  /** on the server; a relative one is below the user's home */
  folder: string;
}

const aheadBytes = 256 * 1024;

const isMissing = (error: unknown): boolean => error instanceof LocationError && error.fault === 'missing';

export class FtpsDoor implements Door {
  readonly place: Place;
  readonly #settings: FtpsFolder;
  #session: FtpSession | null = null;
  /** a connection that carried a file and may carry the next */
  #idle: FtpSession | null = null;
  /** the words before ours */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(settings: FtpsFolder) {
    this.#settings = settings;
    this.place = settings.place;
  }

  entries(path: string, signal: AbortSignal): Promise<Entry[]> {
    return this.#say(path, signal, async (session) => {
      // Some servers list a folder that is not there as an empty one.
      const found = await session.client.list(this.#at(session, path));
      if (found.length === 0 && (await this.#entry(session, path)) === null) {
        throw new FTPError({ code: 550, message: 'No such folder' });
      }
      return found.map(entryOf).filter((entry) => entry !== null);
    });
  }

  entry(path: string, signal: AbortSignal): Promise<Entry | null> {
    return this.#say(path, signal, (session) => this.#entry(session, path));
  }

  async #entry(session: FtpSession, path: string): Promise<Entry | null> {
    const { client, hasFacts } = session;
    const full = this.#at(session, path);
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (hasFacts) {
      const reply = await factsUnlessMissing(client, full, this.place);
      return reply === null ? null : factsOf(name, reply.message);
    }
    if (path === '') {
      return (await unlessMissing(client.cd(full), this.place)) === null
        ? null
        : { name, folder: true, size: 0, modifiedAt: null };
    }
    const beside = await unlessMissing(client.list(full.slice(0, full.lastIndexOf('/'))), this.place);
    const found = beside?.find((info) => info.name === name);
    return found === undefined ? null : entryOf(found);
  }

  makeFolder(path: string, signal: AbortSignal): Promise<void> {
    return this.#say(path, signal, (session) => this.#makeFolder(session, path, this.#at(session, path)));
  }

  async #makeFolder(session: FtpSession, path: string, full: string): Promise<void> {
    try {
      await session.client.send(`MKD ${full}`);
    } catch (error) {
      // 550, 521 and others, in any words: what counts is whether it is there.
      if (!(error instanceof FTPError) || (await this.#entry(session, path))?.folder !== true) throw error;
    }
  }

  makeRoot(signal: AbortSignal): Promise<void> {
    return this.#say('', signal, async (session) => {
      if ((await this.#entry(session, '')) !== null) return;
      const { folder } = this.#settings;
      const parts = folder.split('/').filter((part) => part !== '');
      const above = folder.startsWith('/') ? '' : session.home.replace(/\/+$/, '');
      for (let count = 1; count < parts.length; count += 1) {
        // Those above may be closed to us and there all the same: the last one tells.
        await session.client.send(`MKD ${above}/${parts.slice(0, count).join('/')}`, true);
      }
      await this.#makeFolder(session, '', this.#at(session, ''));
    });
  }

  async read(path: string, from: number, signal: AbortSignal): Promise<Readable> {
    const session = await this.#carrier(signal);
    const { client } = session;
    const out = new Incoming(this.place, path);
    const onAbort = (): void => void out.destroy(cancelledFault(this.place));
    signal.addEventListener('abort', onAbort, { once: true });
    let isWhole = false;
    out.once('close', () => {
      signal.removeEventListener('abort', onAbort);
      if (!isWhole) client.close();
    });
    client.downloadTo(out, this.#at(session, path), from).then(
      () => {
        isWhole = true;
        this.#spare(session);
      },
      (error: Error) => {
        if (!out.destroyed) out.destroy(error);
      },
    );
    return out;
  }

  async put(path: string, source: Readable, signal: AbortSignal): Promise<void> {
    const session = await this.#carrier(signal);
    const { client } = session;
    const onAbort = (): void => client.close();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await client.uploadFrom(source, this.#at(session, path));
      this.#spare(session);
    } catch (error) {
      if (signal.aborted) throw cancelledFault(this.place);
      const why = await this.#whyNotPut(session, error, path, signal);
      client.close();
      throw why;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /**
   * A server that takes no file, or no more of it, cuts the data connection and says why on the other one: before, after, or never to be
   * heard. Then a folder in the same place tells.
   */
  async #whyNotPut(session: FtpSession, error: unknown, path: string, signal: AbortSignal): Promise<LocationError> {
    const { client } = session;
    const fault = ftpFault(this.place, error, path);
    if (fault.fault !== 'connection' || error instanceof FTPError) return fault;
    const words = (): Promise<unknown> => client.send('NOOP');
    const trials = [
      () => (client.closed ? null : onlyWhileWanted(client, this.#settings, signal, path, words)),
      () => this.#tryBeside(path, signal),
    ];
    for (const trial of trials) {
      try {
        await trial();
      } catch (said) {
        const told = ftpFault(this.place, said, path);
        if (told.fault === 'permission' || told.fault === 'full') return told;
      }
    }
    return fault;
  }

  /** So few bytes fit into one packet: the answer to them is not overtaken by a cut. */
  async #tryBeside(path: string, signal: AbortSignal): Promise<void> {
    const folder = `${path}-d`;
    await this.makeFolder(folder, signal);
    try {
      const { client, home, hasFacts } = await openFtp(this.#settings, signal);
      const full = this.#at({ client, home, hasFacts }, `${folder}/trial`);
      const put = () => client.uploadFrom(Readable.from([Buffer.alloc(4096)]), full);
      await onlyWhileWanted(client, this.#settings, signal, path, put).finally(() => client.close());
    } finally {
      await this.removeFile(`${folder}/trial`, signal);
      await this.removeFolder(folder, signal);
    }
  }

  /** A connection for one file: the one that the last file left, or a new one. */
  async #carrier(signal: AbortSignal): Promise<FtpSession> {
    const spare = this.#idle;
    this.#idle = null;
    if (signal.aborted) throw cancelledFault(this.place);
    return spare === null || spare.client.closed ? openFtp(this.#settings, signal) : spare;
  }

  #spare(session: FtpSession): void {
    if (this.#idle === null) this.#idle = session;
    else session.client.close();
  }

  replace(from: string, to: string, signal: AbortSignal): Promise<void> {
    return this.#say(
      to,
      signal,
      async (session) => {
        const [old, fresh] = [this.#at(session, from), this.#at(session, to)];
        try {
          await session.client.rename(old, fresh);
        } catch (error) {
          // A server that renames over nothing: for a moment there is none of that name, but never half of one.
          if (!(error instanceof FTPError) || (await this.#entry(session, to))?.folder !== false) throw error;
          await session.client.remove(fresh);
          await session.client.rename(old, fresh);
        }
      },
      false,
    );
  }

  moveNew(from: string, to: string, signal: AbortSignal): Promise<boolean> {
    return this.#say(
      to,
      signal,
      async (session) => {
        if ((await this.#entry(session, to)) !== null) return false;
        try {
          await session.client.rename(this.#at(session, from), this.#at(session, to));
          return true;
        } catch (error) {
          if (error instanceof FTPError && (await this.#entry(session, to)) !== null) return false;
          throw error;
        }
      },
      false,
    );
  }

  removeFile(path: string, signal: AbortSignal): Promise<void> {
    return this.#say(path, signal, async (session) => {
      await this.#unlessGone(session, path, session.client.remove(this.#at(session, path)));
    });
  }

  removeFolder(path: string, signal: AbortSignal): Promise<void> {
    return this.#say(path, signal, async (session) => {
      await this.#unlessGone(session, path, session.client.send(`RMD ${this.#at(session, path)}`));
    });
  }

  async #unlessGone(session: FtpSession, path: string, work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof FTPError) || (await this.#entry(session, path)) !== null) throw error;
    }
  }

  async close(): Promise<void> {
    this.#session?.client.close();
    this.#idle?.client.close();
    this.#session = null;
    this.#idle = null;
  }

  #at({ home }: FtpSession, path: string): string {
    const { folder } = this.#settings;
    const root = (folder.startsWith('/') ? folder : `${home.replace(/\/+$/, '')}/${folder}`).replace(/(?<=.)\/+$/, '');
    return path === '' ? root : `${root}/${path}`;
  }

  /**
   * Words take turns; whoever is cancelled while he waits leaves the queue at once.
   * @param repeatable whether it may be said again when the connection turns out to have been cut while it was idle
   */
  async #say<T>(
    path: string,
    signal: AbortSignal,
    work: (session: FtpSession) => Promise<T>,
    repeatable = true,
  ): Promise<T> {
    const before = this.#turn;
    const { promise: mine, resolve: done } = Promise.withResolvers<void>();
    this.#turn = before.then(() => mine);
    try {
      await turnOrAbort(before, signal);
      if (signal.aborted) throw cancelledFault(this.place);
      const wasIdle = this.#session !== null && !this.#session.client.closed;
      try {
        return await this.#sayNow(path, signal, work);
      } catch (error) {
        const cut = error instanceof LocationError && error.fault === 'connection';
        if (!cut || !wasIdle || !repeatable) throw error;
        this.#session?.client.close();
        return await this.#sayNow(path, signal, work);
      }
    } finally {
      done();
    }
  }

  async #sayNow<T>(path: string, signal: AbortSignal, work: (session: FtpSession) => Promise<T>): Promise<T> {
    if (this.#session === null || this.#session.client.closed) this.#session = await openFtp(this.#settings, signal);
    const session = this.#session;
    const what = path === '' ? 'the folder' : path;
    return onlyWhileWanted(session.client, this.#settings, signal, what, () => work(session));
  }
}

/** What comes over a data connection; whatever breaks it is named. */
class Incoming extends PassThrough {
  readonly #place: Place;
  readonly #path: string;

  constructor(place: Place, path: string) {
    super({ highWaterMark: aheadBytes });
    this.#place = place;
    this.#path = path;
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    done(error === null ? null : ftpFault(this.#place, error, this.#path));
  }
}

function turnOrAbort(turn: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      signal.removeEventListener('abort', go);
      resolve();
    };
    signal.addEventListener('abort', go, { once: true });
    turn.then(go, go);
  });
}

/** Null where the server says that it is not there. */
async function unlessMissing<T>(work: Promise<T>, place: Place): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof FTPError && isMissing(ftpFault(place, error, ''))) return null;
    throw error;
  }
}

/** ProFTPD says "cannot be listed" of what is not there. */
async function factsUnlessMissing(client: Client, full: string, place: Place): Promise<FTPResponse | null> {
  try {
    return await client.send(`MLST ${full}`);
  } catch (error) {
    const closed = error instanceof FTPError && ftpFault(place, error, '').fault === 'permission';
    if (!(error instanceof FTPError) || error.code !== 550 || closed) throw error;
    return null;
  }
}

/** Links are not followed: what they lead to is not ours. */
function entryOf(info: FileInfo): Entry | null {
  if (!info.isFile && !info.isDirectory) return null;
  const { name, isDirectory: folder } = info;
  return { name, folder, size: folder ? 0 : info.size, modifiedAt: info.modifiedAt?.getTime() ?? null };
}

/** RFC 3659 §7: `type=file;size=5;modify=20260131235959; /home/a.zip`, on a line of its own in the reply. */
function factsOf(name: string, reply: string): Entry | null {
  const line = reply.split('\n').find((text) => /type=/i.test(text)) ?? '';
  const fact = (key: string): string => new RegExp(`(?:^|[;\\s-])${key}=([^;]*);`, 'i').exec(line)?.[1] ?? '';
  const kind = fact('type').toLowerCase();
  const folder = kind === 'dir' || kind === 'cdir' || kind === 'pdir';
  if (!folder && kind !== 'file') return null;
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(fact('modify'))?.map(Number) ?? [];
  const modifiedAt = year === undefined ? null : Date.UTC(year, (month ?? 1) - 1, day, hour, minute, second);
  return { name, folder, size: folder ? 0 : Number(fact('size')), modifiedAt };
}
