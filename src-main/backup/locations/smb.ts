/**
 * A folder in a Windows share, from Linux. Each piece of work is an smbclient of its own: a process that ends leaves no state. On Windows the
 * system does SMB itself: local.ts with a UNC path.
 */
import { PassThrough, type Readable, Transform } from 'node:stream';
import { letGo } from '../let-go.ts';
import { LocationError } from '../location.ts';
import type { Door, Entry } from './door.ts';
import { cancelledFault, locationFault, type Place } from './faults.ts';
import { SilenceWatch } from './flow.ts';
import { askSmb, isTaken, type SmbRun, type SmbSettings, smbPath, startSmb } from './smbclient.ts';

export interface SmbFolder extends SmbSettings {
  /** in the share */
  folder: string;
}

const aheadBytes = 256 * 1024;

const isMissing = (error: unknown): boolean => error instanceof LocationError && error.fault === 'missing';

export class SmbDoor implements Door {
  readonly place: Place;
  readonly #settings: SmbFolder;
  readonly #running = new Set<SmbRun>();

  constructor(settings: SmbFolder) {
    this.#settings = settings;
    this.place = settings.place;
  }

  async entries(path: string, signal: AbortSignal): Promise<Entry[]> {
    const inside = this.#at(path, '*');
    try {
      return entriesOf(await this.#ask(`ls ${inside}`, path, signal));
    } catch (error) {
      // An empty root has not even `.`: only then "no such file" speaks of the files.
      if (!isMissing(error) || (await this.entry(path, signal)) === null) throw error;
      return [];
    }
  }

  async entry(path: string, signal: AbortSignal): Promise<Entry | null> {
    const full = this.#full(path);
    if (full === '') {
      await this.#ask('ls', path, signal);
      return { name: '', folder: true, size: 0, modifiedAt: null };
    }
    try {
      const name = path.slice(path.lastIndexOf('/') + 1);
      const found = entriesOf(await this.#ask(`ls ${this.#at(path)}`, path, signal));
      const first = found[0];
      return first === undefined ? null : { ...first, name };
    } catch (error) {
      if (isMissing(error) && !shareIsMissing(error)) return null;
      throw error;
    }
  }

  async makeFolder(path: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#ask(`mkdir ${this.#at(path)}`, path, signal);
    } catch (error) {
      if (!isTaken(error) || (await this.entry(path, signal))?.folder !== true) throw error;
    }
  }

  async makeRoot(signal: AbortSignal): Promise<void> {
    if ((await this.entry('', signal)) !== null) return;
    const parts = this.#settings.folder.split(/[\\/]/).filter((part) => part !== '');
    for (let count = 1; count <= parts.length; count += 1) {
      try {
        await this.#ask(`mkdir ${smbPath(parts.slice(0, count).join('/'))}`, '', signal);
      } catch (error) {
        if (!isTaken(error)) throw error;
      }
    }
  }

  /** smbclient reads from the beginning only: what was read before is read again and dropped. */
  async read(path: string, from: number, signal: AbortSignal): Promise<Readable> {
    if (signal.aborted) throw cancelledFault(this.place);
    const run = this.#start(`get ${this.#at(path)} -`, path, true);
    run.child.stdin.end();
    const out = from === 0 ? new PassThrough({ highWaterMark: aheadBytes }) : dropping(from);
    const watch = this.#watching(
      () => out.writableNeedDrain === false && out.readableLength < aheadBytes,
      path,
      (silence) => out.destroy(silence),
    );
    const onAbort = (): void => void out.destroy(cancelledFault(this.place));
    signal.addEventListener('abort', onAbort, { once: true });
    out.once('close', () => {
      signal.removeEventListener('abort', onAbort);
      watch.end();
      run.kill();
    });
    run.child.stdout.on('data', () => watch.moved());
    run.child.stdout.pipe(out, { end: false });
    run.ended.then(
      () => out.end(),
      (error: Error) => out.destroy(error),
    );
    return out;
  }

  async put(path: string, source: Readable, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw cancelledFault(this.place);
    const run = this.#start(`put - ${this.#at(path)}`, path);
    const { stdin } = run.child;
    let given: LocationError | null = null;
    let isOver = false;
    const giveUp = (fault: LocationError): void => {
      given ??= fault;
      run.kill();
    };
    const watch = this.#watching(() => stdin.writableNeedDrain || stdin.writableEnded, path, giveUp);
    const onAbort = (): void => giveUp(cancelledFault(this.place));
    signal.addEventListener('abort', onAbort, { once: true });
    const over = run.ended.finally(() => {
      isOver = true;
      stdin.destroy();
    });
    over.catch(() => {});
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        if (isOver) break;
        if (!stdin.write(chunk, () => letGo(chunk))) await drained(stdin);
        watch.moved();
      }
      stdin.end();
      await over;
    } catch (error) {
      run.kill();
      throw given ?? error;
    } finally {
      signal.removeEventListener('abort', onAbort);
      watch.end();
    }
  }

  async replace(from: string, to: string, signal: AbortSignal): Promise<void> {
    await this.#ask(`rename ${this.#at(from)} ${this.#at(to)} -f`, to, signal);
  }

  async moveNew(from: string, to: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#ask(`rename ${this.#at(from)} ${this.#at(to)}`, to, signal);
      return true;
    } catch (error) {
      if (isTaken(error)) return false;
      // Windows says "access denied" for a folder in the way.
      const unclear = error instanceof LocationError && error.fault === 'permission';
      if (unclear && (await this.entry(to, signal)) !== null) return false;
      throw error;
    }
  }

  async removeFile(path: string, signal: AbortSignal): Promise<void> {
    await unlessMissing(this.#ask(`del ${this.#at(path)}`, path, signal));
  }

  async removeFolder(path: string, signal: AbortSignal): Promise<void> {
    await unlessMissing(this.#ask(`rmdir ${this.#at(path)}`, path, signal));
  }

  async close(): Promise<void> {
    for (const run of this.#running) run.kill();
  }

  #full(path: string): string {
    const root = this.#settings.folder.replaceAll('\\', '/').replace(/^\/+|\/+$/g, '');
    return [root, path].filter((part) => part !== '').join('/');
  }

  #at(path: string, more = ''): string {
    return smbPath([this.#full(path), more].filter((part) => part !== '').join('/'));
  }

  #ask(commands: string, path: string, signal: AbortSignal): Promise<string> {
    return askSmb(this.#settings, commands, path === '' ? 'the folder' : path, signal);
  }

  #start(commands: string, path: string, quiet = false): SmbRun {
    const run = startSmb(this.#settings, commands, path, quiet);
    this.#running.add(run);
    const gone = (): void => void this.#running.delete(run);
    run.ended.then(gone, gone);
    return run;
  }

  #watching(waiting: () => boolean, path: string, onSilence: (fault: LocationError) => void): SilenceWatch {
    const { clock, silenceMs } = this.#settings;
    return new SilenceWatch(clock, silenceMs, waiting, () =>
      onSilence(locationFault(this.place, 'timeout', `${path}: the server does not answer`)),
    );
  }
}

const shareIsMissing = (error: unknown): boolean =>
  error instanceof LocationError && error.message.includes('BAD_NETWORK_NAME');

async function unlessMissing(work: Promise<string>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isMissing(error) || shareIsMissing(error)) throw error;
  }
}

function drained(stdin: NodeJS.WritableStream & { destroyed?: boolean }): Promise<void> {
  return new Promise((resolve) => {
    if (stdin.destroyed === true) {
      resolve();
      return;
    }
    const go = (): void => {
      stdin.off('drain', go);
      stdin.off('close', go);
      resolve();
    };
    stdin.once('drain', go);
    stdin.once('close', go);
  });
}

function dropping(from: number): Transform {
  let left = from;
  return new Transform({
    highWaterMark: aheadBytes,
    transform(chunk: Buffer, _encoding, done) {
      const rest = chunk.subarray(Math.min(left, chunk.length));
      left -= chunk.length - rest.length;
      if (rest.length > 0) this.push(rest);
      done();
    },
  });
}

/** `  a.zip                               A        6  Tue Nov 24 14:24:31 2026`, in UTC. */
const listed = /^ {2}(.+?)\s+([A-Za-z]*)\s+(\d+)\s+\w{3} (\w{3}) +(\d+) (\d\d):(\d\d):(\d\d) (\d{4})$/;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function entriesOf(output: string): Entry[] {
  const found: Entry[] = [];
  for (const line of output.split('\n')) {
    const parts = listed.exec(line);
    if (parts === null) continue;
    const [, name = '', attributes = '', size = '', month = '', ...numbers] = parts;
    if (name === '.' || name === '..') continue;
    const [day, hour, minute, second, year] = numbers.map(Number);
    const folder = attributes.includes('D');
    const modifiedAt = Date.UTC(year ?? 1970, months.indexOf(month), day, hour, minute, second);
    found.push({ name, folder, size: folder ? 0 : Number(size), modifiedAt });
  }
  return found;
}
