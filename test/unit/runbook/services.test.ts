import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { profileFacts } from '../../../src-main/config/profiles.ts';
import { type ServicesPlan, serviceCommands, spoken } from '../../../src-main/runbook/services.ts';

const none: ServicesPlan = { names: [], start: [], query: [], stop: [] };
const named = (...names: string[]): ServicesPlan => ({ ...none, names });
/** The script that powershell.exe is given. */
const script = (argv: readonly string[] | undefined): string => argv?.at(-1) ?? '';

describe('names of services on systemd', () => {
  it('are started in order and stopped in reverse, each by its own command', () => {
    const { start, stop } = serviceCommands(named('postgresql', 'nginx', 'pbx'), 'linux');
    expect(start.map(spoken)).toEqual(['systemctl start postgresql', 'systemctl start nginx', 'systemctl start pbx']);
    expect(stop.map(spoken)).toEqual(['systemctl stop pbx', 'systemctl stop nginx', 'systemctl stop postgresql']);
  });

  it('are asked after one by one: of several, is-active says yes where one of them runs', () => {
    expect(serviceCommands(named('nginx', 'pbx'), 'linux').query).toEqual([
      ['systemctl', 'is-active', '--quiet', 'nginx'],
      ['systemctl', 'is-active', '--quiet', 'pbx'],
    ]);
  });

  it('a pattern is an argument of the shell, never part of its script, and is spoken of as what it does', () => {
    const { start, query, stop } = serviceCommands(named('3CX*'), 'linux');
    expect(start[0]?.slice(0, 2)).toEqual(['sh', '-c']);
    expect(start[0]?.slice(3)).toEqual(['systemctl start', '3CX*']);
    expect(start[0]?.[2]).not.toContain('3CX');
    expect([...start, ...query, ...stop].map(spoken)).toEqual([
      'systemctl start 3CX*',
      'systemctl is-active 3CX*',
      'systemctl stop 3CX*',
    ]);
  });
});

describe.skipIf(process.platform === 'win32')('a pattern on systemd, expanded by a real shell', () => {
  /** A systemctl that knows these unit files and notes what it is told; `down` is the one unit that does not run. */
  function ran(units: string[], argv: readonly string[], down = ''): { code: number; told: string[]; said: string } {
    const folder = mkdtempSync(join(tmpdir(), 'estepe-systemctl-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const program = join(folder, 'systemctl');
    writeFileSync(join(folder, 'units'), units.map((u) => `${u}   disabled enabled\n`).join(''));
    writeFileSync(
      program,
      `#!/bin/sh\nif [ "$1" = list-unit-files ]; then cat "${folder}/units"; exit; fi\necho "$*" >>"${folder}/told"\n[ "$3" != "${down}" ]\n`,
    );
    chmodSync(program, 0o755);
    writeFileSync(join(folder, 'told'), '');
    let code = 0;
    let said = '';
    try {
      const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` };
      execFileSync(argv[0] ?? '', argv.slice(1), { env, stdio: ['ignore', 'ignore', 'pipe'] });
    } catch (error) {
      const failed = error as { status: number; stderr: Buffer };
      code = failed.status;
      said = failed.stderr.toString();
    }
    return { code, told: readFileSync(join(folder, 'told'), 'utf8').split('\n').filter(Boolean), said };
  }
  const { start, query } = serviceCommands(named('3CX*'), 'linux');
  const units = ['3CXIVR01.service', '3CXMediaServer.service', '3CXOf@.service'];

  it('starts every installed unit that fits, running or not, and no template', () => {
    expect(ran(units, start[0] ?? [])).toEqual({
      code: 0,
      told: ['start 3CXIVR01.service 3CXMediaServer.service'],
      said: '',
    });
  });

  it('says yes only where all of them run', () => {
    expect(ran(units, query[0] ?? []).code).toBe(0);
    expect(ran(units, query[0] ?? [], '3CXMediaServer.service').code).toBe(1);
    expect(ran(units, query[0] ?? [], '3CXIVR01.service').code).toBe(1);
  });

  it('that fits nothing is a failure in words, and nothing is told to start', () => {
    for (const argv of [start[0] ?? [], query[0] ?? []]) {
      expect(ran([], argv)).toEqual({ code: 1, told: [], said: 'no service is named 3CX*\n' });
    }
  });

  it('cannot break out of its argument', () => {
    const [evil = []] = serviceCommands(named('x*"; touch broken; "$(touch broken)'), 'linux').start;
    expect(ran([], evil)).toMatchObject({ code: 1, told: [] });
    expect(ran(['a.service'], evil).told).toEqual(['start a.service']);
  });
});

describe('names of services on Windows', () => {
  it('a pattern is matched at run time; one that fits nothing is an error, since all of nothing would run', () => {
    const { start, query, stop } = serviceCommands(profileFacts['3cx-windows'].services, 'win32');
    expect(start[0]?.slice(0, 4)).toEqual(['powershell.exe', '-NoProfile', '-NonInteractive', '-Command']);
    expect(script(start[0])).toBe(
      "$ErrorActionPreference='Stop'; $s = @(Get-Service -Name '3CX*'); if (-not $s.Count) { throw 'no service is named 3CX*' }; $s | Start-Service",
    );
    expect(script(query[0])).toBe(
      "$ErrorActionPreference='Stop'; $s = @(Get-Service -Name '3CX*'); if (-not $s.Count) { throw 'no service is named 3CX*' }; if (@($s | Where-Object Status -ne 'Running').Count) { exit 1 }",
    );
    expect(script(stop[0])).toBe("$ErrorActionPreference='Stop'; Get-Service -Name '3CX*' | Stop-Service -Force");
  });

  it('a quote in a name stays in the name', () => {
    const { start, query, stop } = serviceCommands(named("it's'; Remove-Item x; '"), 'win32');
    for (const argv of [...start, ...query, ...stop]) expect(script(argv)).toContain("'it''s''; Remove-Item x; '''");
  });

  it('each is asked after by itself, stopped in reverse, and spoken of without the frame around it', () => {
    const { query, stop } = serviceCommands(named('A', 'B'), 'win32');
    expect(query.map((q) => /Get-Service -Name '(.)'/.exec(script(q))?.[1])).toEqual(['A', 'B']);
    expect(stop.map(spoken)).toEqual([
      "Get-Service -Name 'B' | Stop-Service -Force",
      "Get-Service -Name 'A' | Stop-Service -Force",
    ]);
  });
});

describe('the site’s own commands', () => {
  const own = { names: ['pbx'], start: [['on']], query: [['ask', 'it']], stop: [['off']] };

  it.each(['linux', 'win32'] as const)('come first on %s, then what the names come to', (platform) => {
    const all = serviceCommands(own, platform);
    const byName = serviceCommands(named('pbx'), platform);
    expect(all.start).toEqual([['on'], ...byName.start]);
    expect(all.query).toEqual([['ask', 'it'], ...byName.query]);
    expect(all.stop).toEqual([['off'], ...byName.stop]);
  });

  it('without names there is nothing else, and a command of the site is spoken of as it is written', () => {
    expect(serviceCommands({ ...own, names: [] }, 'linux')).toEqual({
      start: [['on']],
      query: [['ask', 'it']],
      stop: [['off']],
    });
    expect(spoken(['sh', 'start-pbx.sh', '--now'])).toBe('sh start-pbx.sh --now');
  });
});
