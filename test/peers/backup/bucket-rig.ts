/** A location in a bucket with a real server behind it, for the contract that all kinds keep. */
import type { Location } from '../../../src-main/backup/location.ts';
import { type LocationConfig, openLocation } from '../../../src-main/backup/locations/open.ts';
import { cuttingWire } from '../fixtures/cutting-wire.ts';
import { disks } from '../fixtures/file-server.ts';
import { buckets, type Keys, type ObjectStore } from '../fixtures/object-store.ts';
import { newName, type Reach, type Rig, usualNeeds } from './rig.ts';

export interface At {
  endpoint: string;
  bucket: string;
  folder: string;
  /** of the keys */
  id: string;
}

export interface BucketKind {
  store: ObjectStore;
  config: (at: At) => LocationConfig;
  /** the secret behind `key` */
  secretOf: (keys: Keys, endpoint: string) => string;
  /** see Rig */
  inside: (bucket: string, folder: string) => Promise<string[]>;
  begunBytes: number;
}

/** The contract's disks are buckets here. */
const bucketOf: Readonly<Record<string, string>> = { [disks.small]: buckets.small, [disks.readOnly]: buckets.readOnly };

function split(folder: string): { bucket: string; folder: string } {
  const [first = '', ...rest] = folder.split('/');
  const bucket = bucketOf[first];
  return bucket === undefined ? { bucket: buckets.backups, folder } : { bucket, folder: rest.join('/') };
}

export async function bucketRig({ store, config, secretOf, inside, begunBytes }: BucketKind): Promise<Rig> {
  const wire = await cuttingWire([store.port]);
  const opened: Location[] = [];
  return {
    server: store,
    wire,
    home: '',
    begunBytes,
    inside: (folder) => {
      const at = split(folder);
      return inside(at.bucket, at.folder);
    },
    open: (reach: Reach = {}) => {
      const endpoint = `http://${reach.wired === true ? wire.address : '127.0.0.1'}:${reach.port ?? store.port}`;
      const at = split(reach.folder ?? newName());
      const keys = at.bucket === buckets.readOnly ? store.reader : store.owner;
      const id = reach.user ?? keys.id;
      const secret = secretOf({ id, secret: reach.password ?? keys.secret }, endpoint);
      const needs = { ...usualNeeds(reach), secretOf: () => secret, ...reach.needs };
      const location = openLocation(config({ endpoint, ...at, id }), needs);
      opened.push(location);
      return location;
    },
    stop: async () => {
      for (const location of opened) await location.close();
      await wire.close();
      await store.stop();
    },
  };
}
