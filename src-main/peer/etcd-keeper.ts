/**
 * Claims in an etcd of the site: a transaction that puts a key only where it was never created (etcd v3 API, KV.Txn with
 * `create_revision = 0`; JSON gateway, https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/). Every address is a member of one
 * cluster: the first that answers speaks for all.
 */
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import type { ClaimAnswer } from '../engine/ports.ts';
import { type Claimed, type Keeper, type KeptFor, readClaim, writeClaim } from './keeper.ts';

export interface EtcdSettings {
  endpoints: readonly string[];
  user: string | null;
  password: string | null;
  /** what its keys begin with, the pair's name included */
  prefix: string;
  /** for one address to answer, ms */
  timeoutMs: number;
}

interface Answer {
  succeeded?: boolean;
  token?: string;
  kvs?: { key: string; value: string }[];
  responses?: { response_range?: { kvs?: { value: string }[] } }[];
  error?: string;
  message?: string;
}

const coded = (text: string): string => Buffer.from(text).toString('base64');
const decoded = (text: string): string => Buffer.from(text, 'base64').toString();
/** Larger than any answer to what is asked here. */
const maxAnswer = 4 * 1024 * 1024;

export class EtcdKeeper implements Keeper {
  readonly title: string;
  readonly #settings: EtcdSettings;
  readonly #for: KeptFor;
  #token: string | null = null;

  constructor(settings: EtcdSettings, keptFor: KeptFor) {
    this.#settings = settings;
    this.#for = keptFor;
    this.title = `etcd at ${settings.endpoints.map((one) => new URL(one).host).join(', ')}`;
  }

  async claim(epoch: number, owner: string, signal: AbortSignal): Promise<ClaimAnswer> {
    const text = writeClaim(this.#for, epoch, owner);
    const key = this.#key(epoch);
    const answer = await this.#create(key, text, signal);
    if (answer.succeeded === true) return { won: true, owner };
    const [kept] = answer.responses?.[0]?.response_range?.kvs ?? [];
    const there = kept === undefined ? '' : decoded(kept.value);
    // An answer that was lost: asked again, it is known by its text.
    if (there === text) return { won: true, owner };
    return { won: false, owner: this.#ownerIn(there, epoch) };
  }

  async claims(signal: AbortSignal): Promise<Claimed[]> {
    const prefix = `${this.#settings.prefix}/epoch-`;
    // All keys from the prefix to the one behind its last possible.
    const answer = await this.#ask('/v3/kv/range', { key: coded(prefix), range_end: coded(after(prefix)) }, signal);
    const withdrawn = new Set<number>();
    const found: { epoch: number; text: string }[] = [];
    for (const { key, value } of answer.kvs ?? []) {
      const [, epoch, taken] = /^([1-9][0-9]{0,14})(-withdrawn)?$/.exec(decoded(key).slice(prefix.length)) ?? [];
      if (epoch === undefined) continue;
      if (taken === undefined) found.push({ epoch: Number(epoch), text: decoded(value) });
      else withdrawn.add(Number(epoch));
    }
    return found.map(({ epoch, text }) => ({
      epoch,
      owner: this.#ownerIn(text, epoch),
      withdrawn: withdrawn.has(epoch),
    }));
  }

  async withdraw(epoch: number, owner: string, signal: AbortSignal): Promise<void> {
    await this.#create(`${this.#key(epoch)}-withdrawn`, writeClaim(this.#for, epoch, owner), signal);
  }

  #key(epoch: number): string {
    return `${this.#settings.prefix}/epoch-${epoch}`;
  }

  #ownerIn(text: string, epoch: number): string {
    const read = readClaim(text, this.#for, epoch);
    if ('owner' in read) return read.owner;
    throw this.#fault(
      `${this.#key(epoch)} says nothing of this pair's epochs: ${read.why}`,
      'give this pair another `promotion.claim.etcd.prefix`',
    );
  }

  #create(key: string, text: string, signal: AbortSignal): Promise<Answer> {
    const range = { request_range: { key: coded(key) } };
    return this.#ask(
      '/v3/kv/txn',
      {
        compare: [{ key: coded(key), target: 'CREATE', result: 'EQUAL', create_revision: '0' }],
        success: [{ request_put: { key: coded(key), value: coded(text) } }],
        failure: [range],
      },
      signal,
    );
  }

  async #ask(path: string, body: unknown, signal: AbortSignal): Promise<Answer> {
    const { user } = this.#settings;
    if (user !== null && this.#token === null) await this.#logIn(signal);
    const first = await this.#post(path, body, signal);
    if (first.status === 200) return first.answer;
    // Tokens run out, and a restarted cluster knows none of the old ones.
    if (user !== null && (first.status === 401 || /token/i.test(wordsOf(first.answer)))) {
      await this.#logIn(signal);
      const second = await this.#post(path, body, signal);
      if (second.status === 200) return second.answer;
      throw this.#refused(second);
    }
    throw this.#refused(first);
  }

  async #logIn(signal: AbortSignal): Promise<void> {
    const { user: name, password } = this.#settings;
    const end = await this.#post('/v3/auth/authenticate', { name, password }, signal, false);
    const { token } = end.answer;
    if (end.status !== 200 || token === undefined) {
      throw this.#fault(
        `it does not let in the user ${name}: ${wordsOf(end.answer)}`,
        'look at `promotion.claim.etcd.user` and the secret of its password',
      );
    }
    this.#token = token;
  }

  /** The first address that answers at all; a member that is out of order (5xx) has not answered. */
  async #post(path: string, body: unknown, signal: AbortSignal, withToken = true) {
    const { endpoints, timeoutMs } = this.#settings;
    const trouble: string[] = [];
    for (const endpoint of endpoints) {
      const limit = AbortSignal.timeout(timeoutMs);
      try {
        const response = await fetch(new URL(path, endpoint), {
          method: 'POST',
          redirect: 'error',
          headers: {
            'content-type': 'application/json',
            ...(withToken && this.#token !== null ? { authorization: this.#token } : {}),
          },
          body: JSON.stringify(body),
          signal: AbortSignal.any([signal, limit]),
        });
        const text = await response.text();
        if (text.length > maxAnswer) throw new Error('its answer is too large');
        const answer = readAnswer(text);
        if (response.status < 500 || isAnswer(answer)) return { status: response.status, answer };
        trouble.push(`${new URL(endpoint).host}: ${response.status} ${wordsOf(answer)}`);
      } catch (error) {
        if (signal.aborted) throw this.#fault('it was not waited for any longer', 'try again');
        const why = limit.aborted ? `no answer within ${timeoutMs / 1000} s` : reasonOf(error);
        trouble.push(`${new URL(endpoint).host}: ${why}`);
      }
    }
    throw this.#fault(trouble.join('; '), 'look whether etcd runs and is reached from here');
  }

  #refused({ status, answer }: { status: number; answer: Answer }): EstepeError {
    return this.#fault(
      `it refuses: ${status} ${wordsOf(answer)}`,
      "look into etcd's log, and at the rights of the user",
    );
  }

  #fault(what: string, todo: string): EstepeError {
    return new EstepeError('location', `${this.title}: ${what}.`, todo);
  }
}

/** The least text that is behind all which begin so. */
const after = (prefix: string): string =>
  prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);

function readAnswer(text: string): Answer {
  try {
    const data: unknown = JSON.parse(text);
    return typeof data === 'object' && data !== null ? data : {};
  } catch {
    return { message: text.slice(0, 200) };
  }
}

/** Only where a credential is wrong does etcd answer a well-formed question with 5xx (gRPC code 2 and others). */
const isAnswer = (answer: Answer): boolean => /auth|token|permission|password|user name/i.test(wordsOf(answer));
const wordsOf = ({ message, error }: Answer): string => message ?? error ?? 'no reason given';
/** fetch hides what happened in its cause. */
const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? ('code' in cause ? String(cause.code) : '') || cause.message : sentenceOf(error);
};
