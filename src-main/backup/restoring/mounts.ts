/**
 * What is mounted at or below a folder. A rename would carry it away with the old folder, whose place the new one takes without it.
 * Linux only: Windows' mount points are links in their folder, which stay what they are. Must not know what is restored.
 */
import { readFileSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { sep } from 'node:path';

/** proc_pid_mountinfo(5): the fifth field; space, tab, newline and backslash stand there in octal. */
function mountPoints(): string[] {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) =>
        (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8))),
      )
      .filter((point) => point !== '');
  } catch {
    return [];
  }
}

/** The mount point at or below `path`, as its path begins here; null: none, or `path` is not there. */
export async function mountWithin(path: string): Promise<string | null> {
  if (process.platform !== 'linux') return null;
  const real = await realpath(path).catch(() => null);
  if (real === null) return null;
  const found = mountPoints().find((point) => point === real || point.startsWith(`${real}${sep}`));
  return found === undefined ? null : `${path}${found.slice(real.length)}`;
}
