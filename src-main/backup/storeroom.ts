/**
 * Everything about backups and restores while an engine runs: one piece of work at a time (a backup, a proof, a restore), by
 * schedule or by a person; what failed by schedule is tried again in the same night, then told. The active node makes backups, the
 * passive one restores them. Must not know how a promotion is decided, nor how screens look.
 */
import type { BackupAnswer, BackupKind, BackupsView } from '../contract/backups.ts';
import type { BackupsDesk } from '../contract/desk.ts';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import type { OffsetView, Snapshot } from '../contract/snapshot.ts';
import { durationWords } from '../contract/view.ts';
import type { Role } from '../contract/words.ts';
import type { DataState } from '../engine/observation.ts';
import type { Cancel } from '../engine/ports.ts';
import { Aftermath } from './storeroom/aftermath.ts';
import { Calendar } from './storeroom/calendar.ts';
import { aborted, type Commission, commission } from './storeroom/commission.ts';
import { carryOut } from './storeroom/doing.ts';
import { Facts, isScheduled } from './storeroom/facts.ts';
import { Listing } from './storeroom/listing.ts';
import { nothingTold, offsetTurn } from './storeroom/offset.ts';
import type { StoreroomParts } from './storeroom/parts.ts';
import { pauseBeforeNext } from './storeroom/second-tries.ts';
import { Stock } from './storeroom/stock.ts';
import { Unsaved } from './storeroom/unsaved.ts';
import { viewOf, whyNoRestoreAtAll, whyNot } from './storeroom/view.ts';
import { Voice } from './storeroom/voice.ts';
import { type Achieved, type Cause, causeWords, Work } from './storeroom/work.ts';
import { takeTurn } from './work-of-config.ts';

/** Between two looks at the offset and at what else only time changes, ms. */
const tickMs = 15_000;
/** The list of backups is read anew after so long, ms; where newer ones are waited for, by `restore.poll`. */
const listEveryMs = 15 * 60_000;
const leastTickMs = 1_000;

type Trouble = Snapshot['troubles'][number];

const ofPerson = (by: string): boolean => by !== 'schedule';

export class Storeroom {
  readonly #p: StoreroomParts;
  readonly #facts: Facts;
  readonly #listing: Listing;
  readonly #calendar: Calendar;
  readonly #stock: Stock;
  readonly #unsaved: Unsaved;
  readonly #closing = new AbortController();
  readonly #voice: Voice;
  readonly #aftermath: Aftermath;
  #work: Work | null = null;
  #retry: Cancel | null = null;
  #tick: Cancel = () => {};
  #role: Role = 'passive';
  #listAt = 0;
  #listedOf = '';
  /** restores of it failed for good; null: none */
  #givenUpOn: string | null = null;

  readonly desk: BackupsDesk = {
    refresh: () => this.#listing.refresh(),
    run: ({ by }) => this.#ordered('backup', by, null),
    verify: ({ by, name }) => this.#ordered('verify', by, name),
    restore: ({ by, name }) => this.#ordered('restore', by, name),
    cancel: ({ by }) => this.#cancelled(by),
  };

  constructor(parts: StoreroomParts) {
    this.#p = parts;
    this.#facts = new Facts(parts.store);
    this.#stock = new Stock(parts, this.#facts);
    this.#unsaved = new Unsaved(this.#facts, parts.clock);
    this.#listing = new Listing({
      clock: parts.clock,
      open: () => {
        const { backup, pair } = parts.config();
        return backup === null ? null : { location: parts.means.openBackups(backup), pair: pair.name };
      },
      onChange: parts.onChange,
      onRead: (read) => this.#listed(read),
    });
    this.#voice = new Voice(parts);
    this.#aftermath = new Aftermath(parts, this.#voice, this.#closing.signal, () => {
      this.#stock.read();
      parts.onData();
    });
    this.#calendar = new Calendar(parts, this.#facts, (kind) => this.#due(kind));
  }

  /** First what a crash left, then the schedules. */
  start(): void {
    this.#role = this.#p.around.standing().role;
    this.#unsaved.noted(this.#role);
    this.#aftermath.start();
    const { begun } = this.#facts.now;
    if (begun !== null) {
      const { kind, by, name, inOrder = false } = begun;
      if (kind === 'backup' && !inOrder) this.#voice.cutOff(this.#p.config());
      const again =
        ofPerson(by) || !isScheduled(kind) ? 'order it again when it is wanted' : 'it is tried again by itself';
      const cutOff = new EstepeError('backup', 'it was cut off by the end of Estepe', again);
      this.#failed({ kind, by, name, asked: name }, cutOff);
    }
    this.#calendar.set(this.#role, false);
    this.#listedOf = this.#place();
    this.#wake();
  }

  /** Another configuration is used from now on. */
  reconfigured(): void {
    const place = this.#place();
    if (place !== this.#listedOf) this.#listing.forget();
    this.#listedOf = place;
    this.#stock.reconfigured();
    this.#calendar.set(this.#role, false);
    void this.#listing.refresh();
  }

  /** Something of the engine changed: a runbook ends what is under way, another role turns the schedules. */
  look(): void {
    if (this.#closed) return;
    const { role } = this.#p.around.standing();
    const work = this.#work;
    if (this.#p.around.runbookOpen() && work?.commissioned !== true) work?.cancel('runbook');
    this.#unsaved.noted(role);
    if (role === this.#role) return;
    this.#role = role;
    if (work?.kind === (role === 'active' ? 'restore' : 'backup')) work.cancel('role');
    this.#forgetRetry();
    this.#facts.change({ failures: 0, offset: nothingTold });
    this.#calendar.set(role, true);
    void this.#listing.refresh();
  }

  /**
   * Resolves when nothing here changes the PBX's data any more: what is under way is cancelled (a restore is then taken back, or
   * finished where it cannot be), what a crash left is ended. To be called while a runbook is open.
   */
  async settled(signal: AbortSignal): Promise<void> {
    this.#work?.cancel('runbook');
    await Promise.race([aborted(signal), this.#work?.done]);
    await Promise.race([aborted(signal), this.#aftermath.done]);
    // The command line may have the turn for a backup.
    await this.#aftermath.untilFree(signal);
  }

  /** A backup or a restore that a runbook of the pair waits for. @throws EstepeError as it failed, `refused` */
  commissioned(order: Commission, signal: AbortSignal): Promise<Achieved> {
    this.look();
    const begin = ({ kind, by, name }: Commission): BackupAnswer => this.#begin(kind, by, name, true);
    return commission({ work: () => this.#work, begin }, order, signal);
  }

  /** What a planned change of roles asks: why nothing could be restored here, and what a restore would destroy; null each: nothing. */
  forPlanned(): { whyNoRestore: string | null; unsaved: string | null } {
    const whyNoRestore = whyNoRestoreAtAll(this.#p, this.#role, this.#listing.trouble);
    return { whyNoRestore, unsaved: this.#unsaved.sentence };
  }

  data(): DataState {
    return this.#p.config().restore === null ? { state: 'not-kept' } : this.#stock.restoredState();
  }

  /** Of the data that would be lost with the other node, or with this one while it is the active. */
  offset(): OffsetView {
    return this.#stock.offset(this.#role);
  }

  /** The newest verified backup that is known here. */
  newest(): { name: string; createdAt: number; verified: boolean } | null {
    const { newestVerified } = this.#facts.now;
    return newestVerified === null ? null : { ...newestVerified, verified: true };
  }

  /** What is under way; null: nothing. */
  get at(): BackupKind | null {
    return this.#work?.kind ?? null;
  }

  troubles(): Trouble[] {
    const { trouble } = this.#aftermath;
    const held = this.#p.config().restore === null ? [] : this.#unsaved.trouble();
    return trouble === null ? held : [trouble, ...held];
  }

  view(): BackupsView {
    return viewOf({
      ...{ parts: this.#p, facts: this.#facts.now, listing: this.#listing, calendar: this.#calendar },
      ...{ stock: this.#stock, work: this.#work, role: this.#role },
    });
  }

  /** What is under way is cancelled and in order when it resolves. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#calendar.close();
    this.#forgetRetry();
    this.#tick();
    this.#work?.cancel('engine');
    await Promise.all([this.#listing.close(), this.#work?.done, this.#aftermath.done]);
  }

  #place(): string {
    const { backup, pair } = this.#p.config();
    return JSON.stringify([pair.name, backup?.location]);
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  #wake(): void {
    this.#tick();
    this.#watchOffset();
    const { clock } = this.#p;
    if (clock.now() >= this.#listAt && this.#work === null) void this.#listing.refresh();
    this.#tick = clock.after(Math.min(tickMs, Math.max(leastTickMs, this.#listAt - clock.now())), () => this.#wake());
  }

  #watchOffset(): void {
    const offset = this.offset();
    const now = this.#p.clock.wall();
    const { told, message } = offsetTurn(this.#facts.now.offset, offset, this.#role, now, this.#calendar.expected());
    const before = this.#facts.now.offset;
    if (told.level !== before.level || told.noneSince !== before.noneSince) this.#facts.change({ offset: told });
    if (message !== null) this.#voice.tell(message.rule, message.severity, message.text, { ...offset });
  }

  #ordered(kind: BackupKind, by: string, name: string | null): BackupAnswer {
    const answer = this.#begin(kind, by, name);
    const said = answer.accepted ? 'accepted' : `refused: ${answer.reason}`;
    this.#voice.note('order', answer.accepted ? 'info' : 'warning', `order.${kind}`, `${by}: ${kind}: ${said}`, {
      by,
      name,
    });
    return answer;
  }

  #cancelled(by: string): BackupAnswer {
    const work = this.#work;
    if (work === null) return { accepted: false, reason: 'nothing is under way' };
    if (work.cause !== null) return { accepted: false, reason: 'it is being cancelled already' };
    this.#voice.note('order', 'info', 'order.cancel-work', `${by}: cancel the ${work.kind}: accepted`, { by });
    work.cancel('person');
    return { accepted: true, reason: `the ${work.kind} is being cancelled` };
  }

  /** It is due by schedule: whether it is dealt with. */
  #due(kind: 'backup' | 'restore'): boolean {
    // What failed before is about to be tried again: that is this one.
    this.#forgetRetry();
    this.#facts.change({ failures: 0 });
    return this.#begin(kind, 'schedule', null).accepted;
  }

  #begin(kind: BackupKind, by: string, name: string | null, commissioned = false): BackupAnswer {
    const why = this.#closed ? 'this engine is ending' : whyNot(kind, this.#p, this.#role, this.#work, commissioned);
    const reason = why ?? (kind === 'restore' && !ofPerson(by) ? this.#unsaved.sentence : null);
    if (reason !== null) return { accepted: false, reason };
    let turn: { release(): void } | null = null;
    try {
      // Without waiting: this is the engine's thread. What puts the past in order has it for moments.
      if (kind !== 'verify' && !this.#aftermath.busy) turn = takeTurn(this.#p.folder, 0);
    } catch (error) {
      return { accepted: false, reason: sentenceOf(error) };
    }
    const { clock, onChange } = this.#p;
    const changed = (): void => {
      if (kind === 'restore') this.#stock.read();
      onChange();
    };
    const work = new Work({ kind, name, by, commissioned, clock, onChange: changed });
    this.#work = work;
    this.#facts.change({ begun: { kind, by, name } });
    if (!ofPerson(by))
      this.#voice.note('engine', 'info', `${kind}.begun`, `the ${kind} that is due by schedule begins`);
    work.done = this.#run(work, turn).finally(() => {
      this.#work = null;
      this.#stock.read();
      this.#after();
    });
    onChange();
    return { accepted: true, reason: `the ${kind} begins` };
  }

  async #run(work: Work, given: { release(): void } | null): Promise<void> {
    let turn = given;
    try {
      await this.#aftermath.done;
      if (work.kind !== 'verify') turn ??= takeTurn(this.#p.folder, 0);
      if (work.kind === 'restore') await this.#aftermath.ended();
      const achieved = await carryOut(work, this.#p);
      work.end = { achieved };
      if (work.kind !== 'verify') this.#unsaved.over();
      this.#achieved(work, achieved);
    } catch (error) {
      work.end ??= { error };
      this.#failed(work, error);
    } finally {
      turn?.release();
    }
  }

  #after(): void {
    if (this.#closed) return;
    this.look();
    this.#watchOffset();
    this.#calendar.look();
    void this.#listing.refresh();
    this.#p.onData();
  }

  #achieved({ kind, by }: Work, achieved: Achieved): void {
    const { name, sentence, troubles, evidence, verified, already } = achieved;
    const said = [sentence, ...troubles.map((trouble) => `${trouble.sentence} (${trouble.todo})`)].join(' ');
    this.#end(kind, { by, name, ok: true, cancelled: false, sentence: said, todo: troubles[0]?.todo ?? '' });
    this.#voice.note('engine', troubles.length > 0 ? 'warning' : 'info', `${kind}.done`, said, { by, ...evidence });
    if (verified !== null) this.#stock.verified(name, verified);
    if (!isScheduled(kind)) return;
    this.#forgetRetry();
    const { failureTold } = this.#facts.now;
    this.#facts.change({ failures: 0 });
    if (already) return;
    this.#facts.change({ failureTold: { ...failureTold, [kind]: false } });
    if (failureTold[kind])
      this.#voice.tell(`${kind}.recovered`, 'info', `The ${kind} works again. ${sentence}`, { name });
  }

  #failed(work: Pick<Work, 'kind' | 'by' | 'name' | 'asked'> & { cause?: Cause | null }, error: unknown): void {
    const { kind, by, name, cause = null } = work;
    const todo = error instanceof EstepeError ? error.todo : 'look at the log, then try again';
    const why = sentenceOf(error);
    // Ending, it stays begun: the next start takes it up.
    if (cause === 'engine') this.#facts.change({ begun: { kind, by, name, inOrder: true } });
    else this.#end(kind, { by, name, ok: false, cancelled: cause !== null, sentence: why, todo });
    if (cause !== null) {
      const text = `the ${kind} was cancelled ${causeWords[cause]}: ${why}`;
      this.#voice.note('engine', 'info', `${kind}.cancelled`, text, { by, name });
      // A runbook that comes to nothing leaves the node what it was, and the run is still wanted.
      if (cause === 'runbook' && !ofPerson(by) && isScheduled(kind))
        this.#tryAgain(kind, pauseBeforeNext(1, null) ?? 0);
      return;
    }
    if (ofPerson(by) || !isScheduled(kind)) {
      return this.#voice.note('engine', 'warning', `${kind}.failed`, `the ${kind} failed: ${why} (${todo})`, {
        by,
        name,
      });
    }
    const failures = this.#facts.now.failures + 1;
    const pauseMs = pauseBeforeNext(failures, error);
    if (pauseMs !== null) {
      this.#facts.change({ failures });
      const text = `the ${kind} failed, and is tried again in ${durationWords(pauseMs)}: ${why} (${todo})`;
      this.#voice.note('engine', 'warning', `${kind}.failed`, text, { by, name, failures });
      return this.#tryAgain(kind, pauseMs);
    }
    this.#givenUpOn = name;
    const { failureTold } = this.#facts.now;
    const text = `The ${kind} failed, and is not tried again before the next one is due: ${why} What to do: ${todo}.`;
    this.#facts.change({ failures: 0, failureTold: { ...failureTold, [kind]: true } });
    if (failureTold[kind]) this.#voice.note('engine', 'warning', `${kind}.failed`, text, { by, name, failures });
    else this.#voice.tell(`${kind}.failed`, 'alert', text, { by, name, failures });
  }

  #end(kind: BackupKind, end: Omit<NonNullable<BackupsView['last'][BackupKind]>, 'at'>): void {
    const { clean, clock } = this.#p;
    const sentence = clean(end.sentence);
    const at = Math.round(clock.wall());
    this.#facts.change({ begun: null, ends: { ...this.#facts.now.ends, [kind]: { ...end, sentence, at } } });
  }

  #tryAgain(kind: 'backup' | 'restore', pauseMs: number): void {
    this.#forgetRetry();
    if (this.#closed) return;
    this.#retry = this.#p.clock.after(pauseMs, () => {
      this.#retry = null;
      const { accepted } = this.#begin(kind, 'schedule', null);
      if (!accepted && this.#calendar.runs(kind)) this.#tryAgain(kind, tickMs);
    });
  }

  #forgetRetry(): void {
    this.#retry?.();
    this.#retry = null;
  }

  #listed(read: boolean): void {
    const { restore } = this.#p.config();
    const { clock } = this.#p;
    const waits = this.#role === 'passive' && restore?.whenNewer === true;
    this.#listAt = clock.now() + (waits ? restore.poll : listEveryMs);
    this.#stock.read();
    if (!read) return;
    this.#stock.listed(this.#listing.rows);
    const newer = waits && this.#retry === null ? this.#stock.newerThanRestored(this.#listing.rows) : null;
    if (newer !== null && newer !== this.#givenUpOn) this.#begin('restore', 'schedule', null);
  }
}
