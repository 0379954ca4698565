/**
 * Keeps the newest snapshot and tells its subscribers what changed: changes that come together go out as one slice, and a
 * pulse at the latest every 5 s proves that the engine lives. Knows nothing of what a snapshot holds.
 */
import type { FeedFrame, Snapshot, SnapshotKey } from '../contract/snapshot.ts';

type LiveFrame = Exclude<FeedFrame, { kind: 'snapshot' }>;

/** Changes within this time travel together: a script that prints much must not flood a browser. */
const gatherMs = 40;
export const pulseMs = 5_000;

export class Feed {
  readonly #take: () => Omit<Snapshot, 'version'>;
  readonly #calls = new Set<(frame: LiveFrame) => void>();
  /** what each key looked like when it was last sent */
  readonly #sent = new Map<SnapshotKey, string>();
  #held: Snapshot;
  #gathering: NodeJS.Timeout | null = null;
  readonly #pulse: NodeJS.Timeout;
  readonly #onFault: (error: unknown) => void;

  /** @param take makes the picture of this instant */
  constructor(take: () => Omit<Snapshot, 'version'>, onFault: (error: unknown) => void) {
    this.#take = take;
    this.#onFault = onFault;
    this.#held = { ...take(), version: 1 };
    this.#compare(this.#held);
    this.#pulse = setInterval(() => this.#send(true), pulseMs).unref();
  }

  /** The state of this instant; what changed since the last slice goes out too. */
  snapshot(): Snapshot {
    this.#send(false);
    return this.#held;
  }

  changed(): void {
    this.#gathering ??= setTimeout(() => this.#send(false), gatherMs).unref();
  }

  subscribe(call: (frame: LiveFrame) => void): () => void {
    this.#calls.add(call);
    return () => {
      this.#calls.delete(call);
    };
  }

  close(): void {
    clearInterval(this.#pulse);
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    this.#calls.clear();
  }

  #send(pulse: boolean): void {
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    this.#gathering = null;
    let now: Omit<Snapshot, 'version'>;
    try {
      now = this.#take();
    } catch (error) {
      // A picture that cannot be taken must not end the watch.
      this.#onFault(error);
      return;
    }
    const change = this.#compare(now);
    const { version } = this.#held;
    if (Object.keys(change).length > 0) {
      this.#held = { ...now, version: version + 1 };
      this.#tell({ kind: 'slice', version: version + 1, at: now.at, change });
    } else {
      this.#held = { ...this.#held, at: now.at };
      if (pulse) this.#tell({ kind: 'pulse', version, at: now.at });
    }
  }

  #tell(frame: LiveFrame): void {
    for (const call of [...this.#calls]) call(frame);
  }

  #compare(now: Omit<Snapshot, 'version'>): Partial<Omit<Snapshot, 'version' | 'at'>> {
    const changed: [string, unknown][] = [];
    for (const [key, value] of Object.entries(now)) {
      if (key === 'at' || key === 'version') continue;
      const text = JSON.stringify(value);
      if (this.#sent.get(key as SnapshotKey) === text) continue;
      this.#sent.set(key as SnapshotKey, text);
      changed.push([key, value]);
    }
    return Object.fromEntries(changed);
  }
}
