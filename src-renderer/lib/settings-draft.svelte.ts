/**
 * The configuration that is being written: its text, what the engine makes of it while it is typed, and the way to the file. Kept for
 * this tab until it is saved or thrown away, so that another page or a reload costs nothing; secrets are never part of it.
 */
import type { CheckedView, SettingsView } from '../../src-main/contract/settings.ts';
import type { Facts, Field } from '../../src-main/contract/settings-field.ts';
import { changesOf, shownIn } from '../../src-main/contract/settings-form.ts';
import { type SaveState, saveState } from '../../src-main/contract/settings-steps.ts';
import { type Feed, OrderFailed } from './feed.svelte.ts';

const key = 'estepe-draft';
/** So long nothing is typed before the engine is asked. */
const settleMs = 300;

interface Kept {
  text: string;
  base: string;
  step: string;
}

function keptDraft(): Kept | null {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(key) ?? 'null');
    if (typeof kept !== 'object' || kept === null) return null;
    const { text, base, step } = kept as Record<string, unknown>;
    return typeof text === 'string' && typeof base === 'string' ? { text, base, step: String(step) } : null;
  } catch {
    return null;
  }
}

export class SettingsDraft {
  /** the file as it was read; null: not yet */
  view = $state.raw<SettingsView | null>(null);
  /** what the engine made of the text last */
  checked = $state.raw<CheckedView | null>(null);
  /** as it would be saved, once nothing is pending */
  text = $state('');
  /** mark of the file that was begun with */
  base = $state('');
  /** what stands in fields that are being typed in, by field */
  typed = $state<Record<string, string>>({});
  /** fields that were left, or whose section is to be left: what is wrong with them is shown */
  touched = $state<Record<string, boolean>>({});
  pending = $state(false);
  /** the last question was not answered */
  unanswered = $state(false);
  /** step of the first run that was open when the tab was left */
  step = $state('');

  readonly #feed: Feed;
  #queue: { field: Field; typed: string | boolean }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;
  /** grows with each key in the text itself: an answer to an older one must not take it back */
  #edits = 0;

  constructor(feed: Feed) {
    this.#feed = feed;
  }

  get facts(): Facts {
    return this.view ?? { usual: {}, profileTests: {}, profileServices: {} };
  }

  get written(): CheckedView['written'] {
    return this.checked?.written ?? null;
  }

  get state(): SaveState {
    return saveState(this, this.base);
  }

  /** Reads the file; goes on with what was kept of this tab unless `anew`. */
  async read(anew = false): Promise<void> {
    let view: SettingsView;
    try {
      view = await this.#feed.order((client, signal) => client.config.read(undefined, { signal }));
    } catch {
      this.unanswered = true;
      return;
    }
    this.unanswered = false;
    const kept = anew ? null : keptDraft();
    this.view = view;
    this.checked = view;
    this.typed = {};
    this.#queue = [];
    this.#edits++;
    this.text = kept?.text ?? view.text;
    this.base = kept?.base ?? view.base;
    this.step = kept?.step ?? '';
    if (anew) this.forget();
    else if (kept !== null && kept.text !== view.text) this.#soon(0);
  }

  /** What a field shows now. */
  shown(field: Field): string | boolean | null {
    return this.typed[field.id] ?? shownIn(field, this.written, this.facts);
  }

  /** Something was typed or chosen in a field. */
  type(field: Field, typed: string | boolean): void {
    if (typeof typed === 'string') this.typed[field.id] = typed;
    this.#queue = [...this.#queue.filter((one) => one.field.id !== field.id), { field, typed }];
    this.#soon(typeof typed === 'boolean' || field.kind === 'choice' || field.kind === 'select' ? 0 : settleMs);
  }

  /** The field was left: from now on it shows what the text says, and what is wrong with it. */
  leave(field: Field): void {
    this.touched[field.id] = true;
    if (!this.#queue.some((one) => one.field.id === field.id) && !this.#asking) delete this.typed[field.id];
  }

  /** The text itself was changed. */
  write(text: string): void {
    this.text = text;
    this.#edits++;
    this.typed = {};
    this.#queue = [];
    this.#soon(settleMs);
  }

  /** What is now in the file is what was begun with: the draft is held against that. */
  overNewest(): void {
    this.base = this.checked?.base ?? this.base;
    this.#keep();
  }

  keepStep(step: string): void {
    this.step = step;
    this.#keep();
  }

  /** Asks again after the engine was away. */
  again(): void {
    if (this.view === null) void this.read();
    else this.#soon(0);
  }

  forget(): void {
    sessionStorage.removeItem(key);
  }

  #keep(): void {
    const kept: Kept = { text: this.text, base: this.base, step: this.step };
    try {
      sessionStorage.setItem(key, JSON.stringify(kept));
    } catch {
      // a browser that keeps nothing: a reload begins anew
    }
  }

  /** A field that nobody is in any more shows what the text says. */
  #settle(field: Field, typed: string | boolean): void {
    this.touched[field.id] = true;
    // what is chosen is never half typed, and may stand for another record by now
    const isIn = field.kind !== 'select' && field.kind !== 'choice' && document.activeElement?.id === field.id;
    if (this.typed[field.id] === typed && !isIn) delete this.typed[field.id];
  }

  #soon(ms: number): void {
    this.pending = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), ms);
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    // One after the other: each is worked out on what the one before has left.
    const [next, ...rest] = this.#queue;
    this.#queue = rest;
    const edits = this.#edits;
    const changes = next === undefined ? [] : changesOf(next.field, next.typed, this.written, this.facts);
    try {
      const checked = await this.#feed.order((client, signal) =>
        client.config.check({ text: this.text, changes }, { signal }),
      );
      this.unanswered = false;
      if (edits === this.#edits) {
        this.checked = checked;
        this.text = checked.text;
        if (next !== undefined) this.#settle(next.field, next.typed);
        this.#keep();
      }
    } catch (error) {
      if (!(error instanceof OrderFailed)) throw error;
      // what was typed waits for the engine to be back
      if (next !== undefined && !this.#queue.some(({ field }) => field.id === next.field.id)) this.#queue.unshift(next);
      this.unanswered = true;
    } finally {
      this.#asking = false;
    }
    if (this.unanswered) this.#soon(2_000);
    else if (this.#queue.length > 0 || edits !== this.#edits) this.#soon(0);
    else this.pending = false;
  }
}
