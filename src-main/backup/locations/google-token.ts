/**
 * A service account's key, and the access tokens that it buys: a signed JWT for a bearer token (RFC 7523), as Google's "OAuth 2.0 for
 * server to server applications" has it. Must not know what the token is for.
 */
import { createPrivateKey, createSign, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { locationFault, type Place } from './faults.ts';
import type { HttpLine } from './http-line.ts';

const scope = 'https://www.googleapis.com/auth/devstorage.read_write';
const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** The longest that Google takes. */
const lifetimeS = 3600;
/** A token this near to its end is not used any more. */
const sparedMs = 120_000;
const anew = 'write the JSON key of the service account anew with `estepe secret set NAME`';

const keyFile = z.object({
  type: z.literal('service_account'),
  client_email: z.string().min(3),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
  token_uri: z.url({ protocol: /^https?$/ }).default('https://oauth2.googleapis.com/token'),
});

export interface ServiceKey {
  email: string;
  key: KeyObject;
  keyId: string | null;
  tokenUrl: URL;
}

/**
 * The secret's JSON, as Google's console gives it.
 * @throws LocationError `credentials`
 */
export function serviceKeyOf(secret: string, place: Place): ServiceKey {
  try {
    const { client_email, private_key, private_key_id = null, token_uri } = keyFile.parse(JSON.parse(secret));
    return {
      email: client_email,
      key: createPrivateKey(private_key),
      keyId: private_key_id,
      tokenUrl: new URL(token_uri),
    };
  } catch {
    // No cause: it would hold pieces of the key.
    throw locationFault(place, 'credentials', "the secret is no service account's JSON key", anew);
  }
}

const tokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });
const refusal = z.object({ error: z.string(), error_description: z.string().optional() });

export class GoogleToken {
  readonly #key: ServiceKey;
  readonly #line: HttpLine;
  readonly #place: Place;
  readonly #now: () => number;
  #token: { text: string; until: number } | null = null;

  /** @param now wall clock */
  constructor(key: ServiceKey, line: HttpLine, place: Place, now: () => number) {
    this.#key = key;
    this.#line = line;
    this.#place = place;
    this.#now = now;
  }

  /** The next one is asked for anew. */
  forget(): void {
    this.#token = null;
  }

  /** @throws LocationError */
  async text(signal: AbortSignal): Promise<string> {
    if (this.#token !== null && this.#now() < this.#token.until - sparedMs) return this.#token.text;
    const body = new URLSearchParams({ grant_type: grant, assertion: this.#assertion() });
    const question = {
      method: 'POST',
      url: this.#key.tokenUrl,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: Buffer.from(body.toString()),
    };
    const answer = await this.#line.ask(question, { signal }, 'the login');
    const said = await jsonOf(answer.body);
    const token = tokenAnswer.safeParse(said);
    if (answer.status === 200 && token.success) {
      this.#token = { text: token.data.access_token, until: this.#now() + token.data.expires_in * 1000 };
      return token.data.access_token;
    }
    if (answer.status === 429 || answer.status >= 500) {
      throw locationFault(this.#place, 'busy', `the login: the service asks to wait (HTTP ${answer.status})`);
    }
    const refused = refusal.safeParse(said);
    const words = refused.success ? (refused.data.error_description ?? refused.data.error) : `HTTP ${answer.status}`;
    const isLate = /timeframe|iat|exp\b/i.test(words);
    const todo = isLate ? "set this machine's clock right" : anew;
    throw locationFault(this.#place, 'credentials', `the service account's key is refused: ${words}`, todo);
  }

  #assertion(): string {
    const { email, key, keyId, tokenUrl } = this.#key;
    const iat = Math.floor(this.#now() / 1000);
    const header = { alg: 'RS256', typ: 'JWT', ...(keyId === null ? {} : { kid: keyId }) };
    const claims = { iss: email, scope, aud: tokenUrl.href, iat, exp: iat + lifetimeS };
    const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`;
  }
}

/** What an answer says; null where it is no JSON. */
export async function jsonOf(body: AsyncIterable<Buffer | string>): Promise<unknown> {
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(Buffer.from(piece));
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8'));
  } catch {
    return null;
  }
}
