/** What one node tells of itself so that the two can be compared: a spare that differs may not stand in. */
import { z } from 'zod';

export const parityFactsSchema = z.object({
  /** as node names it (`linux`, `win32`) and its release */
  os: z.object({ name: z.string().max(40), release: z.string().max(100) }),
  arch: z.string().max(40),
  hostname: z.string().max(255),
  profile: z.string().max(40),
  /** null: nobody could tell */
  pbxVersion: z.string().max(100).nullable(),
  /** what its own web test met; null: no web test, or no TLS there */
  webCertificate: z.object({ fingerprint: z.string().max(100), notAfter: z.number() }).nullable(),
  /** what its tests look at, such as `sip udp 5060` */
  ports: z.array(z.string().max(100)).max(64),
  /** names of the PBX's services as configured */
  services: z.array(z.string().max(200)).max(64),
  estepeVersion: z.string().max(60),
  /** its wall clock when it was asked, ms */
  wall: z.number(),
  /** bytes free where its data folder lies; null: nobody could tell */
  freeBytes: z.number().nullable(),
});
export type ParityFacts = z.infer<typeof parityFactsSchema>;

/** How many calls are active on a node, as its PBX says. */
export const callsSeenSchema = z.object({
  /** null: it cannot be told, and `sentence` says why */
  count: z.number().int().nonnegative().nullable(),
  sentence: z.string().max(500),
});
export type CallsSeen = z.infer<typeof callsSeenSchema>;
