/** The facts by which the other node compares the two machines. */
import { statfs } from 'node:fs/promises';
import { arch, hostname, release } from 'node:os';
import { type Config, ownTarget, toTests } from '../config/schema.ts';
import type { ParityFacts } from '../contract/parity.ts';
import type { Round } from '../engine/observation.ts';
import type { Beat } from '../engine/ports.ts';
import { targetText } from './site.ts';

export interface FactParts {
  config: Config;
  /** this node's tests of itself; null: it does not test itself now */
  round: Round | null;
  pbxVersion: string | null;
  version: string;
  /** wall clock, ms */
  wall: number;
  /** whose disk is asked for its free space */
  dataFolder: string;
}

export async function parityFacts(parts: FactParts): Promise<ParityFacts> {
  const { config, round, pbxVersion, version, wall, dataFolder } = parts;
  const freeBytes = await statfs(dataFolder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => null,
  );
  const { address } = ownTarget(config);
  return {
    os: { name: process.platform, release: release().slice(0, 100) },
    arch: arch(),
    hostname: hostname().slice(0, 255),
    profile: config.pair.profile,
    pbxVersion,
    webCertificate: (round?.beats ?? []).map(certificateOf).find((met) => met !== null) ?? null,
    ports: toTests(config)
      .filter(({ kind }) => kind !== 'command')
      .map((test) => targetText(test, address).slice(0, 100)),
    services: config.services.names.slice(0, 64),
    estepeVersion: version,
    wall: Math.round(wall),
    freeBytes,
  };
}

function certificateOf({ detail }: Beat): ParityFacts['webCertificate'] {
  const met = detail?.certificate;
  if (typeof met !== 'object' || met === null) return null;
  const fingerprint = Reflect.get(met, 'fingerprint');
  const notAfter = Date.parse(String(Reflect.get(met, 'validTo')));
  return typeof fingerprint === 'string' && fingerprint !== '' && !Number.isNaN(notAfter)
    ? { fingerprint, notAfter }
    : null;
}
