/**
 * What the doctor looks at on this site: each look gathers facts through the ports and hands them to a judge. Gathers; judges nothing.
 */
import type { Beat, TestSpec } from '../../engine/ports.ts';
import type { CertificateView } from '../../heartbeat/certificate.ts';
import { targetText } from '../site.ts';
import { judgeAddresses } from './addresses.ts';
import { judgeFirewall, judgeLink, judgeReferences } from './around.ts';
import { judgeCertificates, type WebMet } from './certificates.ts';
import type { Look } from './examine.ts';
import { machineLooks } from './machine-looks.ts';
import { nameLooks } from './name-looks.ts';
import { judgeActivePorts, judgePassivePorts, type Met } from './ports.ts';
import { type DoctorParts, lookUpMs, once, type Shared, sharedOf } from './shared.ts';
import { storageLooks } from './storage-looks.ts';

/** Over a test's own time-out: it ends by itself, and only a fault of ours makes it last. */
const graceMs = 5_000;

export function looksOf(parts: DoctorParts, signal: AbortSignal): Look[] {
  const shared = sharedOf(parts, signal);
  return [...netLooks(shared), ...nameLooks(shared), ...machineLooks(shared), ...storageLooks(shared)];
}

function netLooks({ parts, site, ends, addresses, signal }: Shared): Look[] {
  const { net } = parts;
  const { tests, references } = site.watched;
  const probeAll = (address: string): (() => Promise<Met[]>) =>
    once(() =>
      Promise.all(
        tests.map(async (test): Promise<Met> => {
          const beat = await net.probe(test, { address, fqdn: ends.fqdn }, signal);
          return { test, beat, target: targetText(test, address) };
        }),
      ),
    );
  const [active, passive] = [probeAll(ends.active), probeAll(ends.passive)];
  const slowest = Math.max(1_000, ...tests.map(({ timeoutMs }) => timeoutMs)) + graceMs;
  const referenceMs = Math.max(1_000, ...references.map(({ timeoutMs }) => timeoutMs)) + graceMs;
  const view = parts.peer?.view() ?? null;
  return [
    {
      ...{ area: 'addresses', what: "the pair's addresses", withinMs: 3 * lookUpMs },
      run: async () => judgeAddresses(await addresses(), ends),
    },
    {
      ...{ area: 'ports', what: 'the ports of the active node', withinMs: slowest },
      run: async () => judgeActivePorts(await active(), ends),
    },
    {
      ...{ area: 'ports', what: 'the ports of the passive node', withinMs: slowest, promotion: true },
      run: async () =>
        judgePassivePorts(
          (await passive()).filter(({ test }) => test.kind !== 'command'),
          ends,
        ),
    },
    {
      ...{ area: 'certificate', what: 'the certificates', withinMs: slowest },
      run: async () => judgeCertificates(webOf(await active()), webOf(await passive()), ends),
    },
    {
      ...{ area: 'references', what: 'the references', withinMs: referenceMs, promotion: true },
      run: async (own) => judgeReferences(await Promise.all(references.map((spec) => net.reference(spec, own)))),
    },
    { ...{ area: 'link', what: 'the link', withinMs: graceMs, promotion: true }, run: async () => judgeLink(view) },
    { ...{ area: 'firewall', what: 'the firewalls', withinMs: graceMs }, run: async () => judgeFirewall(view, ends) },
  ];
}

function webOf(met: readonly Met[]): WebMet | null {
  const web = met.find(({ test }: { test: TestSpec }) => test.kind === 'web');
  if (web === undefined) return null;
  const { evidence, outcome, there } = web.beat;
  return { certificate: certificateOf(web.beat), evidence, off: outcome === 'dead' && there !== true };
}

function certificateOf({ detail }: Beat): CertificateView | null {
  const met = detail?.certificate;
  return typeof met === 'object' && met !== null ? (met as CertificateView) : null;
}
