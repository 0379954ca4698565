/** The package for Windows, made on any system: what is in it. That it runs can be tried on Windows alone. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getRawHeader } from '@electron/asar';
import { NtExecutable, NtExecutableResource, Resource } from 'resedit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { developersPackages, expectFuses, missingPackages, strangers, unpackedPrograms } from './fixtures/contents.ts';
import { type Packed, pack, repository } from './fixtures/packed.ts';

let packed: Packed;
beforeAll(async () => {
  packed = await pack('win32');
});
afterAll(() => packed?.remove());

describe('the package for Windows', () => {
  test('holds the built application and what it needs, no sources, tests, maps or tools of developers', () => {
    expect(packed.archive).toContain('out/main/main.js');
    expect(packed.archive).toContain('out/preload/preload.cjs');
    expect(packed.archive).toContain('out/renderer/index.html');
    expect(strangers(packed)).toEqual([]);
    expect(developersPackages(packed)).toEqual([]);
    expect(missingPackages(packed)).toEqual([]);
  });

  test('has the native files of this system alone, outside of the archive', () => {
    expect(unpackedPrograms(packed)).toEqual([
      'node_modules/better-sqlite3/prebuilds/win32-x64.node',
      'node_modules/node-notifier/vendor/snoreToast/snoretoast-x64.exe',
    ]);
    expect(packed.archive.filter((path) => /\.(exe|node|app)$/.test(path)).sort()).toEqual(unpackedPrograms(packed));
  });

  test('brings the scripts for Windows and the icons of the tray', () => {
    const scripts = readdirSync(join(repository, 'build/scripts/windows'));
    expect(readdirSync(join(packed.resources, 'scripts')).sort()).toEqual([...scripts, 'README.md'].sort());
    const icons = readdirSync(join(packed.resources, 'icons'));
    expect(icons).toContain('tray-down-light.ico');
    expect(icons.filter((name) => name.startsWith('tray-') && name.endsWith('.png'))).toEqual([]);
    expect(existsSync(join(packed.resources, 'bin'))).toBe(false);
  });

  test('its program carries name, version, icon, and the hash of the archive that alone it may load', () => {
    const program = NtExecutable.from(readFileSync(join(packed.folder, 'Estepe.exe')));
    const { entries } = NtExecutableResource.from(program);
    const [info] = Resource.VersionInfo.fromEntries(entries);
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };
    expect(info?.getStringValues(info.getAllLanguagesForStringValues()[0]!)).toMatchObject({
      ProductName: 'Estepe',
      ProductVersion: expect.stringContaining(version),
    });
    const sizes = Resource.IconGroupEntry.fromEntries(entries).flatMap(({ icons }) => icons.map((icon) => icon.width));
    expect(sizes).toEqual(expect.arrayContaining([16, 32, 48]));
    const integrity = entries.find(({ type, id }) => type === 'INTEGRITY' && id === 'ELECTRONASAR');
    const said = JSON.parse(Buffer.from(integrity!.bin).toString('utf8')) as { file: string; value: string }[];
    expect(said).toEqual([
      { file: 'resources\\app.asar', alg: 'SHA256', value: headerHash(join(packed.resources, 'app.asar')) },
    ]);
  });

  test('turns the fuses', () => expectFuses(join(packed.folder, 'Estepe.exe')));
});

/** Of the archive's table of contents, which holds the hash of every file: what Electron compares. */
function headerHash(asar: string): string {
  return createHash('sha256').update(getRawHeader(asar).headerString).digest('hex');
}
