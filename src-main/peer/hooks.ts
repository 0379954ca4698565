/** What the peer link is told by the engine around it, and what it tells. Types only. */
import type { CallsSeen, ParityFacts } from '../contract/parity.ts';
import type { Severity } from '../contract/words.ts';
import type { Clock, Random } from '../engine/ports.ts';
import type { NodeWord, Reader } from './word.ts';

export interface StandDownEnd {
  accepted: boolean;
  sentence: string;
}

/** What became of a backup that the other node asked for. */
export interface BackupMade {
  /** null: there is none, and `sentence` says why */
  made: { name: string; createdAt: number; verified: boolean } | null;
  sentence: string;
}

export interface LinkHooks {
  clock: Clock;
  random: Random;
  /** random, hexadecimal, one for each start of the engine */
  life: string;
  /** Estepe's */
  version: string;
  /** who this node is, by the configuration as it is now */
  self(): Reader;
  /** between two exchanges of words */
  intervalMs(): number;
  /** a new word each time */
  ownWord(): NodeWord;
  onWord(word: NodeWord): void;
  /**
   * `standing`: under which this node stands, as the active one or not; `highest`: it knows of anywhere; `open`: the lowest before which a
   * takeover that is open here gives way, 0 where none is
   */
  epochs(): { standing: number; highest: number; active: boolean; open: number };
  /** Resolves when this node HAS stood down, or will not. Asked again for the same epoch only after it has answered. */
  onStandDown(epoch: number, because: string): Promise<StandDownEnd>;
  /** Why no backup is made here for the other node; null: it may ask. `epoch`: under which it says that this one stood down. */
  whyNoBackup(epoch: number | null): string | null;
  /** Makes one; resolves when it is made and read back, or why not. `onProgress` is told how far it is. */
  onBackup(epoch: number | null, because: string, onProgress: (sentence: string) => void): Promise<BackupMade>;
  facts(): Promise<ParityFacts>;
  /** how many calls are active here */
  calls(): Promise<CallsSeen>;
  /** the other node is no longer paired: what it said is forgotten */
  onUnpaired(): void;
  note(severity: Severity, rule: string, reason: string): void;
  onFault(error: unknown): void;
  /** something that clients may see changed */
  onChange(): void;
}
