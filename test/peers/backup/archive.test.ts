import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  createWriteStream,
  lutimesSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { about, Bench, createdAt, picture, sha256 } from '../../unit/backup/workbench.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench[Symbol.dispose]());

const asRoot = process.getuid?.() === 0;

/** A PBX's folder with everything in it that a file system has. */
function pbxFolder(): string {
  const folder = bench.make('pbx');
  mkdirSync(bench.at('pbx', 'voice mail', '2026'), { recursive: true });
  mkdirSync(bench.at('pbx', 'empty'));
  writeFileSync(bench.at('pbx', 'sip.conf'), '[general]\nport=5060\n');
  writeFileSync(bench.at('pbx', 'voice mail', '2026', 'açaí.wav'), Buffer.alloc(700_000, 'tone'));
  writeFileSync(bench.at('pbx', 'nothing'), '');
  writeFileSync(bench.at('pbx', 'packed.zip'), Buffer.alloc(5000, 1));
  chmodSync(bench.at('pbx', 'sip.conf'), 0o640);
  chmodSync(bench.at('pbx', 'packed.zip'), 0o4755);
  symlinkSync('sip.conf', bench.at('pbx', 'current.conf'));
  symlinkSync('../../nothing', bench.at('pbx', 'voice mail', '2026', 'up'));
  if (asRoot) chownSync(bench.at('pbx', 'sip.conf'), 1234, 4321);
  utimesSync(bench.at('pbx', 'sip.conf'), 1_600_000_000.5, 1_600_000_000.5);
  lutimesSync(bench.at('pbx', 'current.conf'), 1_500_000_000, 1_500_000_000);
  chmodSync(bench.at('pbx', 'empty'), 0o500);
  utimesSync(bench.at('pbx', 'empty'), 1_400_000_000, 1_400_000_000);
  utimesSync(folder, 1_300_000_000, 1_300_000_000);
  return folder;
}

describeWithPeers('an archive', ['unzip', 'python3'], () => {
  it('comes out as it went in: bytes, owners, modes, times, links, empty folders, single files', async () => {
    const folder = pbxFolder();
    writeFileSync(bench.at('licence.key'), 'key');
    const { file, manifest, size } = await bench.archive('a.zip', [folder, bench.at('licence.key')]);
    expect(readFileSync(file).length).toBe(size);
    const { into, proven } = await bench.extract(file, manifest);
    expect(proven).toMatchObject({ files: 5, changes: [], versionCompared: true });
    const [root = '', single = ''] = into.values();
    expect(picture(root)).toEqual(picture(folder));
    expect(picture(single)).toEqual(picture(bench.at('licence.key')));
  });

  it('says what it is in its first entry, and its own size and hash', async () => {
    const { file, manifest, size, sha256: hash } = await bench.archive('a.zip', [pbxFolder()]);
    const bytes = readFileSync(file);
    expect([bytes.length, sha256(bytes)]).toEqual([size, hash]);
    expect(bytes.toString('latin1', 30, 30 + 'estepe-manifest.json'.length)).toBe('estepe-manifest.json');
    const listed = spawnSync('unzip', ['-p', file, 'estepe-manifest.json'], { encoding: 'utf8' });
    expect(JSON.parse(listed.stdout)).toEqual(manifest);
    expect(manifest).toMatchObject({
      format: 1,
      ...about,
      createdAt: { wall: createdAt, iso: '2026-03-29T01:00:00.000Z' },
      leftOut: [],
    });
    expect(manifest.items.find(({ path }) => path.endsWith('sip.conf'))).toMatchObject({
      size: 20,
      mode: 0o640,
      sha256: sha256(Buffer.from('[general]\nport=5060\n')),
    });
  });

  it('opens with the common tools', async () => {
    const { file } = await bench.archive('a.zip', [pbxFolder()]);
    expect(spawnSync('unzip', ['-tq', file], { encoding: 'utf8' })).toMatchObject({ status: 0 });
    const python = spawnSync('python3', ['-m', 'zipfile', '-t', file], { encoding: 'utf8' });
    expect(python.stdout.trim()).toBe('Done testing');
  });

  it('leaves out, and says so, what could not be restored safely', async () => {
    const folder = bench.make('pbx');
    writeFileSync(bench.at('pbx', 'good'), 'x');
    writeFileSync(bench.at('pbx', 'back\\slash'), 'x');
    symlinkSync('/etc/passwd', bench.at('pbx', 'absolute'));
    symlinkSync('../elsewhere', bench.at('pbx', 'outside'));
    symlinkSync('good/../../elsewhere', bench.at('pbx', 'zigzag'));
    spawnSync('mkfifo', [bench.at('pbx', 'pipe')]);
    const { file, manifest } = await bench.archive('a.zip', [folder]);
    expect(manifest.leftOut.map(({ path, why }) => `${path.slice(folder.length + 1)}: ${why}`).sort()).toEqual([
      'absolute: a link that has an absolute target',
      'back\\slash: a name that holds a backslash',
      'outside: a link that leads outside its folder',
      'pipe: a device, pipe or socket',
      'zigzag: a link that climbs in the middle of its target',
    ]);
    expect(await bench.refusal(file)).toBe('taken');
  });

  it('is not made of what is not there', async () => {
    const making = bench.start([bench.at('missing')]);
    await expect(pipeline(making.stream, createWriteStream(bench.at('a.zip')))).rejects.toMatchObject({
      fault: 'source',
      message: `${bench.at('missing')} is not there.`,
    });
    await expect(making.created).rejects.toMatchObject({ fault: 'source' });
  });

  it('ends when it is cancelled', async () => {
    writeFileSync(bench.at('large'), Buffer.alloc(30_000_000, 'a'));
    const making = bench.start([bench.at('large')]);
    await making.manifest;
    making.stream.destroy();
    await once(making.stream, 'close');
    await expect(making.created).rejects.toMatchObject({ code: 'backup' });
  });
});

describeWithPeers('a file that changes while it is read', ['unzip', 'python3'], () => {
  /** Between the passes: the manifest is known, nothing is read off the stream yet, the large file in front fills the window. */
  async function changedBetween(change: (path: string) => void) {
    const folder = bench.make('pbx');
    // Incompressible, so that it fills every buffer between the worker and us.
    const noise = Buffer.alloc(12_000_000);
    for (let i = 0, x = 1; i < noise.length; i++) {
      x = (x * 1_103_515_245 + 12_345) & 0x7fff_ffff;
      noise[i] = x >> 16;
    }
    writeFileSync(bench.at('pbx', 'a-large'), noise);
    const path = bench.at('pbx', 'log');
    writeFileSync(path, 'as it was when it was hashed');
    const making = bench.start([folder]);
    const manifest = await making.manifest;
    change(path);
    await pipeline(making.stream, createWriteStream(bench.at('a.zip')));
    const { changes } = await making.created;
    return { file: bench.at('a.zip'), manifest, changes };
  }

  it('grown at its end (a log): stored as it was, nothing to be said', async () => {
    const { file, manifest, changes } = await changedBetween((path) => appendFileSync(path, ' and more'));
    expect(changes).toEqual([]);
    const { into } = await bench.extract(file, manifest);
    expect(readFileSync(`${[...into.values()][0]}/log`, 'utf8')).toBe('as it was when it was hashed');
  });

  it('rewritten: said, stored as read, and still proven', async () => {
    const { file, manifest, changes } = await changedBetween((path) =>
      writeFileSync(path, 'AS it was when it was hashed'),
    );
    const now = {
      path: '0-pbx/log',
      how: 'changed',
      size: 28,
      sha256: sha256(Buffer.from('AS it was when it was hashed')),
    };
    expect(changes).toEqual([now]);
    const { into, proven } = await bench.extract(file, manifest);
    expect(proven.changes).toEqual([now]);
    expect(readFileSync(`${[...into.values()][0]}/log`, 'utf8')).toBe('AS it was when it was hashed');
  });

  it('shortened: said, stored as read, and still proven', async () => {
    const { file, manifest, changes } = await changedBetween((path) => truncateSync(path, 5));
    expect(changes).toEqual([{ path: '0-pbx/log', how: 'changed', size: 5, sha256: sha256(Buffer.from('as it')) }]);
    const { into } = await bench.extract(file, manifest);
    expect(readFileSync(`${[...into.values()][0]}/log`, 'utf8')).toBe('as it');
  });

  it('deleted: said, and not restored', async () => {
    const { file, manifest, changes } = await changedBetween(unlinkSync);
    expect(changes).toEqual([{ path: '0-pbx/log', how: 'gone' }]);
    const { into, proven } = await bench.extract(file, manifest);
    expect(proven.files).toBe(1);
    expect(picture([...into.values()][0] ?? '').length).toBe(2);
  });
});
