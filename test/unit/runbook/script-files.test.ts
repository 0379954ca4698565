import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RealFiles } from '../../../src-main/runbook/real-files.ts';

const posix = process.platform !== 'win32';
const root = posix && process.getuid?.() === 0;

let base: string;
let folder: string;
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'estepe-vet-')));
  folder = join(base, 'scripts');
  mkdirSync(folder, { mode: 0o755 });
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function write(path: string, mode = 0o755): string {
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, mode);
  return path;
}
const vet = (path: string) => new RealFiles(folder).vetScript(path);

describe.skipIf(!posix)('E4 which scripts may run (POSIX rights)', () => {
  it('E4 a script in its place with its rights may', async () => {
    expect(await vet(write(join(folder, 'a.sh')))).toBeNull();
    expect(await vet(write(join(folder, 'b.sh'), 0o700))).toBeNull();
    mkdirSync(join(folder, 'site'), { mode: 0o755 });
    expect(await vet(write(join(folder, 'site', 'a.sh')))).toBeNull();
  });

  it('E4 missing', async () => {
    expect(await vet(join(folder, 'a.sh'))).toBe(`${folder}/a.sh is not there`);
    expect(await vet(join(write(join(folder, 'b.sh')), 'c.sh'))).toBe(
      `${folder}/b.sh/c.sh is not there: a part of its path is no folder`,
    );
    rmSync(folder, { recursive: true });
    expect(await vet(join(folder, 'a.sh'))).toBe(`the scripts folder ${folder} is not there`);
  });

  it('E4 not executable', async () => {
    expect(await vet(write(join(folder, 'a.sh'), 0o644))).toBe(
      `${folder}/a.sh is not executable (chmod 755 makes it so)`,
    );
  });

  it('E4 a folder of that name', async () => {
    mkdirSync(join(folder, 'a.sh'));
    expect(await vet(join(folder, 'a.sh'))).toBe(`${folder}/a.sh is a folder`);
  });

  it('E4 outside the scripts folder', async () => {
    const outside = write(join(base, 'a.sh'));
    expect(await vet(outside)).toBe(`${outside} lies outside the scripts folder ${folder}`);
    expect(await vet(`${folder}/../a.sh`)).toContain('lies outside');
    expect(await vet(folder)).toContain('lies outside');
    mkdirSync(`${folder}2`);
    expect(await vet(write(`${folder}2/a.sh`))).toContain('lies outside');
  });

  it('E4 a link that leads outside, of a file and of a folder', async () => {
    const outside = write(join(base, 'a.sh'));
    symlinkSync(outside, join(folder, 'a.sh'));
    expect(await vet(join(folder, 'a.sh'))).toBe(`${folder}/a.sh leads outside the scripts folder, to ${outside}`);
    symlinkSync(base, join(folder, 'site'));
    expect(await vet(join(folder, 'site', 'a.sh'))).toContain('leads outside');
    symlinkSync('loop.sh', join(folder, 'loop.sh'));
    expect(await vet(join(folder, 'loop.sh'))).toBe(`${folder}/loop.sh is a link that leads to itself`);
  });

  it('E4 a link inside the folder may, and so may a scripts folder that is a link itself', async () => {
    write(join(folder, 'a.sh'));
    symlinkSync('a.sh', join(folder, 'b.sh'));
    expect(await vet(join(folder, 'b.sh'))).toBeNull();
    symlinkSync(folder, join(base, 'linked'));
    expect(await new RealFiles(join(base, 'linked')).vetScript(join(base, 'linked', 'a.sh'))).toBeNull();
  });

  it('E4 writable by everybody: the script, its folder, the scripts folder, the target of a link', async () => {
    const script = write(join(folder, 'a.sh'), 0o757);
    expect(await vet(script)).toBe(`${script} is writable by everybody (chmod o-w takes that away)`);
    symlinkSync('a.sh', join(folder, 'b.sh'));
    expect(await vet(join(folder, 'b.sh'))).toContain(`${script} is writable by everybody`);
    chmodSync(script, 0o755);
    mkdirSync(join(folder, 'site'));
    const below = write(join(folder, 'site', 'a.sh'));
    chmodSync(join(folder, 'site'), 0o777);
    expect(await vet(below)).toContain(`${folder}/site is writable by everybody`);
    chmodSync(join(folder, 'site'), 0o755);
    chmodSync(folder, 0o1777);
    expect(await vet(below)).toContain(`${folder} is writable by everybody`);
  });

  it.skipIf(!root)('E4 owners and groups (needs root, to give files away)', async () => {
    const script = write(join(folder, 'a.sh'), 0o775);
    expect(await vet(script)).toBeNull();
    chownSync(script, 0, 12345);
    expect(await vet(script)).toBe(`${script} is writable by its group 12345 (chmod g-w takes that away)`);
    chmodSync(script, 0o755);
    expect(await vet(script)).toBeNull();
    chownSync(script, 12345, 0);
    expect(await vet(script)).toContain(`${script} belongs to user 12345, not to root`);
    linkSync(script, join(folder, 'hard.sh'));
    expect(await vet(join(folder, 'hard.sh'))).toContain('belongs to user 12345');
  });
});
