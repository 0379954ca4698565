/**
 * One true pipe for both stdout and stderr of a program. Node's own `stdio: 'pipe'` gives two socket pairs, on which
 * the everyday `echo … >/dev/stderr` of shell scripts fails with ENXIO (a socket cannot be opened by its name), and
 * whose relative order is lost. Must not know what is written.
 */
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface OutputPipe {
  from: Socket;
  /** for the program; to be closed here as soon as it has it, or the end is never seen */
  to: number;
}

/**
 * Node has no pipe(2); a FIFO that is opened at both ends and unlinked is the same thing. Null where that cannot be
 * had (no mkfifo, temporary folder full): the program then runs on Node's own pipes. Never rejects.
 */
export async function outputPipe(): Promise<OutputPipe | null> {
  let folder: string | null = null;
  let from: number | null = null;
  try {
    folder = await mkdtemp(join(tmpdir(), 'estepe-pipe-'));
    const name = join(folder, 'output');
    await promisify(execFile)('mkfifo', ['-m', '600', name], { timeout: 2000 });
    // This end first and without waiting, since a FIFO's ends wait for each other.
    from = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
    const to = openSync(name, constants.O_WRONLY);
    return { from: new Socket({ fd: from, readable: true, writable: false }), to };
  } catch {
    if (from !== null) closeSync(from);
    return null;
  } finally {
    if (folder !== null) await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}
