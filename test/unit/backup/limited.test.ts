/** `backup.bandwidth`: every transfer of backups keeps under it, whoever begins it. */
import { expect, it } from 'vitest';
import { limited } from '../../../src-main/backup/limited.ts';
import type { Location, Transfer } from '../../../src-main/backup/location.ts';
import { meansOf } from '../../../src-main/backup/work-of-config.ts';
import { RealClock } from '../../../src-main/heartbeat/real-clock.ts';
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

it('a backup’s bytes come no faster: a quarter of a megabyte at 100 kB a second takes over two seconds', async () => {
  using bench = new Bench();
  const clock = new RealClock();
  const means = meansOf({ root: bench.make('data'), secrets: bench.make('secrets') }, clock);
  const location = means.openBackups({ location: { kind: 'local', folder: bench.make('shelf') }, bandwidth: 100 });
  const { signal } = new AbortController();
  const { Readable } = await import('node:stream');
  const begun = clock.now();
  await location.write('a.zip', Readable.from([Buffer.alloc(250_000)]), 250_000, { signal });
  // A bound, not a speed: at this rate it cannot have been quicker.
  expect(clock.now() - begun).toBeGreaterThan(2_000);
  await location.close();
  clock.close();
});
