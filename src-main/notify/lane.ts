/**
 * One channel at work: what waits for it, one attempt at a time, tried again with growing pauses. Lanes know nothing of each other, so
 * one that hangs holds nobody.
 *
 * At least once. An attempt is written down before it is made and its result after; dying in between, nobody knows whether the other end
 * took it, and the next life sends it again. Never `sent` without the other end's word. What cannot be written down (a full disk) is
 * sent all the same.
 */
import type { ChannelView } from '../contract/notify.ts';
import type { Snapshot } from '../contract/snapshot.ts';
import type { Severity } from '../contract/words.ts';
import type { Cancel, Clock } from '../engine/ports.ts';
import type { Deliveries, DeliveryRow } from '../history/deliveries.ts';
import { attempt } from './attempt.ts';
import type { Channel, Letter, SendEnd, Sender } from './channel.ts';
import { letterOf, testText } from './letter.ts';
import {
  afterTelling,
  crowdedOut,
  type Fault,
  isPersistent,
  type Message,
  notBefore,
  pauseAfter,
  type Told,
  wanted,
} from './policy.ts';

export interface LaneParts {
  clock: Clock;
  journal: Pick<Deliveries, 'add' | 'trying' | 'ended'>;
  /** of this engine's life */
  life: string;
  sender: () => Sender;
  /** takes secrets out of what the other end said */
  clean: (text: string) => string;
  note: (severity: Severity, rule: string, sentence: string) => void;
  /** it fails persistently, or works again */
  onTurn: (lane: Lane, failing: boolean, sentence: string) => void;
  onChange: () => void;
  /** a fault of our own, for the log */
  onFault: (error: unknown) => void;
}

/** Where a lane stood when the engine ended. */
export interface LaneBefore {
  told: Told;
  waiting: readonly DeliveryRow[];
  lastSentAt: number | null;
  lastFailure: { at: number; sentence: string } | null;
  /** in a row, of the newest message that failed */
  failures: number;
}

interface Waiting extends DeliveryRow {
  /** monotonic */
  toldMono: number;
  dueMono: number;
}

export interface TestEnd {
  sent: boolean;
  said: string;
  todo: string;
  ms: number;
}

export const testKey = 'notify.test';
const mostInLetter = 20;
/** However many new messages come: a channel that fails is left alone for so long. */
const spacingMs: Readonly<Record<Fault, number>> = { passing: 10_000, person: 60_000 };
/** A start is often what mends it; and one that comes again and again must not hammer. */
const longestAtStartMs = 60_000;
/** Whoever asks for a test waits for it: console and command line for 15 s. */
const testWithinMs = 9_000;

export class Lane {
  readonly #p: LaneParts;
  #channel: Channel;
  #least: Severity;
  #told: Told;
  #waiting: Waiting[];
  readonly #sentAt: number[] = [];
  #lastSentAt: number | null;
  #lastFailure: ChannelView['lastFailure'];
  /** the newest end was a failure; by order, since the wall clock may be set between two */
  #failedLast: boolean;
  #failures: number;
  #fault: Fault = 'passing';
  #isFailing: boolean;
  #leftAloneUntil = 0;
  #nextAt: number | null = null;
  #timer: Cancel | null = null;
  #underWay: Promise<void> | null = null;
  #testing: Promise<TestEnd> | null = null;
  #unwritten = 0;
  readonly #end = new AbortController();

  constructor(parts: LaneParts, channel: Channel, least: Severity, before: LaneBefore) {
    this.#p = parts;
    this.#channel = channel;
    this.#least = least;
    this.#told = before.told;
    this.#lastSentAt = before.lastSentAt;
    this.#lastFailure = before.lastFailure && { ...before.lastFailure, todo: '' };
    this.#failedLast = before.lastFailure !== null && before.lastFailure.at > (before.lastSentAt ?? 0);
    this.#failures = before.failures;
    this.#isFailing = isPersistent(before.failures, 'passing');
    const { clock } = parts;
    const [now, wall] = [clock.now(), clock.wall()];
    this.#waiting = before.waiting.map((row) => ({
      ...row,
      toldMono: now - Math.max(0, wall - row.toldAt),
      dueMono: now + (row.open ? 0 : Math.min(Math.max(0, row.dueAt - wall), longestAtStartMs)),
    }));
    for (const row of this.#waiting.filter(({ open }) => open)) {
      const said = `Estepe ended during attempt ${row.attempts}, which may have got through: it is sent again`;
      this.#ended(row, { state: 'waiting', dueAt: wall, said, reached: row.reached });
    }
  }

  get name(): Channel['name'] {
    return this.#channel.name;
  }

  start(): void {
    this.#look();
  }

  /** Another configuration: what waits is tried at once. */
  use(channel: Channel, least: Severity): void {
    this.#channel = channel;
    this.#least = least;
    this.#leftAloneUntil = 0;
    this.#dueNow();
    this.#look();
  }

  /** Never throws. */
  tell(message: Message): void {
    const { clock, life, journal } = this.#p;
    const moment = { at: Math.round(clock.wall()), life };
    if (this.#end.signal.aborted) return;
    if (wanted(message, this.#least, this.#told, moment) !== 'yes') return;
    this.#told = afterTelling(this.#told, message, moment);
    const row = { channel: this.name, ...message, toldAt: moment.at, life };
    const [id = 0] = this.#written(() => journal.add([row])) ?? [--this.#unwritten];
    const now = clock.now();
    const fresh = { state: 'waiting', attempts: 0, triedAt: null, open: false, said: '', reached: [] } as const;
    this.#waiting.push({ ...row, ...fresh, id, dueAt: moment.at, toldMono: now, dueMono: now });
    for (const over of crowdedOut(this.#waiting.filter(({ open }) => !open)))
      this.#giveUp(over, 'too many others waited');
    this.#p.onChange();
    this.#look();
  }

  /** Really sends, beside whatever waits. Never rejects. */
  async test(): Promise<TestEnd> {
    if (this.#testing !== null) return { sent: false, said: 'a test is under way', todo: 'wait for its end', ms: 0 };
    this.#testing = this.#tested();
    try {
      return await this.#testing;
    } finally {
      this.#testing = null;
      this.#p.onChange();
    }
  }

  async #tested(): Promise<TestEnd> {
    const { clock, life, journal } = this.#p;
    const begun = clock.now();
    const toldAt = Math.round(clock.wall());
    const item = { key: testKey, severity: 'info', text: testText } as const;
    const [id = 0] = this.#written(() => journal.add([{ channel: this.name, ...item, toldAt, life }])) ?? [
      --this.#unwritten,
    ];
    this.#trying([id]);
    this.#p.onChange();
    const letter = this.#letter([{ id, ...item, toldAt }], true);
    const end = await this.#attempt(letter, Math.min(this.#channel.timeoutMs, testWithinMs), []);
    const wall = clock.wall();
    const said = this.#p.clean(end.said);
    const state = end.how === 'sent' ? 'sent' : 'given-up';
    this.#written(() => id > 0 && journal.ended([id], { state, dueAt: wall, said, reached: [] }));
    if (end.how === 'sent') this.#works(said);
    // A test that fails is no message lost; what was found is shown all the same.
    else this.#failed(wall, said, end.todo);
    this.#look();
    const todo = end.how === 'sent' ? '' : end.todo;
    return { sent: end.how === 'sent', said, todo, ms: Math.round(clock.now() - begun) };
  }

  view(): ChannelView {
    const { name, target } = this.#channel;
    return {
      ...{ name, target, least: this.#least, lastSentAt: this.#lastSentAt, lastFailure: this.#lastFailure },
      failing: this.#failedLast,
      ...{ waiting: this.#waiting.length, nextAt: this.#nextAt, testing: this.#testing !== null },
    };
  }

  troubles(): Snapshot['troubles'] {
    if (!this.#isFailing) return [];
    const { sentence = '', todo = '' } = this.#lastFailure ?? {};
    const first = todo === '' ? '' : `${todo.charAt(0).toUpperCase()}${todo.slice(1)}. `;
    return [
      {
        key: `notify.${this.name}`,
        sentence: `Messages do not get through ${byWords[this.name]}: ${sentence}.`,
        todo: `${first}Then test it: \`estepe notify test ${this.name}\`.`,
      },
    ];
  }

  /** Nothing is begun any more; what is under way is cut off and waits for the next life. */
  async close(): Promise<void> {
    this.#end.abort();
    this.#timer?.();
    await Promise.all([this.#underWay, this.#testing]);
  }

  /** It is configured no more. */
  async drop(): Promise<void> {
    await this.close();
    for (const row of [...this.#waiting]) this.#giveUp(row, 'the channel was taken out of estepe.yaml');
  }

  #look(): void {
    this.#timer?.();
    this.#timer = null;
    this.#nextAt = null;
    if (this.#end.signal.aborted || this.#underWay !== null || this.#waiting.length === 0) return;
    const { clock } = this.#p;
    const now = clock.now();
    const first = Math.min(...this.#waiting.map(({ dueMono }) => dueMono));
    const at = Math.max(first, this.#leftAloneUntil, notBefore(this.#sentAt, now));
    if (at <= now) {
      this.#underWay = this.#send(this.#due(now))
        .catch((error: unknown) => {
          this.#p.onFault(error);
          this.#leftAloneUntil = clock.now() + spacingMs.person;
        })
        .finally(() => {
          this.#underWay = null;
          this.#look();
          this.#p.onChange();
        });
      return;
    }
    this.#nextAt = Math.round(clock.wall() + at - now);
    this.#timer = clock.after(at - now, () => this.#look());
  }

  /** What is due goes together, as far as it goes to the same people. */
  #due(now: number): Waiting[] {
    const due = this.#waiting.filter(({ dueMono }) => dueMono <= now);
    const reached = JSON.stringify(due[0]?.reached);
    return due.filter((row) => JSON.stringify(row.reached) === reached).slice(0, mostInLetter);
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const at = Math.round(this.#p.clock.wall());
    this.#trying(batch.map(({ id }) => id));
    for (const row of batch) {
      row.attempts += 1;
      row.triedAt = at;
      row.open = true;
    }
    this.#p.onChange();
    const end = await this.#attempt(this.#letter(batch, false), this.#channel.timeoutMs, batch[0]?.reached ?? []);
    const said = this.#p.clean(end.said);
    if (end.how === 'sent') {
      this.#sentAt.push(this.#p.clock.now());
      this.#sentAt.splice(0, this.#sentAt.length - 100);
      for (const row of batch) this.#finish(row, { state: 'sent', said, dueAt: at, reached: row.reached });
      this.#works(said);
    } else if (this.#end.signal.aborted) {
      for (const row of batch)
        this.#ended(row, { state: 'waiting', said, dueAt: at, reached: end.reached ?? row.reached });
    } else {
      this.#fails(batch, { ...end, said });
    }
  }

  #works(said: string): void {
    this.#failures = 0;
    this.#failedLast = false;
    this.#lastSentAt = Math.round(this.#p.clock.wall());
    this.#leftAloneUntil = 0;
    this.#dueNow();
    if (!this.#isFailing) return;
    this.#isFailing = false;
    const sentence = `Messages get through ${byWords[this.name]} again: ${said}.`;
    this.#p.note('info', 'notify.recovered', sentence);
    this.#p.onTurn(this, false, sentence);
  }

  #failed(wall: number, sentence: string, todo: string): void {
    this.#lastFailure = { at: Math.round(wall), sentence, todo };
    this.#failedLast = true;
  }

  #fails(batch: readonly Waiting[], end: Extract<SendEnd, { how: 'failed' }>): void {
    const { clock } = this.#p;
    const [now, wall] = [clock.now(), clock.wall()];
    const { said, todo, fault, waitMs = 0, reached } = end;
    this.#failures += 1;
    this.#fault = fault;
    this.#failed(wall, said, todo);
    this.#leftAloneUntil = now + Math.max(spacingMs[fault], waitMs);
    for (const row of batch) {
      const pause = pauseAfter(row.attempts, fault, now - row.toldMono, this.#channel.maxAgeMs);
      row.reached = reached ?? row.reached;
      if (pause === null) {
        this.#giveUp(row, said);
        continue;
      }
      row.dueMono = now + Math.max(pause, waitMs);
      row.dueAt = wall + row.dueMono - now;
      this.#ended(row, { state: 'waiting', said, dueAt: row.dueAt, reached: row.reached });
    }
    if (this.#isFailing || !isPersistent(this.#failures, this.#fault)) return;
    this.#isFailing = true;
    const sentence = `Messages do not get through ${byWords[this.name]}: ${said} (${todo}).`;
    this.#p.note('warning', 'notify.failing', sentence);
    this.#p.onTurn(this, true, sentence);
  }

  #giveUp(row: Waiting, why: string): void {
    const said = `given up after ${row.attempts === 1 ? '1 attempt' : `${row.attempts} attempts`}: ${why}`;
    this.#finish(row, { state: 'given-up', said, dueAt: this.#p.clock.wall(), reached: row.reached });
    this.#p.note(
      'warning',
      'notify.given-up',
      `A message could not be sent ${byWords[this.name]}, ${said}. It said: ${row.text}`,
    );
  }

  #finish(row: Waiting, end: Parameters<Deliveries['ended']>[1]): void {
    this.#waiting = this.#waiting.filter((one) => one !== row);
    this.#ended(row, end);
  }

  #ended(row: Waiting, end: Parameters<Deliveries['ended']>[1]): void {
    row.open = false;
    row.said = end.said;
    if (row.id > 0) this.#written(() => this.#p.journal.ended([row.id], end));
  }

  #trying(ids: readonly number[]): void {
    const kept = ids.filter((id) => id > 0);
    if (kept.length > 0) this.#written(() => this.#p.journal.trying(kept, this.#p.clock.wall()));
  }

  #dueNow(): void {
    const now = this.#p.clock.now();
    for (const row of this.#waiting) row.dueMono = Math.min(row.dueMono, now);
  }

  #attempt(letter: Letter, timeoutMs: number, reached: readonly string[]): Promise<SendEnd> {
    return attempt(this.#channel, letter, { clock: this.#p.clock, timeoutMs, outer: this.#end.signal, reached });
  }

  #letter(rows: readonly (Message & { id: number; toldAt: number })[], test: boolean): Letter {
    const items = rows.map(({ id, key, severity, text, toldAt }) => ({ id, key, severity, text, at: toldAt }));
    return letterOf(this.#p.sender(), items, test);
  }

  /** What is to be told is told, also where it cannot be written down. */
  #written<T>(call: () => T): T | null {
    try {
      return call();
    } catch (error) {
      this.#p.onFault(error);
      return null;
    }
  }
}

const byWords = { desktop: 'on the desktop', email: 'by e-mail', webhook: 'to the webhook' } as const;
