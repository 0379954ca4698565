/**
 * The link between the engines of the two nodes: listens, is paired, exchanges one word in each interval, and carries what
 * either asks of the other. Must not know what the engine makes of it.
 */

import { EstepeError, sentenceOf } from '../contract/errors.ts';
import type { CallsSeen, ParityFacts } from '../contract/parity.ts';
import { type PairCode, type PeerAnswer, type PeerStatus, type PeerView, peerGoods } from '../contract/peer.ts';
import { inWords } from '../engine/duration.ts';
import { wordFreshMs } from '../engine/judge.ts';
import type { BackupAnswer, Cancel, Peer, PeerState, StandDownAnswer } from '../engine/ports.ts';
import { Asking } from './asking.ts';
import { type Place, placeText } from './call.ts';
import { type Asked, Door, type Welcome } from './door.ts';
import type { LinkHooks } from './hooks.ts';
import { fingerprintWords, type Identity, identityOf } from './identity.ts';
import { join, refusalOf } from './joining.ts';
import { Opening, type Proven } from './pairing.ts';
import { type Pinned, PinnedFile } from './pinned.ts';
import { Service } from './service.ts';

/** Where this node listens and where the other one does. */
export interface Ends {
  listen: Place;
  address: Place;
}

export interface LinkFiles {
  /** `DataFolder.secrets` */
  secrets: string;
  /** `DataFolder.peer` */
  pinned: string;
}

/** A request of a node that is being paired is small. */
const pairBodyBytes = 4 * 1024;
/** A stranger at the door is told once in this time. */
const strangerToldMs = 3600_000;
const byHand = 'see `estepe pair status`';

export class PeerLink implements Peer {
  readonly #hooks: LinkHooks;
  readonly #file: PinnedFile;
  readonly #secrets: string;
  readonly #service: Service;
  readonly #ended = new AbortController();
  #ends: Ends | null = null;
  #identity: Identity | null = null;
  #door: Door | null = null;
  #asking: Asking | null = null;
  #seq = 0;
  #opening: Opening | null = null;
  #lastPairing: { paired: boolean; sentence: string } | null = null;
  #joining = false;
  #heardAt: number | null = null;
  #heardWall: number | null = null;
  #wasUp: boolean | null = null;
  #ownTrouble: string | null = null;
  #callTrouble: string | null = null;
  #strangerToldAt = Number.NEGATIVE_INFINITY;
  #beat: AbortController | null = null;
  #cancelBeat: Cancel = () => {};
  #moves: Promise<void> = Promise.resolve();

  constructor(hooks: LinkHooks, files: LinkFiles) {
    this.#hooks = hooks;
    this.#secrets = files.secrets;
    this.#file = new PinnedFile(files.pinned);
    this.#service = new Service(hooks, () => this.#heard());
  }

  /** Listens and asks at these ends from now on; null: no link. Resolves when that is done. Never rejects. */
  configure(ends: Ends | null): Promise<void> {
    this.#moves = this.#moves.then(() => this.#move(ends)).catch((error: unknown) => this.#hooks.onFault(error));
    return this.#moves;
  }

  /** Ends it all. Again does nothing. */
  async close(): Promise<void> {
    this.#ended.abort();
    await this.configure(null);
  }

  state(): PeerState {
    return {
      paired: this.#file.pinned !== null,
      listening: this.#door?.listening ?? false,
      lastHeardAt: this.#heardAt,
      trouble: this.#trouble(),
    };
  }

  async askStandDown(epoch: number, because: string, signal: AbortSignal): Promise<StandDownAnswer> {
    await this.#moves;
    const asking = this.#asking;
    if (asking === null) return { outcome: 'unreachable', sentence: this.#whyNoAsking() };
    // It must not wait behind a word that hangs.
    this.#beat?.abort();
    return asking.standDown(epoch, because, AbortSignal.any([signal, this.#ended.signal]));
  }

  async askBackup(
    ask: { epoch: number | null; because: string },
    signal: AbortSignal,
    onProgress: (sentence: string) => void,
  ): Promise<BackupAnswer> {
    await this.#moves;
    const asking = this.#asking;
    if (asking === null) return { outcome: 'unreachable', sentence: this.#whyNoAsking() };
    return asking.backup(ask.epoch, ask.because, AbortSignal.any([signal, this.#ended.signal]), onProgress);
  }

  async facts(signal: AbortSignal): Promise<ParityFacts | string> {
    const asking = this.#asking;
    return asking === null ? this.#whyNoAsking() : asking.facts(AbortSignal.any([signal, this.#ended.signal]));
  }

  async calls(signal: AbortSignal): Promise<CallsSeen> {
    const answer = this.#asking?.calls(AbortSignal.any([signal, this.#ended.signal]));
    return answer ?? { count: null, sentence: this.#whyNoAsking() };
  }

  /** A new code to be typed on the other node; one that was shown before is worth nothing. @throws EstepeError */
  pairOpen(by: string): PairCode {
    const { identity } = this.#configured();
    if (this.#door?.listening !== true) {
      const why = this.#ownTrouble ?? 'The peer link does not listen yet.';
      throw new EstepeError('nothing-to-do', why, 'correct that first, then open the pairing');
    }
    this.#opening?.close();
    const { clock, random, self } = this.#hooks;
    this.#opening = new Opening({
      ...{ clock, random, self: () => self(), fingerprint: identity.fingerprint },
      onEnded: (sentence) => this.#openingEnded(false, sentence),
      onTry: () => this.#hooks.onChange(),
    });
    this.#lastPairing = null;
    const { code, until } = this.#opening;
    this.#hooks.note('info', 'peer.pairing-open', `${by} opened a pairing: a code is shown here for ten minutes`);
    this.#hooks.onChange();
    return { code, until };
  }

  /** Types the code that the other node shows. @throws EstepeError where no link is configured */
  async pairJoin(by: string, code: string): Promise<PeerAnswer> {
    const { identity, ends } = this.#configured();
    if (this.#joining) return { accepted: false, sentence: 'Another code is being tried just now.', why: 'other' };
    this.#joining = true;
    try {
      const proven = await join(this.#hooks, { identity, to: ends.address }, code, this.#ended.signal);
      this.#pin(proven, `${by} paired this node with the one on ${proven.place}`);
    } catch (error) {
      const sentence =
        error instanceof EstepeError && error.code === 'data-folder'
          ? `${error.message} ${error.todo}.`
          : sentenceOf(error);
      this.#hooks.note('warning', 'peer.pairing-failed', `${by} typed a code, and nothing was paired: ${sentence}`);
      return { accepted: false, sentence, why: refusalOf(error) };
    } finally {
      this.#joining = false;
    }
    return this.#confirmed();
  }

  /** The other node is no longer known here. @throws EstepeError `data-folder` */
  pairRemove(by: string): { was: boolean } {
    const was = this.#file.pinned !== null || this.#file.trouble !== null;
    this.#file.unpin();
    this.#opening?.close();
    this.#opening = null;
    this.#lastPairing = null;
    this.#forget();
    if (was) this.#hooks.note('warning', 'peer.unpaired', `${by} removed the pairing with the other node`);
    this.#hooks.onUnpaired();
    this.#hooks.onChange();
    return { was };
  }

  view(): PeerView {
    const paired = this.#file.pinned !== null;
    const up = this.#isUp();
    const state = this.#ends === null ? 'off' : this.#opening ? 'pairing' : !paired ? 'unpaired' : up ? 'up' : 'down';
    const opening = this.#opening;
    return {
      configured: this.#ends !== null,
      paired,
      state,
      listening: this.#ends !== null && this.#door?.listening === true ? placeText(this.#ends.listen) : null,
      address: this.#ends && placeText(this.#ends.address),
      lastHeardAt: this.#heardWall,
      trouble: this.#trouble(),
      pairing: opening
        ? { state: 'open', until: opening.until, triesLeft: opening.triesLeft }
        : this.#lastPairing && { state: 'ended', ...this.#lastPairing },
      unprotected: this.#ends !== null && paired && up ? [] : [...peerGoods],
    };
  }

  status(): PeerStatus {
    const { pinned } = this.#file;
    return {
      ...this.view(),
      ownFingerprint: this.#identity && fingerprintWords(this.#identity.fingerprint),
      otherFingerprint: pinned && fingerprintWords(pinned.fingerprint),
      otherPlace: pinned?.place ?? null,
      pairedAt: pinned?.pairedAt ?? null,
    };
  }

  async #move(ends: Ends | null): Promise<void> {
    if (JSON.stringify(ends) === JSON.stringify(this.#ends) && (ends === null || this.#door !== null)) return;
    this.#ends = ends;
    this.#cancelBeat();
    this.#beat?.abort();
    this.#asking = null;
    this.#ownTrouble = null;
    this.#callTrouble = null;
    await this.#door?.close();
    this.#door = null;
    if (ends === null) {
      this.#opening?.close();
      this.#opening = null;
      return;
    }
    try {
      this.#identity ??= await identityOf(this.#secrets, this.#hooks.clock.wall());
    } catch (error) {
      this.#ownTrouble = `The peer link has no certificate of its own: ${sentenceOf(error)}`;
      this.#hooks.note('warning', 'peer.trouble', this.#ownTrouble);
      this.#hooks.onChange();
      return;
    }
    if (this.#ended.signal.aborted) return;
    this.#door = new Door({
      ...{ clock: this.#hooks.clock, identity: this.#identity, listen: ends.listen },
      admit: (asked) => this.#admit(asked),
      onStranger: (from, why) => this.#stranger(from, why),
      onListening: (trouble) => this.#listening(trouble),
      onFault: (error) => this.#hooks.onFault(error),
    });
    this.#door.open();
    this.#ask();
  }

  #admit(asked: Asked): Welcome | null {
    const { fingerprint, method, path } = asked;
    const opening = this.#opening;
    if (opening && method === 'POST' && (path === '/pair/begin' || path === '/pair/prove')) {
      return {
        most: pairBodyBytes,
        answer: (body) =>
          path === '/pair/begin' ? opening.begin(fingerprint, body) : opening.prove(fingerprint, body),
      };
    }
    // Whoever has proven the code comes as a paired node: only then it believes us too, and the pairing is made.
    if (opening?.proven?.fingerprint === fingerprint) {
      this.#pin(opening.proven, `this node is paired with the one on ${opening.proven.place}`);
      this.#openingEnded(true, `Paired with the node on ${opening.proven.place}.`);
    }
    return fingerprint !== '' && fingerprint === this.#file.pinned?.fingerprint ? this.#service.welcome(asked) : null;
  }

  /** @throws EstepeError when it cannot be kept; then nothing has changed */
  #pin({ fingerprint, place }: Proven, reason: string): void {
    const pinned: Pinned = { fingerprint, place, pairedAt: Math.round(this.#hooks.clock.wall()) };
    this.#file.pin(pinned);
    this.#forget();
    this.#service.reset();
    this.#hooks.onUnpaired();
    this.#hooks.note('info', 'peer.paired', reason);
    this.#ask();
    this.#hooks.onChange();
  }

  /** Shows the other node that this one believes it, so that it pins too. */
  async #confirmed(): Promise<PeerAnswer> {
    const place = this.#file.pinned?.place ?? '';
    try {
      await this.#asking?.hello(this.#ended.signal);
      return { accepted: true, sentence: `Paired with the node on ${place}.`, why: null };
    } catch (error) {
      const sentence = `Paired here with the node on ${place}, which has not confirmed it yet: ${sentenceOf(error)} It is asked again by itself while its pairing is open.`;
      return { accepted: true, sentence, why: null };
    }
  }

  #openingEnded(paired: boolean, sentence: string): void {
    this.#opening?.close();
    this.#opening = null;
    this.#lastPairing = { paired, sentence };
    if (!paired) this.#hooks.note('warning', 'peer.pairing-ended', sentence);
    this.#hooks.onChange();
  }

  /** Whatever was said by, and asked of, the node that was paired before. */
  #forget(): void {
    this.#cancelBeat();
    this.#beat?.abort();
    this.#asking = null;
    this.#heardAt = null;
    this.#heardWall = null;
    this.#wasUp = null;
    this.#callTrouble = null;
  }

  /** Begins to exchange words, where there is somebody to do it with. */
  #ask(): void {
    const { pinned } = this.#file;
    if (this.#ends === null || this.#identity === null || pinned === null || this.#ended.signal.aborted) return;
    const line = { identity: this.#identity, to: this.#ends.address, pin: pinned.fingerprint };
    const asking = new Asking(this.#hooks, line, () => (this.#seq += 1));
    this.#asking = asking;
    this.#cancelBeat = this.#hooks.clock.after(0, () => void this.#exchange(asking));
  }

  /** One word for one word; the next at the next interval, however long this one took. */
  async #exchange(asking: Asking): Promise<void> {
    const { clock } = this.#hooks;
    const begun = clock.now();
    const beat = new AbortController();
    this.#beat = beat;
    try {
      const word = await asking.word(this.#hooks.ownWord(), beat.signal);
      if (this.#asking !== asking) return;
      this.#callTrouble = null;
      this.#heard();
      this.#hooks.onWord(word);
    } catch (error) {
      if (this.#asking !== asking) return;
      if (!beat.signal.aborted) this.#callTrouble = sentenceOf(error);
    }
    this.#turned();
    const left = this.#hooks.intervalMs() - (clock.now() - begun);
    this.#cancelBeat = clock.after(Math.max(0, left), () => void this.#exchange(asking));
  }

  #heard(): void {
    this.#heardAt = this.#hooks.clock.now();
    this.#heardWall = Math.round(this.#hooks.clock.wall());
    this.#turned();
  }

  #isUp(): boolean {
    const age = this.#heardAt === null ? null : this.#hooks.clock.now() - this.#heardAt;
    const intervalMs = this.#hooks.intervalMs();
    return age !== null && age <= wordFreshMs({ intervalMs }, { everyMs: intervalMs });
  }

  /** Tells when the link comes and goes. */
  #turned(): void {
    const up = this.#isUp();
    if (up !== this.#wasUp) {
      if (up) this.#hooks.note('info', 'peer.up', 'the other node is heard over the peer link');
      else if (this.#wasUp !== null || this.#callTrouble !== null) {
        const silence = this.#heardAt === null ? '' : ` for ${inWords(this.#hooks.clock.now() - this.#heardAt)}`;
        const why = this.#callTrouble === null ? '' : `: ${this.#callTrouble}`;
        this.#hooks.note('warning', 'peer.down', `the other node is not heard over the peer link${silence}${why}`);
      }
      this.#wasUp = up;
    }
    this.#hooks.onChange();
  }

  #listening(trouble: string | null): void {
    if (trouble !== null && trouble !== this.#ownTrouble) this.#hooks.note('warning', 'peer.trouble', trouble);
    this.#ownTrouble = trouble;
    this.#hooks.onChange();
  }

  #stranger(from: string, why: string): void {
    const now = this.#hooks.clock.now();
    if (now - this.#strangerToldAt < strangerToldMs) return;
    this.#strangerToldAt = now;
    const what = `somebody at ${from} was turned away from the peer link: ${why}. More of it is not told for an hour`;
    this.#hooks.note('warning', 'peer.stranger', what);
  }

  #trouble(): string | null {
    if (this.#ends === null) return null;
    return this.#file.trouble ?? this.#ownTrouble ?? (this.#file.pinned === null ? null : this.#callTrouble);
  }

  #whyNoAsking(): string {
    if (this.#ends === null) return 'No peer link is configured.';
    if (this.#file.pinned === null) return this.#file.trouble ?? 'The two nodes are not paired.';
    return this.#ownTrouble ?? 'The peer link is just starting.';
  }

  #configured(): { identity: Identity; ends: Ends } {
    if (this.#ends === null) {
      throw new EstepeError(
        'nothing-to-do',
        'No peer link is configured here.',
        'add the section `peer: {}` to estepe.yaml',
      );
    }
    if (this.#identity === null) throw new EstepeError('nothing-to-do', this.#whyNoAsking(), byHand);
    return { identity: this.#identity, ends: this.#ends };
  }
}
