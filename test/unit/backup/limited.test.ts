/** `backup.bandwidth`: every transfer of backups keeps under it, whoever begins it. */
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { limited } from '../../../src-main/backup/limited.ts';
import type { Location, Progress, Transfer } from '../../../src-main/backup/location.ts';
import { meansOf } from '../../../src-main/backup/work-of-config.ts';
import { Clockwork } from '../clockwork.ts';
import { Bench } from './workbench.ts';

it('reads and writes carry the limit, unless they have one of their own', async () => {
  const seen: (number | undefined)[] = [];
  const note = async (transfer: Transfer): Promise<never> => {
    seen.push(transfer.bandwidth);
    throw new Error('not this far');
  };
  const inner = { title: 'x', read: (_n, _f, t) => note(t), write: (_n, _s, _z, t) => note(t) } as Partial<Location>;
  const outer = limited(inner as Location, 5_000);
  const { signal } = new AbortController();
  await outer.read('a', 0, { signal }).catch(() => {});
  await outer.write('a', null as never, null, { signal }).catch(() => {});
  await outer.read('a', 0, { signal, bandwidth: 7 }).catch(() => {});
  expect(seen).toEqual([5_000, 5_000, 7]);
});

it('a backup’s bytes come no faster: 250 kB at 100 kB a second are not there after two seconds', async () => {
  using bench = new Bench();
  const clockwork = new Clockwork();
  const data = { root: bench.make('data'), secrets: bench.make('secrets') };
  const means = meansOf(data, clockwork.clock);
  const location = means.openBackups({ location: { kind: 'local', folder: bench.make('shelf') }, bandwidth: 100 });
  const { signal } = new AbortController();
  let through = 0;
  const onProgress = ({ bytes }: Progress): void => {
    through = bytes;
  };
  let ended = false;
  const source = Readable.from([Buffer.alloc(250_000)]);
  const writing = location.write('a.zip', source, 250_000, { signal, onProgress }).then(() => {
    ended = true;
  });
  let seconds = 0;
  for (; !ended; seconds += 1) {
    expect(through).toBeLessThanOrEqual((seconds + 1) * 100_000);
    await clockwork.pass(1000);
  }
  await writing;
  expect(seconds).toBeGreaterThan(2);
  await location.close();
});
