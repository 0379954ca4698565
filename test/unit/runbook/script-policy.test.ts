import { describe, expect, it } from 'vitest';
import type { CommandEnd } from '../../../src-main/engine/ports.ts';
import { judge, resolveScript, type ScriptContext, scriptEnvironment } from '../../../src-main/runbook/script.ts';

describe('judge', () => {
  const exit = (code: number): CommandEnd => ({ how: 'exit', code });
  it.each<[CommandEnd, number, number, string, string]>([
    [exit(0), 1, 0, 'done', 'x.sh ended with 0 after 0.4 s'],
    [exit(1), 1, 2, 'again', 'x.sh ended with 1 after 0.4 s (asks for another try, 2 more tries left)'],
    [exit(1), 2, 2, 'again', 'x.sh ended with 1 after 0.4 s (asks for another try, 1 more try left)'],
    [exit(1), 3, 2, 'final', 'x.sh ended with 1 after 0.4 s (asks for another try, no try left after 3)'],
    [exit(1), 9, 2, 'final', 'x.sh ended with 1 after 0.4 s (asks for another try, no try left after 9)'],
    [exit(2), 1, 2, 'final', 'x.sh ended with 2 after 0.4 s (final by its own word)'],
    [exit(255), 1, 2, 'final', 'x.sh ended with 255 after 0.4 s (final by its own word)'],
    [{ how: 'timeout' }, 1, 1, 'again', 'x.sh did not end within 60 s, ended by force (1 more try left)'],
    [{ how: 'timeout' }, 1, 0, 'final', 'x.sh did not end within 60 s, ended by force (no try left after 1)'],
    [{ how: 'signal', signal: 'SIGSEGV' }, 1, 2, 'final', 'x.sh was killed by SIGSEGV after 0.4 s, not by Estepe'],
    [{ how: 'cancelled' }, 1, 2, 'final', 'x.sh was cancelled after 0.4 s, ended by force'],
    [{ how: 'not-started', why: 'it is not there' }, 1, 2, 'final', 'x.sh was not started: it is not there'],
  ])('%j at attempt %i with %i retries', (end, attempt, retries, verdict, sentence) => {
    expect(judge('x.sh', end, 412, { timeoutMs: 60_000, retries }, attempt)).toEqual({ verdict, sentence });
  });
});

describe('scriptEnvironment', () => {
  const context: ScriptContext = {
    epoch: 7,
    step: 'before-script',
    attempt: 2,
    reason: 'sip: 200 "OK" & del *',
    dryRun: false,
    fqdn: 'pbx.example.com',
    oldAddress: '192.0.2.1',
    newAddress: '2001:db8::2',
    runToken: 't',
  };

  it('names exactly what the design promises', () => {
    expect(scriptEnvironment(context, 'linux')).toEqual({
      ESTEPE_EPOCH: '7',
      ESTEPE_STEP: 'before-script',
      ESTEPE_ATTEMPT: '2',
      ESTEPE_REASON: 'sip: 200 "OK" & del *',
      ESTEPE_DRY_RUN: '0',
      ESTEPE_FQDN: 'pbx.example.com',
      ESTEPE_OLD_ADDRESS: '192.0.2.1',
      ESTEPE_NEW_ADDRESS: '2001:db8::2',
    });
  });

  it('Windows: nothing in a value that a batch file would execute when it echoes it', () => {
    expect(scriptEnvironment(context, 'win32').ESTEPE_REASON).toBe('sip: 200  OK    del *');
  });

  it('a value is one line of bounded length without NUL, since a NUL would keep the script from starting', () => {
    const { ESTEPE_REASON: reason = '' } = scriptEnvironment({ ...context, reason: `a\0b\r\nc${'d'.repeat(9999)}` });
    expect(reason).toMatch(/^a b cd+$/);
    expect(reason).toHaveLength(1000);
  });
});

describe('resolveScript', () => {
  it.each<[string | string[], string[]]>([
    ['stop.sh', ['/data/scripts/stop.sh']],
    ['my script.sh', ['/data/scripts/my script.sh']],
    ['site/stop.sh', ['/data/scripts/site/stop.sh']],
    ['./stop.sh', ['/data/scripts/stop.sh']],
    ['/data/scripts/stop.sh', ['/data/scripts/stop.sh']],
    ['..stop.sh', ['/data/scripts/..stop.sh']],
    [
      ['stop.sh', '../x', '-f'],
      ['/data/scripts/stop.sh', '../x', '-f'],
    ],
  ])('POSIX: %j', (script, argv) => {
    expect(resolveScript('/data/scripts', script, 'linux')).toEqual({ argv });
  });

  it.each([
    ['../stop.sh', 'leads outside the scripts folder /data/scripts'],
    ['site/../../stop.sh', 'leads outside'],
    ['/bin/sh', 'leads outside'],
    ['/data/scripts2/stop.sh', 'leads outside'],
    ['.', 'leads outside'],
    ['..', 'leads outside'],
    ['', 'no script is named'],
    ['  ', 'no script is named'],
    ['a\0.sh', 'NUL'],
  ])('E4 POSIX refuses %j', (script, why) => {
    expect(resolveScript('/data/scripts', script, 'linux')).toEqual({ refused: expect.stringContaining(why) });
  });

  it('E4 an empty argv names no script', () => {
    expect(resolveScript('/data/scripts', [], 'linux')).toEqual({ refused: 'no script is named' });
  });

  it.each([
    ['stop.cmd', 'C:\\data\\scripts\\stop.cmd'],
    ['site/stop.cmd', 'C:\\data\\scripts\\site\\stop.cmd'],
    ['c:\\DATA\\scripts\\stop.cmd', 'c:\\DATA\\scripts\\stop.cmd'],
  ])('Windows: %j', (script, path) => {
    expect(resolveScript('C:\\data\\scripts', script, 'win32')).toEqual({ argv: [path] });
  });

  it.each([
    ['..\\stop.cmd', 'leads outside'],
    ['../stop.cmd', 'leads outside'],
    ['D:\\data\\scripts\\stop.cmd', 'leads outside'],
    ['\\\\server\\share\\stop.cmd', 'leads outside'],
    ['\\stop.cmd', 'leads outside'],
    ['d:stop.cmd', 'colon'],
    ['stop.cmd:hidden.exe', 'colon'],
  ])('E4 Windows refuses %j', (script, why) => {
    expect(resolveScript('C:\\data\\scripts', script, 'win32')).toEqual({ refused: expect.stringContaining(why) });
  });
});
