/** `estepe secret set|list` and `estepe config save`: what the console's settings do, on the command line. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { minimal, site } from '../config/texts.ts';
import { entry, temporaryFolder } from './estepe-process.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

function estepe(input: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args, '--data', folder.path], {
    ...{ input, encoding: 'utf8' },
  });
  return { status, out: stdout, said: stdout + stderr };
}

describe('secret', () => {
  it('keeps what comes by stdin for its owner alone, lists the name and never the content', () => {
    const set = estepe('correct horse\n', 'secret', 'set', 'nas');
    expect(set.status).toBe(0);
    const file = join(folder.path, 'secrets', 'nas');
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual(['correct horse', 0o600]);
    const list = estepe('', 'secret', 'list', '--json');
    expect(JSON.parse(list.out)).toEqual({ names: ['nas'] });
    expect(set.said + list.said).not.toContain('correct horse');
  });

  it('nothing, and a name that leads elsewhere, are refused in words', () => {
    expect(estepe('', 'secret', 'set', 'nas')).toMatchObject({ status: 2, said: expect.stringContaining('is empty') });
    expect(estepe('x', 'secret', 'set', '../estepe.yaml').said).toContain('not the name of a secret');
    expect(existsSync(join(folder.path, 'estepe.yaml'))).toBe(false);
  });
});

describe('config save', () => {
  it('puts a checked file in place and keeps the one of before; a wrong one changes nothing', () => {
    const given = join(folder.path, 'new.yaml');
    writeFileSync(given, minimal);
    expect(estepe('', 'config', 'save', given).status).toBe(0);
    writeFileSync(given, site);
    expect(estepe('', 'config', 'save', given).status).toBe(0);
    writeFileSync(given, site.replace('role: passive', 'role: pasive'));
    const wrong = estepe('', 'config', 'save', given);
    expect([wrong.status, wrong.said]).toEqual([2, expect.stringContaining('new.yaml:1:7 role:')]);
    expect(readFileSync(join(folder.path, 'estepe.yaml'), 'utf8')).toBe(site);
    expect(readFileSync(join(folder.path, 'estepe.before.yaml'), 'utf8')).toBe(minimal);
  });
});
