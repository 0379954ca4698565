/** The end of a command whose disk hangs: a pipe that nobody writes to holds one of Node's threads as a dead share does. */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from './estepe-process.ts';

const leaving = fileURLToPath(new URL('../../../src-main/cli/leave.ts', import.meta.url));

it.skipIf(process.platform === 'win32')('D5 a hung disk keeps no command from its end, nor its exit code', async () => {
  const folder = temporaryFolder();
  try {
    const pipe = join(folder.path, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const begin = `require('node:fs').open(${JSON.stringify(pipe)}, 'r', () => {});`;
    for (const end of ['leaveSoon(1)', 'setTimeout(() => leave(1), 100)']) {
      const script = `${begin} import(${JSON.stringify(leaving)}).then(({ leave, leaveSoon }) => ${end})`;
      const child = spawn(process.execPath, ['-e', script], { stdio: 'inherit' });
      expect(await new Promise((done) => child.once('close', (code, signal) => done(code ?? signal)))).toBe(1);
    }
  } finally {
    folder.remove();
  }
});
