import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive } from '../../../src-main/runbook/process-table.ts';
import { endTree } from '../../../src-main/runbook/process-tree.ts';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';
import { ScriptsRig } from './scripts-rig.ts';

const linux = process.platform === 'linux';
const reason = linux ? '' : ' (skipped: needs /proc of Linux)';

let rig: ScriptsRig;
beforeEach(() => {
  rig = new ScriptsRig();
});
afterEach(() => rig[Symbol.dispose]());

describe.skipIf(!linux)(`what an engine that died left running${reason}`, () => {
  it('F1 kill -9 of the engine: its next life ends the script and all it ran, and nothing else', async () => {
    const script = rig.write(
      'it.sh',
      'setsid sh -c "trap \\"\\" TERM; echo \\$\\$ >far; while :; do sleep 600; done" & echo $$ >pid; wait',
    );
    const stranger = rig.write('stranger.sh', 'echo $$ >stranger; exec sleep 600');
    const token = rig.token();
    const start = (name: string, runToken: string) =>
      spawn(
        process.execPath,
        [fileURLToPath(new URL('./dying-engine.ts', import.meta.url)), rig.folder, name, runToken],
        { stdio: 'ignore' },
      );
    const engine = start(script, token);
    // A token that begins alike is another token.
    const other = start(stranger, `${token}0`);
    const left = [await rig.process('pid'), await rig.process('far')];
    const untouched = await rig.process('stranger');
    for (const one of [engine, other]) {
      one.kill('SIGKILL');
      await once(one, 'exit');
    }
    expect(left.every(isAlive)).toBe(true);

    const proc = new RealProc({ graceMs: 200 });
    expect(await proc.endLeftovers(token)).toBeGreaterThanOrEqual(2);
    expect(left.filter(isAlive)).toEqual([]);
    expect(isAlive(untouched)).toBe(true);
    expect(await proc.endLeftovers(token)).toBe(0);
    expect(await proc.endLeftovers(`${token}0`)).toBe(1);
    expect(isAlive(untouched)).toBe(false);
  });

  it('F1 an engine started by a script does not end itself', async () => {
    // The engine's own environment carries the mark when a script (re)started it.
    rig.write('restart.sh', `exec "$@"`);
    const token = rig.token();
    const module = new URL('../../../src-main/runbook/real-proc.ts', import.meta.url).href;
    const program = `const { RealProc } = await import('${module}');
      console.log('ended', await new RealProc({ graceMs: 200 }).endLeftovers('${token}'));`;
    const end = await rig.run(['restart.sh', process.execPath, '--input-type=module', '-e', program], {
      context: { runToken: token },
    });
    expect(end).toMatchObject({ verdict: 'done', output: 'ended 0\n' });
  });

  it('a process number that was given again to a stranger is left alone', async () => {
    const script = rig.write('stranger.sh', 'echo $$ >stranger; exec sleep 600');
    // As it looks after a wrap of numbers: the leader ended, and its number leads a stranger's group now.
    spawn(script, { cwd: rig.folder, stdio: 'ignore', detached: true });
    const stranger = await rig.process('stranger');
    const leader = { pid: stranger.pid, startedAt: stranger.startedAt - 1 };
    const run = { token: rig.token(), leader, leaderGone: () => true };
    expect(await endTree(run, { graceMs: 0, killMs: 1000 })).toEqual({ found: 0, left: [] });
    expect(isAlive(stranger)).toBe(true);
    expect(isAlive(leader)).toBe(false);
  });
});
