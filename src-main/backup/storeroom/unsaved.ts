/**
 * What a node wrote while it served, and no backup holds: a restore would destroy it. Nothing is restored over it by schedule until
 * a backup of it exists, or a person says that it may go.
 */
import type { Snapshot } from '../../contract/snapshot.ts';
import type { Role } from '../../contract/words.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Facts } from './facts.ts';

export class Unsaved {
  readonly #facts: Facts;
  readonly #clock: Clock;

  constructor(facts: Facts, clock: Clock) {
    this.#facts = facts;
    this.#clock = clock;
  }

  /** Follows the role: from the moment at which it ceases to serve, a node holds what nobody else has. */
  noted(role: Role): void {
    const { serving, unsavedSince } = this.#facts.now;
    if (role === 'active') {
      if (!serving || unsavedSince !== null) this.#facts.change({ serving: true, unsavedSince: null });
    } else if (serving) this.#facts.change({ serving: false, unsavedSince: Math.round(this.#clock.wall()) });
  }

  /** A backup holds it now, or it was given up. */
  over(): void {
    if (this.#facts.now.unsavedSince !== null) this.#facts.change({ unsavedSince: null });
  }

  /** Why a restore would destroy something, without a full stop; null: it would not. */
  get sentence(): string | null {
    const { unsavedSince, newestVerified } = this.#facts.now;
    if (unsavedSince === null) return null;
    const until = new Date(unsavedSince).toISOString();
    const backup = newestVerified === null ? 'no backup is known' : `the newest backup is ${newestVerified.name}`;
    return `this node served until ${until}, and what was written here last is in no backup (${backup})`;
  }

  trouble(): Snapshot['troubles'] {
    const { sentence } = this;
    if (sentence === null) return [];
    return [
      {
        key: 'restore-held',
        sentence: `Nothing is restored here by schedule: ${sentence}. A restore would destroy it.`,
        todo: 'Save what is wanted of it; then `estepe restore run` gives the rest up, and the schedule goes on.',
      },
    ];
  }
}
