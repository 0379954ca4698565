/**
 * One restore from end to end: choose, fetch to the spool, prove, then through the profile, with its row in history. Must not know
 * schedules, nor when one is due.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import type { RestoreEnd, Restores, Stands } from '../history/restores.ts';
import { ArchiveError } from './archive/faults.ts';
import type { Expectation, Proven } from './archive/read-archive.ts';
import type { Choice } from './choose-backup.ts';
import { fetchBackup } from './fetch-backup.ts';
import type { Patience, Persistence, Setback } from './patience.ts';
import { choose, expectationOf, lookAt, type PlanWork, requirePassive, standsHere } from './plan-restore.ts';
import { publishProof } from './proof.ts';
import { recoverRestore } from './recover-restore.ts';
import { outcomeOf, type StateAtEnd, toldOf } from './restore-end.ts';
import { restoreByCommand } from './restoring/restore-by-command.ts';
import { type Around, restoreFolders } from './restoring/restore-folders.ts';
import type { Backup } from './shelf.ts';
import { type Running, runAll } from './sources/run-line.ts';

export const restorePhases = [
  'list', // which backup
  'fetch', // to the spool; bytes of the archive
  'prove', // bytes of its files, unpacked beside where they belong and proven
  'restore', // they take the place of the old ones, or the PBX's own command
] as const;
export type RestorePhase = (typeof restorePhases)[number];

export interface RestoreProgress {
  phase: RestorePhase;
  bytes: number;
  /** null where that is not known beforehand */
  total: number | null;
}

export interface RestoreWork extends PlanWork {
  /** a person asks: also what stands here already is restored again */
  force: boolean;
  by: string;
  epoch: number;
  /**
   * `signal` cancels the whole restore and leaves the old state, with one exception: the PBX's own restore command, once
   * begun, is brought to its end, since half of it would be neither.
   */
  running: Running;
  history: Restores;
  patience?: Patience;
  onProgress?: (progress: RestoreProgress) => void;
  /** told of each passing fault that is followed by another attempt */
  onSetback?: (setback: Setback) => void;
  /** told which one it is, once that is known, and why */
  onChosen?: (choice: Choice) => void;
  /** for tests that die at one exact point: called with the step's name before it goes on */
  boundary?: (name: string) => void;
}

export interface RestoreDone {
  name: string;
  /** wall clock when its data was current */
  createdAt: number;
  /** why this one, a sentence without its full stop */
  why: string;
  /** it, or newer data, stands here already: nothing was done */
  already: boolean;
  /** how it was proven, a sentence without its full stop */
  proven: string;
  files: number;
  /** of all files, before packing */
  bytes: number;
  /** what did not work beside a good restore: each must be looked at */
  troubles: { sentence: string; todo: string }[];
}

/**
 * Restores one. When it rejects, the old state stands here, or the error and `history.restoredNow` say that it does not.
 * @throws ArchiveError (`detail.fault` is the reason why the backup is refused), LocationError (`cancelled` too), EstepeError
 * `refused` on the active node, `not-found`, `backup`, `database`
 */
export function restoreBackup(work: RestoreWork): Promise<RestoreDone> {
  return new Restoring(work).run();
}

/** What was found out about a restore that is being done. */
type Result = Pick<RestoreDone, 'proven' | 'files' | 'bytes'> & { sha256: string };

const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
const wasCancelled = (): ArchiveError => new ArchiveError('disk', 'It was cancelled.');

class Restoring {
  readonly #work: RestoreWork;
  readonly #signal: AbortSignal;
  readonly #how: Persistence;
  readonly #troubles: RestoreDone['troubles'] = [];
  /** what a crash would leave, and what is left when it rejects */
  #stands: Stands = 'old';
  /** commands of the site's, or files: not everything is untouched */
  #touched = false;

  constructor(work: RestoreWork) {
    const { clock, patience, onSetback } = work;
    this.#work = work;
    this.#signal = work.running.signal;
    this.#how = {
      clock,
      signal: this.#signal,
      ...(patience === undefined ? {} : { patience }),
      ...(onSetback === undefined ? {} : { onSetback }),
    };
  }

  async run(): Promise<RestoreDone> {
    const { history, clock, by, epoch, running, here, role, force, onChosen } = this.#work;
    let choice: Choice;
    try {
      requirePassive(this.#work);
      const whole = { ...running, signal: new AbortController().signal };
      await recoverRestore({ here, role, running: whole, clock, history });
      this.#tell('list', 0, null);
      choice = await choose(this.#work, this.#how);
    } catch (error) {
      throw toldOf(error, null, this.#state);
    }
    onChosen?.(choice);
    const { name, createdAt } = choice.backup;
    if (!force && standsHere(history.restoredNow(), choice.backup, clock.wall())) return this.#nothingToDo(choice);
    const id = history.begin({ name, createdAt, begunAt: clock.wall(), by, epoch, runToken: running.runToken });
    try {
      const { sha256, ...result } = await this.#restore(choice.backup, id);
      this.#end(id, { outcome: 'restored', stands: 'new', reason: '', sha256, ...result });
      return { name, createdAt, why: choice.why, already: false, ...result, troubles: this.#troubles };
    } catch (error) {
      throw this.#failed(id, choice.backup, error);
    }
  }

  #nothingToDo({ backup, why }: Choice): RestoreDone {
    const proven = this.#work.history.restoredNow()?.proven ?? '';
    const { name, createdAt, proof } = backup;
    return {
      name,
      createdAt,
      why,
      already: true,
      proven,
      files: proof?.files ?? 0,
      bytes: proof?.bytes ?? 0,
      troubles: [],
    };
  }

  async #restore(backup: Backup, id: number): Promise<Result> {
    const { location, here } = this.#work;
    const { name, size, proof } = backup;
    const expect = await expectationOf(this.#work);
    await lookAt(backup, this.#work, expect);
    // What an earlier life left there.
    await rm(here.scratch, { recursive: true, force: true });
    await mkdir(here.scratch, { recursive: true, mode: 0o700 });
    try {
      const file = join(here.scratch, name);
      this.#tell('fetch', 0, size);
      const fetched = await fetchBackup(location, name, file, this.#how, ({ bytes }) =>
        this.#tell('fetch', bytes, size),
      );
      if (proof !== null && (fetched.size !== proof.size || fetched.sha256 !== proof.sha256)) {
        await this.#takeWord(backup);
        throw new ArchiveError('damaged', 'It is not what was made: its SHA-256 is not the one in its proof.');
      }
      const proven = await (here.profile === 'generic'
        ? this.#folders(file, expect, proof?.bytes ?? null, id)
        : this.#command(file, expect, proof?.bytes ?? null, id));
      this.#stands = 'new';
      const { files, bytes } = proven;
      return { proven: this.#provenWords(backup, proven), files, bytes, sha256: fetched.sha256 };
    } finally {
      await rm(here.scratch, { recursive: true, force: true }).catch(() => {});
    }
  }

  async #folders(file: string, expect: Expectation, total: number | null, id: number): Promise<Proven> {
    const { key, here, running } = this.#work;
    const { before, after, journal, targets, scratch } = here;
    const never = new AbortController().signal;
    const around: Around = {
      before: () => runAll(before, running),
      // Also run to put things in order after a cancellation: then nothing cancels it.
      after: () => runAll(after, this.#signal.aborted ? { ...running, signal: never } : running),
    };
    this.#tell('prove', 0, total);
    const boundary = (name: string): void => {
      if (name === 'staged') this.#tell('restore', 0, null);
      if (name === 'stopping') this.#touched = true;
      if (name === 'swapping') this.#mark(id, 'unknown');
      if (name === 'cleaning') this.#decided(id);
      this.#work.boundary?.(name);
      // The last moments at which all can still be taken back.
      if (this.#signal.aborted && /^(?:stopped|swapped|after done)$/.test(name)) throw wasCancelled();
    };
    const { proven, ownersLost, notHeld } = await restoreFolders(
      { file, key, expect, scratch: join(scratch, 'decrypted'), journal, targets, around, boundary },
      { signal: this.#signal, onProgress: (bytes) => this.#tell('prove', bytes, total) },
    );
    if (ownersLost > 0) {
      this.#troubles.push({
        sentence: `${plural(ownersLost, 'file')} could not be given back to their owners.`,
        todo: 'run Estepe as root: nobody else may give files away',
      });
    }
    if (notHeld.length > 0) {
      this.#troubles.push({
        sentence: `The backup does not hold ${notHeld.join(', ')}: what stands here of that is not of it.`,
        todo: 'name the same in `backup.source` on both nodes, then make another backup',
      });
    }
    return proven;
  }

  async #command(file: string, expect: Expectation, total: number | null, id: number): Promise<Proven> {
    const { key, here, running } = this.#work;
    const { profile, scratch, password } = here;
    if (profile === 'generic') throw new Error('a generic PBX has no restore command');
    this.#tell('prove', 0, total);
    const { proven } = await restoreByCommand({
      profile,
      file,
      key,
      expect,
      scratch,
      password,
      running,
      onProgress: (bytes) => this.#tell('prove', bytes, total),
      boundary: (name) => {
        if (name === 'running') {
          this.#touched = true;
          this.#mark(id, 'unknown');
          this.#tell('restore', 0, null);
        }
        this.#work.boundary?.(name);
      },
    });
    return proven;
  }

  /** The intent before the effect: where it cannot be written, nothing is begun. */
  #mark(id: number, stands: Stands): void {
    this.#work.history.mark(id, stands);
    this.#stands = stands;
  }

  #decided(id: number): void {
    this.#stands = 'new';
    try {
      this.#work.history.mark(id, 'new');
    } catch {
      // A full disk: told with the end. Thrown here it would take back what is decided.
    }
  }

  /** It was read whole and differs: nobody takes it for verified any more. Quietly: the refusal is what has to be told. */
  async #takeWord({ proof }: Backup): Promise<void> {
    if (proof === null || proof.verifiedAt === null) return;
    await publishProof(this.#work.location, { ...proof, verifiedAt: null }, this.#signal).catch(() => {});
  }

  #provenWords({ proof }: Backup, { files, changes, versionCompared }: Proven): string {
    const beside =
      proof === null
        ? 'no proof stood beside it'
        : `its SHA-256 as in its proof${proof.verifiedAt === null ? ', not read back before' : ''}`;
    const words = [beside, `${plural(files, 'file')} by the hashes in its manifest`];
    if (!versionCompared && this.#work.here.profile !== 'generic') words.push('the version of the PBX not compared');
    if (changes.length > 0) words.push(`${plural(changes.length, 'file')} changed while they were backed up`);
    return words.join('; ');
  }

  #end(id: number, end: Omit<RestoreEnd, 'endedAt'>): void {
    const { history, clock } = this.#work;
    try {
      history.end(id, { ...end, endedAt: clock.wall() });
    } catch (error) {
      const todo = error instanceof EstepeError ? error.todo : 'look at the history';
      this.#troubles.push({ sentence: `The history does not tell how it ended: ${sentenceOf(error)}`, todo });
    }
  }

  #failed(id: number, backup: Backup, error: unknown): unknown {
    const { here } = this.#work;
    const notStarted = error instanceof EstepeError && error.detail.how === 'not-started';
    // Its journal is gone: the old folders are back.
    const back = here.profile === 'generic' ? !existsSync(here.journal) : notStarted;
    if (this.#stands === 'unknown' && back) this.#stands = 'old';
    const told = toldOf(error, backup.name, this.#state);
    const end = { stands: this.#stands, reason: sentenceOf(told), proven: '', sha256: null, files: 0, bytes: 0 };
    // Folders that are still to be put back: whoever does it closes the row.
    if (this.#stands === 'unknown' && here.profile === 'generic') return told;
    this.#end(id, { outcome: outcomeOf(error, this.#state), ...end });
    return told;
  }

  get #state(): StateAtEnd {
    return { stands: this.#stands, touched: this.#touched, cancelled: this.#signal.aborted };
  }

  #tell(phase: RestorePhase, bytes: number, total: number | null): void {
    this.#work.onProgress?.({ phase, bytes: total === null ? bytes : Math.min(bytes, total), total });
  }
}
