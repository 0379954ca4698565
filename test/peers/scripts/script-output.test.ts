import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptsRig } from './scripts-rig.ts';

let rig: ScriptsRig;
beforeEach(() => {
  rig = new ScriptsRig();
});
afterEach(() => rig[Symbol.dispose]());

describe.skipIf(process.platform === 'win32')('what scripts say (POSIX shell)', () => {
  it('E3 100 MB of output: beginning and end are kept, the middle is counted, the watcher is not flooded', async () => {
    rig.write('it.sh', 'echo first; yes 123456789 | head -c 100000000; echo last >&2');
    let calls = 0;
    let watched = 0;
    const end = await rig.run('it.sh', {
      proc: { outputEveryMs: 50 },
      onOutput: (text) => {
        calls += 1;
        watched += text.length;
      },
    });
    expect(end.verdict).toBe('done');
    expect(end.output.length).toBeLessThan(2 * 64 * 1024 + 100);
    expect(end.output).toMatch(/^first\n123456789\n/);
    expect(end.output).toMatch(/\n123456789\nlast\n$/);
    expect(end.output).toContain('\n… 99.9 MB left out …\n');
    expect(watched).toBeLessThan(calls * (2 * 4096 + 100));
  });

  it('E3 binary output becomes printable text', async () => {
    rig.write('it.sh', String.raw`printf 'a\000b\033[31mred\rtext\tok \303\244 \377\n'`);
    const end = await rig.run('it.sh');
    expect(end.output).toBe('a\\x00b\\x1b[31mred\\x0dtext\tok ä \uFFFD\n');
  });

  it('E3 5 MB of random bytes', async () => {
    rig.write('it.sh', 'head -c 5000000 /dev/urandom');
    const end = await rig.run('it.sh');
    expect(end.verdict).toBe('done');
    expect(end.output).toContain('… 4.9 MB left out …');
    expect(end.output.length).toBeLessThan(2 * 64 * 1024 + 100);
    expect(/(?![\t\n])\p{Cc}/u.test(end.output)).toBe(false);
  });

  it('stdout and stderr come in the order they were said', async () => {
    rig.write('it.sh', 'for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done');
    const end = await rig.run('it.sh');
    expect(end.output).toBe([1, 2, 3, 4, 5].map((i) => `out ${i}\nerr ${i}\n`).join(''));
  });

  it('stdout and stderr can be opened by name, as shell scripts do', async () => {
    rig.write('it.sh', 'echo one >/dev/stderr && echo two | tee /dev/stderr >/dev/null && echo three >/dev/stdout');
    expect(await rig.run('it.sh')).toMatchObject({ verdict: 'done', output: 'one\ntwo\nthree\n' });
  });

  it('without a temporary folder the script runs all the same', async () => {
    rig.write('it.sh', 'echo out; echo err >&2');
    const before = process.env.TMPDIR;
    process.env.TMPDIR = rig.path('none');
    const end = await rig.run('it.sh').finally(() => {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    });
    expect(end.verdict).toBe('done');
    expect(end.output.split('\n').sort()).toEqual(['', 'err', 'out']);
  });

  it('what is said is passed on while the script runs', async () => {
    rig.write('it.sh', 'echo early; while [ ! -e go ]; do sleep 0.02; done; echo late');
    const heard: string[] = [];
    const end = await rig.run('it.sh', {
      proc: { outputEveryMs: 20 },
      onOutput: (text) => {
        heard.push(text);
        rig.write('go', '');
      },
    });
    expect(heard).toEqual(['early\n', 'late\n']);
    expect(end.output).toBe('early\nlate\n');
  });

  it('a watcher that throws harms neither the run nor what is kept', async () => {
    rig.write('it.sh', 'echo kept');
    const end = await rig.run('it.sh', {
      onOutput: () => {
        throw new Error('the console is gone');
      },
    });
    expect(end).toMatchObject({ verdict: 'done', output: 'kept\n' });
  });
});
