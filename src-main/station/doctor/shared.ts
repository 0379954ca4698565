/** What all looks of one examination share: the ports, the site as it stands, and facts that are gathered once. */
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Means } from '../../backup/work-of-config.ts';
import type { DataFolder } from '../../config/data-folder.ts';
import type { Config } from '../../config/schema.ts';
import type { PeerView } from '../../contract/peer.ts';
import type { Role } from '../../contract/words.ts';
import type { Round } from '../../engine/observation.ts';
import type { Clock, Dns, Files, Net, Peer, Proc, Random } from '../../engine/ports.ts';
import { LookUp } from '../../heartbeat/look-up.ts';
import type { Site } from '../engine.ts';
import type { AddressFacts } from './addresses.ts';
import type { Ends } from './check.ts';

export interface DoctorParts {
  clock: Clock;
  net: Net;
  dns: Dns;
  files: Files;
  proc: Proc;
  random: Random;
  means: Means;
  folder: Pick<DataFolder, 'root' | 'scripts' | 'spool'>;
  version: string;
  config(): Config;
  site(): Site;
  /** by the standing; what the configuration says where there is none yet */
  role(): Role;
  /** this node's tests of itself; null: it does not test itself now */
  ownRound(): Round | null;
  /** null: no engine runs here, so nobody keeps the link */
  peer: (Pick<Peer, 'facts'> & { view(): PeerView }) | null;
  /** what stands restored here */
  restored(): { name: string; createdAt: number } | null;
  platform: NodeJS.Platform;
  /** of this process; null on Windows */
  uid: number | null;
  /** under which name the location is tried; absent: one that nobody else knows */
  trial?: string;
}

/** What the looks share: made once for all of them, by whoever needs it first. */
export interface Shared {
  parts: DoctorParts;
  config: Config;
  site: Site;
  ends: Ends;
  lookUp: LookUp;
  /** IPv4 or IPv6, as the pair's addresses are */
  family: 4 | 6;
  /** what the two configured addresses come to */
  addresses(): Promise<AddressFacts>;
  /** the other tests of one look must not wait for another's end: it ends with the whole examination */
  signal: AbortSignal;
}

export const lookUpMs = 5_000;

export function sharedOf(parts: DoctorParts, signal: AbortSignal): Shared {
  const [config, site] = [parts.config(), parts.site()];
  const own = site.plan.newAddress;
  const other = site.plan.oldAddress;
  const self = parts.role();
  const ends: Ends = {
    ...{ fqdn: config.pair.fqdn, profile: config.pair.profile, self },
    active: self === 'active' ? own : other,
    passive: self === 'active' ? other : own,
  };
  const lookUp = new LookUp();
  const found = async (address: string): Promise<string[] | null> => {
    const end = await lookUp.find(address, lookUpMs, signal);
    return end.how === 'found' ? end.addresses.map((one) => one.address) : null;
  };
  return {
    ...{ parts, config, site, ends, lookUp, signal },
    family: isIPv6(ends.active) ? 6 : 4,
    addresses: once(async () => ({
      active: await found(ends.active),
      passive: await found(ends.passive),
      here: Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address)),
    })),
  };
}

/** Made at the first call; the same for all. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}
