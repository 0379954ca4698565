/** What a resolver other than this machine's own answers for a name. */
import { promises } from 'node:dns';
import { isIPv6 } from 'node:net';
import { codeOf, oneLine, wordsOf } from '../../heartbeat/evidence.ts';
import type { LookUp } from '../../heartbeat/look-up.ts';
import type { Answer } from './names.ts';

const timeoutMs = 2_500;
const lookUpMs = 3_000;

/** Never rejects. @param wants which addresses are asked for: those of the pair's family */
export async function askResolver(
  lookUp: LookUp,
  server: { host: string; port: number },
  name: string,
  wants: 4 | 6,
  signal: AbortSignal,
): Promise<Answer> {
  const who = `the resolver ${server.host}${server.port === 53 ? '' : `:${server.port}`}`;
  const nothing = (why: string): Answer => ({ who, addresses: null, ttlS: null, why });
  const found = await lookUp.find(server.host, lookUpMs, signal);
  if (found.how !== 'found') return nothing(found.how === 'failed' ? found.why : 'cancelled');
  const address = found.addresses[0]?.address ?? server.host;
  const resolver = new promises.Resolver({ timeout: timeoutMs, tries: 2 });
  const stop = (): void => resolver.cancel();
  signal.addEventListener('abort', stop, { once: true });
  try {
    resolver.setServers([`${isIPv6(address) ? `[${address}]` : address}:${server.port}`]);
    const records = await (wants === 6
      ? resolver.resolve6(name, { ttl: true })
      : resolver.resolve4(name, { ttl: true }));
    const ttls = records.map(({ ttl }) => ttl);
    return {
      who,
      addresses: records.map((record) => record.address),
      ttlS: ttls.length ? Math.max(...ttls) : null,
      why: null,
    };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENODATA' || code === 'ENOTFOUND') return { who, addresses: [], ttlS: null, why: null };
    return nothing(code || oneLine(wordsOf(error), 100));
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
