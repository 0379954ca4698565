/** The side of a pairing where the code is typed. Must not know what is kept of it. */
import type { z } from 'zod';
import { callTimeoutMs } from './asking.ts';
import { type Call, CallFault, call, placeText } from './call.ts';
import { type Pledge, proofOf, readCode, sameProof } from './code.ts';
import type { LinkHooks } from './hooks.ts';
import { linkFormat, pairBegunSchema, pairProvenSchema, refusalSchema } from './messages.ts';
import { type Proven, whyNoPair } from './pairing.ts';

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
  if ('why' in read) throw new CallFault('broken', `This is not the code: ${read.why}.`);
  const self = hooks.self();
  const place = placeText(to);
  const common = { clock: hooks.clock, identity, to, timeoutMs: callTimeoutMs, signal };
  const joinerNonce = hooks.random.hex(32);
  const begin = { format: linkFormat, nonce: joinerNonce, ...self };
  const begun = await call({ ...common, pin: null, path: '/pair/begin', body: begin });
  if (begun.status === 401 || refusalSchema.safeParse(begun.data).data?.refused === 'no-pairing') {
    const what = `No pairing is open on ${place}: open one on the other node first (\`estepe pair open\`).`;
    throw new CallFault('broken', what);
  }
  const { fingerprint } = begun;
  const other = answered(pairBegunSchema, begun, place);
  const why = whyNoPair(self, other);
  if (why !== null) throw new CallFault('broken', why);
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
  throw new CallFault('broken', what);
}
