/**
 * The manifest: the first entry of every archive. It says what the archive is, and of every file what it must be. Must
 * not know zip.
 */
import { z } from 'zod';
import { ArchiveError } from './faults.ts';
import { linkTrouble, pathTrouble } from './safe-path.ts';

export const manifestName = 'estepe-manifest.json';
/** Last entry, only there when files changed while they were read: what was really stored. */
export const changesName = 'estepe-changes.json';
/** Everything else lies below. */
export const filesFolder = 'files/';

export const manifestFormat = 1;
/** Nobody has so large a manifest: some 400,000 files. */
export const maxManifestBytes = 96 * 1024 * 1024;

const path = z.string().max(4200);
const whole = z.int().min(0);
const owner = { mode: z.int().min(0).max(0o7777), uid: whole, gid: whole, mtime: z.number() };
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const item = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('file'),
    path,
    /** bytes */
    size: whole,
    sha256,
    ...owner,
    /** it was being written while its hash was made */
    changed: z.boolean().optional(),
  }),
  z.object({ kind: z.literal('folder'), path, ...owner }),
  z.object({ kind: z.literal('link'), path, target: z.string().max(4200), ...owner }),
]);
/** One file, folder or link. `mode` is its permission bits, `mtime` wall milliseconds. */
export type Item = z.infer<typeof item>;
export type FileItem = Extract<Item, { kind: 'file' }>;

const manifest = z.object({
  format: z.literal(manifestFormat),
  pair: z.string(),
  /** which node made it, as its own address */
  node: z.string(),
  epoch: whole,
  fqdn: z.string(),
  profile: z.string(),
  /** null: nobody could tell */
  pbxVersion: z.string().nullable(),
  /** how the source was asked, without secrets */
  options: z.record(z.string(), z.unknown()),
  createdAt: z.object({ wall: z.number(), iso: z.string() }),
  /** what was archived: `id` is the first part of every path below it, `path` where it stood */
  roots: z.array(z.object({ id: z.string(), kind: z.enum(['folder', 'file']), path: z.string() })).max(10_000),
  items: z.array(item),
  /** what is not in it, and why */
  leftOut: z.array(z.object({ path: z.string(), why: z.string() })),
});
export type Manifest = z.infer<typeof manifest>;

/** What is known of a backup before its files are looked at. */
export type About = Pick<Manifest, 'pair' | 'node' | 'epoch' | 'fqdn' | 'profile' | 'pbxVersion' | 'options'>;

const changes = z.array(
  z.discriminatedUnion('how', [
    z.object({ path, how: z.literal('changed'), size: whole, sha256 }),
    z.object({ path, how: z.literal('gone') }),
  ]),
);
/** A file that was not, while it was stored, what it had been while its hash was made. */
export type Change = z.infer<typeof changes>[number];

function json(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ArchiveError('damaged', `Its ${name} is not readable.`, error);
  }
}

function unsafe(what: string): never {
  throw new ArchiveError('unsafe', `It holds ${what}.`);
}

const cut = (text: string): string => text.slice(0, 200);

/** Nothing may lie below anything but a folder, and at the top only what the manifest calls a root. */
function checkParent(
  { path, kind }: Item,
  kinds: ReadonlyMap<string, Item['kind']>,
  roots: ReadonlyMap<string, string>,
) {
  const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  if (parent === '') {
    if (roots.get(path) !== kind) unsafe(`something that belongs nowhere: ${cut(path)}`);
  } else if (kinds.get(parent) !== 'folder') unsafe(`something below what is no folder: ${cut(path)}`);
}

/** Names, links and the tree they make. */
function checkTree({ roots, items }: Manifest, platform: NodeJS.Platform): void {
  const rootKinds = new Map(roots.map(({ id, kind }) => [id, kind]));
  if (rootKinds.size !== roots.length) unsafe('the same folder twice');
  const kinds = new Map<string, Item['kind']>();
  const taken = new Set<string>();
  for (const one of items) {
    const trouble = pathTrouble(one.path, platform);
    if (trouble !== null) unsafe(`a name that ${trouble}: ${cut(one.path)}`);
    // Windows takes `A` and `a` for the same file.
    const name = platform === 'win32' ? one.path.toLowerCase() : one.path;
    if (taken.has(name)) unsafe(`the same name twice: ${cut(one.path)}`);
    taken.add(name);
    checkParent(one, kinds, rootKinds);
    const wrong = one.kind === 'link' ? linkTrouble(one.path, one.target) : null;
    if (one.kind === 'link' && wrong !== null) {
      unsafe(`a link that ${wrong}: ${cut(one.path)} -> ${cut(one.target)}`);
    }
    kinds.set(one.path, one.kind);
  }
  for (const { id } of roots) {
    if (!kinds.has(id)) throw new ArchiveError('damaged', `What it should hold of ${id} is missing.`);
  }
}

/**
 * A manifest from its text.
 * @throws ArchiveError `unknown-format`, `damaged` or `unsafe`
 */
export function readManifest(text: string, platform: NodeJS.Platform): Manifest {
  const value = json(text, 'manifest');
  const format = typeof value === 'object' && value !== null ? Reflect.get(value, 'format') : undefined;
  if (format !== manifestFormat) {
    const said = typeof format === 'number' ? `format ${format}` : 'a format without a number';
    throw new ArchiveError('unknown-format', `It is of ${said}; this Estepe reads format ${manifestFormat}.`);
  }
  const parsed = manifest.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new ArchiveError('damaged', `Its manifest is wrong at ${issue?.path.join('.') ?? 'its top'}.`);
  }
  checkTree(parsed.data, platform);
  return parsed.data;
}

/** @throws ArchiveError `damaged` */
export function readChanges(text: string): Change[] {
  const parsed = changes.safeParse(json(text, 'list of changes'));
  if (!parsed.success) throw new ArchiveError('damaged', 'Its list of changes is wrong.');
  return parsed.data;
}

/** The zip entry that an item is stored as. */
export const entryNameOf = ({ kind, path }: Item): string => `${filesFolder}${path}${kind === 'folder' ? '/' : ''}`;
