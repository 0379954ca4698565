/** The peer link as clients see it, and what they may ask of it. */
import { z } from 'zod';

/** What only the peer link brings; each without it is told on the page. */
export const peerGoods = ['stand-down', 'health-from-inside', 'standing', 'parity', 'backup-news'] as const;
export const peerGoodSchema = z.enum(peerGoods);
export type PeerGood = z.infer<typeof peerGoodSchema>;

/**
 * `off`: not configured. `unpaired`: configured, never paired. `pairing`: a code is shown here. `up`: the other node was heard
 * lately. `down`: paired, and not heard.
 */
export const peerStateSchema = z.enum(['off', 'unpaired', 'pairing', 'up', 'down']);
export type PeerLinkState = z.infer<typeof peerStateSchema>;

export const peerViewSchema = z.object({
  configured: z.boolean(),
  paired: z.boolean(),
  state: peerStateSchema,
  /** where this node listens for the other one; null: it does not */
  listening: z.string().nullable(),
  /** where the other one is looked for */
  address: z.string().nullable(),
  /** wall clock */
  lastHeardAt: z.number().nullable(),
  /** why the link does not do its work, in a sentence */
  trouble: z.string().nullable(),
  /** a pairing that is open here, or how the last one ended */
  pairing: z
    .discriminatedUnion('state', [
      z.object({ state: z.literal('open'), until: z.number(), triesLeft: z.number() }),
      z.object({ state: z.literal('ended'), paired: z.boolean(), sentence: z.string() }),
    ])
    .nullable(),
  unprotected: z.array(peerGoodSchema),
});
export type PeerView = z.infer<typeof peerViewSchema>;

/** A code that was made here; it is told once, and stands in no snapshot. */
export const pairCodeSchema = z.object({ code: z.string(), until: z.number() });
export type PairCode = z.infer<typeof pairCodeSchema>;

/**
 * Why a typed code paired nothing. `unreadable`: it is no code. `wrong`: it is another one. `not-open`: none is shown there, or no more.
 * `other-pair`: the two are no pair. `not-reached`: nobody answers there. `other`: see the sentence.
 */
export const pairRefusals = ['unreadable', 'wrong', 'not-open', 'other-pair', 'not-reached', 'other'] as const;
export type PairRefusal = (typeof pairRefusals)[number];

export const peerAnswerSchema = z.object({
  accepted: z.boolean(),
  sentence: z.string(),
  /** null where it was accepted */
  why: z.enum(pairRefusals).nullable(),
});
export type PeerAnswer = z.infer<typeof peerAnswerSchema>;

export const peerStatusSchema = peerViewSchema.extend({
  /** SHA-256 of this node's certificate, as people compare it; null while there is none */
  ownFingerprint: z.string().nullable(),
  /** the same of the node that was paired */
  otherFingerprint: z.string().nullable(),
  otherPlace: z.string().nullable(),
  pairedAt: z.number().nullable(),
});
export type PeerStatus = z.infer<typeof peerStatusSchema>;
