/** The side of a pairing where the code is typed. Must not know what is kept of it. */
import type { z } from 'zod';
import type { PairRefusal } from '../contract/peer.ts';
import { callTimeoutMs } from './asking.ts';
import { type Call, CallFault, call, placeText } from './call.ts';
import { type Pledge, proofOf, readCode, sameProof } from './code.ts';
import type { LinkHooks } from './hooks.ts';
import { linkFormat, pairBegunSchema, pairProvenSchema, type Refusal, refusalSchema } from './messages.ts';
import { type Proven, whyNoPair } from './pairing.ts';

/** Why nothing was paired, for programs as well. */
export class PairFault extends CallFault {
  readonly why: PairRefusal;
  constructor(why: PairRefusal, sentence: string) {
    super('broken', sentence);
    this.why = why;
  }
}

/** Why nothing was paired; of a request that failed on its way what can be told of it. */
export function refusalOf(error: unknown): PairRefusal {
  if (error instanceof PairFault) return error.why;
  return error instanceof CallFault && (error.kind === 'nobody' || error.kind === 'silent') ? 'not-reached' : 'other';
}

/**
 * Proves to the node at `to` that this one knows the code, and has it prove the same.
 * @returns whom to pin; nothing is kept yet, here or there
 * @throws CallFault with a sentence: wrong code, no pairing open there, another pair, somebody in between
 */
export async function join(
  hooks: Pick<LinkHooks, 'clock' | 'random' | 'self'>,
  { identity, to }: Pick<Call, 'identity' | 'to'>,
  typed: string,
  signal: AbortSignal,
): Promise<Proven> {
  const read = readCode(typed);
  if ('why' in read) throw new PairFault('unreadable', `This is not the code: ${read.why}.`);
  const self = hooks.self();
  const place = placeText(to);
  const common = { clock: hooks.clock, identity, to, timeoutMs: callTimeoutMs, signal };
  const joinerNonce = hooks.random.hex(32);
  const begin = { format: linkFormat, nonce: joinerNonce, ...self };
  const begun = await call({ ...common, pin: null, path: '/pair/begin', body: begin });
  if (begun.status === 401 || refusalSchema.safeParse(begun.data).data?.refused === 'no-pairing') {
    const what = `No pairing is open on ${place}: open one on the other node first (\`estepe pair open\`).`;
    throw new PairFault('not-open', what);
  }
  const { fingerprint } = begun;
  const other = answered(pairBegunSchema, begun, place);
  const why = whyNoPair(self, other);
  if (why !== null) throw new PairFault('other-pair', why);
  if (fingerprint === identity.fingerprint) {
    const what = `The node on ${place} has the same certificate as this one: it is this node itself, or its data folder was copied.`;
    throw new CallFault('stranger', what);
  }
  const pledge: Pledge = {
    joinerFingerprint: identity.fingerprint,
    openerFingerprint: fingerprint,
    joinerNonce,
    openerNonce: other.nonce,
    pair: self.pair,
    fqdn: self.fqdn,
    joinerPlace: self.place,
    openerPlace: other.place,
  };
  const body = { session: other.session, proof: proofOf('joiner', read.code, pledge) };
  const proven = await call({ ...common, pin: fingerprint, path: '/pair/prove', body });
  const { proof } = answered(pairProvenSchema, proven, place);
  if (!sameProof(proof, proofOf('opener', read.code, pledge))) {
    const what = `What answers on ${place} does not know the code: somebody stands between the two nodes. Nothing was paired.`;
    throw new CallFault('stranger', what);
  }
  return { fingerprint, place: other.place };
}

function answered<T>(schema: z.ZodType<T>, { status, data }: { status: number; data: unknown }, place: string): T {
  const read = schema.safeParse(data);
  if (status === 200 && read.success) return read.data;
  const refusal = refusalSchema.safeParse(data).data;
  const what =
    refusal?.sentence ?? `What ${place} answers is not understood (status ${status}); are both of one version?`;
  const reasons: Partial<Record<Refusal['refused'], PairRefusal>> = {
    'wrong-code': 'wrong',
    'not-this-pair': 'other-pair',
  };
  throw new PairFault((refusal && reasons[refusal.refused]) ?? 'other', what);
}
