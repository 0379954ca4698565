/** The two schedules of a node: which of them runs here, by its role. Must not know what is done when one is due. */
import type { ScheduleView } from '../../contract/backups.ts';
import type { Role } from '../../contract/words.ts';
import { around, Schedule, type Timetable } from '../schedule.ts';
import type { Facts } from './facts.ts';
import type { Expected } from './offset.ts';
import type { StoreroomParts } from './parts.ts';

type Kind = 'backup' | 'restore';
const kinds: readonly Kind[] = ['backup', 'restore'];
const roleOf: Record<Kind, Role> = { backup: 'active', restore: 'passive' };

const here = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

export class Calendar {
  readonly #p: StoreroomParts;
  readonly #facts: Facts;
  readonly #schedules: Record<Kind, Schedule>;
  #role: Role = 'passive';

  constructor(parts: StoreroomParts, facts: Facts, due: (kind: Kind) => boolean) {
    this.#p = parts;
    this.#facts = facts;
    const scheduleOf = (kind: Kind): Schedule =>
      new Schedule({
        clock: parts.clock,
        kept: facts.now.schedules[kind]?.until ?? null,
        due: () => due(kind),
        keep: (until) => this.#keep(kind, until),
      });
    this.#schedules = { backup: scheduleOf('backup'), restore: scheduleOf('restore') };
  }

  /**
   * By the configuration and this role from now on.
   * @param turned the role is new: what fell due before it was the other node's
   */
  set(role: Role, turned: boolean): void {
    this.#role = role;
    for (const kind of kinds) {
      const timetable = this.#timetable(kind);
      const runs = roleOf[kind] === role && timetable !== null;
      const kept = this.#facts.now.schedules[kind];
      const another = timetable !== null && (kept?.cron !== timetable.cron || kept.timeZone !== timetable.timeZone);
      this.#schedules[kind].set(runs ? timetable : null, turned || another);
    }
  }

  /** Something that was in the way may be over. */
  look(): void {
    for (const kind of kinds) this.#schedules[kind].look();
  }

  runs(kind: Kind): boolean {
    return roleOf[kind] === this.#role && this.#timetable(kind) !== null;
  }

  /** Wall clock; null: not here, or never. */
  nextAt(kind: Kind): number | null {
    return this.#schedules[kind].nextAt();
  }

  /** When newer data comes by the schedules, here or, where this node only takes what there is, from the other one. */
  expected(): Expected {
    const kind = this.#role === 'passive' && this.#p.config().restore?.whenNewer === false ? 'restore' : 'backup';
    const timetable = this.#timetable(kind);
    if (timetable === null) return { what: kind, last: null, next: null, jitterMs: 0 };
    return { what: kind, ...around(timetable, this.#p.clock.wall()), jitterMs: timetable.jitterMs };
  }

  /** Null: it is not configured. */
  view(kind: Kind): ScheduleView | null {
    const timetable = this.#timetable(kind);
    if (timetable === null) return null;
    const { cron, timeZone } = timetable;
    const nextAt = this.nextAt(kind);
    const paused = this.#paused(kind, nextAt);
    const whenNewer = kind === 'restore' && this.#p.config().restore?.whenNewer === true;
    return { cron, timeZone, nextAt: paused === '' ? nextAt : null, paused, whenNewer };
  }

  close(): void {
    for (const kind of kinds) this.#schedules[kind].close();
  }

  #paused(kind: Kind, nextAt: number | null): string {
    if (this.#role !== roleOf[kind]) {
      return kind === 'backup'
        ? 'this node is the passive one: the active one makes the backups'
        : 'this node is the active one: the passive one restores them';
    }
    if (this.#p.around.runbookOpen()) return 'a runbook is open: nothing begins before it has ended';
    return nextAt === null ? 'by this schedule it never falls due' : '';
  }

  #timetable(kind: Kind): Timetable | null {
    const config = this.#p.config();
    const section = config[kind];
    if (section === null) return null;
    const { schedule: cron, timeZone = here(), jitter: jitterMs } = section;
    return { cron, timeZone, jitterMs, seed: `${config.pair.name} ${config.role} ${kind}` };
  }

  #keep(kind: Kind, until: number): void {
    const { cron, timeZone } = this.#timetable(kind) ?? { cron: '', timeZone: '' };
    this.#facts.change({ schedules: { ...this.#facts.now.schedules, [kind]: { until, cron, timeZone } } });
  }
}
