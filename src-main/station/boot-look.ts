/**
 * Looks, now and then, whether the PBX of a node that is not active would start with the machine. Says it as a trouble; sets
 * nothing. Asked at the start, with a new configuration, and whenever the standing changes.
 */
import { randomBytes } from 'node:crypto';
import type { Snapshot } from '../contract/snapshot.ts';
import type { Role } from '../contract/words.ts';
import type { Clock, Proc } from '../engine/ports.ts';
import { serviceStates } from '../runbook/service-states.ts';

type Trouble = Snapshot['troubles'][number];

export interface BootLookParts {
  clock: Pick<Clock, 'now'>;
  proc: Proc;
  /** names and patterns of the PBX's services; none: nothing is asked */
  names: () => readonly string[];
  role: () => Role;
  /** who starts the PBX of the active node */
  letOn: () => 'machine' | 'estepe';
  platform: NodeJS.Platform;
  cwd: string;
  onChange: () => void;
}

const timeoutMs = 20_000;
/** Looked at again: soon where somebody may be mending it, else an installation may have set it meanwhile. */
const mendedMs = 60_000;
const againMs = 3600_000;

export class BootLook {
  readonly #p: BootLookParts;
  #starting: readonly string[] = [];
  #asked = '';
  #askedAt = 0;
  #control: AbortController | null = null;

  constructor(parts: BootLookParts) {
    this.#p = parts;
  }

  /** To be called whenever role or names may have changed; asks only where they have. */
  look(): void {
    const { names, role, letOn } = this.#p;
    const key = JSON.stringify([role(), names(), letOn()]);
    const same = key === this.#asked;
    const now = this.#p.clock.now();
    if (same && now - this.#askedAt < (this.#starting.length > 0 ? mendedMs : againMs)) return;
    this.#asked = key;
    this.#askedAt = now;
    this.#control?.abort();
    if (!same) this.#starting = [];
    if (this.#isMeant || names().length === 0) return;
    const control = new AbortController();
    this.#control = control;
    void this.#ask(control.signal);
  }

  troubles(): Trouble[] {
    if (this.#starting.length === 0 || this.#isMeant) return [];
    const list = this.#starting.join(', ');
    return [
      {
        key: 'starts-at-boot',
        sentence:
          this.#p.role() === 'active'
            ? `The PBX here starts with the machine (${list}), and not only once Estepe has looked (services.letOn): after a reboot two could answer.`
            : `This node is not the active one, and its PBX starts with the machine (${list}): after a reboot two would answer.`,
        todo:
          this.#p.platform === 'win32'
            ? 'Set the start-up type of these services to Manual; a takeover sets it to Automatic again.'
            : `Run \`systemctl disable ${this.#starting.join(' ')}\`; a takeover enables them again.`,
      },
    ];
  }

  /** The machine may start it. */
  get #isMeant(): boolean {
    return this.#p.role() === 'active' && this.#p.letOn() === 'machine';
  }

  close(): void {
    this.#control?.abort();
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const { proc, names, platform, cwd, onChange } = this.#p;
    const runToken = `boot-${randomBytes(6).toString('hex')}`;
    const { services } = await serviceStates(proc, { names: names(), platform, timeoutMs, cwd, runToken, signal });
    if (signal.aborted) return;
    const before = this.#starting.length;
    this.#starting = services.flatMap(({ name, boot }) => (boot === 'automatic' || boot === 'delayed' ? [name] : []));
    if (this.#starting.length !== before) onChange();
  }
}
