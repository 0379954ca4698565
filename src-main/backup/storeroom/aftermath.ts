/** What an earlier life of this engine left half done is ended, a restore above all; and whose turn it is on this data folder. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EstepeError, sentenceOf } from '../../contract/errors.ts';
import type { Snapshot } from '../../contract/snapshot.ts';
import type { Cancel } from '../../engine/ports.ts';
import { recoverRestore } from '../recover-restore.ts';
import { takeTurn } from '../work-of-config.ts';
import { recoverWork } from '../work-of-restore.ts';
import type { StoreroomParts } from './parts.ts';
import type { Voice } from './voice.ts';

/** Between two tries to take the turn, ms. */
const againMs = 1_000;
/** Between two tries to end a restore that was cut off, ms. */
const recoverAgainMs = 10 * 60_000;

export class Aftermath {
  readonly #p: StoreroomParts;
  readonly #voice: Voice;
  readonly #signal: AbortSignal;
  readonly #onEnd: () => void;
  #again: Cancel = () => {};
  #trouble: Snapshot['troubles'][number] | null = null;
  #done: Promise<void> = Promise.resolve();
  #busy = false;

  /** @param signal the storeroom closes; @param onEnd another try is over */
  constructor(parts: StoreroomParts, voice: Voice, signal: AbortSignal, onEnd: () => void) {
    this.#p = parts;
    this.#voice = voice;
    this.#signal = signal;
    this.#onEnd = onEnd;
    signal.addEventListener('abort', () => this.#again(), { once: true });
  }

  /** Resolves when the try under way is over; never rejects. */
  get done(): Promise<void> {
    return this.#done;
  }

  /** A restore that was cut off and could not be ended. */
  get trouble(): Snapshot['troubles'][number] | null {
    return this.#trouble;
  }

  start(): void {
    this.#busy = true;
    this.#done = this.#recover().finally(() => {
      this.#busy = false;
    });
  }

  /** It has the turn, or waits for it. */
  get busy(): boolean {
    return this.#busy;
  }

  /** By whoever has the turn, before what was left is replaced. @throws EstepeError when it still cannot be ended */
  async ended(): Promise<void> {
    if (this.#trouble !== null) await this.#end();
  }

  /** Resolves when nobody makes a backup or a restore on this data folder, or `signal` is aborted. */
  untilFree(signal: AbortSignal): Promise<void> {
    return this.#inTurn(signal, async () => {});
  }

  async #recover(): Promise<void> {
    this.#again();
    try {
      await this.#inTurn(this.#signal, async () => {
        await rm(join(this.#p.folder.spool, 'backup'), { recursive: true, force: true });
        await this.#end();
      });
    } catch (error) {
      const todo = error instanceof EstepeError ? error.todo : 'look at the log';
      const sentence = this.#p.clean(`A restore that was cut off cannot be ended: ${sentenceOf(error)}`);
      if (this.#trouble === null) this.#voice.tell('restore.unended', 'alert', `${sentence} What to do: ${todo}.`);
      this.#trouble = { key: 'restore-unended', sentence, todo: `${todo}; it is tried again by itself.` };
      this.#later();
    }
    this.#onEnd();
  }

  #later(): void {
    if (this.#signal.aborted) return;
    // A runbook may have gone past the point where it waits for this, and be starting services on what stands here.
    const again = (): void => (this.#p.around.runbookOpen() ? this.#later() : this.start());
    this.#again = this.#p.clock.after(recoverAgainMs, again);
  }

  async #end(): Promise<void> {
    const { config, folder, clock, proc, restores: history, random, around } = this.#p;
    const { role } = around.standing();
    const work = recoverWork({ config: config(), folder, clock, proc, history, role, runToken: random.hex(8) });
    const recovered = await recoverRestore(work);
    this.#trouble = null;
    if (recovered === null) return;
    const { name, stands, sentence } = recovered;
    this.#voice.note('engine', 'warning', 'restore.recovered', sentence, { name, stands });
  }

  async #inTurn(signal: AbortSignal, act: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      let turn: { release(): void };
      try {
        // Without waiting: this is the engine's thread.
        turn = takeTurn(this.#p.folder, 0);
      } catch (error) {
        if (!(error instanceof EstepeError) || error.code !== 'owned') throw error;
        await this.#pause(signal);
        continue;
      }
      return act().finally(() => turn.release());
    }
  }

  #pause(signal: AbortSignal): Promise<void> {
    return new Promise((go) => {
      const stop = this.#p.clock.after(againMs, go);
      const onAbort = (): void => {
        stop();
        go();
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
