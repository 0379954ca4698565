import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive } from '../../../src-main/runbook/process-table.ts';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';
import { ScriptsRig, until } from './scripts-rig.ts';

const linux = process.platform === 'linux' && existsSync('/usr/bin/setsid');
const setsidReason = linux ? '' : ' (skipped: needs Linux and setsid of util-linux)';

let rig: ScriptsRig;
beforeEach(() => {
  rig = new ScriptsRig();
});
afterEach(() => rig[Symbol.dispose]());

describe.skipIf(process.platform === 'win32')('how scripts end (POSIX shell)', () => {
  it.each([
    [0, 0, 'done', /^it\.sh ended with 0 after \d+(\.\d)? m?s$/],
    [1, 1, 'again', /^it\.sh ended with 1 after .* \(asks for another try, 1 more try left\)$/],
    [1, 0, 'final', /^it\.sh ended with 1 after .* \(asks for another try, no try left after 1\)$/],
    [2, 5, 'final', /^it\.sh ended with 2 after .* \(final by its own word\)$/],
    [3, 5, 'final', /^it\.sh ended with 3 after .* \(final by its own word\)$/],
    [127, 5, 'final', /a command in it was not found/],
  ])('E1 exit %i with %i retries is %s', async (code, retries, verdict, sentence) => {
    rig.write('it.sh', `echo out; echo err >&2; exit ${code}`);
    const end = await rig.run('it.sh', { script: { retries } });
    expect(end).toMatchObject({ verdict, end: { how: 'exit', code } });
    expect(end.sentence).toMatch(sentence);
    expect(end.output).toBe('out\nerr\n');
  });

  it('E1 death by a signal is final and ends what the script ran', async () => {
    rig.write('it.sh', 'sleep 600 & echo $! >child; while [ ! -e go ]; do sleep 0.02; done; kill -9 $$');
    const running = rig.run('it.sh', { script: { retries: 5 } });
    const child = await rig.process('child');
    rig.write('go', '');
    const end = await running;
    expect(end).toMatchObject({ verdict: 'final', end: { how: 'signal', signal: 'SIGKILL' } });
    expect(end.sentence).toMatch(/^it\.sh was killed by SIGKILL after .*, not by Estepe$/);
    expect(isAlive(child)).toBe(false);
  });

  it('E1 retry then success: each attempt is told its number', async () => {
    rig.write('it.sh', 'echo "attempt $ESTEPE_ATTEMPT"; [ "$ESTEPE_ATTEMPT" -ge 3 ]');
    const verdicts: string[] = [];
    for (let attempt = 1; verdicts.at(-1) !== 'done' && attempt < 9; attempt += 1) {
      verdicts.push((await rig.run('it.sh', { script: { retries: 2 }, context: { attempt } })).verdict);
    }
    expect(verdicts).toEqual(['again', 'again', 'done']);
  });

  it('a script finds its variables, its folder, an empty stdin and none of the secrets of the engine', async () => {
    rig.write('it.sh', 'pwd; cat; env | sort', '/bin/sh -e');
    const end = await rig.run('it.sh', {
      context: { reason: 'two\nlines', dryRun: true, runToken: 'token-1' },
      proc: { environment: { ...process.env, ESTEPE_SECRET: 'hunter2', AWS_SECRET_ACCESS_KEY: 'hunter2' } },
    });
    const lines = end.output.split('\n');
    expect(lines[0]).toBe(rig.folder);
    expect(lines.filter((line) => line.startsWith('ESTEPE_'))).toEqual([
      'ESTEPE_ATTEMPT=1',
      'ESTEPE_DRY_RUN=1',
      'ESTEPE_EPOCH=7',
      'ESTEPE_FQDN=pbx.example.com',
      'ESTEPE_NEW_ADDRESS=192.0.2.2',
      'ESTEPE_OLD_ADDRESS=192.0.2.1',
      'ESTEPE_REASON=two lines',
      'ESTEPE_RUN=token-1',
      'ESTEPE_STEP=before-script',
    ]);
    expect(end.output).toContain('\nPATH=');
    expect(end.output).not.toContain('hunter2');
  });

  it('arguments reach the script as they are, no shell in between', async () => {
    rig.write('it.sh', 'printf "<%s>" "$@"');
    const end = await rig.run(['it.sh', 'a b', '$HOME', '; rm -rf x', '*', '']);
    expect(end.output).toBe('<a b><$HOME><; rm -rf x><*><>');
  });

  it.each([
    ['#!/no/such/interpreter', /the interpreter in its first line, \/no\/such\/interpreter, is not there$/],
    ['#!/bin/sh\r', /the interpreter in its first line, \/bin\/sh, is not there \(the file has Windows line ends\)$/],
  ])('a script that cannot start says why: %j', async (first, sentence) => {
    rig.write('it.sh', '', first.slice(2));
    const end = await rig.run('it.sh', { script: { retries: 5 } });
    expect(end).toMatchObject({ verdict: 'final', end: { how: 'not-started' } });
    expect(end.sentence).toMatch(sentence);
  });

  it('a program that is not there, a folder that is not there, a cancellation before the start', async () => {
    const proc = new RealProc();
    const command = { argv: ['/no/such'], cwd: '/', env: {}, timeoutMs: 5000, runToken: rig.token() };
    expect((await proc.run(command)).end).toEqual({ how: 'not-started', why: '/no/such is not there' });
    expect((await proc.run({ ...command, argv: ['/bin/true'], cwd: rig.path('none') })).end).toEqual({
      how: 'not-started',
      why: `its working folder ${rig.path('none')} is not there`,
    });
    expect((await proc.run({ ...command, signal: AbortSignal.abort() })).end).toEqual({ how: 'cancelled' });
  });
});

describe.skipIf(process.platform === 'win32')('scripts that do not end (POSIX shell)', () => {
  it('E2 hangs: ended by TERM, with time to tidy up', async () => {
    rig.write('it.sh', 'trap "echo tidied; exit 0" TERM; while :; do sleep 0.02; done');
    const end = await rig.run('it.sh', { script: { timeoutMs: 1500 }, proc: { graceMs: 15_000 } });
    expect(end).toMatchObject({ verdict: 'final', end: { how: 'timeout' } });
    expect(end.sentence).toBe('it.sh did not end within 1.5 s, ended by force (no try left after 1)');
    expect(end.output).toMatch(/^tidied$/m);
  });

  it('E2 ended in time, heard late because this process stood still: no time-out', async () => {
    rig.write('it.sh', 'touch started; while [ ! -e go ]; do :; done');
    const running = rig.run('it.sh', { script: { timeoutMs: 3000 } });
    await until('it runs', () => rig.has('started'));
    writeFileSync(rig.path('go'), '');
    // From here the loop's next turn begins with its timers.
    await new Promise((turn) => setImmediate(turn));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3500);
    expect((await running).end).toEqual({ how: 'exit', code: 0 });
  });

  it('E2 a time-out may be tried again while tries are left', async () => {
    rig.write('it.sh', 'sleep 600');
    const end = await rig.run('it.sh', { script: { timeoutMs: 100, retries: 1 } });
    expect(end).toMatchObject({ verdict: 'again', end: { how: 'timeout' } });
  });

  it('E2 ignores TERM: ended by KILL, its children too', async () => {
    rig.write('it.sh', 'trap "" TERM; sleep 600 & echo $! >child; echo $$ >pid; while :; do sleep 600; done');
    const running = rig.run('it.sh', { script: { timeoutMs: 1500 } });
    const members = [await rig.process('pid'), await rig.process('child')];
    expect((await running).end).toEqual({ how: 'timeout' });
    expect(members.filter(isAlive)).toEqual([]);
  });

  it.skipIf(!linux)('E2 a stopped process is ended too', async () => {
    rig.write('it.sh', 'echo $$ >pid; kill -STOP $$');
    const cancel = new AbortController();
    const running = rig.run('it.sh', { signal: cancel.signal });
    const leader = await rig.process('pid');
    await until('it stopped', () => / T /.test(readFileSync(`/proc/${leader.pid}/stat`, 'latin1')));
    cancel.abort();
    expect((await running).end).toEqual({ how: 'cancelled' });
    expect(isAlive(leader)).toBe(false);
  });

  it('E2 a grandchild that keeps stdout open: the end is not waited for, the grandchild stays and is told', async () => {
    rig.write('it.sh', 'sh -c "echo \\$\\$ >daemon; exec sleep 600" & echo started; exit 0');
    const end = await rig.run('it.sh', { proc: { drainMs: 50 } });
    expect(end).toMatchObject({ verdict: 'done', end: { how: 'exit', code: 0 } });
    expect(isAlive(await rig.process('daemon'))).toBe(true);
    expect(end.output).toBe('started\n[left 1 process running]\n');
  });

  it('E2 what is left running can go on talking without dying of it', async () => {
    // 1 MB is more than any pipe holds: without a reader it would block, without a pipe it would die.
    rig.write(
      'it.sh',
      '(while [ ! -e go ]; do sleep 0.02; done; dd if=/dev/zero bs=1000 count=1000 2>/dev/null && echo fine >saying && mv saying said) & exit 0',
    );
    const end = await rig.run('it.sh', { proc: { drainMs: 50 } });
    expect(end.output).toMatch(/^\[left \d process(es)? running\]\n$/);
    rig.write('go', '');
    expect(await until('the daemon said it all', () => rig.has('said') && rig.read('said'))).toBe('fine\n');
  });

  it('E2 a companion that ends just behind the script (tee) is heard and not told as left', async () => {
    rig.write('it.sh', 'exec > >(sleep 0.1; cat); echo through the companion', '/bin/bash');
    const end = await rig.run('it.sh', { proc: { drainMs: 10_000 } });
    expect(end.output).toBe('through the companion\n');
  });

  it.skipIf(!linux)(`E2 a grandchild in its own session is ended with the rest${setsidReason}`, async () => {
    // Its parent ends at once, so that neither group nor session nor parents tie it to the run: only the mark.
    rig.write('it.sh', '(setsid sh -c "trap \\"\\" TERM; echo \\$\\$ >far; while :; do sleep 600; done" &); sleep 600');
    const cancel = new AbortController();
    const running = rig.run('it.sh', { signal: cancel.signal });
    const far = await rig.process('far');
    cancel.abort();
    expect((await running).end).toEqual({ how: 'cancelled' });
    expect(isAlive(far)).toBe(false);
  });

  it.skipIf(!linux)(
    `E2 a grandchild without the mark, in its own session, is found by its parent${setsidReason}`,
    async () => {
      // env -i takes the mark away, setsid the group: the living parent is the one tie left.
      rig.write('it.sh', 'env -i setsid sh -c "echo \\$\\$ >far; exec sleep 600" & sleep 600');
      const cancel = new AbortController();
      const running = rig.run('it.sh', { signal: cancel.signal });
      const far = await rig.process('far');
      cancel.abort();
      expect((await running).end).toEqual({ how: 'cancelled' });
      expect(isAlive(far)).toBe(false);
    },
  );

  it('E2 cancelled: everything is ended', async () => {
    rig.write('it.sh', 'sleep 600 & echo $! >child; echo $$ >pid; wait');
    const cancel = new AbortController();
    const running = rig.run('it.sh', { script: { retries: 5 }, signal: cancel.signal });
    const members = [await rig.process('pid'), await rig.process('child')];
    cancel.abort();
    const end = await running;
    expect(end).toMatchObject({ verdict: 'final', end: { how: 'cancelled' } });
    expect(end.sentence).toMatch(/^it\.sh was cancelled after .* m?s, ended by force$/);
    expect(members.filter(isAlive)).toEqual([]);
  });

  it('E2 one run ended by force leaves another run alone', async () => {
    rig.write('other.sh', 'echo $$ >other; while [ ! -e go ]; do sleep 0.02; done; echo undisturbed');
    rig.write('it.sh', 'sleep 600');
    const other = rig.run('other.sh');
    await rig.process('other');
    await rig.run('it.sh', { script: { timeoutMs: 100 } });
    rig.write('go', '');
    expect(await other).toMatchObject({ verdict: 'done', output: 'undisturbed\n' });
  });
});
