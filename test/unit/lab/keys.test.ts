/** The lab at a terminal: a pseudo-terminal of util-linux's `script`, keys pressed as a person would. */
import { spawn, spawnSync } from 'node:child_process';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { until } from '../../peers/fixtures/until.ts';
import { entry } from '../cli/estepe-process.ts';
import { patienceMs, temporary } from './lab-process.ts';

vi.setConfig({ testTimeout: 180_000 });

const found = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true;
if (!found) console.warn('The keys of the lab are not tested: `script` of util-linux is not here.');

const open: (() => void)[] = [];
afterAll(() => {
  for (const end of open) end();
});

function atTerminal(...args: string[]) {
  const folder = temporary();
  const command = [process.execPath, entry, 'lab', ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: folder.path, NO_COLOR: '1', TERM: 'xterm' },
  });
  open.push(() => child.kill('SIGHUP'));
  let out = '';
  let from = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString().replaceAll('\r', '');
  });
  return {
    folder,
    press: (key: string) => void child.stdin.write(key),
    /** waits for a sentence after the one waited for before */
    async said(sentence: RegExp) {
      const find = (): RegExpExecArray | null => sentence.exec(out.slice(from));
      const match = await until(`${sentence} is said; so far: ${out}`, find, patienceMs);
      from += match.index + match[0].length;
      return match[0];
    },
    out: () => out,
    ended: new Promise<number | null>((resolve) => child.once('close', resolve)),
  };
}

describe.skipIf(!found).concurrent('at a terminal', () => {
  it('shows the console’s address and the keys, and each key does what it says', async () => {
    const lab = atTerminal();
    await lab.said(/Mode {5}confirm, asks a person for 30s/);
    const link = await lab.said(/http:\/\/127\.0\.0\.1:\d+\/#token=\S+/);
    await lab.said(/Keys: k kill · h hang · t bring back .* b back up .* q quit/);
    await lab.said(/\[starting\.healthy\]/);
    const health = await fetch(new URL('/healthz', link));
    expect(health.status).toBe(200);

    lab.press('s');
    await lab.said(/The active answers and the spare is watching\./);
    await lab.said(/sip \(udp 127\.\d+\.\d+\.1:\d+\): alive/);
    lab.press('p');
    await lab.said(/Refused by proven-down \(the other node answers.*\[order\.promote\]/);
    lab.press('h');
    await lab.said(/You freeze the active's PBX \(process \d+\)/);
    await lab.said(/A person is asked for 30 s, then the spare takes over\. \[suspecting\.down-ask\]/);
    lab.press('c');
    await lab.said(/You said not to take over.*\[awaiting\.held\]/);
    lab.press('t');
    await lab.said(/The active's PBX on \S+ went on/);
    await lab.said(/\[awaiting\.recovered\]/);
    lab.press('i');
    await lab.said(/You pull the spare’s cable/);
    await lab.said(/\[watchers\.isolated\]/);
    lab.press('i');
    await lab.said(/You plug the spare’s cable in again/);
    await lab.said(/\[isolated\.back\]/);
    lab.press('m');
    await lab.said(/You switched maintenance on for 10 min/);
    lab.press('k');
    await lab.said(/You kill the active's PBX/);
    await lab.said(/maintenance is on for another .*\[suspecting\.down-maintenance\]/);
    lab.press('m');
    await lab.said(/You switched maintenance off/);
    await lab.said(/\[suspecting\.down-ask\]/);
    lab.press('p');
    await lab.said(/You ordered the promotion/);
    await lab.said(/under epoch 1\. \[promoting\.done\]/);
    lab.press('t');
    await lab.said(/The active's PBX on \S+ started again/);
    await lab.said(/\[active\.other-answers\]/);
    lab.press('x');
    await lab.said(/Keys: k kill/);
    lab.press('q');
    expect(await lab.ended).toBe(0);
    expect(lab.out()).toContain('The lab is down; nothing of it is left.');
    await lab.folder.expectNothingLeft();
  });

  it('plays a scenario that is asked for and stays; Ctrl-C ends it like q', async () => {
    const lab = atTerminal('--scenario', 'flap');
    await lab.said(/We kill the active's PBX for the third time/);
    await lab.said(/As it should be: The spare did not take over, and watches again\. The lab stays up until q\./);
    lab.press('\u0003');
    expect(await lab.ended).toBe(0);
    await lab.folder.expectNothingLeft();
  });
});
