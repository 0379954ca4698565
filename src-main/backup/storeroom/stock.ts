/** What there is to go on with: the data that stands restored here, and the newest verified backup; and how old each is. */
import type { OffsetView } from '../../contract/snapshot.ts';
import { isFuture } from '../../contract/view.ts';
import type { Role } from '../../contract/words.ts';
import type { DataState } from '../../engine/observation.ts';
import type { Clock } from '../../engine/ports.ts';
import type { RestoredNow } from '../../history/restores.ts';
import { chooseBackup } from '../choose-backup.ts';
import type { Backup } from '../shelf.ts';
import type { Facts } from './facts.ts';
import type { StoreroomParts } from './parts.ts';

/** The bound on a node that restores nothing and so has no `restore.maxOffset`. */
const usualBoundMs = 24 * 3600_000;

/** The age of something by the wall clock; one that is set back makes nothing younger than it was, and time goes on meanwhile. */
class Aging {
  #of: number | null = null;
  #anchor = { age: 0, mono: 0 };

  ageMs(createdAt: number, clock: Clock): number {
    const [wall, mono] = [clock.wall(), clock.now()];
    const age = Math.max(0, wall - createdAt);
    if (this.#of !== createdAt) this.#anchor = { age, mono };
    this.#of = createdAt;
    return Math.max(age, this.#anchor.age + mono - this.#anchor.mono);
  }
}

export class Stock {
  readonly #p: StoreroomParts;
  readonly #facts: Facts;
  readonly #restoredAge = new Aging();
  readonly #backupAge = new Aging();
  #restored: RestoredNow | null = null;
  #times: ReadonlyMap<string, number> = new Map();
  #title: string | null = null;

  constructor(parts: StoreroomParts, facts: Facts) {
    this.#p = parts;
    this.#facts = facts;
    this.read();
  }

  get restored(): RestoredNow | null {
    return this.#restored;
  }

  /** When each was last restored here, by its name. */
  get restoredTimes(): ReadonlyMap<string, number> {
    return this.#times;
  }

  /** Where backups are stored, in words without secrets; null: nowhere. */
  get title(): string | null {
    const { backup } = this.#p.config();
    if (backup === null) return null;
    if (this.#title === null) {
      const { kind } = backup.location;
      try {
        const location = this.#p.means.openBackups(backup);
        this.#title = location.title;
        void location.close();
      } catch {
        // a secret that is missing: the list says so
        return 'host' in backup.location ? `${kind} on ${backup.location.host}` : kind;
      }
    }
    return this.#title;
  }

  reconfigured(): void {
    this.#title = null;
  }

  /** Reads anew what stands here. Where history cannot be read, what was known holds: history itself tells of it. */
  read(): void {
    try {
      this.#restored = this.#p.restores.restoredNow();
      this.#times = this.#p.restores.restoredTimes();
    } catch {
      // said by history.trouble()
    }
  }

  restoredState(): Exclude<DataState, { state: 'not-kept' }> {
    const restored = this.#restored;
    if (restored === null) return { state: 'never' };
    const ageMs = this.#restoredAge.ageMs(restored.createdAt, this.#p.clock);
    return { state: 'known', ageMs, verified: restored.verified };
  }

  offset(role: Role): OffsetView {
    const { backup, restore } = this.#p.config();
    const maxMs = restore?.maxOffset ?? null;
    const none = { ageMs: null, verified: false } as const;
    if (role === 'passive') {
      if (restore === null) return { state: 'not-kept', maxMs, ...none };
      const data = this.restoredState();
      if (data.state === 'never') return { state: 'never', maxMs, ...none };
      return { state: 'known', ageMs: Math.round(data.ageMs), maxMs, verified: data.verified };
    }
    if (backup === null) return { state: 'not-kept', maxMs, ...none };
    const newest = this.#facts.now.newestVerified;
    if (newest === null) return { state: 'never', maxMs: maxMs ?? usualBoundMs, ...none };
    const ageMs = Math.round(this.#backupAge.ageMs(newest.createdAt, this.#p.clock));
    return { state: 'known', ageMs, maxMs: maxMs ?? usualBoundMs, verified: true };
  }

  /** This backup was made, or read back, and is what it should be. */
  verified(name: string, createdAt: number): void {
    const { newestVerified } = this.#facts.now;
    const known = newestVerified?.createdAt ?? Number.NEGATIVE_INFINITY;
    if (known <= createdAt || this.#isFuture(known)) this.#facts.change({ newestVerified: { name, createdAt } });
  }

  listed(rows: readonly Backup[]): void {
    const verified = rows.filter((row) => row.verified);
    // One that a wrong clock dated in the future would be the newest for ever, whatever is made since.
    const newest = verified.find(({ createdAt }) => !this.#isFuture(createdAt)) ?? verified[0];
    const known = this.#facts.now.newestVerified;
    if (newest?.name === known?.name) return;
    this.#facts.change({ newestVerified: newest ? { name: newest.name, createdAt: newest.createdAt } : null });
  }

  /** Name of the verified backup that a restore would take, where its data is newer than what stands here; else null. */
  newerThanRestored(rows: readonly Backup[]): string | null {
    try {
      const { backup } = chooseBackup(rows, null, this.#p.clock.wall(), '');
      const restored = this.#restored;
      const newer = restored === null || !restored.verified || this.#isNewer(backup, restored);
      return backup.verified && newer ? backup.name : null;
    } catch {
      // there is none
      return null;
    }
  }

  #isNewer(one: { createdAt: number }, than: { createdAt: number }): boolean {
    if (this.#isFuture(than.createdAt)) return !this.#isFuture(one.createdAt);
    return one.createdAt > than.createdAt;
  }

  #isFuture(createdAt: number): boolean {
    return isFuture(createdAt, this.#p.clock.wall());
  }
}
