/** One call to a provider's interface: bounded, cut off by the signal, its answer read as text. Must not know what is asked. */
import { setTimeout as pause } from 'node:timers/promises';
import { codeOf, wordsOf } from '../../heartbeat/evidence.ts';

export interface Call {
  method: 'GET' | 'POST' | 'PATCH';
  url: URL;
  headers: Readonly<Record<string, string>>;
  body?: string;
}

export type CallEnd =
  | { how: 'answered'; status: number; text: string; retryAfterMs: number | null }
  /** `lost`: whether it was heard is not known */
  | { how: 'lost' | 'unreachable' | 'cancelled'; why: string };

const callMs = 15_000;
const maxBytes = 1024 * 1024;

/** Nothing was heard where the connection did not come about. */
const unreachable = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'],
  ...['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'ERR_TLS_CERT_ALTNAME_INVALID'],
]);

/** RFC 9110 §10.2.3: seconds, or a date. */
function retryAfter(value: string | null): number | null {
  if (value === null) return null;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}

async function bodyOf(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body ?? []) {
    size += piece.length;
    if (size > maxBytes) throw new Error('the answer is larger than it can have to be');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** Never rejects. */
export async function call({ method, url, headers, body }: Call, signal: AbortSignal): Promise<CallEnd> {
  const late = AbortSignal.timeout(callMs);
  try {
    const response = await fetch(url, {
      ...{ method, headers },
      ...(body === undefined ? {} : { body }),
      // what proves who we are is for this host alone
      redirect: 'error',
      signal: AbortSignal.any([signal, late]),
    });
    const text = await bodyOf(response);
    return {
      how: 'answered',
      status: response.status,
      text,
      retryAfterMs: retryAfter(response.headers.get('retry-after')),
    };
  } catch (error) {
    if (signal.aborted) return { how: 'cancelled', why: 'cancelled' };
    if (late.aborted) return { how: 'lost', why: `${url.host} did not answer within ${callMs / 1000} s` };
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const code = codeOf(cause);
    return { how: unreachable.has(code) ? 'unreachable' : 'lost', why: `${url.host}: ${code || wordsOf(cause)}` };
  }
}

/**
 * As `call`; where it is told to wait (429, 503), it does so, for at most `patienceMs` in all. What only reads is asked once more when
 * its answer is lost: a connection that was kept may have been cut while it was idle.
 */
export async function callPatiently(asked: () => Call, signal: AbortSignal, patienceMs: number): Promise<CallEnd> {
  const end = performance.now() + patienceMs;
  for (let tries = 1; ; tries += 1) {
    const question = asked();
    const answer = await call(question, signal);
    if (answer.how === 'lost' && question.method === 'GET' && tries === 1) continue;
    if (answer.how !== 'answered' || (answer.status !== 429 && answer.status !== 503)) return answer;
    const waitMs = answer.retryAfterMs ?? 2_000;
    if (performance.now() + waitMs > end) return answer;
    await pause(waitMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return { how: 'cancelled', why: 'cancelled' };
  }
}
