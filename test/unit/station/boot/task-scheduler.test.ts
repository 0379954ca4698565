/** The engine as a scheduled task: registered, brought up to date, switched off, deleted. Over stand-ins for the programs of Windows. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDataFolder } from '../../../../src-main/config/data-folder.ts';
import { EstepeError } from '../../../../src-main/contract/errors.ts';
import { RealProc } from '../../../../src-main/runbook/real-proc.ts';
import type { InstallWish } from '../../../../src-main/station/boot/boot.ts';
import {
  installTask,
  logonOf,
  startTask,
  stopTask,
  type TaskParts,
  taskState,
  uninstallTask,
} from '../../../../src-main/station/boot/task-scheduler.ts';
import { readTask } from '../../../../src-main/station/boot/task-xml.ts';
import { beforePath } from './systemd-stand-in.ts';
import { type WindowsStandIns, windowsStandIns } from './windows-stand-ins.ts';

describe('how an account is logged on', () => {
  it.each([
    ['SYSTEM', null, 'system'],
    ['nt authority\\system', null, 'system'],
    ['OFFICE\\estepe', 'secret', 'password'],
    ['OFFICE\\estepe$', null, 'password'],
    ['OFFICE\\estepe', null, 's4u'],
  ] as const)('%s: %s is %s', (account, password, logon) => expect(logonOf(account, password)).toBe(logon));
});

let folder: string;
let windows: WindowsStandIns;
let pathAsBefore: () => void;
let stopped: string[];
const begin = (raised = true): void => {
  windows = windowsStandIns({ raised });
  pathAsBefore = beforePath(windows.bin);
};
const data = (): string => join(folder, 'data of ours');
const parts = (): TaskParts => ({
  ...{ proc: new RealProc(), cwd: folder, runToken: 'test', uid: null },
  stopEngine: async (at) => void stopped.push(at),
});
const wish = (more: Partial<InstallWish> = {}): InstallWish => ({
  argv: ['C:\\Program Files\\Estepe\\Estepe.exe', '--headless', '--data', data()],
  ...{ dataFolder: data(), account: 'SYSTEM', dryRun: false, start: false, password: null },
  ...more,
});

describe.skipIf(process.platform === 'win32')('the engine as a task', () => {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'estepe-boot-'));
    openDataFolder(data());
    stopped = [];
  });
  afterEach(() => {
    pathAsBefore();
    windows.end();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is registered as a whole; the data folder is closed to others first; nothing is left behind', async () => {
    begin();
    const { done, troubles } = await installTask(parts(), wish());
    expect(troubles).toEqual([]);
    expect(done).toEqual([
      `The task \\Estepe was registered: the engine starts with the machine, under SYSTEM, on ${data()}.`,
    ]);
    expect(readTask(windows.task() ?? '')).toMatchObject({ account: 'SYSTEM', enabled: true, argv: wish().argv });
    const calls = windows.calls();
    expect(calls.map((call) => call.split(' ').slice(0, 2).join(' '))).toEqual([
      ...['schtasks /Query', 'whoami /groups'],
      `icacls ${data().split(' ')[0]}`,
      'schtasks /Create',
    ]);
    expect(calls[2]).toContain('/inheritance:r /grant:r *S-1-5-18:(OI)(CI)F /grant:r *S-1-5-32-544:(OI)(CI)F');
    expect(readdirSync(join(data(), 'spool'))).toEqual([]);
    expect(await taskState(parts())).toMatchObject({
      installed: true,
      ours: true,
      atBoot: true,
      account: 'SYSTEM',
      dataFolder: data(),
    });
  });

  it('a password is on no command line and in no sentence', async () => {
    begin();
    await installTask(parts(), wish({ account: 'OFFICE\\estepe', password: "it's s3cret" }));
    expect(windows.password()).toBe("it's s3cret");
    expect(windows.calls().join('\n')).not.toContain('s3cret');
    expect(readTask(windows.task() ?? '')).toMatchObject({ account: 'OFFICE\\estepe', logon: 'password' });
    expect(windows.calls().find((call) => call.startsWith('icacls'))).toContain('OFFICE\\estepe:(OI)(CI)M');
    const refused = installTask(parts(), wish({ account: 'OFFICE\\estepe', password: 'wrong' }));
    await expect(refused).rejects.toThrow(
      /could not be registered: .*The user name or password \[secret\] is incorrect/,
    );
    await expect(refused).rejects.toMatchObject({ todo: expect.stringContaining('and its password') });
  });

  it('without a password it says what the account cannot do', async () => {
    begin();
    const { troubles } = await installTask(parts(), wish({ account: 'OFFICE\\estepe' }));
    expect(troubles).toEqual([expect.stringContaining('not on shares, nor on the DNS server of another one')]);
    expect(windows.task()).toContain('<LogonType>S4U</LogonType>');
  });

  it('without raised rights: a sentence, and nothing is changed', async () => {
    begin(false);
    await expect(installTask(parts(), wish())).rejects.toMatchObject({
      ...{ message: expect.stringContaining('raised rights'), todo: expect.stringContaining('Run as administrator') },
    });
    expect(windows.task()).toBeNull();
    expect((await installTask(parts(), wish({ dryRun: true }))).text).toContain('<Task version="1.4"');
  });

  it.each([
    ['schtasks /Create', 'SYSTEM', /could not be registered: .*Access is denied/],
    ['icacls', 'SYSTEM', /`icacls.exe .* said: ERROR: Access is denied/],
    ['-', 'nobody', /No mapping between account names/],
  ])('%s fails for %s: the task of before stands there, and no file of ours', async (call, account, said) => {
    begin();
    await installTask(parts(), wish());
    const before = windows.task();
    windows.refuse(call);
    const other = wish({ account, argv: ['C:\\other.exe', '--data', data()] });
    await expect(installTask(parts(), other)).rejects.toThrow(said);
    expect(windows.task()).toBe(before);
    expect(readdirSync(join(data(), 'spool'))).toEqual([]);
  });

  it('without schtasks: a sentence', async () => {
    begin();
    rmSync(join(windows.bin, 'schtasks.exe'));
    await expect(installTask(parts(), wish())).rejects.toThrow(
      /is not known: schtasks.exe could not be run: .*not there/,
    );
    expect(await taskState(parts())).toMatchObject({ installed: false, atBoot: null });
  });

  it('stopped: switched off first, else it would be back within the minute; then asked to end; then ended', async () => {
    begin();
    await installTask(parts(), wish());
    windows.forget();
    await stopTask(parts());
    expect(windows.calls().map((call) => call.replace('schtasks ', ''))).toEqual([
      '/Query /TN Estepe /XML',
      'whoami /groups /fo csv /nh',
      '/Change /TN Estepe /DISABLE',
      '/End /TN Estepe',
    ]);
    expect(stopped).toEqual([data()]);
    expect(await taskState(parts())).toMatchObject({ installed: true, atBoot: false });
  });

  it('an engine that does not let itself be asked is cut off, and that is said', async () => {
    begin();
    await installTask(parts(), wish());
    const deaf = { ...parts(), stopEngine: () => Promise.reject(new Error('it does not answer')) };
    const { done, troubles } = await stopTask(deaf);
    expect([done, troubles]).toEqual([[], [expect.stringMatching(/\(it does not answer\), so Windows cut it off/)]]);
  });

  it('an engine of the window is left to that one', async () => {
    begin();
    await installTask(parts(), wish());
    windows.forget();
    const refusing = new EstepeError('refused', 'It runs inside another program.', 'quit that program');
    const { troubles } = await stopTask({ ...parts(), stopEngine: () => Promise.reject(refusing) });
    expect(troubles).toEqual(['It runs inside another program. Now quit that program.']);
    expect(windows.calls()).not.toContain('schtasks /End /TN Estepe');
  });

  it('deleted; the data stays; again there is nothing to do', async () => {
    begin();
    await installTask(parts(), wish());
    expect((await uninstallTask(parts(), { dryRun: true })).done[0]).toContain('would be stopped');
    const { done } = await uninstallTask(parts(), { dryRun: false });
    expect(done).toEqual(['The engine was stopped, and the task \\Estepe deleted.', `What is in ${data()} stays.`]);
    expect([windows.task(), existsSync(data()), stopped]).toEqual([null, true, [data()]]);
    expect((await uninstallTask(parts(), { dryRun: false })).done).toEqual([
      'There is no task \\Estepe: nothing to take away.',
    ]);
    await expect(startTask(parts())).rejects.toMatchObject({ code: 'nothing-to-do' });
  });
});
