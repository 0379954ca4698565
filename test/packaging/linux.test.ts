/** The package for Linux: what is in it, and that its engine runs from what is in it alone. */
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../peers/fixtures/until.ts';
import { developersPackages, expectFuses, missingPackages, strangers, unpackedPrograms } from './fixtures/contents.ts';
import { type Packed, pack, repository } from './fixtures/packed.ts';

let packed: Packed;
beforeAll(async () => {
  packed = await pack('linux');
});
afterAll(() => packed?.remove());

describe('the package for Linux', () => {
  test('holds the built application and what it needs, no sources, tests, maps or tools of developers', () => {
    expect(packed.archive).toContain('out/main/main.js');
    expect(packed.archive).toContain('out/main/estepe.js');
    expect(packed.archive).toContain('out/main/archive-worker.js');
    expect(packed.archive).toContain('out/main/desktop-child.js');
    expect(packed.archive).toContain('out/preload/preload.cjs');
    expect(packed.archive).toContain('out/renderer/index.html');
    expect(strangers(packed)).toEqual([]);
    expect(developersPackages(packed)).toEqual([]);
    expect(missingPackages(packed)).toEqual([]);
  });

  test('has the native files of this system alone, outside of the archive', () => {
    expect(unpackedPrograms(packed)).toEqual(['node_modules/better-sqlite3/prebuilds/linux-x64.node']);
    expect(packed.archive.filter((path) => /\.(exe|node|app)$/.test(path))).toEqual([
      'node_modules/better-sqlite3/prebuilds/linux-x64.node',
    ]);
  });

  test('brings the scripts for Linux, the icons of the tray and the launcher', () => {
    const scripts = readdirSync(join(repository, 'build/scripts/linux'));
    expect(readdirSync(join(packed.resources, 'scripts')).sort()).toEqual([...scripts, 'README.md'].sort());
    const icons = readdirSync(join(packed.resources, 'icons'));
    expect(icons).toContain('tray-healthy-dark@2x.png');
    expect(icons.filter((name) => name.endsWith('.ico'))).toEqual([]);
    expect(statSync(join(packed.resources, 'bin/estepe')).mode & 0o111).toBe(0o111);
    expect(existsSync(join(packed.resources, 'app-update.yml'))).toBe(false);
  });

  test('keeps the languages of the console, and turns the fuses', async () => {
    expect(readdirSync(join(packed.folder, 'locales')).sort()).toEqual(['en-US.pak', 'es.pak', 'pt-BR.pak']);
    await expectFuses(join(packed.folder, 'estepe'));
  });

  test('says that nothing was signed', () => {
    expect(packed.said).toContain('Signing: skipped');
  });
});

describe('the packed engine under plain Node', () => {
  let plain: string;
  let site: string;
  beforeAll(() => {
    plain = packed.extract();
    site = mkdtempSync(join(tmpdir(), 'estepe-site-'));
    mkdirSync(join(site, 'pbx'));
    writeFileSync(join(site, 'pbx', 'sip.conf'), 'sip');
  });
  afterAll(() => rmSync(site, { recursive: true, force: true }));

  const words = (...rest: string[]): string[] => [join(plain, 'out/main/estepe.js'), ...rest];
  const env = (): NodeJS.ProcessEnv => {
    const { ESTEPE_DATA: _data, NODE_PATH: _path, NODE_OPTIONS: _options, ...inherited } = process.env;
    return inherited;
  };
  function configure(name: string, role: string): string {
    const data = join(site, name);
    mkdirSync(data);
    writeFileSync(
      join(data, 'estepe.yaml'),
      `role: ${role}
pair: { name: lab, fqdn: pbx.lab.example, active: 127.0.9.1, passive: 127.0.9.2, profile: generic }
heartbeat: { interval: 5s, tests: { web: { port: 9 } } }
backup:
  location: { kind: local, folder: ${join(site, `${name}-nas`)} }
  source: { folders: [ ${join(site, 'pbx')} ] }
`,
    );
    mkdirSync(join(site, `${name}-nas`));
    return data;
  }

  test('knows its version', () => {
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };
    const said = spawnSync(process.execPath, words('--version'), { encoding: 'utf8', cwd: site, env: env() });
    expect(said.stdout.trim()).toBe(version);
  });

  test('starts, writes beats into its database, serves its page, and ends in order', async () => {
    const data = configure('passive', 'passive');
    const child = spawn(process.execPath, words('serve', '--data', data), { cwd: site, env: env(), stdio: 'pipe' });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    try {
      const beats = await until(
        'two rounds of beats in the database',
        () => {
          if (child.exitCode !== null) throw new Error(`the engine ended with ${child.exitCode}:\n${said}`);
          const count = beatsIn(join(data, 'estepe.db'));
          return count >= 2 && count;
        },
        90_000,
      );
      expect(beats).toBeGreaterThanOrEqual(2);
      const { endpoint } = JSON.parse(readFileSync(join(data, 'engine.json'), 'utf8')) as { endpoint: string };
      const page = await fetch(endpoint, { signal: AbortSignal.timeout(30_000) });
      expect(page.status).toBe(200);
      expect(await page.text()).toContain('<script type="module"');
    } finally {
      child.kill('SIGTERM');
    }
    expect(await ended, said).toBe(0);
  });

  test('makes a backup on its own thread, and reads it back', () => {
    const data = configure('active', 'active');
    const run = (...rest: string[]) =>
      spawnSync(process.execPath, words(...rest, '--data', data, '--json'), {
        encoding: 'utf8',
        cwd: site,
        env: env(),
        timeout: 90_000,
      });
    const made = run('backup', 'run');
    expect(made.status, made.stdout + made.stderr).toBe(0);
    const { proof } = JSON.parse(made.stdout) as { proof: { name: string; files: number } };
    expect(proof.files).toBe(1);
    expect(run('backup', 'verify', proof.name).status).toBe(0);
  });
});

function beatsIn(file: string): number {
  if (!existsSync(file)) return 0;
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true });
    try {
      return (db.prepare('SELECT count(*) AS n FROM beat').get() as { n: number }).n;
    } finally {
      db.close();
    }
  } catch {
    // it is being made at this moment
    return 0;
  }
}
