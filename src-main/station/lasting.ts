/**
 * What lasts beyond a restart and ends by itself: maintenance (never forgotten, always with an end) and the cool-down after
 * a promotion. Written with the wall clock, counted with the monotonic one: a stepped clock neither shortens nor stretches
 * what runs.
 */
import type { Clock, Store } from '../engine/ports.ts';

export interface Maintenance {
  /** wall clock, as shown */
  until: number;
  by: string;
  reason: string;
}

interface Kept extends Maintenance {
  forMs: number;
}

const maintenanceKey = 'maintenance';
const promotionKey = 'lastPromotion';
const claimKey = 'lastClaim';

export class Lasting {
  readonly #clock: Clock;
  readonly #store: Store;
  #maintenance: { kept: Kept; endsAt: number } | null = null;
  readonly #promotion: Moment;
  readonly #claim: Moment;

  constructor(clock: Clock, store: Store) {
    this.#clock = clock;
    this.#store = store;
    const kept = store.recall(maintenanceKey) as Kept | null | undefined;
    if (kept) {
      // A wall clock that was set back while we were gone must not make it longer than it was meant. What ended meanwhile
      // is still to be told: `maintenanceEnded`.
      const left = Math.min(kept.until - clock.wall(), kept.forMs);
      this.#maintenance = { kept, endsAt: clock.now() + left };
    }
    this.#promotion = new Moment(clock, store, promotionKey);
    this.#claim = new Moment(clock, store, claimKey);
  }

  /** Takes over what the steps wrote. */
  promotionNoted(): void {
    this.#promotion.read();
    this.#claim.read();
  }

  /**
   * @param cooldownMs after services were started for a promotion
   * @param afterClaimMs after an epoch was claimed, whatever came of it
   */
  cooldownLeftMs(cooldownMs: number, afterClaimMs: number): number {
    return Math.max(this.#promotion.leftMs(cooldownMs), this.#claim.leftMs(afterClaimMs));
  }

  maintenance(): (Maintenance & { leftMs: number }) | null {
    const m = this.#maintenance;
    if (!m) return null;
    const leftMs = m.endsAt - this.#clock.now();
    if (leftMs <= 0) return null;
    return { until: this.#clock.wall() + leftMs, by: m.kept.by, reason: m.kept.reason, leftMs };
  }

  /** Throws when it cannot be written: maintenance that would be forgotten is none. */
  maintenanceOn(ask: { by: string; reason: string; forMs: number }): Maintenance {
    const kept: Kept = { ...ask, until: this.#clock.wall() + ask.forMs };
    this.#store.remember(maintenanceKey, kept);
    this.#maintenance = { kept, endsAt: this.#clock.now() + ask.forMs };
    return { until: kept.until, by: kept.by, reason: kept.reason };
  }

  maintenanceOff(): boolean {
    const was = this.maintenance() !== null;
    this.#store.remember(maintenanceKey, null);
    this.#maintenance = null;
    return was;
  }

  /** True once, when the maintenance ended by itself, be it while this engine was away. */
  maintenanceEnded(): boolean {
    if (!this.#maintenance || this.#maintenance.endsAt > this.#clock.now()) return false;
    this.#maintenance = null;
    try {
      // Left there, it would come back to life at a start after the wall clock was set back.
      this.#store.remember(maintenanceKey, null);
    } catch {
      // It is over all the same.
    }
    return true;
  }
}

/** A moment that is written by the wall clock and counted by the monotonic one, on which it may lie before this process. */
class Moment {
  readonly #clock: Clock;
  readonly #store: Store;
  readonly #key: string;
  #wall: number | null = null;
  #at: number | null = null;

  constructor(clock: Clock, store: Store, key: string) {
    this.#clock = clock;
    this.#store = store;
    this.#key = key;
    this.read();
  }

  read(): void {
    const wall = this.#store.recall(this.#key);
    if (typeof wall !== 'number' || wall === this.#wall) return;
    this.#wall = wall;
    this.#at = this.#clock.now() - Math.max(0, this.#clock.wall() - wall);
  }

  leftMs(ms: number): number {
    return this.#at === null ? 0 : Math.max(0, this.#at + ms - this.#clock.now());
  }
}
