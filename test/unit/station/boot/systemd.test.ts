/** The engine as a unit: installed, brought up to date, taken away, and taken back when it fails half-way. Over a stand-in for systemctl. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDataFolder } from '../../../../src-main/config/data-folder.ts';
import { RealProc } from '../../../../src-main/runbook/real-proc.ts';
import type { BootParts, InstallWish } from '../../../../src-main/station/boot/boot.ts';
import {
  installUnit,
  startUnit,
  stopUnit,
  uninstallUnit,
  unitState,
} from '../../../../src-main/station/boot/systemd.ts';
import { beforePath, type SystemdStandIn, systemdStandIn } from './systemd-stand-in.ts';

let folder: string;
let systemd: SystemdStandIn;
let pathAsBefore: () => void;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'estepe-boot-'));
  systemd = systemdStandIn();
  pathAsBefore = beforePath(systemd.bin);
});
afterEach(() => {
  pathAsBefore();
  systemd.end();
  rmSync(folder, { recursive: true, force: true });
});

const data = (): string => join(folder, 'my data');
const unit = (): string => join(systemd.unitFolder, 'estepe.service');
const parts = (more: Partial<BootParts> = {}): BootParts => ({
  ...{ proc: new RealProc(), cwd: folder, runToken: 'test', uid: 0, unitFolder: systemd.unitFolder },
  ...more,
});
const wish = (more: Partial<InstallWish> = {}): InstallWish => ({
  argv: ['/bin/sleep', '600', '--data', data()],
  ...{ dataFolder: data(), account: 'root', dryRun: false, start: false, password: null },
  ...more,
});
/** giving files away needs root; the data folder is there already where a test does not want that */
const root = process.getuid?.() === 0;
const prepared = (): void => void openDataFolder(data());

describe.skipIf(process.platform !== 'linux')('the engine as a unit', () => {
  it('is written whole and readable, enabled, and says so', async () => {
    prepared();
    const { done, troubles } = await installUnit(parts(), wish());
    expect(troubles).toEqual([]);
    expect(done).toEqual([
      `${unit()} was written.`,
      `estepe.service starts with the machine, under root, on ${data()}.`,
    ]);
    expect(statSync(unit()).mode & 0o777).toBe(0o644);
    expect(readdirSync(systemd.unitFolder)).toEqual(['estepe.service']);
    expect(systemd.enabled()).toBe(true);
    expect(systemd.calls().slice(-2)).toEqual(['daemon-reload', 'enable estepe.service']);
    expect(await unitState(parts({ uid: 1000 }))).toMatchObject({
      ...{ installed: true, ours: true, atBoot: true, account: 'root', dataFolder: data(), fault: '' },
    });
  });

  it('again: nothing is written, and an engine that runs is not disturbed', async () => {
    prepared();
    await installUnit(parts(), wish());
    await parts().proc.run({ ...parts(), argv: ['systemctl', 'start', 'estepe.service'], env: {}, timeoutMs: 5000 });
    const { ino } = statSync(unit());
    const pid = systemd.pid();
    systemd.forget();
    const { done } = await installUnit(parts(), wish({ start: true }));
    expect(done).toContain('The engine runs, and was not disturbed.');
    expect(statSync(unit()).ino).toBe(ino);
    expect(systemd.pid()).toBe(pid);
    expect(systemd.calls()).not.toContain('restart estepe.service');
  });

  it('with another account or folder it is replaced', async () => {
    prepared();
    await installUnit(parts(), wish());
    const other = join(folder, 'other');
    openDataFolder(other);
    const { done } = await installUnit(
      parts(),
      wish({ dataFolder: other, argv: ['/bin/sleep', '9', '--data', other] }),
    );
    expect(done[0]).toBe(`${unit()} was replaced.`);
    expect(await unitState(parts())).toMatchObject({ dataFolder: other });
  });

  it('--dry-run changes nothing and needs no rights', async () => {
    const { done, text } = await installUnit(parts({ uid: 1000 }), wish({ dryRun: true }));
    expect(done[0]).toBe(`${unit()} would be written.`);
    expect(text).toContain('ExecStart="/bin/sleep" "600"');
    expect([existsSync(unit()), existsSync(data())]).toEqual([false, false]);
  });

  it.each([
    ['without root', 1000, 'running', /^Only root may/],
    ['without systemd', 0, 'offline', /systemd does not answer \(offline\): it starts nothing at boot here/],
  ])('%s: a sentence, and nothing is changed', async (_, uid, state, said) => {
    writeFileSync(join(systemd.bin, '../state'), `${state}\n`);
    await expect(installUnit(parts({ uid }), wish())).rejects.toThrow(said);
    expect([existsSync(unit()), existsSync(data())]).toEqual([false, false]);
  });

  it('systemctl that is not there: a sentence', async () => {
    rmSync(join(systemd.bin, 'systemctl'));
    process.env.PATH = systemd.bin;
    await expect(installUnit(parts(), wish())).rejects.toThrow(/systemd does not answer \(systemctl is not there\)/);
  });

  it.each(['enable', 'daemon-reload'])(
    '%s is refused: what was written is taken away again, and said',
    async (verb) => {
      prepared();
      systemd.refuse(verb);
      await expect(installUnit(parts(), wish())).rejects.toThrow(
        new RegExp(`\`systemctl ${verb}.*said: Failed to ${verb}: Access denied\\. .* was taken away again\\.`),
      );
      expect(readdirSync(systemd.unitFolder)).toEqual([]);
    },
  );

  it('enabling the new one is refused: the unit of before stands there', async () => {
    prepared();
    await installUnit(parts(), wish());
    const before = readFileSync(unit(), 'utf8');
    systemd.refuse('enable');
    const changed = wish({ argv: ['/bin/sleep', '1', '--data', data()] });
    await expect(installUnit(parts(), changed)).rejects.toThrow(/is as it was before/);
    expect(readFileSync(unit(), 'utf8')).toBe(before);
  });

  it('a unit that somebody else wrote is neither replaced nor removed', async () => {
    prepared();
    writeFileSync(unit(), '[Service]\nExecStart=/bin/true\n');
    await expect(installUnit(parts(), wish())).rejects.toThrow(/was not written by Estepe/);
    await expect(uninstallUnit(parts(), { dryRun: false })).rejects.toThrow(/was not written by Estepe/);
    expect(readFileSync(unit(), 'utf8')).toBe('[Service]\nExecStart=/bin/true\n');
  });

  it('a folder that takes no file: a sentence, and systemd was not told anything', async () => {
    prepared();
    rmSync(systemd.unitFolder, { recursive: true });
    await expect(installUnit(parts(), wish())).rejects.toThrow(/estepe\.service cannot be written/);
    expect(systemd.calls()).not.toContain('enable estepe.service');
  });

  it('an account that is not there is refused before anything is made', async () => {
    await expect(installUnit(parts(), wish({ account: 'no-such-account' }))).rejects.toThrow(
      /There is no account no-such-account on this machine \(.*no such user/i,
    );
    expect([existsSync(unit()), existsSync(data())]).toEqual([false, false]);
  });

  it.skipIf(!root)('an account that may not do its work is refused, with what it may not (needs root)', async () => {
    prepared();
    const refused = installUnit(parts(), wish({ account: 'daemon' }));
    await expect(refused).rejects.toThrow(`Nothing was installed: daemon may not write to ${data()}.`);
    await expect(refused).rejects.toMatchObject({ todo: expect.stringContaining(`chown -R daemon: ${data()}`) });
    expect(existsSync(unit())).toBe(false);
  });

  it.skipIf(!root)('a data folder that is not there is made for the account (needs root)', async () => {
    // mkdtemp keeps others out
    const open = join(tmpdir(), `estepe-boot-${process.pid}`);
    mkdirSync(open, { mode: 0o755 });
    try {
      const at = join(open, 'data');
      const given = wish({ account: 'daemon', dataFolder: at, argv: ['/bin/sleep', '9', '--data', at] });
      const { done } = await installUnit(parts(), given);
      expect(done[0]).toBe(`${at} was made, for daemon.`);
      expect(new Set([at, join(at, 'secrets'), join(at, 'logs')].map((path) => statSync(path).uid))).toEqual(
        new Set([1]),
      );
      expect(readFileSync(unit(), 'utf8')).toContain('\nUser=daemon\n');
    } finally {
      rmSync(open, { recursive: true });
    }
  });

  it('taken away: stopped first, the data stays; again there is nothing to do', async () => {
    prepared();
    await installUnit(parts(), wish());
    const { done } = await uninstallUnit(parts(), { dryRun: false });
    expect(done).toEqual([`The engine was stopped, and ${unit()} taken away.`, `What is in ${data()} stays.`]);
    expect([existsSync(unit()), existsSync(data()), systemd.enabled()]).toEqual([false, true, false]);
    expect((await uninstallUnit(parts(), { dryRun: false })).done).toEqual([
      `There is no ${unit()}: nothing to take away.`,
    ]);
    expect(await unitState(parts())).toMatchObject({ installed: false, atBoot: false });
  });

  it('one that cannot be stopped is not taken away', async () => {
    prepared();
    await installUnit(parts(), wish());
    systemd.refuse('disable');
    await expect(uninstallUnit(parts(), { dryRun: false })).rejects.toMatchObject({
      ...{ message: expect.stringContaining('Access denied'), todo: expect.stringContaining('nothing was taken away') },
    });
    expect(existsSync(unit())).toBe(true);
  });

  it('start and stop of what is not installed say what to do', async () => {
    for (const change of [startUnit, stopUnit]) {
      await expect(change(parts())).rejects.toMatchObject({
        code: 'nothing-to-do',
        todo: 'run `estepe service install`',
      });
    }
  });
});
