/**
 * The simulated `Store`: what is committed survives the engine's lives, nothing else does. Keeps the real one's rules: one
 * open runbook, exclusive epochs, an epoch never goes back. Every durable write is a boundary at which the world may cut
 * the engine off, just before or just after the commit.
 */
import type { EventView } from '../../src-main/contract/snapshot.ts';
import type {
  ClaimAnswer,
  JournalEntry,
  NewEvent,
  RunbookRecord,
  Standing,
  Store,
} from '../../src-main/engine/ports.ts';

/** What lies on the disk. */
export class Disk {
  standing: Standing | null = null;
  facts = new Map<string, unknown>();
  epochs = new Map<number, string>();
  runbooks: RunbookRecord[] = [];
  /** newest last; bounded, history is not what is simulated */
  events: NewEvent[] = [];
  full = false;
}

/** Thrown through the engine when the world cuts it off; nothing of that life touches the world afterwards. */
export class CutOff extends Error {}

/** What a durable write was about. */
export type Commit = 'standing' | 'remember' | 'claim' | 'begin' | 'intent' | 'result' | 'status';

export interface Boundary {
  /** called before and after each commit or effect; throws CutOff to cut the engine off right there */
  cross(name: string): void;
  /** on disk now; for the oracle */
  committed(what: Commit): void;
  /** a row of history, which may be lost with the engine */
  wrote(event: NewEvent): void;
}

export class SimStore implements Store {
  readonly #disk: Disk;
  readonly #boundary: Boundary;
  readonly #alive: () => boolean;
  /** planted bug: results are said to be written and are not */
  readonly #loseResults: boolean;

  constructor(disk: Disk, boundary: Boundary, alive: () => boolean, loseResults = false) {
    this.#disk = disk;
    this.#boundary = boundary;
    this.#alive = alive;
    this.#loseResults = loseResults;
  }

  #commit<T>(what: Commit, name: string, write: () => T): T {
    if (!this.#alive()) throw new CutOff();
    this.#boundary.cross(`before ${name}`);
    if (this.#disk.full) throw new Error('the disk is full (simulated)');
    const value = write();
    this.#boundary.committed(what);
    this.#boundary.cross(`after ${name}`);
    return value;
  }

  ownerOf(epoch: number): string | null {
    return this.#disk.epochs.get(epoch) ?? null;
  }

  standing(): Standing | null {
    return this.#disk.standing;
  }

  saveStanding(standing: Standing): void {
    this.#commit('standing', 'standing', () => {
      if (standing.epoch < (this.#disk.standing?.epoch ?? 0)) throw new Error('an epoch never goes back');
      this.#disk.standing = { ...standing };
    });
  }

  remember(key: string, value: unknown): void {
    this.#commit('remember', `remember ${key}`, () => this.#disk.facts.set(key, value));
  }

  recall(key: string): unknown {
    return this.#disk.facts.get(key);
  }

  claimEpoch(epoch: number, owner: string): ClaimAnswer {
    return this.#commit('claim', 'claim', () => {
      const owned = this.#disk.epochs.get(epoch);
      if (owned !== undefined) return { won: owned === owner, owner: owned };
      this.#disk.epochs.set(epoch, owner);
      return { won: true, owner };
    });
  }

  highestEpoch(): number {
    return Math.max(this.#disk.standing?.epoch ?? 0, ...this.#disk.epochs.keys());
  }

  openRunbook(): RunbookRecord | null {
    const open = this.#disk.runbooks.find((r) => r.status === 'running' || r.status === 'halted');
    return open ? structuredClone(open) : null;
  }

  lastRunbook(): RunbookRecord | null {
    const last = this.#disk.runbooks.at(-1);
    return last ? structuredClone(last) : null;
  }

  beginRunbook(start: Omit<RunbookRecord, 'id' | 'status' | 'reason' | 'endedAt' | 'entries'>): number {
    return this.#commit('begin', 'runbook', () => {
      if (this.openRunbook()) throw new Error('a runbook is open');
      const id = this.#disk.runbooks.length + 1;
      this.#disk.runbooks.push({
        ...structuredClone(start),
        id,
        status: 'running',
        reason: '',
        endedAt: null,
        entries: [],
      });
      return id;
    });
  }

  #runbook(id: number): RunbookRecord {
    const found = this.#disk.runbooks.find((r) => r.id === id);
    if (!found) throw new Error(`no runbook ${id}`);
    return found;
  }

  intent(runbook: number, entry: Pick<JournalEntry, 'step' | 'attempt' | 'intentAt' | 'runToken'>): void {
    this.#commit('intent', `intent ${entry.step}`, () => {
      const { step, attempt, intentAt, runToken } = entry;
      const { status, entries } = this.#runbook(runbook);
      if (status !== 'running' && status !== 'halted') throw new Error(`runbook ${runbook} has ended`);
      if (entries.some((e) => e.step === step && e.attempt === attempt)) throw new Error('begun before');
      (entries as JournalEntry[]).push({
        step,
        attempt,
        intentAt,
        runToken,
        result: null,
        resultAt: null,
      });
    });
  }

  result(
    runbook: number,
    step: JournalEntry['step'],
    attempt: number,
    result: NonNullable<JournalEntry['result']>,
    at: number,
  ): void {
    this.#commit('result', `result ${step}`, () => {
      if (this.#loseResults) return;
      const entry = this.#runbook(runbook).entries.find((e) => e.step === step && e.attempt === attempt);
      if (!entry) throw new Error(`no intent of ${step} ${attempt}`);
      entry.result = { ...result };
      entry.resultAt = at;
    });
  }

  setRunbook(id: number, change: Parameters<Store['setRunbook']>[1]): void {
    this.#commit('status', `runbook ${change.status}`, () => {
      Object.assign(this.#runbook(id), change);
    });
  }

  event(event: NewEvent): number {
    if (!this.#alive()) return 0;
    this.#boundary.wrote(event);
    const { events } = this.#disk;
    events.push(event);
    if (events.length > 400) events.splice(0, 200);
    return events.length;
  }

  events(): EventView[] {
    return [];
  }

  beats(): void {}
}
