/** What is mounted below a restored folder is no part of the old one: nothing of it may go with that. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeWithPeers } from '../fixtures/require-peer.ts';

const program = fileURLToPath(new URL('./mounted-below-restore.ts', import.meta.url));

function ran(when: string): Record<string, unknown> {
  const { stdout, stderr, status } = spawnSync('unshare', ['--mount', process.execPath, program, when], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

const recordings = ['call.wav'];
const isMount = expect.stringMatching(/^\/here\/data\/monitor is a mount of its own/);

describeWithPeers('a restore over a folder below which something is mounted', ['mounts'], () => {
  it('is refused before anything is stopped, and the files of the mount stay', () => {
    expect(ran('before')).toEqual({ said: isMount, recordings, journal: 'none', left: [], stands: 'old', calls: [] });
  });

  it('mounted meanwhile: taken back', () => {
    const calls = ['before', 'after'];
    expect(ran('meanwhile')).toEqual({ said: isMount, recordings, journal: 'none', left: [], stands: 'old', calls });
  });

  it('mounted below the old one when that has to go: it stays until it is unmounted', () => {
    const calls = ['before', 'after'];
    expect(ran('late')).toEqual({ said: 'restored', recordings, journal: 'open', left: [], stands: 'new', calls });
  });
});
