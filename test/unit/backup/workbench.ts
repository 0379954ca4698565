/** Folders, archives and what comes out of them again, for the tests of backups. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createWriteStream,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createArchive, extractArchive, type Making, verifyArchive } from '../../../src-main/backup/archive/archive.ts';
import type { Encryption, Key } from '../../../src-main/backup/archive/encryption.ts';
import type { ArchiveError } from '../../../src-main/backup/archive/faults.ts';
import type { About, Manifest } from '../../../src-main/backup/archive/manifest.ts';
import type { Expectation } from '../../../src-main/backup/archive/read-archive.ts';

export const about: About = {
  pair: 'head-office',
  node: '192.0.2.1',
  epoch: 3,
  fqdn: 'pbx.example.com',
  profile: 'generic',
  pbxVersion: '18.0.9.20',
  options: {},
};

export const expected: Expectation = {
  pair: about.pair,
  fqdn: about.fqdn,
  pbxVersion: '18.0.9.20',
  maxBytes: null,
};

/** 2026-03-29 01:00 UTC. */
export const createdAt = 1_774_746_000_000;

export class Bench {
  readonly folder: string;
  readonly signal = new AbortController().signal;
  #scratches = 0;

  /** @param folder default: a new one */
  constructor(folder = mkdtempSync(join(tmpdir(), 'estepe-backup-'))) {
    this.folder = folder;
  }

  at(...names: string[]): string {
    return join(this.folder, ...names);
  }

  make(...names: string[]): string {
    mkdirSync(this.at(...names), { recursive: true });
    return this.at(...names);
  }

  start(paths: readonly string[], encryption: Encryption | null = null, more: Partial<About> = {}): Making {
    return createArchive({ paths, about: { ...about, ...more }, createdAt, encryption }, { signal: this.signal });
  }

  /** Makes an archive and puts it into a file. */
  async archive(
    name: string,
    paths: readonly string[],
    encryption: Encryption | null = null,
    more: Partial<About> = {},
  ) {
    const making = this.start(paths, encryption, more);
    await pipeline(making.stream, createWriteStream(this.at(name)));
    return { file: this.at(name), ...(await making.created) };
  }

  #reading(file: string, expect: Partial<Expectation>, key: Key | null) {
    this.#scratches += 1;
    return { file, key, scratch: this.at(`scratch-${this.#scratches}`), expect: { ...expected, ...expect } };
  }

  verify(file: string, expect: Partial<Expectation> = {}, key: Key | null = null) {
    return verifyArchive(this.#reading(file, expect, key), { signal: this.signal });
  }

  /** Extracts into new folders below `out`. */
  async extract(file: string, manifest: Manifest, out = 'out', key: Key | null = null) {
    this.make(out);
    const into = new Map(manifest.roots.map(({ id }) => [id, this.at(out, id)]));
    const done = await extractArchive(this.#reading(file, {}, key), async () => into, { signal: this.signal });
    return { ...done, into };
  }

  /** The word for which an archive is refused, or `taken`. */
  async refusal(file: string, expect: Partial<Expectation> = {}, key: Key | null = null): Promise<string> {
    try {
      await this.verify(file, expect, key);
      return 'taken';
    } catch (error) {
      return (error as ArchiveError).fault;
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A folder as lines: everything that a restore must bring back. */
export function picture(path: string, name = '.'): string[] {
  const stats = lstatSync(path);
  const kept = `${(stats.mode & 0o7777).toString(8)} ${stats.uid}:${stats.gid} ${Math.floor(stats.mtimeMs)}`;
  if (stats.isSymbolicLink())
    return [`${name} -> ${readlinkSync(path)} ${stats.uid}:${stats.gid} ${Math.floor(stats.mtimeMs)}`];
  if (!stats.isDirectory()) return [`${name} ${kept} ${sha256(readFileSync(path))}`];
  return [
    `${name}/ ${kept}`,
    ...readdirSync(path)
      .sort()
      .flatMap((child) => picture(join(path, child), `${name}/${child}`)),
  ];
}

/** Runs a short Python program: archives made by hand come from a tool that is not ours. */
export function python(program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync('python3', ['-c', program, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`python3: ${stderr}`);
}
