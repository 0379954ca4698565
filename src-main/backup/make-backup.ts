/**
 * One backup from end to end: source, archive, location, read back, proof, rotation. Must not know schedules, nor when one is due.
 */
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import type { Clock } from '../engine/ports.ts';
import { createArchive } from './archive/archive.ts';
import type { Encryption } from './archive/encryption.ts';
import type { About } from './archive/manifest.ts';
import type { Created } from './archive/worker-protocol.ts';
import { type Location, LocationError } from './location.ts';
import { backupName, proofNameOf } from './names.ts';
import { type Patience, type Persistence, patiently, type Setback } from './patience.ts';
import { differing, isVerified, type Proof, proofOf, publishProof, readBack, readProof } from './proof.ts';
import { removeBackup, rotate } from './shelf.ts';
import { pbxVersion } from './sources/pbx-version.ts';
import { type Ready, readySource, type SourceWork } from './sources/source.ts';

export const backupPhases = [
  'source', // the PBX's own backup, or the site's `before`
  'hash', // files are looked at; bytes read so far
  'store', // packed and stored at once; bytes of the files, before packing
  'verify', // read back; bytes of the archive
  'rotate',
] as const;
export type BackupPhase = (typeof backupPhases)[number];

export interface BackupProgress {
  phase: BackupPhase;
  bytes: number;
  /** null where that is not known beforehand */
  total: number | null;
}

export interface BackupWork {
  location: Location;
  /** `running.signal` cancels the whole backup */
  source: SourceWork;
  about: Pick<About, 'pair' | 'node' | 'epoch' | 'fqdn'>;
  encryption: Encryption | null;
  /** verified ones that stay */
  keep: number;
  clock: Clock;
  patience?: Patience;
  onProgress?: (progress: BackupProgress) => void;
  /** told of each passing fault that is followed by another attempt */
  onSetback?: (setback: Setback) => void;
}

export interface BackupDone {
  proof: Proof;
  /** this very data was stored and verified before: nothing was made */
  already: boolean;
  /** names */
  removed: string[];
  /** what did not work beside a good backup: each must be looked at */
  troubles: { sentence: string; todo: string }[];
}

const asTrouble = (before: string, error: unknown): BackupDone['troubles'][number] => ({
  sentence: `${before}: ${sentenceOf(error)}`,
  todo: error instanceof EstepeError ? error.todo : 'look at it, and make another backup',
});

/** For putting things in order after a cancellation. */
const tidyingMs = 5000;

/**
 * Makes one. When it rejects, nothing of it is listed, with one exception that the sentence names: stored whole, but the line broke
 * for good before it was read back; then it is listed as not verified.
 * @throws ArchiveError, LocationError (`cancelled` too), EstepeError `backup`
 */
export async function makeBackup(work: BackupWork): Promise<BackupDone> {
  const { signal } = work.source.running;
  const making = new Making(work);
  try {
    return await making.run();
  } catch (error) {
    // The site's `after` failed as well: something may stand still.
    const also = making.troubles.map(({ sentence }) => ` ${sentence}`).join('');
    if (signal.aborted) {
      const todo = 'start it again when it is wanted: `estepe backup run`';
      throw new LocationError('cancelled', `The backup was cancelled.${also}`, todo, error);
    }
    if (also === '') throw error;
    const todo = error instanceof EstepeError ? error.todo : 'look at both';
    throw new EstepeError('backup', `${sentenceOf(error)}${also}`, todo, {}, error);
  }
}

class Making {
  readonly #work: BackupWork;
  readonly #signal: AbortSignal;
  readonly #how: Persistence;
  readonly troubles: BackupDone['troubles'] = [];

  constructor(work: BackupWork) {
    const { clock, patience, onSetback } = work;
    this.#work = work;
    this.#signal = work.source.running.signal;
    this.#how = {
      clock,
      signal: this.#signal,
      ...(patience === undefined ? {} : { patience }),
      ...(onSetback === undefined ? {} : { onSetback }),
    };
  }

  async run(): Promise<BackupDone> {
    const { location, about, source, encryption, keep } = this.#work;
    this.#tell('source', 0, null);
    const version = await pbxVersion(source.profile, source.running);
    const ready = await readySource(source);
    let { createdAt } = ready;
    const named = (): string => backupName(about.pair, about.node, createdAt, encryption !== null);
    let proof: Proof;
    try {
      for (;;) {
        const before = await this.#before(named());
        if (before === null) break;
        if (ready.dated) return { proof: before, already: true, removed: [], troubles: this.troubles };
        // Other data, by a clock that was set back: neither is it there already, nor may it take a verified one's place.
        createdAt += 1000;
      }
      proof = await this.#store(named(), { ...ready, createdAt }, version);
    } finally {
      await this.#leave(ready);
    }
    proof = await this.#verified(proof);
    this.#tell('rotate', 0, null);
    let removed: string[] = [];
    try {
      removed = await rotate({ location, pair: about.pair }, keep, proof.name, this.#how);
    } catch (error) {
      // The backup itself is good, and cancelled or not it stays.
      this.troubles.push(asTrouble('Older backups could not be removed', error));
    }
    return { proof, already: false, removed, troubles: this.troubles };
  }

  /**
   * What stands there verified under that name, of the same second. Where that is 3CX's own file, since its schedule has made no newer
   * one, to store it again would push older data out. A proof that belongs to nothing goes, so that it never stands beside what comes.
   */
  #before(name: string): Promise<Proof | null> {
    const { location, about } = this.#work;
    return patiently(async () => {
      const stored = await location.stat(name, this.#signal);
      const proof = await readProof(location, name, this.#signal);
      if (stored !== null && isVerified(about.pair, stored, proof)) return proof;
      if (proof !== null && proof.pair !== about.pair) throw this.#taken(name, proof.pair);
      await location.remove(proofNameOf(name), this.#signal);
      return null;
    }, this.#how);
  }

  #taken(name: string, pair: string): EstepeError {
    const { title } = this.#work.location;
    return new EstepeError(
      'backup',
      `${name} in ${title} is of the pair ${pair}.`,
      'give each pair a folder of its own in the location',
    );
  }

  async #store(name: string, ready: Ready, version: string | null): Promise<Proof> {
    const { location } = this.#work;
    const made = await patiently(() => this.#attempt(name, ready, version), this.#how);
    const proof = proofOf(name, made);
    try {
      await patiently(() => publishProof(location, proof, this.#signal), this.#how);
      return proof;
    } catch (error) {
      await this.#takeBack(name);
      throw error;
    }
  }

  /** Each attempt reads the files anew: no copy of the archive is kept on this disk. */
  async #attempt(name: string, { paths, createdAt, options }: Ready, version: string | null): Promise<Created> {
    const { location, about, source, encryption } = this.#work;
    let hashed: number | null = null;
    let total = 0;
    const onProgress = (bytes: number): void => {
      if (hashed === null) this.#tell('hash', bytes, null);
      else this.#tell('store', Math.min(Math.max(0, bytes - hashed), total), total);
    };
    this.#tell('hash', 0, null);
    const making = createArchive(
      {
        paths,
        about: { ...about, profile: source.profile, pbxVersion: version, options },
        createdAt,
        encryption,
      },
      { signal: this.#signal, onProgress },
    );
    making.manifest.then(
      ({ items }) => {
        total = items.reduce((sum, item) => sum + (item.kind === 'file' ? item.size : 0), 0);
        hashed = total;
        this.#tell('store', 0, total);
      },
      () => {},
    );
    const stored = await location.write(name, making.stream, null, { signal: this.#signal });
    const created = await making.created;
    if (stored.size === created.size) return created;
    await this.#takeBack(name);
    throw new EstepeError(
      'backup',
      `${name} has ${stored.size} bytes in ${location.title}, but ${created.size} were made.`,
      'check the disk or server it is stored on',
    );
  }

  /** The site's `after` runs whatever happened, and its failure is told beside any other. */
  async #leave(ready: Ready): Promise<void> {
    try {
      await ready.leave();
    } catch (error) {
      this.troubles.push(asTrouble('Putting the source back in order failed', error));
    }
  }

  async #verified(proof: Proof): Promise<Proof> {
    const { location, clock } = this.#work;
    this.#tell('verify', 0, proof.size);
    const onProgress = ({ bytes }: { bytes: number }): void => this.#tell('verify', bytes, proof.size);
    try {
      await readBack(location, proof, this.#how, { signal: this.#signal, onProgress });
      const proven = { ...proof, verifiedAt: clock.wall() };
      await patiently(() => publishProof(location, proven, this.#signal), this.#how);
      return proven;
    } catch (error) {
      const differs = error instanceof EstepeError && error.detail.fault === differing;
      if (differs || this.#signal.aborted) {
        await this.#takeBack(proof.name);
        throw error;
      }
      throw new EstepeError(
        'backup',
        `${proof.name} is stored, but could not be read back, so it is not verified: ${sentenceOf(error)}`,
        `when the location answers again: \`estepe backup verify ${proof.name}\``,
        { name: proof.name },
        error,
      );
    }
  }

  /** Quietly: the failure that led here is the one to tell; what stays is listed as not verified. */
  async #takeBack(name: string): Promise<void> {
    const limit = new AbortController();
    const stop = this.#work.clock.after(tidyingMs, () => limit.abort());
    try {
      await removeBackup(this.#work.location, name, limit.signal);
    } catch {
      // the location is gone, too
    } finally {
      stop();
    }
  }

  #tell(phase: BackupPhase, bytes: number, total: number | null): void {
    this.#work.onProgress?.({ phase, bytes, total });
  }
}
