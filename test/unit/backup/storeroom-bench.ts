/** Two nodes of a pair, each with its storeroom on a real data folder; one real folder as location; time wound by hand. */
import { writeFileSync } from 'node:fs';
import type { StoreroomParts } from '../../../src-main/backup/storeroom/parts.ts';
import { Storeroom } from '../../../src-main/backup/storeroom.ts';
import { meansOf } from '../../../src-main/backup/work-of-config.ts';
import { openDataFolder } from '../../../src-main/config/data-folder.ts';
import type { Config } from '../../../src-main/config/schema.ts';
import { checkText } from '../../../src-main/config/text.ts';
import type { BackupKind } from '../../../src-main/contract/backups.ts';
import type { EventView } from '../../../src-main/contract/snapshot.ts';
import type { Role } from '../../../src-main/contract/words.ts';
import { openHistory } from '../../../src-main/history/history.ts';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';
import { until } from '../../peers/fixtures/until.ts';
import { Clockwork } from '../clockwork.ts';
import { Bench } from './workbench.ts';

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

/** Sections of estepe.yaml that are put in place of the usual ones. */
export interface Sections {
  backup?: string;
  restore?: string;
}

export class Pair {
  readonly bench = new Bench();
  readonly work = new Clockwork();
  readonly #nodes: Node[] = [];

  constructor() {
    this.bench.make('pbx', 'conf');
    writeFileSync(this.bench.at('pbx', 'conf', 'sip.conf'), 'first');
    this.bench.make('here');
  }

  /** What the PBX of the active has in its folder. */
  write(text: string): void {
    writeFileSync(this.bench.at('pbx', 'conf', 'sip.conf'), text);
  }

  node(role: Role, sections: Sections = {}): Node {
    const node = new Node(this, role, sections);
    this.#nodes.push(node);
    return node;
  }

  /** Lets simulated time pass. While something is under way for real none passes, but for its pauses between attempts. */
  async pass(ms: number): Promise<void> {
    const { time } = this.work;
    const end = time.now + ms;
    for (let at = time.next(); at !== null && at <= end; at = time.next()) {
      time.step();
      await this.work.settle();
      for (const node of this.#nodes) await node.quiet();
    }
    time.now = end;
  }

  async end(): Promise<void> {
    for (const node of this.#nodes) await node.close();
    this.bench[Symbol.dispose]();
  }
}

export class Node {
  readonly #pair: Pair;
  readonly folder;
  readonly told: { key: string; text: string }[] = [];
  role: Role;
  runbook = false;
  config: Config;
  room: Storeroom;
  #history;
  #open = false;
  /** since it was last seen quiet */
  #changed = true;

  constructor(pair: Pair, role: Role, sections: Sections) {
    this.#pair = pair;
    this.role = role;
    this.folder = openDataFolder(pair.bench.at(`data-${role}`));
    this.config = this.configured(sections);
    this.#history = this.#openHistory();
    this.room = this.#storeroom();
  }

  configured({ backup = '', restore = '' }: Sections): Config {
    const { bench } = this.#pair;
    const checked = checkText(`role: ${this.role}
pair: { name: head-office, fqdn: pbx.example.com, active: 192.0.2.1, passive: 192.0.2.2, profile: generic }
services: { start: [[ start-pbx ]] }
promotion: { mode: manual }
backup:
  location: { kind: local, folder: ${bench.at('nas')} }
${backup.includes('source:') ? '' : `  source: { folders: [ ${bench.at('pbx')} ] }`}
  timeZone: Europe/Madrid
${backup}
restore:
  into: [ { from: ${bench.at('pbx')}, to: ${bench.at('here', 'pbx')} } ]
  timeZone: Europe/Madrid
${restore}
`);
    if (!checked.ok) throw new Error(checked.problems.map(({ wrong }) => wrong).join('; '));
    return checked.config;
  }

  #openHistory() {
    this.#open = true;
    return openHistory(this.folder.db, { wall: () => this.#pair.work.time.wall() });
  }

  #storeroom(): Storeroom {
    let tokens = 0;
    const clock = this.#pair.work.clock;
    const parts: StoreroomParts = {
      clock,
      proc: new RealProc(),
      random: {
        hex: (bytes) => {
          tokens += 1;
          return tokens.toString(16).padStart(2 * bytes, '0');
        },
      },
      store: this.#history,
      restores: this.#history.restores,
      folder: this.folder,
      means: meansOf(this.folder, clock),
      config: () => this.config,
      around: {
        standing: () => ({ role: this.role, epoch: 0 }),
        runbookOpen: () => this.runbook,
        moment: () => ({ phase: 'watching', verdict: null }),
      },
      clean: (text) => text,
      tell: ({ key, text }) => void this.told.push({ key, text }),
      onChange: () => {
        this.#changed = true;
      },
      onData: () => {},
      patience: { attempts: 2, firstPauseMs: 1000, longestPauseMs: 1000 },
    };
    return new Storeroom(parts);
  }

  /** Ready, and nothing under way. */
  async start(): Promise<this> {
    this.room.start();
    await this.#pair.work.settle();
    await this.quiet();
    return this;
  }

  /** Nothing is under way, or what is waits for its next attempt; and the list is read. */
  async quiet(): Promise<void> {
    // The view is dear: over days of ticks it is looked at only where something changed.
    if (!this.#open || !this.#changed) return;
    const quiet = (): boolean => {
      const { work, listing } = this.room.view();
      return (work === null || work.setback !== '') && !listing;
    };
    // Most of it is over sooner than `until` looks a second time.
    for (let turns = 200; turns > 0 && !quiet(); turns -= 1) await this.#pair.work.settle();
    await until('nothing is under way', quiet);
    this.#changed = this.room.view().work !== null;
  }

  /** Oldest first: rules of what happened, without orders. */
  rules(...kinds: string[]): string[] {
    return this.events().flatMap(({ rule }) => (kinds.length === 0 || kinds.includes(rule) ? [rule] : []));
  }

  events(): EventView[] {
    return this.#history.events({ limit: 1000 }).reverse();
  }

  last(kind: BackupKind) {
    return this.room.view().last[kind];
  }

  /** As an earlier life left it that died in the middle of that. */
  cutOff(begun: { kind: BackupKind; by: string; name: string | null }): void {
    const kept = this.#history.recall('storeroom');
    this.#history.remember('storeroom', { ...(kept as object), begun });
  }

  get restores() {
    return this.#history.restores;
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.room.close();
    this.#history.close();
  }

  /** An orderly end, and the next start. */
  async reborn(): Promise<void> {
    await this.close();
    this.#history = this.#openHistory();
    this.room = this.#storeroom();
    await this.start();
  }
}

export const hereFile = (pair: Pair): string => pair.bench.at('here', 'pbx', 'conf', 'sip.conf');
