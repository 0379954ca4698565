/**
 * Finds this machine's default gateways. Linux tells them in /proc/net (RFC-free, see the kernel's net/ipv4/fib_trie.c and
 * net/ipv6/route.c for the columns), Windows through `route print`.
 */
import { readFile } from 'node:fs/promises';
import type { Proc } from '../engine/ports.ts';

/** RTF_UP | RTF_GATEWAY */
const upAndGateway = 0x3;

/** The gateway of the best default route in the text of /proc/net/route, or null. */
export function gatewayIn(procNetRoute: string): string | null {
  let best: { address: string; metric: number } | null = null;
  for (const line of procNetRoute.split('\n').slice(1)) {
    const [, destination, gateway = '', flags = '', , , metric, mask] = line.trim().split(/\s+/);
    if (destination !== '00000000' || mask !== '00000000' || !/^[0-9A-F]{8}$/i.test(gateway)) continue;
    if ((Number.parseInt(flags, 16) & upAndGateway) !== upAndGateway) continue;
    // the kernel prints the four bytes as one number of the machine's own order: little endian on all we run on
    const address = [...Buffer.from(gateway, 'hex')].reverse().join('.');
    if (best === null || Number(metric) < best.metric) best = { address, metric: Number(metric) };
  }
  return best?.address ?? null;
}

/** The same for /proc/net/ipv6_route; a link-local gateway carries its interface (`fe80::1%eth0`). */
export function gatewayIn6(procNetIpv6Route: string): string | null {
  let best: { address: string; metric: number } | null = null;
  for (const line of procNetIpv6Route.split('\n')) {
    const [to, length, , , next = '', metric = '', , , flags = '', device = ''] = line.trim().split(/\s+/);
    if (!/^0{32}$/.test(to ?? '') || length !== '00' || !/^[0-9a-f]{32}$/.test(next) || /^0+$/.test(next)) continue;
    if ((Number.parseInt(flags, 16) & upAndGateway) !== upAndGateway) continue;
    const text = (next.match(/.{4}/g) ?? []).map((group) => group.replace(/^0{1,3}/, '')).join(':');
    const address = /^fe[89ab]/.test(next) ? `${text}%${device}` : text;
    const cost = Number.parseInt(metric, 16);
    if (best === null || cost < best.metric) best = { address, metric: cost };
  }
  return best?.address ?? null;
}

/** The gateway in what `route print -4 0.0.0.0` says; the words differ by language, the columns do not. */
export function gatewayInRoutePrint(output: string): string | null {
  let best: { address: string; metric: number } | null = null;
  const row = /^\s*0\.0\.0\.0\s+0\.0\.0\.0\s+(\d+\.\d+\.\d+\.\d+)\s+\d+\.\d+\.\d+\.\d+\s+(\d+)\s*$/gm;
  for (const [, address = '', metric] of output.matchAll(row)) {
    if (best === null || Number(metric) < best.metric) best = { address, metric: Number(metric) };
  }
  return best?.address ?? null;
}

/**
 * This machine's default gateways, at most one of each family; empty when there is none.
 * @throws what the system says when its routes cannot be read
 */
export async function defaultGateways(
  proc: Proc,
  timeoutMs: number,
  runToken: string,
  signal: AbortSignal,
): Promise<string[]> {
  if (process.platform === 'linux') {
    const v4 = await readFile('/proc/net/route', 'latin1');
    // absent where IPv6 is switched off
    const v6 = await readFile('/proc/net/ipv6_route', 'latin1').catch(() => '');
    return [gatewayIn(v4), gatewayIn6(v6)].filter((address) => address !== null);
  }
  if (process.platform === 'win32') {
    const argv = ['route', 'print', '-4', '0.0.0.0'];
    const result = await proc.run({ argv, cwd: process.cwd(), env: {}, timeoutMs, runToken, signal });
    if (result.end.how !== 'exit') throw new Error(`route print ended by ${result.end.how}`);
    const address = gatewayInRoutePrint(result.output);
    return address === null ? [] : [address];
  }
  throw new Error(`the gateway of ${process.platform} cannot be found out; name it: ping:ADDRESS`);
}
