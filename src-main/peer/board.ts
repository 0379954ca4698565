/**
 * The place that both nodes reach, as words and claims need it: small texts under names. The location of the backups carries it; must
 * not know which kind that is.
 */
export interface Board {
  /** as people know it, without secrets */
  readonly title: string;
  /** Puts a text there, in place of an older one; nobody ever reads half of it. Throws EstepeError. */
  put(name: string, text: string, signal: AbortSignal): Promise<void>;
  /** The text of that name; null when there is none. Throws EstepeError, also for one that is too large to be a word or a claim. */
  get(name: string, signal: AbortSignal): Promise<string | null>;
  /** All names that begin so. Throws EstepeError. */
  list(prefix: string, signal: AbortSignal): Promise<string[]>;
  /** Exclusive creation: true when it is ours now, false when it was there. The same text again is true again. Throws EstepeError. */
  createExclusive(name: string, text: string, signal: AbortSignal): Promise<boolean>;
  /** Lets go of connections. Never throws. */
  close(): Promise<void>;
}
