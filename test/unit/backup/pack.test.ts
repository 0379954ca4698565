import { expect, it } from 'vitest';
import { type Manifest, manifestFormat, maxManifestBytes } from '../../../src-main/backup/archive/manifest.ts';
import { pack } from '../../../src-main/backup/archive/pack.ts';
import { about } from './workbench.ts';

it('what could not be restored for the size of its manifest is not made', async () => {
  const mib = 'x'.repeat(1024 * 1024);
  const leftOut = Array.from({ length: maxManifestBytes / mib.length }, () => ({ path: mib, why: '' }));
  const at = { wall: 0, iso: '' };
  const manifest: Manifest = { format: manifestFormat, ...about, createdAt: at, roots: [], items: [], leftOut };
  let bytes = 0;
  const put = async (block: Uint8Array): Promise<void> => {
    bytes += block.length;
  };
  const packing = pack(manifest, new Map(), put, () => {});
  await expect(packing).rejects.toMatchObject({ fault: 'source', message: expect.stringContaining('too many files') });
  expect(bytes).toBe(0);
});
