/** An active node's folders, a location, and a spare with a history of its own: backups made there, restored here. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Location } from '../../../src-main/backup/location.ts';
import { openLocation } from '../../../src-main/backup/locations/open.ts';
import { type BackupWork, makeBackup } from '../../../src-main/backup/make-backup.ts';
import { planRestore } from '../../../src-main/backup/plan-restore.ts';
import type { Proof } from '../../../src-main/backup/proof.ts';
import { type RestoreHere, recoverRestore } from '../../../src-main/backup/recover-restore.ts';
import { type RestoreWork, restoreBackup } from '../../../src-main/backup/restore-backup.ts';
import type { SourceWork } from '../../../src-main/backup/sources/source.ts';
import type { Clock, Proc } from '../../../src-main/engine/ports.ts';
import { RealClock } from '../../../src-main/heartbeat/real-clock.ts';
import { type History, openHistory } from '../../../src-main/history/history.ts';
import type { Restores } from '../../../src-main/history/restores.ts';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';
import { Bench, picture } from './workbench.ts';

export const pair = { name: 'head-office', fqdn: 'pbx.example.com' };
export const firstWall = Date.UTC(2026, 10, 24, 1);
export const day = 86_400_000;

export interface RestoreWish extends Partial<Omit<RestoreWork, 'here' | 'running'>> {
  signal?: AbortSignal;
  here?: Partial<RestoreHere>;
  proc?: Proc;
}

export interface BackupWish extends Partial<Omit<BackupWork, 'source'>> {
  source?: Partial<SourceWork>;
}

export class Spare {
  readonly bench: Bench;
  readonly clock: Clock;
  readonly #real = new RealClock();
  #history: History | null = null;
  /** real durations; the wall clock is set by hand */
  wall = firstWall;
  proc: Proc = new RealProc({ graceMs: 200 });

  /** @param bench what an earlier life, or the parent of this process, left */
  constructor(bench = new Bench()) {
    this.bench = bench;
    const real = this.#real;
    this.clock = {
      now: () => real.now(),
      wall: () => this.wall,
      after: (ms, call) => real.after(ms, call),
      onGap: () => () => {},
    };
    mkdirSync(this.at('spool'), { recursive: true });
  }

  at(...names: string[]): string {
    return this.bench.at(...names);
  }

  get history(): History {
    this.#history ??= openHistory(this.at('estepe.db'), { wall: () => this.wall });
    return this.#history;
  }

  /** The active's data: `text` in every file. */
  write(text: string, side = 'active'): void {
    this.bench.make(side, 'data', 'voice');
    writeFileSync(this.at(side, 'data', 'sip.conf'), `${text} sip`);
    writeFileSync(this.at(side, 'data', 'voice', 'hello.wav'), text.repeat(20_000));
  }

  open(folder = this.at('nas')): Location {
    const needs = { clock: this.clock, secretOf: () => '', hostKeys: { pinned: () => null, pin: () => {} } };
    return openLocation({ kind: 'local', folder }, needs);
  }

  async backup({ source = {}, ...more }: BackupWish = {}): Promise<Proof> {
    const { clock, proc, bench } = this;
    const { proof } = await makeBackup({
      location: this.open(),
      about: { pair: pair.name, fqdn: pair.fqdn, node: '192.0.2.1', epoch: 0 },
      encryption: null,
      keep: 7,
      clock,
      source: {
        profile: 'generic',
        settings: { folders: [this.at('active', 'data')], password: null },
        running: { proc, runToken: 'backup', timeoutMs: 20_000, signal: bench.signal },
        clock,
        scratch: this.at('spool', 'backup'),
        scheduled: null,
        settleMs: 1,
        ...source,
      },
      ...more,
    });
    return proof;
  }

  get here(): RestoreHere {
    return {
      profile: 'generic',
      targets: new Map([[this.at('active', 'data'), this.at('here', 'data')]]),
      before: [],
      after: [],
      password: null,
      journal: this.at('spool', 'restore.json'),
      scratch: this.at('spool', 'restore'),
    };
  }

  #running(signal: AbortSignal, proc = this.proc) {
    return { proc, runToken: `restore-${process.pid}`, timeoutMs: 20_000, signal };
  }

  #work({ signal = this.bench.signal, here = {}, proc = this.proc, ...more }: RestoreWish): RestoreWork {
    return {
      location: this.open(),
      pair,
      name: null,
      force: true,
      by: 'test',
      role: 'passive',
      epoch: 0,
      here: { ...this.here, ...here },
      key: null,
      running: this.#running(signal, proc),
      clock: this.clock,
      history: this.history.restores,
      patience: { attempts: 3, firstPauseMs: 1, longestPauseMs: 1 },
      ...more,
    };
  }

  restore(wish: RestoreWish = {}) {
    return restoreBackup(this.#work(wish));
  }

  plan(wish: RestoreWish = {}) {
    const how = { clock: this.clock, signal: this.bench.signal };
    return planRestore(this.#work(wish), this.history.restores.restoredNow(), how);
  }

  recover(here: Partial<RestoreHere> = {}, history: Restores = this.history.restores) {
    return recoverRestore({
      here: { ...this.here, ...here },
      role: 'passive',
      running: this.#running(this.bench.signal),
      clock: this.clock,
      history,
    });
  }

  /** A folder's tree, as a restore must bring it back; its own time counts too. */
  tree(side: string): string[] {
    return picture(this.at(side, 'data'));
  }

  /** What is left beside what was restored. */
  leftovers(): string[] {
    const beside = readdirSync(this.at('here')).filter((name) => name !== 'data');
    return [...beside, ...readdirSync(this.at('spool')).filter((name) => name !== 'backup')];
  }

  inLocation(name: string): string {
    return join(this.at('nas'), name);
  }

  /** The same folder in a new life. */
  closeHistory(): void {
    this.#history?.close();
    this.#history = null;
  }

  [Symbol.dispose](): void {
    this.closeHistory();
    this.#real.close();
    this.bench[Symbol.dispose]();
  }
}
