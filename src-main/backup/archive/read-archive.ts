/**
 * Reads a whole archive: manifest, then every file against it. What it hands on is proven byte by byte; where it goes is the
 * caller's. Runs in the archive's worker.
 */
import { createHash } from 'node:crypto';
import { ArchiveError, asArchiveError } from './faults.ts';
import {
  type Change,
  changesName,
  entryNameOf,
  type FileItem,
  type Item,
  type Manifest,
  manifestName,
  maxManifestBytes,
  readChanges,
  readManifest,
} from './manifest.ts';
import { compareVersions } from './version.ts';
import { OpenZip, type ZipEntry } from './zip-file.ts';

/** What this node takes. */
export interface Expectation {
  pair: string;
  fqdn: string;
  /** null: nobody can tell which PBX is installed here */
  pbxVersion: string | null;
  /** bytes of all files together at most; null: whatever the archive's own size allows */
  maxBytes: number | null;
}

export interface Proven {
  manifest: Manifest;
  changes: Change[];
  files: number;
  /** of all files */
  bytes: number;
  /** false: one of the two versions is unknown, so nobody knows whether the PBX here takes it */
  versionCompared: boolean;
}

/** Where files go. Nothing: they are only proven. */
export interface Sink {
  /** what is to come, before the first of it; may refuse by throwing */
  begin(proven: Proven): Promise<void>;
  folder(item: Item): Promise<void>;
  link(item: Extract<Item, { kind: 'link' }>): Promise<void>;
  /** what `take` is given is written over once it has resolved */
  file(item: FileItem): Promise<{
    take(block: Buffer): void | Promise<void>;
    end(): Promise<void>;
    drop(): void | Promise<void>;
  }>;
}

/**
 * Whose it is, before anything else of it is looked at.
 * @returns false: one of the two versions is unknown
 * @throws ArchiveError `other-pair`, `other-fqdn`, `newer-version`
 */
export function checkOwner(
  manifest: Pick<Manifest, 'pair' | 'fqdn' | 'pbxVersion'>,
  { pair, fqdn, pbxVersion }: Expectation,
): boolean {
  if (manifest.pair !== pair) {
    throw new ArchiveError('other-pair', `It is of the pair ${manifest.pair}; this one is ${pair}.`);
  }
  if (manifest.fqdn.toLowerCase() !== fqdn.toLowerCase()) {
    throw new ArchiveError('other-fqdn', `It is of ${manifest.fqdn}; this pair is ${fqdn}.`);
  }
  const order =
    manifest.pbxVersion === null || pbxVersion === null ? null : compareVersions(manifest.pbxVersion, pbxVersion);
  if (order !== null && order > 0) {
    throw new ArchiveError(
      'newer-version',
      `It was made by version ${manifest.pbxVersion} of the PBX; here version ${pbxVersion} is installed.`,
    );
  }
  return order !== null;
}

async function textOf(zip: OpenZip, entry: ZipEntry): Promise<string> {
  if (entry.size > maxManifestBytes) throw new ArchiveError('bomb', `Its ${entry.name} is ${entry.size} bytes long.`);
  const text = Buffer.allocUnsafe(entry.size);
  let at = 0;
  await zip.unpack(entry, (block) => {
    at += block.copy(text, at);
  });
  return text.toString('utf8');
}

function checkSizes(manifest: Manifest, maxBytes: number | null): number {
  const bytes = manifest.items.reduce((sum, item) => sum + (item.kind === 'file' ? item.size : 0), 0);
  if (maxBytes !== null && bytes > maxBytes) {
    throw new ArchiveError('bomb', `It unpacks to ${bytes} bytes; at most ${maxBytes} are taken here.`);
  }
  return bytes;
}

/** The entries by name, each held against the manifest: none missing, none too many, of the kind and size it should be. */
function checkEntries(rest: readonly ZipEntry[], manifest: Manifest, changes: readonly Change[]) {
  const changed = new Map(changes.map((change) => [change.path, change]));
  const items = new Map(manifest.items.map((item) => [entryNameOf(item), item]));
  const paired: { entry: ZipEntry; item: Item }[] = [];
  for (const entry of rest) {
    const shown = entry.name.slice(0, 200);
    const item = items.get(entry.name);
    if (item === undefined) throw new ArchiveError('unsafe', `It holds what its manifest does not name: ${shown}.`);
    items.delete(entry.name);
    if (entry.kind !== item.kind) throw new ArchiveError('unsafe', `${shown} is a ${entry.kind}, not a ${item.kind}.`);
    if (item.kind !== 'file') {
      paired.push({ entry, item });
      continue;
    }
    const change = changed.get(item.path);
    const now = change?.how === 'changed' ? { ...item, size: change.size, sha256: change.sha256, changed: true } : item;
    if (change?.how === 'gone') {
      if (entry.size > 0) throw new ArchiveError('damaged', `${shown} should be empty.`);
      continue;
    }
    if (entry.size > now.size) throw new ArchiveError('bomb', `${shown} is larger than its manifest says.`);
    if (entry.size < now.size) throw new ArchiveError('damaged', `${shown} is smaller than its manifest says.`);
    paired.push({ entry, item: now });
  }
  const missing = items.keys().next().value;
  if (missing !== undefined) throw new ArchiveError('damaged', `${missing.slice(0, 200)} is missing in it.`);
  return paired;
}

async function oneFile(zip: OpenZip, entry: ZipEntry, item: FileItem, sink: Sink | null, tell: (n: number) => void) {
  const hash = createHash('sha256');
  const out = (await sink?.file(item)) ?? null;
  try {
    await zip.unpack(entry, (block) => {
      hash.update(block);
      tell(block.length);
      return out?.take(block);
    });
    if (hash.digest('hex') !== item.sha256) {
      throw new ArchiveError('damaged', `${item.path.slice(0, 200)} is not what it was: its hash is another one.`);
    }
    await out?.end();
  } catch (error) {
    await out?.drop();
    throw error;
  }
}

async function oneLink(zip: OpenZip, entry: ZipEntry, item: Extract<Item, { kind: 'link' }>, sink: Sink | null) {
  if ((await textOf(zip, entry)) !== item.target) {
    throw new ArchiveError('damaged', `${item.path.slice(0, 200)} points elsewhere than its manifest says.`);
  }
  await sink?.link(item);
}

async function readZip(zip: OpenZip, expect: Expectation, sink: Sink | null, tell: (n: number) => void) {
  const [first, ...others] = zip.entries;
  if (first === undefined || first.name !== manifestName || first.offset !== 0) {
    throw new ArchiveError('damaged', 'Its manifest is missing at its beginning.');
  }
  const manifest = readManifest(await textOf(zip, first), process.platform);
  const versionCompared = checkOwner(manifest, expect);
  const last = others.at(-1);
  const changes = last?.name === changesName ? readChanges(await textOf(zip, last)) : [];
  const paired = checkEntries(last?.name === changesName ? others.slice(0, -1) : others, manifest, changes);
  const bytes = checkSizes(manifest, expect.maxBytes);
  const files = paired.filter(({ item }) => item.kind === 'file').length;
  const proven: Proven = { manifest, changes, files, bytes, versionCompared };
  await sink?.begin(proven);
  // In the manifest's order folders come before what is in them.
  for (const { entry, item } of paired) {
    if (item.kind === 'file') await oneFile(zip, entry, item, sink, tell);
    else if (item.kind === 'link') await oneLink(zip, entry, item, sink);
    else await sink?.folder(item);
  }
  return proven;
}

/**
 * Proves every byte of an archive that is not encrypted, and hands its files on.
 * @param tell told of bytes unpacked
 * @throws ArchiveError with the reason why it is refused
 */
export async function readArchive(
  path: string,
  expect: Expectation,
  sink: Sink | null,
  tell: (bytes: number) => void,
): Promise<Proven> {
  let zip: OpenZip | null = null;
  try {
    zip = await OpenZip.open(path);
    return await readZip(zip, expect, sink, tell);
  } catch (error) {
    throw asArchiveError(error, 'It cannot be read');
  } finally {
    zip?.close();
  }
}
