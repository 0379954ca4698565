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

it('where backups are stored keeps under the configured bandwidth: while time stands still a tenth of a second’s worth passes', async () => {
  using bench = new Bench();
  const clockwork = new Clockwork();
  const data = { root: bench.make('data'), secrets: bench.make('secrets') };
  const means = meansOf(data, clockwork.clock);
  const location = means.openBackups({ location: { kind: 'local', folder: bench.make('shelf') }, bandwidth: 100 });
  const told: number[] = [];
  const first = Promise.withResolvers<void>();
  const onProgress = ({ bytes }: Progress): void => {
    told.push(bytes);
    first.resolve();
  };
  const stop = new AbortController();
  let ended = false;
  const writing = location
    .write('a.zip', Readable.from([Buffer.alloc(250_000)]), 250_000, { signal: stop.signal, onProgress })
    .catch(() => {})
    .finally(() => {
      ended = true;
    });
  await first.promise;
  for (let turn = 0; turn < 200; turn += 1) await clockwork.settle();
  expect([told, ended]).toEqual([[10_000], false]);
  stop.abort();
  while (!ended) await clockwork.pass(100);
  await writing;
  await location.close();
});
