/** Who keeps the claims of epochs where both nodes see them. Each kind has a file of its own. */
import { z } from 'zod';
import type { ClaimAnswer, RunbookRecord } from '../engine/ports.ts';

/** One claim as its keeper shows it. */
export interface Claimed {
  epoch: number;
  owner: string;
  /** its owner took the promotion back: it counts for numbering only */
  withdrawn: boolean;
}

export interface Keeper {
  /** as people know it, without secrets */
  readonly title: string;
  /** Exclusive creation; the same owner again is won again. Throws EstepeError: nothing is known then. */
  claim(epoch: number, owner: string, signal: AbortSignal): Promise<ClaimAnswer>;
  /** All claims, in no order. Throws EstepeError. */
  claims(signal: AbortSignal): Promise<Claimed[]>;
  /** Says for good that this node does not go live under an epoch that it owns. Throws EstepeError. */
  withdraw(epoch: number, owner: string, signal: AbortSignal): Promise<void>;
}

/** Whose epochs: a claim of another pair is no answer to anything here. */
export interface KeptFor {
  pair: string;
  fqdn: string;
}

const claimSchema = z.object({
  format: z.literal(1),
  pair: z.string(),
  fqdn: z.string(),
  epoch: z.int().min(1),
  owner: z.string().min(1).max(1000),
});

/** The same text for the same claim, always: by it a claim is known again. */
export function writeClaim({ pair, fqdn }: KeptFor, epoch: number, owner: string): string {
  return `${JSON.stringify({ format: 1, pair, fqdn, epoch, owner })}\n`;
}

/** The owner that a claim's text names, or a sentence why it is none of this pair's. Never throws. */
export function readClaim(text: string, { pair }: KeptFor, epoch: number): { owner: string } | { why: string } {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return { why: 'it is no claim of Estepe' };
  }
  const claim = claimSchema.safeParse(data).data;
  if (!claim || claim.epoch !== epoch) return { why: 'it is no claim of Estepe' };
  if (claim.pair !== pair) return { why: `it is of another pair, \`${claim.pair}\`` };
  return { owner: claim.owner };
}

/** An owner is a node's name, `#`, and what is unique to one of its runbooks. */
export const isOwner = (node: string, owner: string): boolean => owner.startsWith(`${node}#`);

/** The owner that a runbook claims as; the same over a restart. */
export const ownerOf = (node: string, { startedAt, id }: Pick<RunbookRecord, 'startedAt' | 'id'>): string =>
  `${node}#${startedAt}-${id}`;
