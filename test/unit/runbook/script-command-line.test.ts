import { describe, expect, it } from 'vitest';
import { childEnvironment } from '../../../src-main/runbook/child-environment.ts';
import { commandLineFor } from '../../../src-main/runbook/command-line.ts';

const cmd = 'C:\\Windows\\System32\\cmd.exe';
const powershell = 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe';

describe('commandLineFor', () => {
  it.each<[string, string[], string, string[], boolean]>([
    ['a batch file', ['C:\\s\\a.cmd'], cmd, ['/d', '/s', '/c', '""C:\\s\\a.cmd""'], true],
    ['capitals', ['C:\\s\\A.BAT'], cmd, ['/d', '/s', '/c', '""C:\\s\\A.BAT""'], true],
    [
      'spaces, parentheses, empty words',
      ['C:\\Program Files (x86)\\a.cmd', 'x y', '', 'a,b;c=d'],
      cmd,
      ['/d', '/s', '/c', '""C:\\Program Files (x86)\\a.cmd" "x y" "" "a,b;c=d""'],
      true,
    ],
    [
      'PowerShell',
      ['C:\\s\\a.ps1', '-Name', 'x & y'],
      powershell,
      ['-NoLogo', '-NoProfile', '-NonInteractive', '-File', 'C:\\s\\a.ps1', '-Name', 'x & y'],
      false,
    ],
    ['a program', ['C:\\s\\a.exe', '"&%'], 'C:\\s\\a.exe', ['"&%'], false],
    ['a program on PATH', ['sc', 'start', '3CX'], 'sc', ['start', '3CX'], false],
  ])('Windows: %s', (_, argv, file, args, verbatim) => {
    expect(commandLineFor(argv, 'win32')).toEqual({ file, args, verbatim });
  });

  it.each([
    ...[...'"%&|<>^!'].map((c) => [['C:\\s\\a.cmd', `x${c}y`], `"x${c}y" holds ${c}, which cmd.exe would act on`]),
    [['C:\\s\\a&b.cmd'], '"C:\\s\\a&b.cmd" holds &'],
    [['C:\\s\\a.cmd', 'x\ny'], 'an argument holds a line end'],
    [['C:\\s\\a.cmd', 'x\r'], 'an argument holds a line end'],
    [['C:\\s\\a.cmd.', 'x&y'], '"C:\\s\\a.cmd." ends in a dot or a space'],
    [['C:\\s\\a.bat ', 'x&y'], '"C:\\s\\a.bat " ends in a dot or a space'],
    [['C:\\s\\a.exe', 'x\0y'], 'an argument holds a NUL character'],
    [[], 'no program is named'],
    [[''], 'no program is named'],
  ] as [string[], string][])('Windows refuses %j', (argv, why) => {
    expect(commandLineFor(argv, 'win32')).toEqual({ refused: expect.stringContaining(why) });
  });

  it('POSIX: the words as they are, whatever they hold', () => {
    const argv = ['/s/a.cmd', '$(x)', '"%&|<>^!', 'a\nb'];
    expect(commandLineFor(argv, 'linux')).toEqual({ file: '/s/a.cmd', args: argv.slice(1), verbatim: false });
    expect(commandLineFor(['/s/a', 'x\0'], 'linux')).toHaveProperty('refused');
  });

  it('interpreters come from the system that runs, wherever it is installed', () => {
    expect(commandLineFor(['a.cmd'], 'win32', 'D:\\WINNT')).toMatchObject({ file: 'D:\\WINNT\\System32\\cmd.exe' });
  });
});

describe('childEnvironment', () => {
  it('passes the needed few, adds what is given and the mark', () => {
    const own = { PATH: '/bin', HOME: '/root', LANG: 'C.UTF-8', AWS_SECRET_ACCESS_KEY: 'x', NODE_OPTIONS: '--x' };
    expect(childEnvironment(own, { ESTEPE_STEP: 'claim', LANG: 'C' }, 't', 'linux')).toEqual({
      PATH: '/bin',
      HOME: '/root',
      LANG: 'C',
      ESTEPE_STEP: 'claim',
      ESTEPE_RUN: 't',
    });
  });

  it('has a PATH even where the engine has none, and a mark that nobody overrides', () => {
    const environment = childEnvironment({}, { ESTEPE_RUN: 'forged' }, 't', 'linux');
    expect(environment.PATH).toContain('/usr/bin');
    expect(environment.ESTEPE_RUN).toBe('t');
  });

  it('Windows: names ignore case, a given one replaces', () => {
    const own = { Path: 'C:\\Windows', SystemRoot: 'C:\\Windows', Secret: 'x' };
    expect(childEnvironment(own, { PATH: 'D:\\' }, 't', 'win32')).toEqual({
      PATH: 'D:\\',
      SystemRoot: 'C:\\Windows',
      ESTEPE_RUN: 't',
    });
  });
});
