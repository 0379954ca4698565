/** What the tests of DNS switching share: the real `Dns` over secrets of their own, and a record to be switched. */
import type { DnsContext, DnsRecord, DnsWay } from '../../../src-main/engine/ports.ts';
import { RealDns } from '../../../src-main/runbook/dns/real-dns.ts';
import { RealFiles } from '../../../src-main/runbook/real-files.ts';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';

export const change = { from: '192.0.2.1', to: '192.0.2.2' };
export const back = { from: change.to, to: change.from };

export function dnsOf(
  secrets: Readonly<Record<string, string>>,
  nameServerPort: number,
  scriptsFolder = '/nowhere',
  /** how far our clock is off, milliseconds */
  offMs = 0,
): RealDns {
  return new RealDns({
    clock: { wall: () => Date.now() + offMs },
    proc: new RealProc(),
    files: new RealFiles(scriptsFolder),
    scriptsFolder,
    secretOf: (name) => {
      const secret = secrets[name];
      if (secret === undefined) throw new Error(`The secret ${name} does not exist.`);
      return secret;
    },
    hide: () => {},
    nameServerPort,
  });
}

export function recordOf(way: DnsWay, more: Partial<DnsRecord> = {}): DnsRecord {
  return { name: 'pbx.example.test', zone: 'example.test', ttlS: 60, servers: [], withinMs: 10_000, way, ...more };
}

export const contextOf = (more: Partial<DnsContext> = {}): DnsContext => ({
  ...{ signal: new AbortController().signal, epoch: 4, step: 'switch-dns', attempt: 1 },
  ...{ reason: 'the active is down', runToken: 'token' },
  ...more,
});
