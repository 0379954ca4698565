/** What is given to systemd and to the Task Scheduler, and that both read back what was meant. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { engineArgv, withoutDisplay } from '../../../../src-main/station/boot/plan.ts';
import { readUnit, unitName, unitText } from '../../../../src-main/station/boot/systemd-unit.ts';
import {
  readTask,
  type TaskPlan,
  taskXml,
  windowsWord,
  windowsWords,
} from '../../../../src-main/station/boot/task-xml.ts';

const words = (path: string) => ['serve', '--data', path, '--log-level', 'info'];
const unitPlan = (dataFolder = '/var/lib/estepe', account = 'root') => ({
  argv: ['/usr/bin/env', '/opt/estepe/src-main/estepe.ts', ...words(dataFolder)],
  ...{ dataFolder, account },
});

describe('what is started', () => {
  it('is the program that this one is', () => {
    const by = (electron: { defaultApp: boolean } | null, environment: Record<string, string> = {}) =>
      engineArgv({ execPath: '/p', argv: ['/p', '/e.ts', 'service', 'install'], electron, environment }, [
        '--data',
        '/d',
      ]);
    expect(by(null)).toEqual(['/p', '/e.ts', 'serve', '--data', '/d']);
    expect(by({ defaultApp: false })).toEqual(['/p', '--headless', '--data', '/d']);
    expect(by({ defaultApp: true })).toEqual(['/p', '/e.ts', '--headless', '--data', '/d']);
    const packaged = { defaultApp: false };
    expect(by(packaged, { ESTEPE_LAUNCHER: '/l' })).toEqual(['/l', '--headless', '--data', '/d']);
    expect(by(packaged, { APPIMAGE: '/a' })).toEqual(['/a', ...withoutDisplay, '--headless', '--data', '/d']);
    expect(by(null, { ESTEPE_LAUNCHER: '/l', APPIMAGE: '/a' })[0]).toBe('/p');
  });
});

describe('the unit', () => {
  it('waits for the network, is tried for ever, stops the engine alone and gives it the time it needs', () => {
    const lines = unitText(unitPlan()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        ...['After=network-online.target', 'Wants=network-online.target', 'StartLimitIntervalSec=0', 'Type=exec'],
        ...['Restart=on-failure', 'KillSignal=SIGTERM', 'KillMode=process', 'TimeoutStopSec=45', 'User=root'],
        'WantedBy=multi-user.target',
      ]),
    );
    // what scripts, the restore and a PBX started from here would inherit
    const walls = /^(Protect|Private|Restrict|NoNewPrivileges|ReadOnly|Inaccessible|SystemCall|Capability|UMask)/;
    expect(lines.filter((line) => walls.test(line))).toEqual([]);
  });

  it('says again what was written into it, whatever the path', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab %$"\\\'ü') }), (name) => {
        const folder = `/d/${name}x`;
        const read = readUnit(unitText(unitPlan(folder, 'pbx')));
        expect(read).toEqual({ ours: true, account: 'pbx', argv: unitPlan(folder).argv, dataFolder: folder });
      }),
    );
  });

  it('of another’s unit it says that it is none of ours', () => {
    const read = readUnit('[Service]\nExecStart=/usr/bin/estepe serve --data /x\n');
    expect(read).toMatchObject({ ours: false, account: 'root', dataFolder: '/x' });
  });

  it.each([
    ['/d\n[Service]', 'root', /control character/],
    ['/d ', 'root', /cannot be given the path/],
    ['d', 'root', /cannot be given the path d/],
    ['/d', 'root\nExecStart=/bin/sh', /control character/],
    ['/d', 'no such thing', /no name of an account/],
  ])('%j under %j is refused in words', (folder, account, said) => {
    expect(() => unitText(unitPlan(folder, account))).toThrow(said);
  });

  const analyze = '/usr/bin/systemd-analyze';
  it.skipIf(!existsSync(analyze))('is read by the real systemd without a word, as it was meant (needs systemd)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'estepe-unit-'));
    try {
      const data = join(folder, 'my data %h 50% "x" \\ $HOME ü');
      mkdirSync(data);
      const file = join(folder, unitName);
      writeFileSync(file, unitText(unitPlan(data)));
      const verify = (env = {}) =>
        spawnSync(analyze, ['verify', '--man=no', file], { encoding: 'utf8', env: { ...process.env, ...env } });
      const quiet = verify();
      expect(quiet.stdout + quiet.stderr).toBe('');
      expect(quiet.status).toBe(0);
      const { stdout } = verify({ SYSTEMD_LOG_LEVEL: 'debug' });
      const own = stdout.slice(stdout.indexOf(`-> Unit ${unitName}:`));
      const field = (name: string) => new RegExp(`^\\s*${name}: (.*)$`, 'm').exec(own)?.[1] ?? '';
      expect(field('WorkingDirectory')).toBe(data);
      expect(field('RequiresMountsFor')).toContain(data);
      // it prints the words as a shell reads them; `$$` becomes `$` when it is run
      const line = field('Command Line');
      const argv = spawnSync('sh', ['-c', `printf '%s\\n' ${line}`], { encoding: 'utf8' })
        .stdout.trimEnd()
        .split('\n');
      expect(argv.map((word) => word.replaceAll('$$', '$'))).toEqual(unitPlan(data).argv);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the task', () => {
  const data = 'C:\\ProgramData\\Estepe & Co';
  const plan = (more: Partial<TaskPlan> = {}): TaskPlan => ({
    argv: ['C:\\Program Files\\Estepe\\Estepe.exe', '--headless', '--data', data],
    ...{ dataFolder: data, account: 'SYSTEM', logon: 'system' },
    ...more,
  });

  it('starts at boot and again every minute unless it runs, is never stopped by itself', () => {
    const text = taskXml(plan());
    for (const part of [
      ...['<Task version="1.4"', '<BootTrigger>', '<Interval>PT1M</Interval>', '<Count>255</Count>'],
      ...['<MultipleInstancesPolicy>IgnoreNew<', '<ExecutionTimeLimit>PT0S<', '<UserId>S-1-5-18<'],
      ...['<DisallowStartIfOnBatteries>false<', '<StopIfGoingOnBatteries>false<', '<RunLevel>HighestAvailable<'],
      '<Command>&quot;C:\\Program Files\\Estepe\\Estepe.exe&quot;</Command>',
    ])
      expect(text).toContain(part);
    expect(text).not.toContain('LogonType');
  });

  it.each([
    ['system', 'SYSTEM'],
    ['password', 'OFFICE\\estepe'],
    ['password', 'OFFICE\\estepe$'],
    ['s4u', '.\\estepe <local>'],
  ] as const)('says again what was written into it: %s, %s', (logon, account) => {
    const read = readTask(taskXml(plan({ account, logon })));
    expect(read).toEqual({ ours: true, enabled: true, account, logon, argv: plan().argv, dataFolder: data });
  });

  it('one that is switched off, one of another, and what is no task', () => {
    const text = taskXml(plan());
    const off = text.replace(/(<Settings>[\s\S]*)<Enabled>true/, '$1<Enabled>false');
    expect(readTask(off)).toMatchObject({ enabled: false });
    expect(readTask(text.replace('service install', 'something'))).toMatchObject({ ours: false });
    expect(readTask('ERROR: The system cannot find the file specified.')).toBeNull();
  });

  it('is well-formed XML (needs Python)', ({ skip }) => {
    const check = "import sys,xml.dom.minidom as m; m.parseString(sys.stdin.read().replace('UTF-16','UTF-8').encode())";
    const { status, error, stderr } = spawnSync('python3', ['-c', check], {
      ...{ input: taskXml(plan({ account: 'A&B\\"<x>', logon: 's4u' })), encoding: 'utf8' },
    });
    if (error !== undefined) skip('no python3');
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('Windows reads the words of a command line back, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom(...'ab "\\\t') })), (given) => {
        expect(windowsWords(given.map(windowsWord).join(' '))).toEqual(given);
      }),
    );
  });

  it.each(['C:\\%TEMP%\\x', 'C:\\$(Arg0)', 'C:\\a\u0007'])('%j is refused in words', (path) => {
    expect(() => taskXml(plan({ argv: ['C:\\x.exe', '--data', path] }))).toThrow(
      /in place of a part|control character/,
    );
  });
});
