/**
 * What this node tells the other one and hears of it, put together from the configuration: its own word, the other's, claims and who
 * keeps them. Wires; decides nothing.
 */
import { pairWord } from '../backup/names.ts';
import type { Means } from '../backup/work-of-config.ts';
import { type Config, otherPlaceOf, ownTarget, toTests } from '../config/schema.ts';
import type { Snapshot } from '../contract/snapshot.ts';
import type { Role } from '../contract/words.ts';
import type { Round, Word } from '../engine/observation.ts';
import type { Claims, ClaimsSeen, Clock, Net, Proc, Random, Store } from '../engine/ports.ts';
import type { Board } from '../peer/board.ts';
import { EtcdKeeper } from '../peer/etcd-keeper.ts';
import type { Keeper, KeptFor } from '../peer/keeper.ts';
import { LocationKeeper } from '../peer/location-keeper.ts';
import { SharedClaims } from '../peer/shared-claims.ts';
import { Witness } from '../peer/witness.ts';
import { type Channel, Heard, type NodeWord, wordFormat } from '../peer/word.ts';
import { boardOf } from './board.ts';
import type { Engine, Site } from './engine.ts';
import { SelfTests } from './self-tests.ts';
import { ServiceLook } from './service-look.ts';

export interface OtherNodeParts {
  clock: Clock;
  store: Store;
  net: Net;
  proc: Proc;
  random: Random;
  means: Means;
  version: string;
  config: () => Config;
  site: () => Site;
  engine: () => Engine;
  /** the newest backup that is known here */
  newestBackup: () => NodeWord['backup'];
  note: (rule: string, severity: 'info' | 'warning', sentence: string) => void;
  /** the other node has a backup that was not heard of before */
  onBackupNews: () => void;
  /** what was heard or seen is news for the engine */
  onNews: () => void;
}

/** Folder in the location that belongs to words and claims of one pair. */
export const witnessFolder = (pair: string): string => `estepe-${pairWord(pair)}`;

interface Opened {
  board: Board | null;
  keepers: readonly Keeper[];
}

export class OtherNode {
  readonly claims: Claims;
  readonly #heard = new Heard();
  /** name of the newest backup that was heard of */
  #backupHeard: string | null = null;
  readonly #p: OtherNodeParts;
  readonly #witness: Witness;
  readonly #self: SelfTests;
  readonly #services: ServiceLook;
  #role: Role | null = null;
  /** random: a life that was left does not come back */
  readonly #life: string;
  #seq = 0;
  #opened: Opened | null = null;

  constructor(parts: OtherNodeParts) {
    this.#p = parts;
    const { clock, store, net, random } = parts;
    const { node, policy } = parts.site();
    this.#life = random.hex(16);
    this.#self = new SelfTests({ clock, net }, this.#ownWatched(), policy, () => {});
    this.#services = new ServiceLook({ clock, random, proc: parts.proc, site: parts.site });
    this.#witness = new Witness({
      clock,
      store,
      node,
      isConfigured: () => parts.config().backup !== null || parts.config().promotion.claim.etcd !== null,
      board: () => this.#open().board,
      keepers: () => this.#open().keepers,
      folder: () => witnessFolder(parts.config().pair.name),
      reader: () => {
        const { pair } = parts.config();
        return { pair: pair.name, fqdn: pair.fqdn, place: ownTarget(parts.config()).address };
      },
      otherPlace: () => otherPlaceOf(parts.config()),
      ownWord: () => this.ownWord(),
      hear: (word) => this.hear('location', word),
      forget: () => this.forget('location'),
      everyMs: () => parts.site().policy.intervalMs,
      around: () => {
        const { runner, interpreter } = parts.engine();
        const { role, epoch } = interpreter.standing;
        return { role, epoch, isOpen: runner.isOpen, openEpoch: runner.isOpen ? (runner.record?.epoch ?? null) : null };
      },
      onNews: parts.onNews,
      note: parts.note,
    });
    this.claims = new SharedClaims({
      clock,
      store,
      node,
      keepers: () => this.#open().keepers,
      seen: () => this.#witness.seen,
    });
  }

  word(): Word | null {
    return this.#heard.newest(this.#p.clock.now());
  }

  /** Monotonic time at which those who keep claims answered last; null: not in this life. */
  claimsSeenAt(): number | null {
    return this.#witness.goodAt;
  }

  claimsSeen(): ClaimsSeen {
    return this.#witness.claims();
  }

  /** A word that came in, new or not. */
  hear(via: Channel, word: NodeWord): void {
    const { clock, onNews, onBackupNews } = this.#p;
    if (!this.#heard.hear(via, word, clock.now())) return;
    const name = word.backup?.name ?? null;
    if (name !== null && name !== this.#backupHeard) onBackupNews();
    this.#backupHeard = name;
    onNews();
  }

  /** That channel is no longer listened to. */
  forget(via: Channel): void {
    this.#heard.forget(via);
  }

  /** What the other node says of itself, as heard last; null: nothing yet. */
  saidByOther(): NodeWord | null {
    return this.#heard.newestWord()?.word ?? null;
  }

  troubles(): Snapshot['troubles'] {
    const { unreadable } = this.#witness;
    if (unreadable === null) return [];
    const todo = 'Look which two nodes share that folder, and which Estepe runs on the other one.';
    return [{ key: 'word-unreadable', sentence: `${unreadable}.`, todo }];
  }

  /** What this node says of itself now; each one is newer than the one before. */
  ownWord(): NodeWord {
    const { clock, version, config, site, engine, newestBackup } = this.#p;
    const { pair } = config();
    const { interpreter } = engine();
    this.#seq += 1;
    const { role, epoch } = interpreter.standing;
    const round = this.#self.round();
    return {
      format: wordFormat,
      pair: pair.name,
      fqdn: pair.fqdn,
      node: site().node,
      place: ownTarget(config()).address,
      role,
      epoch,
      seq: this.#seq,
      life: this.#life,
      at: Math.round(clock.wall()),
      phase: interpreter.state.phase,
      healthy: this.#self.healthy(),
      tests: (round?.beats ?? []).map(({ test, outcome, evidence }) => ({ id: test, outcome, evidence })),
      services: this.#services.state,
      intervalMs: site().policy.intervalMs,
      version,
      backup: newestBackup(),
    };
  }

  /** The newest round of this node's tests of itself; null: none that speaks of now. */
  ownRound(): Round | null {
    return this.#self.round();
  }

  start(): void {
    this.#services.start();
    this.changed();
    this.#witness.start();
  }

  /** Something of the engine changed: who is active tests itself, and what is being proven is looked at more often. */
  changed(): void {
    const { interpreter } = this.#p.engine();
    const { role } = interpreter.standing;
    this.#self.run(role === 'active');
    if (role !== this.#role) this.#services.again();
    this.#role = role;
    this.#witness.hurry(interpreter.cadence() === 'confirming');
  }

  reconfigured(): void {
    void this.#opened?.board?.close();
    this.#opened = null;
    this.#self.reconfigure(this.#ownWatched(), this.#p.site().policy);
    this.#witness.reconfigured();
  }

  close(): void {
    this.#witness.close();
    this.#self.close();
    this.#services.stop();
    void this.#opened?.board?.close();
  }

  #ownWatched() {
    const config = this.#p.config();
    return { target: ownTarget(config), tests: toTests(config), references: [] };
  }

  /** Opened once for a configuration. @throws EstepeError of a secret that is missing: tried anew each time */
  #open(): Opened {
    if (this.#opened !== null) return this.#opened;
    const { config, means } = this.#p;
    const { pair, backup, promotion } = config();
    const keptFor: KeptFor = { pair: pair.name, fqdn: pair.fqdn };
    const keepers: Keeper[] = [];
    let board: Board | null = null;
    if (backup !== null) {
      board = boardOf(means.open(backup.location));
      keepers.push(new LocationKeeper(board, witnessFolder(pair.name), keptFor));
    }
    if (promotion.claim.etcd !== null) {
      const { endpoints, user = null, password, prefix, timeout: timeoutMs } = promotion.claim.etcd;
      const secret = password === undefined ? null : means.secretOf(password);
      const own = `${prefix}/${pairWord(pair.name)}`;
      keepers.push(new EtcdKeeper({ endpoints, user, password: secret, prefix: own, timeoutMs }, keptFor));
    }
    this.#opened = { board, keepers };
    return this.#opened;
  }
}
