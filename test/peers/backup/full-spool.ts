/** A restore whose spool is the small disk at argv[2]; `fill`: that disk is filled up when the fetching begins. Says what came of it. */
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EstepeError } from '../../../src-main/contract/errors.ts';
import { Spare } from '../../unit/backup/spare.ts';

const [disk = '', how] = process.argv.slice(2);
const spare = new Spare();
spare.write('new');
spare.write('old', 'here');
writeFileSync(spare.at('active', 'data', 'noise'), randomBytes(4 * 1024 * 1024));
await spare.backup();
const old = JSON.stringify(spare.tree('here'));
const filler = join(disk, 'somebody-else');
const error = await spare
  .restore({
    here: { scratch: join(disk, 'restore') },
    onProgress: ({ phase, bytes }) => {
      if (how !== 'fill' || phase !== 'fetch' || bytes > 0) return;
      const { bavail, bsize } = statfsSync(disk);
      writeFileSync(filler, Buffer.alloc(bavail * bsize - 1024 * 1024, 1));
    },
  })
  .then(
    () => null,
    (reason: EstepeError) => reason,
  );
rmSync(filler, { force: true });
const said = {
  fault: error?.detail.fault ?? null,
  message: error?.message ?? '',
  same: JSON.stringify(spare.tree('here')) === old,
  left: readdirSync(disk),
  outcomes: spare.history.restores.list(9).map(({ outcome, stands }) => [outcome, stands]),
};
spare[Symbol.dispose]();
process.stdout.write(JSON.stringify(said));
