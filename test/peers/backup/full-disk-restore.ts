/** A restore onto the small disk at argv[2]; `fill`: that disk is filled up when the new files are begun. Says what came of it. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ArchiveError } from '../../../src-main/backup/archive/faults.ts';
import { restoreFolders } from '../../../src-main/backup/restoring/restore-folders.ts';
import { Bench, expected, picture } from '../../unit/backup/workbench.ts';

const [disk = '', how] = process.argv.slice(2);
const bench = new Bench();
const calls: string[] = [];
const noise = randomBytes(12 * 1024 * 1024);
bench.make('data');
writeFileSync(bench.at('data', 'a'), noise);
writeFileSync(bench.at('data', 'b'), 'small');
const { file } = await bench.archive('a.zip', [bench.at('data')]);
const target = join(disk, 'data');
mkdirSync(target);
writeFileSync(join(target, 'a'), noise.subarray(0, 4 * 1024 * 1024));
const before = picture(disk);

const filler = join(disk, 'somebody-else');
const boundary = (name: string): void => {
  if (how !== 'fill' || name !== 'staging') return;
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(filler, Buffer.alloc(bavail * bsize - 3 * 1024 * 1024, 1));
};
const error = await restoreFolders(
  {
    file,
    key: null,
    expect: expected,
    scratch: bench.at('scratch'),
    journal: bench.at('restore.json'),
    targets: new Map([[bench.at('data'), target]]),
    around: { before: async () => void calls.push('before'), after: async () => void calls.push('after') },
    boundary,
  },
  { signal: bench.signal },
).then(
  () => null,
  (reason: ArchiveError) => reason,
);
rmSync(filler, { force: true });
const top = /^\.\/ .*/;
const same =
  JSON.stringify(picture(disk).map((l) => l.replace(top, ''))) ===
  JSON.stringify(before.map((l) => l.replace(top, '')));
const left = readdirSync(disk).filter((name) => name !== 'data');
if (readdirSync(bench.folder).includes('restore.json')) left.push(readFileSync(bench.at('restore.json'), 'utf8'));
bench[Symbol.dispose]();
process.stdout.write(JSON.stringify({ fault: error?.fault ?? null, message: error?.message ?? '', same, left, calls }));
