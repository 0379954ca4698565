/**
 * Lets the PBX of the active node on after a boot, and stops it where this node is cut off from everybody (`selfFence.after`). What is
 * meant to be done is written before it is done, and what became of it after; a crash in between is met by doing it again, since
 * what runs already is left alone. Standing down comes first: it ends what is being let on.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { z } from 'zod';
import type { Config } from '../config/schema.ts';
import type { Snapshot } from '../contract/snapshot.ts';
import { durationWords } from '../contract/view.ts';
import type { Severity } from '../contract/words.ts';
import { type Hold, lettingOn } from '../engine/letting-on.ts';
import type { Cancel, Clock, Proc, Store } from '../engine/ports.ts';
import { setBoot } from '../runbook/boot-services.ts';
import { runAll, type SiteCommandsRun } from '../runbook/site-commands.ts';
import type { Site } from './engine.ts';

export interface LetOnParts {
  clock: Clock;
  proc: Proc;
  store: Pick<Store, 'remember' | 'recall'>;
  site: () => Pick<Site, 'plan'>;
  /** as it is configured */
  wish: () => { by: 'machine' | 'estepe'; withinMs: number; selfFenceMs: number | null };
  /** this node is active under the highest epoch that is known */
  serves: () => boolean;
  /** a keeper of claims or the other node could be asked, as it is configured */
  askable: () => boolean;
  /** monotonic: when one of them was last heard; null: not in this life */
  heardAt: () => number | null;
  /** another one: the machine has started since */
  bootId: string;
  note: (rule: string, severity: Severity, reason: string) => void;
  tell: (message: { key: string; severity: Severity; text: string }) => void;
  onChange: () => void;
}

/** Name of the remembered fact: in which life of the machine the PBX was let on, and whether it was stopped for being cut off. */
const key = 'letOn';
const remembered = z.object({ boot: z.string().nullable(), cut: z.boolean() }).catch({ boot: null, cut: false });

const lookEveryMs = 1_000;
/** Nothing is held, and nothing to be held: the configuration may change. */
const idleEveryMs = 60_000;
const againAfterMs = 60_000;

export class LetOn {
  readonly #p: LetOnParts;
  readonly #begunAt: number;
  #hold: Hold;
  #heldAt: number;
  /** the stop of a node that is cut off was done in this life */
  #isStopped = false;
  #kept: z.infer<typeof remembered>;
  #work: { control: AbortController; done: Promise<void> } | null = null;
  /** what failed last, in a sentence */
  #fault: string | null = null;
  #notBefore = 0;
  #timer: Cancel = () => {};
  #closed = false;

  constructor(parts: LetOnParts) {
    this.#p = parts;
    this.#begunAt = parts.clock.now();
    this.#heldAt = this.#begunAt;
    this.#kept = remembered.parse(parts.store.recall(key) ?? {});
    const { boot, cut } = this.#kept;
    const booted = parts.wish().by === 'estepe' && boot !== parts.bootId;
    this.#hold = cut ? 'cut' : booted ? 'boot' : 'none';
  }

  /** Looks from time to time where only time may change anything. */
  start(): void {
    this.look();
    if (this.#closed) return;
    const idle = this.#hold === 'none' && this.#p.wish().selfFenceMs === null;
    this.#timer = this.#p.clock.after(idle ? idleEveryMs : lookEveryMs, () => this.start());
  }

  /** To be called whenever what it follows may have changed. */
  look(): void {
    if (this.#closed) return;
    const now = this.#p.clock.now();
    const { withinMs, selfFenceMs } = this.#p.wish();
    const heardAt = this.#p.heardAt();
    const serves = this.#p.serves();
    const does = lettingOn({
      hold: this.#hold,
      serves,
      askable: this.#p.askable(),
      cutMs: now - (heardAt ?? this.#begunAt),
      heard: heardAt !== null && heardAt >= this.#heldAt,
      heldMs: now - this.#heldAt,
      ...{ withinMs, selfFenceMs },
    });
    if (!serves) return this.#notOurs();
    // It runs in this life of the machine: an engine that starts again does not let it on once more.
    if (does === 'leave') return this.#keep({ boot: this.#p.bootId, cut: false });
    const stops = does === 'stop' || (does === 'wait' && this.#hold === 'cut' && !this.#isStopped);
    if ((does === 'wait' && !stops) || this.#work !== null || now < this.#notBefore) return;
    const control = new AbortController();
    const work = stops ? this.#stop(control.signal) : this.#start(control.signal, does === 'let-on-unseen');
    const done = work.finally(() => {
      this.#work = null;
      this.#p.onChange();
    });
    this.#work = { control, done };
  }

  /** Resolves when nothing is being let on; what is, is ended first. Also when `signal` is aborted. */
  async ended(signal: AbortSignal): Promise<void> {
    this.#work?.control.abort();
    await Promise.race([
      this.#work?.done,
      new Promise<void>((go) => signal.addEventListener('abort', () => go(), { once: true })),
    ]);
  }

  troubles(): Snapshot['troubles'] {
    if (!this.#p.serves() || this.#hold === 'none') return [];
    const held = durationWords(this.#p.clock.now() - this.#heldAt);
    const { withinMs } = this.#p.wish();
    if (this.#fault !== null)
      return [
        { key: 'not-let-on', sentence: this.#fault, todo: 'Look at the PBX here; it is tried again each minute.' },
      ];
    return this.#hold === 'boot'
      ? [
          {
            key: 'held-at-boot',
            sentence: `The PBX here is not started yet, for ${held}: first it must be seen that no other node has taken over, or ${durationWords(withinMs)} must have passed (services.letOn).`,
            todo: 'Nothing, if the other node has not taken over; else this one stands down by itself.',
          },
        ]
      : [
          {
            key: 'self-fenced',
            sentence: `The PBX here is stopped: for too long neither the location nor the other node could be reached (selfFence.after). It is started again once one of them answers.`,
            todo: 'Mend the network or the location. To serve all the same take `selfFence` out of estepe.yaml.',
          },
        ];
  }

  close(): void {
    this.#closed = true;
    this.#timer();
    this.#work?.control.abort();
  }

  /** Standing down, or not active at all: the runbooks see to the services. */
  #notOurs(): void {
    this.#work?.control.abort();
    if (this.#hold === 'none') return;
    this.#hold = 'none';
    this.#fault = null;
    this.#keep({ boot: this.#kept.boot, cut: false });
  }

  async #start(signal: AbortSignal, unseen: boolean): Promise<void> {
    const { note, proc, site, wish } = this.#p;
    const { services } = site().plan;
    const why = this.#hold === 'cut' ? 'somebody can be reached again' : 'no other node was seen to have taken over';
    if (unseen)
      this.#alert(
        'let-on-unseen',
        `The PBX here is started although neither the location nor the other node could be asked for ${durationWords(wish().withinMs)}: should the other node have taken over meanwhile, two are active.`,
      );
    else note('services.let-on', 'info', `${why}: the PBX here is let on`);
    const run = this.#run(signal);
    const query = services.query.length > 0 ? await runAll(proc, services.query, run) : null;
    const end = query?.why === null ? query : await runAll(proc, services.start, run);
    if (signal.aborted) return;
    if (end.why !== null) return this.#failed(`The PBX here could not be let on: ${end.why}`);
    const faults = await this.#keepFromMachine(run);
    if (signal.aborted) return;
    this.#hold = 'none';
    this.#isStopped = false;
    this.#fault = null;
    this.#keep({ boot: this.#p.bootId, cut: false });
    const done = query?.why === null ? 'the PBX here runs already' : 'the PBX here was started';
    note('services.are-on', faults.length > 0 ? 'warning' : 'info', [done, ...faults].join('; '));
  }

  async #stop(signal: AbortSignal): Promise<void> {
    const { proc, site, clock, wish } = this.#p;
    if (this.#hold !== 'cut') {
      const after = durationWords(wish().selfFenceMs ?? 0);
      this.#alert(
        'self-fence',
        `Neither the location nor the other node was reached for ${after}: the PBX here is stopped (selfFence.after), and let on again once one of them answers.`,
      );
      // Before the effect: whoever starts in the middle goes on here, and does not serve.
      this.#hold = 'cut';
      this.#heldAt = clock.now();
      this.#keep({ boot: this.#p.bootId, cut: true });
    }
    const { why } = await runAll(proc, site().plan.services.stop, this.#run(signal));
    if (signal.aborted) return;
    if (why !== null) return this.#failed(`This node is cut off, and its PBX could not be stopped: ${why}`);
    this.#isStopped = true;
    this.#fault = null;
    this.#p.note('self-fence.done', 'warning', 'the PBX here was stopped');
  }

  #failed(sentence: string): void {
    this.#notBefore = this.#p.clock.now() + againAfterMs;
    if (this.#fault === null) this.#alert('not-let-on', `${sentence}.`);
    else this.#p.note('not-let-on', 'warning', sentence);
    this.#fault = `${sentence}.`;
  }

  #alert(name: string, text: string): void {
    this.#p.note(name, 'alert', text);
    this.#p.tell({ key: name, severity: 'alert', text });
  }

  /** The machine must not start it before Estepe has looked. */
  async #keepFromMachine({ cwd, timeoutMs, runToken, signal }: SiteCommandsRun): Promise<string[]> {
    const { site, proc, store } = this.#p;
    const { boot, letOn } = site().plan.services;
    if (!boot || letOn !== 'estepe') return [];
    return (await setBoot({ proc, store }, boot, 'off', { cwd, timeoutMs, runToken, signal })).faults;
  }

  #run(signal: AbortSignal): SiteCommandsRun {
    const { services, scriptsFolder: cwd, fqdn, newAddress } = this.#p.site().plan;
    const env = { ESTEPE_FQDN: fqdn, ESTEPE_NEW_ADDRESS: newAddress };
    const { timeoutMs } = services;
    return { cwd, env, timeoutMs, runToken: `let-on-${randomBytes(6).toString('hex')}`, signal };
  }

  #keep(now: z.infer<typeof remembered>): void {
    const { boot, cut } = this.#kept;
    if (boot === now.boot && cut === now.cut) return;
    this.#kept = now;
    try {
      this.#p.store.remember(key, now);
    } catch {
      // a disk that cannot be written now: at worst it is looked at once more after the next start
    }
  }
}

/** This life of the machine. Without the kernel's own id: when it began, to ten minutes, which a corrected clock may move. */
export function bootIdHere(now: number): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return `since ${Math.round((now - uptime() * 1000) / 600_000)}`;
  }
}

/** What estepe.yaml wants of it. */
export function letOnWish({ services, selfFence }: Config): ReturnType<LetOnParts['wish']> {
  return { by: services.letOn, withinMs: services.letOnWithin, selfFenceMs: selfFence.after ?? null };
}

export const latest = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b);
