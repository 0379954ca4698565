import { describe, expect, it } from 'vitest';
import type { CommandEnd } from '../../../src-main/engine/ports.ts';
import {
  dnsAdmin,
  posixAccount,
  rightsHere,
  systemdReached,
  windowsAccount,
} from '../../../src-main/runbook/rights.ts';
import { Clockwork } from '../clockwork.ts';
import { exit, StagedProc } from './workbench.ts';

const said = (output: string, end: CommandEnd = exit(0)) => ({ end, output });
// `whoami /groups /fo csv /nh` of a German Windows Server: only the SIDs are the same everywhere
const group = (sid: string) => `"VORDEFINIERT\\Administratoren","Alias","${sid}","Verbindliche Gruppe"`;

describe('the account', () => {
  it.each([
    ['an administrator, raised', [group('S-1-5-32-544'), group('S-1-16-12288')], true, /rights of an administrator/],
    ['SYSTEM', [group('S-1-5-32-544'), group('S-1-16-16384')], true, /rights of an administrator/],
    ['an administrator, not raised', [group('S-1-5-32-544'), group('S-1-16-8192')], false, /without raised rights/],
    ['a user', [group('S-1-5-32-545'), group('S-1-16-8192')], false, /does not run as an administrator/],
    ['one whose SID begins alike', [group('S-1-5-32-5440'), group('S-1-16-12288')], false, /does not run as/],
  ])('on Windows: %s', (_, lines, ok, sentence) => {
    expect(windowsAccount(said(lines.join('\r\n')))).toMatchObject({ ok, sentence: expect.stringMatching(sentence) });
  });

  it('elsewhere: root or not, with what to do', () => {
    expect(posixAccount(0)).toMatchObject({ ok: true, todo: '' });
    expect(posixAccount(1000)).toMatchObject({ ok: false, todo: expect.stringContaining('root') });
  });
});

describe('systemd', () => {
  it.each([
    ['running', exit(0), true],
    ['degraded', exit(1), true],
    ['offline', exit(1), false],
    ['System has not been booted with systemd as init system', exit(1), false],
  ])('that says %s', (word, end, ok) => {
    expect(systemdReached(said(`${word}\n`, end)).ok).toBe(ok);
  });

  it('that is not there is said with why', () => {
    const right = systemdReached(said('', { how: 'not-started', why: 'systemctl was not found' }));
    expect(right.sentence).toContain('systemctl was not found');
  });
});

it('the DNS server: allowed, refused with its word, or no tool for it', () => {
  expect(dnsAdmin('dns1', said('Query result:', exit(0))).ok).toBe(true);
  const refused = dnsAdmin('dns1', said('Command failed: ERROR_ACCESS_DENIED 5\r\n', exit(5)));
  expect(refused).toMatchObject({ ok: false, todo: expect.stringContaining('DnsAdmins') });
  expect(refused.sentence).toContain('ERROR_ACCESS_DENIED');
  const none = dnsAdmin('dns1', said('', { how: 'not-started', why: 'not found' }));
  expect(none.todo).toContain('RSAT');
});

describe('all of it', () => {
  const ask = { uid: 0, scriptsFolder: '/scripts', cwd: '/', timeoutMs: 5_000, runToken: 'r' };
  const files = { vetScript: async (path: string) => (path.endsWith('open.sh') ? 'others may write to it' : null) };
  const answers = async (question: Parameters<typeof rightsHere>[1], fate: StagedProc['fate'] = () => exit(0)) => {
    const work = new Clockwork();
    const proc = new StagedProc(work);
    proc.fate = fate;
    let rights: Awaited<ReturnType<typeof rightsHere>> | null = null;
    void rightsHere({ proc, files }, question).then((all) => {
      rights = all;
    });
    await work.until('the rights', () => rights !== null);
    return { rights: (rights ?? []) as Awaited<ReturnType<typeof rightsHere>>, names: proc.names };
  };

  it('only what the site needs is asked', async () => {
    const { rights, names } = await answers({
      ...ask,
      platform: 'linux',
      byName: false,
      dnscmdServer: null,
      scripts: [],
    });
    expect(rights.map(({ id }) => id)).toEqual(['account']);
    expect(names).toEqual([]);
  });

  it('systemd, the DNS server, each script', async () => {
    const scripts = [['fence.sh'], ['open.sh', '--now'], ['../out.sh']];
    const { rights, names } = await answers({ ...ask, platform: 'linux', byName: true, dnscmdServer: 'dns1', scripts });
    expect(names).toEqual(['systemctl is-system-running', 'dnscmd.exe dns1 /info']);
    expect(rights.map(({ id, ok }) => `${id} ${ok}`)).toEqual([
      'account true',
      'services false',
      'dns true',
      'script:fence.sh true',
      'script:open.sh false',
      'script:out.sh false',
    ]);
    expect(rights.at(-2)?.sentence).toBe('open.sh would not be run: others may write to it.');
  });

  it('for the account at boot each script is asked after in its place', async () => {
    const account = { name: 'pbx', as: (argv: readonly string[]) => ['setpriv', '--reuid=7', '--', ...argv] };
    const scripts = [['fence.sh'], ['open.sh']];
    const question = { ...ask, platform: 'linux' as const, byName: false, dnscmdServer: null, scripts };
    const asked = 'setpriv --reuid=7 -- test -r fence.sh -a -x fence.sh';
    const { rights, names } = await answers({ ...question, uid: 7, account });
    expect(names).toEqual([asked]);
    expect(rights.map(({ id, ok }) => `${id} ${ok}`)).toEqual([
      ...['account false', 'script:fence.sh true', 'script:open.sh false'],
    ]);
    expect(rights[0]?.sentence).toContain('does not run as root (pbx)');
    const barred = await answers({ ...question, uid: 7, account }, () => exit(1));
    expect(barred.rights[1]?.sentence).toBe(
      'fence.sh would not be run: pbx may not read and run it, or not enter its folder.',
    );
  });
});
