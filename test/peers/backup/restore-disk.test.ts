/** D6 disk full: a restore onto a small disk leaves the old state, whether the room is missed beforehand or on the way. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeWithPeers } from '../fixtures/require-peer.ts';

const program = fileURLToPath(new URL('./full-disk-restore.ts', import.meta.url));

/** Runs the child in a mount namespace of its own with a tmpfs of so many MiB at the folder it is told. */
function onSmallDisk(mib: number, how: string): Record<string, unknown> {
  const shell = `set -e; d=$(mktemp -d); mount -t tmpfs -o size=${mib}m none "$d"; trap 'umount "$d"; rmdir "$d"' EXIT; "$0" "$1" "$d" "$2"`;
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
