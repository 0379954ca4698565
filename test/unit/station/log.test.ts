/** The engine's log on real files: levels, secrets, rotation, a full disk, and an end without warning. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EstepeError } from '../../../src-main/contract/errors.ts';
import { logFailedStart, openLog } from '../../../src-main/station/log.ts';

let logs: string;
beforeEach(() => {
  logs = mkdtempSync(join(tmpdir(), 'estepe-log-'));
});
afterEach(() => rmSync(logs, { recursive: true, force: true }));

const none = () => [];
const text = (name = 'estepe.log') => readFileSync(join(logs, name), 'utf8');

describe('the log', () => {
  it.each([
    ['error', ['e']],
    ['warn', ['e', 'w']],
    ['info', ['e', 'w', 'i']],
    ['debug', ['e', 'w', 'i', 'd']],
  ] as const)('%s: that level and those before it', (level, shown) => {
    const log = openLog(logs, none, { level });
    for (const [name, line] of [
      ['error', 'e'],
      ['warn', 'w'],
      ['info', 'i'],
      ['debug', 'd'],
    ] as const)
      log[name](line);
    const lines = text().trimEnd().split('\n');
    expect(lines.map((line) => line.split(' ').at(-1))).toEqual(shown);
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} error e$/);
  });

  it('holds one line for each message, no secret in any disguise, and is for its owner alone', () => {
    const log = openLog(logs, () => ['hunter2!']);
    log.warn(`first\n  at second\nAuthorization: ${Buffer.from('hunter2!').toString('base64')}, hunter2!`);
    expect(text().trimEnd()).toMatch(/first \| at second \| Authorization: \[secret\], \[secret\]$/);
    if (process.platform !== 'win32') expect(statSync(join(logs, 'estepe.log')).mode & 0o777).toBe(0o600);
  });

  it('a full file is put aside; five old ones are kept, the newest first, and no line of those is lost', () => {
    const log = openLog(logs, none, { maxBytes: 1000 });
    for (let i = 0; i < 300; i++) log.info(`line ${i}`);
    const names = ['estepe.5.log', 'estepe.4.log', 'estepe.3.log', 'estepe.2.log', 'estepe.1.log', 'estepe.log'];
    expect(readdirSync(logs).sort()).toEqual([...names].sort());
    const numbers = names.flatMap((name) => [...text(name).matchAll(/line (\d+)/g)].map(([, n]) => Number(n)));
    const [first = 0] = numbers;
    expect(numbers).toEqual(Array.from({ length: 300 - first }, (_, i) => first + i));
    expect(first).toBeGreaterThan(0);
    for (const name of names) expect(statSync(join(logs, name)).size).toBeLessThan(1100);
  });

  it('one that cannot be put aside is cut down and goes on', () => {
    // a folder that is not empty takes no other name's place
    mkdirSync(join(logs, 'estepe.1.log', 'in-the-way'), { recursive: true });
    mkdirSync(join(logs, 'estepe.2.log', 'in-the-way'), { recursive: true });
    const log = openLog(logs, none, { maxBytes: 400_000 });
    for (let i = 0; i < 500; i++) log.info(`line ${i} ${'x'.repeat(1000)}`);
    expect(statSync(join(logs, 'estepe.log')).size).toBeLessThan(410_000);
    expect(text()).toContain('line 499 ');
    expect(text()).not.toContain('line 0 ');
  });

  it.skipIf(!existsSync('/dev/full'))('a full disk costs the lines and nothing else', () => {
    symlinkSync('/dev/full', join(logs, 'estepe.log'));
    const log = openLog(logs, none);
    log.info('nobody will read this');
    rmSync(join(logs, 'estepe.log'));
    log.info('there is room again');
    expect(text()).toContain('there is room again');
  });

  it('what was logged before a process dies without warning stands there, wherever it was started from', () => {
    const module = fileURLToPath(new URL('../../../src-main/station/log.ts', import.meta.url));
    const script = `import { openLog } from ${JSON.stringify(module)};
      const log = openLog(process.argv[1], () => []);
      for (let i = 0; i < 100; i++) log.info('line ' + i);
      process.kill(process.pid, 'SIGKILL');`;
    spawnSync(process.execPath, ['--input-type=module', '-e', script, logs], { cwd: logs });
    expect(text().trimEnd().split('\n')).toHaveLength(100);
  });
});

describe('an engine that did not start', () => {
  const at = () => ({ logs, secrets: join(logs, 'secrets') });
  const error = (code: 'config' | 'owned') => new EstepeError(code, 'Wrong with tok-1234.', 'Mend it.');

  it('is said in its log, without the secrets of its folder', () => {
    mkdirSync(join(logs, 'secrets'));
    writeFileSync(join(logs, 'secrets', 'key'), 'tok-1234', { mode: 0o600 });
    logFailedStart(at(), error('config'));
    expect(text()).toMatch(/ error Estepe did not start: Wrong with \[secret\]\. Mend it\.\n$/);
  });

  it('writes nothing where another one runs, or where there is no folder for it', () => {
    logFailedStart(at(), error('owned'));
    logFailedStart({ ...at(), logs: join(logs, 'none') }, error('config'));
    expect(readdirSync(logs)).toEqual([]);
  });
});
