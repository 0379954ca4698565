/** The port of every channel: one letter, sent once. Knows nothing of when, how often and whether. */
import type { ChannelName } from '../contract/notify.ts';
import type { Severity } from '../contract/words.ts';
import type { Fault } from './policy.ts';

/** One message in a letter. */
export interface Item {
  id: number;
  key: string;
  severity: Severity;
  text: string;
  /** wall clock at which it was told */
  at: number;
}

/** Who writes. */
export interface Sender {
  pair: string;
  fqdn: string;
  /** of this node */
  address: string;
}

/** What goes out at once: mostly one message; those that came together otherwise. */
export interface Letter {
  /** the same at each attempt: whoever gets it twice can see that */
  id: string;
  sender: Sender;
  items: readonly Item[];
  test: boolean;
}

/** What became of one attempt. `sent` only where the other end has said that it took it. */
export type SendEnd =
  | { how: 'sent'; said: string }
  /** `reached`: those of several recipients who have it; they are left out next time */
  | {
      how: 'failed';
      said: string;
      todo: string;
      fault: Fault;
      reached?: readonly string[];
      /** as the other end asked, ms */
      waitMs?: number;
    };

export interface Channel {
  readonly name: ChannelName;
  /** where it leads, for people; never with a secret */
  readonly target: string;
  /** one attempt, ms */
  readonly timeoutMs: number;
  /** a message that is older helps nobody there, ms */
  readonly maxAgeMs: number;
  /**
   * One attempt. Never rejects, and ends soon after `signal` is aborted; whatever it then answers counts no more.
   * @param reached recipients who have this letter already
   */
  send(letter: Letter, how: { signal: AbortSignal; reached: readonly string[] }): Promise<SendEnd>;
}
