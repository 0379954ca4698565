/**
 * Keeps what the core was given, for `estepe replay`: `<data>/logs/observations.jsonl` and one older file. Only what can
 * change a decision is written: a new round, a gap, an order, a turn of the runbook, a new rule, an effect. Never throws: a full
 * disk costs the recording, not the watch.
 */
import { appendFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Decision } from '../engine/decide.ts';
import type { CoreState, Observation } from '../engine/observation.ts';
import { recordingHead, recordingLine } from '../engine/recording.ts';

/** Two of these: some ten days at 3 tests every 30 s. */
const fileBytes = 24 * 1024 * 1024;

export class Recorder {
  readonly #file: string;
  #bytes: number;
  #fresh = true;
  #last = '';
  #state: CoreState | null = null;

  /** @param logs the folder for logs */
  constructor(logs: string) {
    this.#file = join(logs, 'observations.jsonl');
    this.#bytes = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
  }

  note(before: CoreState, observation: Observation, decision: Decision): void {
    // Set from outside of a decision (something else is watched now): what follows stands on a state of its own.
    if (before !== this.#state) this.#fresh = true;
    this.#state = decision.state;
    const { round, gap, order, runbook } = observation;
    const mark = `${round?.seq} ${gap?.id} ${order?.id} ${runbook?.id} ${runbook?.status} ${decision.rule} ${decision.state.phase}`;
    if (mark === this.#last && decision.effects.length === 0) return;
    this.#last = mark;
    try {
      if (this.#bytes > fileBytes) this.#rotate();
      // Each file, and each stretch after an engine's start, begins with the state it stands on.
      // The line break before it closes a line that a dying engine left half-written.
      const head = this.#fresh ? `${this.#bytes > 0 ? '\n' : ''}${recordingHead(before)}\n` : '';
      const text = `${head}${recordingLine(observation)}\n`;
      appendFileSync(this.#file, text, { mode: 0o600 });
      this.#bytes += text.length;
      this.#fresh = false;
    } catch {
      // The next line that can be written stands on its own state again.
      this.#fresh = true;
    }
  }

  #rotate(): void {
    renameSync(this.#file, `${this.#file}.1`);
    this.#bytes = 0;
    this.#fresh = true;
  }
}
