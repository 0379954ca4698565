/**
 * Rewrites the configuration of the data folder argv[2], and dies doing it. argv[3] `forever`: over and over between the
 * texts of the files argv[4] and argv[5], a line on stdout for each, until somebody KILLs it. Else it writes argv[5] once
 * and KILLs itself at that point; each point passed is printed: `before openSync 1`, `half writeSync 1`, `after …`.
 */
import fs, { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { writeConfig } from '../../../src-main/config/edit.ts';

const [folder = '', point = '', oldFile = '', newFile = ''] = process.argv.slice(2);
const texts = [oldFile, newFile].map((file) => readFileSync(file, 'utf8'));
const [, newText = ''] = texts;

function passed(name: string): void {
  process.stdout.write(`${name}\n`);
  if (name === point) process.kill(process.pid, 'SIGKILL');
}

const watched = ['openSync', 'writeSync', 'fchownSync', 'fsyncSync', 'closeSync', 'renameSync'] as const;

/** Puts a point before and after every call that changes the file system, and one in the middle of a write. */
function watchCalls(): void {
  const counts = new Map<string, number>();
  const { writeSync } = fs;
  for (const call of watched) {
    const real = fs[call] as (...given: unknown[]) => unknown;
    Object.assign(fs, {
      [call]: (...given: unknown[]): unknown => {
        const [fd, bytes] = given;
        const count = (counts.get(call) ?? 0) + 1;
        counts.set(call, count);
        passed(`before ${call} ${count}`);
        if (bytes instanceof Uint8Array && point === `half ${call} ${count}`) {
          writeSync(Number(fd), bytes.subarray(0, Math.floor(bytes.length / 2)));
          passed(point);
        }
        const answer = real(...given);
        passed(`after ${call} ${count}`);
        return answer;
      },
    });
  }
  // the named imports of everybody follow
  syncBuiltinESMExports();
}

if (point === 'forever') {
  for (let n = 0; ; n += 1) {
    writeConfig(folder, texts[n % 2] ?? '');
    process.stdout.write(`${n}\n`);
    // lets the pipe be emptied
    await new Promise((next) => setImmediate(next));
  }
}
watchCalls();
writeConfig(folder, newText);
