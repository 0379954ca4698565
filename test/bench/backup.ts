/**
 * Archive and upload of mixed data against `zip -1` and the protocol's own tool, restore against that tool and `unzip`; turn about,
 * in one run, on real servers on this machine. And the peak of memory for 1 GiB and 4 GiB. Prints, asserts nothing; cleans up.
 *
 * What is compared: until the backup is stored (looked at, packed, uploaded, published) with zip and put; until the files stand in
 * their place on the disk with get, unzip and sync. Reading back, which the tools don't do, is shown apart.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataFolder } from '../../src-main/config/data-folder.ts';
import { writeSecret } from '../../src-main/config/secrets.ts';
import { user } from '../peers/fixtures/file-server.ts';
import { whyMissing } from '../peers/fixtures/require-peer.ts';
import { share, startSmbd } from '../peers/fixtures/smbd.ts';
import { startSshd } from '../peers/fixtures/sshd.ts';
import type { ChildReport } from './backup-child.ts';
import type { Print } from './bench.ts';
import { mixedFiles } from './mixed-files.ts';

const gib = 2 ** 30;
const rounds = 3;
const child = new URL('backup-child.ts', import.meta.url).pathname;

interface Server {
  name: string;
  location: string;
  /** the tool's own words for the same server */
  put(file: string): void;
  get(name: string, to: string): void;
  /** Samba's own, since a test may not have 445 */
  env: Record<string, string>;
  stop(): Promise<void>;
}

const quiet: { stdio: ('ignore' | 'pipe')[] } = { stdio: ['ignore', 'ignore', 'pipe'] };

async function sftp(work: string): Promise<Server> {
  const server = await startSshd();
  const key = join(work, 'key');
  writeFileSync(key, server.key, { mode: 0o600 });
  const known = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'];
  const tool = (line: string): void => {
    const at = `${user.name}@127.0.0.1`;
    execFileSync('sftp', ['-q', '-b', '-', '-i', key, '-P', String(server.port), ...known, at], {
      input: `${line}\n`,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
  };
  return {
    name: 'sftp',
    location: `{ kind: sftp, host: 127.0.0.1, port: ${server.port}, user: ${user.name}, folder: ours, password: location }`,
    put: (file) => tool(`put ${file} tool.zip`),
    get: (name, to) => tool(`get ${name} ${to}`),
    env: {},
    stop: () => server.stop(),
  };
}

async function smb(work: string): Promise<Server> {
  const server = await startSmbd();
  const secret = join(work, 'smb-secret');
  writeFileSync(secret, `username=${user.name}\npassword=${user.password}\n`, { mode: 0o600 });
  const tool = (line: string): void => {
    const args = [`//127.0.0.1/${share}`, '-p', String(server.port), '-A', secret, '-c', line];
    execFileSync('smbclient', args, quiet);
  };
  return {
    name: 'smbclient',
    location: `{ kind: smb, host: 127.0.0.1, share: ${share}, folder: ours, user: ${user.name}, password: location }`,
    put: (file) => tool(`put ${file} tool.zip`),
    get: (name, to) => tool(`get ${name} ${to}`),
    env: { BENCH_SMB_PORT: String(server.port) },
    stop: () => server.stop(),
  };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function timed(call: () => void): number {
  const start = performance.now();
  call();
  return performance.now() - start;
}

/** A data folder whose source is `source` and whose restore goes to `target`. */
function dataFolder(work: string, name: string, location: string, source: string, target: string): string {
  const data = openDataFolder(join(work, name));
  writeSecret(data.secrets, 'location', user.password);
  const yaml = [
    'role: passive',
    'pair: { name: bench, fqdn: pbx.example.com, active: 192.0.2.1, passive: 192.0.2.2, profile: generic }',
    `backup: { location: ${location}, source: { folders: [${source}] }, keep: 1 }`,
    `restore: { into: [{ from: ${source}, to: ${target} }] }`,
    '',
  ];
  writeFileSync(join(data.root, 'estepe.yaml'), yaml.join('\n'));
  return data.root;
}

function ours(kind: 'backup' | 'restore', data: string, env: Record<string, string> = {}): ChildReport {
  const out = execFileSync(process.execPath, [child, kind, data], {
    encoding: 'utf8',
    // As built the program needs no types taken out of it, in neither of its two threads.
    env: { ...process.env, ...env, NODE_COMPILE_CACHE: join(data, '..', 'compiled') },
  });
  return JSON.parse(out) as ChildReport;
}

function compare(print: Print, what: string, mine: readonly number[], tools: readonly number[]): void {
  const ratio = median(mine) / median(tools);
  const all = (list: readonly number[]): string => list.map((ms) => (ms / 1000).toFixed(1)).join(', ');
  print(
    `  ${what}: Estepe ${seconds(median(mine))} (${all(mine)}), tools ${seconds(median(tools))} (${all(tools)}); ratio ${ratio.toFixed(2)}`,
  );
}

function againstTools(print: Print, work: string, server: Server, source: string): void {
  const target = join(work, 'restored');
  const data = dataFolder(work, `data-${server.name}`, server.location, source, target);
  const times = { mine: [] as number[], tools: [] as number[], back: [] as number[], verify: [] as number[] };
  const restores: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const made = ours('backup', data, server.env);
    const stored = made.begun.verify ?? made.ms;
    times.mine.push(stored);
    times.verify.push((made.begun.rotate ?? made.ms) - stored);
    const zip = join(work, 'tool.zip');
    times.tools.push(
      timed(() => {
        execFileSync('zip', ['-1', '-q', '-r', zip, source], quiet);
        server.put(zip);
      }),
    );
    rmSync(zip);
    restores.push(ours('restore', data, server.env).ms);
    rmSync(target, { recursive: true, force: true });
    const out = join(work, 'unzipped');
    times.back.push(
      timed(() => {
        server.get('tool.zip', zip);
        execFileSync('unzip', ['-q', zip, '-d', out], quiet);
        execFileSync('sync', ['-f', out]);
      }),
    );
    rmSync(zip);
    rmSync(out, { recursive: true, force: true });
  }
  compare(print, `archive and upload, ${server.name}`, times.mine, times.tools);
  print(`    read back, which the tools don't do: ${seconds(median(times.verify))}`);
  compare(print, `fetch, prove and restore, ${server.name}`, restores, times.back);
}

function memory(print: Print, work: string, sizes: readonly number[]): void {
  for (const bytes of sizes) {
    const source = join(work, 'large');
    const target = join(work, 'large-restored');
    const { files } = mixedFiles(source, bytes);
    const shelf = join(work, 'shelf');
    mkdirSync(shelf, { recursive: true });
    const data = dataFolder(work, `data-${bytes}`, `{ kind: local, folder: ${shelf} }`, source, target);
    const made = ours('backup', data);
    const restored = ours('restore', data);
    print(
      `  peak memory, ${bytes / gib} GiB in ${files} files, local folder: backup ${made.peakMb} MB (${seconds(made.ms)}), restore ${restored.peakMb} MB (${seconds(restored.ms)}); ${restored.loadedMb} MB of it is the program before it does anything`,
    );
    for (const path of [source, target, shelf]) rmSync(path, { recursive: true, force: true });
  }
}

/** @param unit bytes of what stands for 1 GiB; less to try the bench itself */
export async function benchBackup(print: Print, unit: number = gib): Promise<void> {
  const why = whyMissing(['mounts', 'openssl', 'sshd', 'sftp', 'smbd', 'smbclient', 'zip', 'unzip']);
  if (why !== null) {
    print(`  not measured here: ${why}`);
    return;
  }
  const work = mkdtempSync(join(tmpdir(), 'estepe-bench-'));
  // Samba's user reads the share, never this folder.
  chmodSync(work, 0o700);
  try {
    const source = join(work, 'source');
    const { files } = mixedFiles(source, unit);
    print(
      `  ${unit / gib} GiB in ${files} files: half recordings, four tenths text, one tenth small files; ${rounds} rounds, turn about`,
    );
    for (const start of [sftp, smb]) {
      const server = await start(work);
      try {
        againstTools(print, work, server, source);
      } finally {
        await server.stop();
      }
    }
    rmSync(source, { recursive: true });
    memory(print, work, [unit, 4 * unit]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
