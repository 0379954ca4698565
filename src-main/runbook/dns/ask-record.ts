/** What one name server answers for a record, without recursion; signed where there is a key. */
import { randomInt } from 'node:crypto';
import { inWords } from '../../engine/duration.ts';
import { type Endpoint, place } from '../../heartbeat/evidence.ts';
import { type AskEnd, ask, type Reply } from './ask.ts';
import { addressIn, nameIn, plainName, queryBytes, rcodeName, rcodes, types } from './message.ts';
import { judgeSignature, signMessage, type TsigKey } from './tsig.ts';

/** What stands at a server. */
export type Standing =
  /** `addresses` is empty where there is no such record; an alias stands in it in words */
  | { how: 'stands'; addresses: readonly string[]; ttlS: number | null }
  /** `silent`: it did not answer. `key`: it does not let our key. `other`: what it answered does not count. */
  | { how: 'unclear'; kind: 'silent' | 'key' | 'other' | 'cancelled'; why: string };

/** A key, and the clock that signatures are made by. */
export interface Signer extends TsigKey {
  /** seconds since 1970 */
  nowS: () => number;
}

export interface RecordAsking {
  key: Signer | null;
  timeoutMs: number;
  signal: AbortSignal;
}

export const newId = (): number => randomInt(0x1_0000);

export type SignedEnd = Exclude<AskEnd, { how: 'answered' }> | SignedReply;
export interface SignedReply {
  how: 'answered';
  reply: Reply;
  /** false: anybody may have sent it. Always true where nothing was signed. */
  isTrusted: boolean;
  /** in words, what is wrong with key, signature or clock; null where nothing is */
  trouble: string | null;
}

/** Asks with a signature where there is a key, and says whether the reply is to be trusted. */
export async function askSigned(
  end: Endpoint,
  message: Buffer,
  key: Signer | null,
  asking: Parameters<typeof ask>[2],
): Promise<SignedEnd> {
  if (key === null) {
    const asked = await ask(end, message, asking);
    return asked.how === 'answered' ? { ...asked, isTrusted: true, trouble: null } : asked;
  }
  const { bytes, mac } = signMessage(message, key, key.nowS());
  const asked = await ask(end, bytes, asking);
  if (asked.how !== 'answered') return asked;
  const verdict = judgeSignature(asked.reply.message, asked.reply.bytes, key, mac, key.nowS());
  const said = { ...asked, isTrusted: false };
  switch (verdict.how) {
    case 'signed':
      return { ...said, isTrusted: true, trouble: null };
    case 'unsigned':
      return { ...said, trouble: null };
    case 'bad-key':
      return {
        ...said,
        trouble: `it does not know the key ${key.name} (BADKEY), or knows it with another algorithm than ${key.algorithm}`,
      };
    case 'bad-signature':
      return { ...said, trouble: `the secret of the key ${key.name} is not the one it has (BADSIG)` };
    case 'bad-time':
      return { ...said, trouble: clockWords(verdict.aheadS) };
    case 'wrong':
      return { ...said, trouble: `its reply cannot be trusted: ${verdict.why}` };
  }
}

/** BADTIME: which way the clock of this machine is off, as that server sees it. */
function clockWords(aheadS: number | null): string {
  if (aheadS === null) return 'it says that the clock of this machine is off (BADTIME): set it by a time server';
  const way = aheadS > 0 ? 'ahead of' : 'behind';
  return `the clock of this machine is ${inWords(Math.abs(aheadS) * 1000)} ${way} its own (BADTIME, at most 5 min are let pass): set it by a time server`;
}

function addressesIn(reply: Reply, name: string, type: number): { addresses: string[]; ttlS: number | null } {
  const own = reply.message.answers.filter((record) => record.name === plainName(name));
  const alias = own.find((record) => record.type === types.CNAME);
  const records = alias ? [alias] : own.filter((record) => record.type === type);
  const addresses = records.map((record) => addressIn(record) ?? `an alias of ${nameIn(record)}`);
  return { addresses: addresses.sort(), ttlS: records[0]?.ttl ?? null };
}

/** Never rejects. */
export async function askRecord(end: Endpoint, name: string, type: number, asking: RecordAsking): Promise<Standing> {
  const { key, timeoutMs, signal } = asking;
  const asked = await askSigned(end, queryBytes(newId(), name, type), key, { timeoutMs, signal, resend: true });
  if (asked.how === 'cancelled') return { how: 'unclear', kind: 'cancelled', why: asked.why };
  if (asked.how !== 'answered') return { how: 'unclear', kind: 'silent', why: asked.why };
  const { reply, trouble, isTrusted } = asked;
  const unclear = (kind: 'key' | 'other', why: string): Standing => ({ how: 'unclear', kind, why });
  if (trouble !== null) return unclear('key', trouble);
  const { rcode, isAuthoritative } = reply.message;
  if (rcode !== rcodes.noError && rcode !== rcodes.nxDomain) return unclear('other', `answers ${rcodeName(rcode)}`);
  if (!isTrusted) return unclear('other', 'its answer is not signed');
  if (!isAuthoritative)
    return unclear('other', `answers without authority for it (${place(end)} does not serve the zone)`);
  return { how: 'stands', ...addressesIn(reply, name, type) };
}
