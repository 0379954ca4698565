/** D6 disk full: a restore onto a small disk leaves the old state, whether the room is missed beforehand, on the way or at its end. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeWithPeers } from '../fixtures/require-peer.ts';

const program = fileURLToPath(new URL('./full-disk-restore.ts', import.meta.url));

/** Runs the child in a mount namespace of its own with a tmpfs of so many MiB at the folder it is told. */
const onSmallDisk = (mib: number, how: string): Record<string, unknown> =>
  ran(
    `set -e; d=$(mktemp -d); mount -t tmpfs -o size=${mib}m none "$d"; trap 'umount "$d"; rmdir "$d"' EXIT; "$0" "$1" "$d" "$2"`,
    how,
  );

/**
 * The same on a disk that says it has 64 MiB and has 6: what does not fit is taken by write(2) and lost by fsync(2). Far too
 * little, since Linux' loop device says nothing of the one request that fits in part.
 */
const onThinDisk = (how: string): Record<string, unknown> =>
  ran(
    [
      'set -e; d=$(mktemp -d); mkdir "$d/t" "$d/m"; mount -t tmpfs -o size=6m none "$d/t"',
      'truncate -s 64M "$d/t/disk"; mkfs.ext2 -q -m 0 "$d/t/disk"; mount -o loop "$d/t/disk" "$d/m"; rmdir "$d/m/lost+found"',
      `trap 'umount -l "$d/m"; umount -l "$d/t"; rmdir "$d/m" "$d/t" "$d"' EXIT; "$0" "$1" "$d/m" "$2"`,
    ].join('; '),
    how,
  );

function ran(shell: string, how: string): Record<string, unknown> {
  const { stdout, stderr, status } = spawnSync(
    'unshare',
    ['--mount', 'sh', '-c', shell, process.execPath, program, how],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

describeWithPeers('D6 disk full in restore', ['mounts'], () => {
  it('D6 too little room for old and new together: refused beforehand, nothing stopped, nothing written', () => {
    expect(onSmallDisk(24, 'as-it-is')).toEqual({
      fault: 'disk',
      message: expect.stringMatching(/^On the disk of .* MiB are missing for the restore\.$/),
      same: true,
      left: [],
      calls: [],
    });
  });

  it('D6 somebody else fills the disk while it extracts: the old state, and its room again', () => {
    expect(onSmallDisk(48, 'fill')).toEqual({
      fault: 'disk',
      message: expect.stringContaining('ENOSPC'),
      same: true,
      left: [],
      calls: [],
    });
  });
});

describeWithPeers('D6 a disk that loses what it took', ['mounts', 'mkfs.ext2', 'losetup'], () => {
  it('D6 one file of many does not reach the disk: the old state, before anything was stopped', () => {
    expect(onThinDisk('as-it-is')).toEqual({
      fault: 'disk',
      message: expect.stringMatching(/(?:EIO|ENOSPC): .*, fsync\.$/),
      same: true,
      left: [],
      calls: [],
    });
  });
});
