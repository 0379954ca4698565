/**
 * The engine at boot as an admin sets it up, and how it ends: whole processes of ours, systemctl and the programs of Windows by their
 * stand-ins. Units are written into a folder of the test's own, mounted where systemd's is.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stopEngine } from '../../../src-main/cli/stop-engine.ts';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';
import { engineOn } from '../../../src-main/station/boot/boot.ts';
import { installTask, startTask, stopTask, uninstallTask } from '../../../src-main/station/boot/task-scheduler.ts';
import { until } from '../../peers/fixtures/until.ts';
import { beforePath, type SystemdStandIn, systemdStandIn } from '../station/boot/systemd-stand-in.ts';
import { windowsStandIns } from '../station/boot/windows-stand-ins.ts';
import { documentOf, type Ended, entry, estepe, type Started, startEstepe, temporaryFolder } from './estepe-process.ts';

vi.setConfig({ testTimeout: 120_000 });

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const data = (): string => join(folder.path, 'my data');
const log = (): string => readFileSync(join(data(), 'logs', 'estepe.log'), 'utf8');
const linux = process.platform === 'linux';
/** Mounts need root. */
const mounts = linux && process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0;

describe.skipIf(!linux)('estepe service', () => {
  it('--dry-run shows the unit and needs neither root nor systemd', async () => {
    const ended = await estepe('service', 'install', '--dry-run', '--data', data(), '--log-level', 'debug');
    expect(ended).toMatchObject({ exit: 0, err: '' });
    expect(ended.out).toContain('/etc/systemd/system/estepe.service would be');
    expect(ended.out).toContain(
      `ExecStart="${process.execPath}" "${entry}" "serve" "--data" "${data()}" "--log-level" "debug"`,
    );
    expect(existsSync(data())).toBe(false);
  });

  it('an account that cannot be one is wrong usage', async () => {
    const ended = await estepe('service', 'install', '--dry-run', '--account', 'a b', '--data', data(), '--json');
    expect(ended.exit).toBe(2);
    expect(documentOf(ended)).toMatchObject({
      error: { code: 'usage', message: '`a b` is no name of an account here.' },
    });
    const password = await estepe('service', 'install', '--password-stdin');
    expect([password.exit, password.err]).toEqual([2, expect.stringContaining('needed on Windows alone')]);
  });
});

describe.skipIf(!mounts)('estepe service, from installing to removing (needs root)', () => {
  let systemd: SystemdStandIn;
  beforeEach(() => {
    systemd = systemdStandIn();
  });
  afterEach(() => systemd.end());

  const service = (...words: string[]): Promise<Ended> => {
    const mounted = `mount --bind "${systemd.unitFolder}" /etc/systemd/system; exec "$@"`;
    const env = { PATH: `${systemd.bin}${delimiter}${process.env.PATH}` };
    return startEstepe(['service', ...words], env, ['unshare', '--mount', 'sh', '-ec', mounted, 'sh']).ended;
  };

  it('installed: the engine runs and is found; again: not disturbed; stopped, started, removed: the data stays', async () => {
    const installed = await service('install', '--data', data());
    expect(installed).toMatchObject({ exit: 0, err: '' });
    expect(installed.out.trim().split('\n')).toEqual([
      `${data()} was made, for root.`,
      '/etc/systemd/system/estepe.service was written.',
      `estepe.service starts with the machine, under root, on ${data()}.`,
      'The engine runs.',
    ]);
    const pid = systemd.pid();
    expect(engineOn(data())).toEqual({ pid });

    const again = await service('install', '--data', data(), '--json');
    expect(documentOf(again)).toMatchObject({ troubles: [], account: 'root', dataFolder: data(), dryRun: false });
    expect(again.out).toContain('was not disturbed');
    expect(systemd.pid()).toBe(pid);

    const shown = await service('status', '--json');
    expect(shown.exit).toBe(0);
    expect(documentOf(shown)).toMatchObject({ atBoot: true, account: 'root', dataFolder: data(), engine: { pid } });

    expect(await service('stop')).toMatchObject({ exit: 0, out: 'The engine was stopped.\n' });
    expect(engineOn(data())).toBeNull();
    expect(log()).toContain(' info stopping: SIGTERM');
    expect(await service('start')).toMatchObject({ exit: 0, out: 'The engine runs.\n' });
    expect(engineOn(data())).toEqual({ pid: systemd.pid() });

    expect(await service('uninstall')).toMatchObject({ exit: 0, err: '' });
    expect([engineOn(data()), existsSync(join(data(), 'secrets'))]).toEqual([null, true]);
    const gone = await service('status', '--data', data());
    expect(gone.exit).toBe(1);
    expect(gone.out).toContain('This machine does not start the engine');
    expect(gone.out).toContain('`estepe service install` lets it.');
  });

  it('an engine that does not come up: installed all the same, and where to look', async () => {
    expect((await service('install', '--data', data(), '--no-start')).exit).toBe(0);
    writeFileSync(join(data(), 'estepe.yaml'), 'role: nonsense\n');
    const started = await service('start');
    expect(started.exit).toBe(1);
    expect(started.out).toContain(`No engine has come up on ${data()} within 20 s: see ${data()}/logs/estepe.log.`);
    expect(log()).toMatch(/ error Estepe did not start: .*role/);
  });

  it('another engine on that folder: said, with its process', async () => {
    const other = startEstepe(['serve', '--data', data(), '--json']);
    await until('the other engine', () => engineOn(data()) !== null);
    try {
      const installed = await service('install', '--data', data());
      expect(installed.exit).toBe(1);
      expect(installed.out).toMatch(/! Another engine runs on .*my data \(process \d+\): end that one/);
    } finally {
      other.signal('SIGTERM');
      await other.ended;
    }
  });
});

describe.skipIf(!linux)('on Windows, by stand-ins, with a real engine', () => {
  it('installed, stopped by an order over its console, started, deleted', async () => {
    const windows = windowsStandIns();
    const pathAsBefore = beforePath(windows.bin);
    try {
      const parts = {
        ...{ proc: new RealProc(), cwd: folder.path, runToken: 'test', uid: null },
        stopEngine: (at: string) => stopEngine(at, 'an update'),
      };
      const argv = ['C:\\Estepe.exe', '--headless', '--data', data()];
      const wish = { argv, dataFolder: data(), account: 'SYSTEM', dryRun: false, start: true, password: null };
      windows.runs(`exec "${process.execPath}" "${entry}" serve --data "${data()}"`);
      const installed = await installTask(parts, wish);
      expect(installed).toMatchObject({
        troubles: [],
        done: [expect.any(String), expect.any(String), 'The engine runs.'],
      });
      expect((await installTask(parts, wish)).done).toContain('The engine runs, and was not disturbed.');
      const first = engineOn(data());
      expect((await stopTask(parts)).troubles).toEqual([]);
      expect(engineOn(data())).toBeNull();
      expect(log()).toMatch(/ info .* stops the engine: an update\n.* info stopping: an order of /);
      expect((await startTask(parts)).troubles).toEqual([]);
      expect(engineOn(data())).not.toEqual(first);
      expect((await uninstallTask(parts, { dryRun: false })).troubles).toEqual([]);
      expect([engineOn(data()), windows.task()]).toEqual([null, null]);
    } finally {
      const left = engineOn(data());
      if (left !== null) process.kill(left.pid, 'SIGKILL');
      pathAsBefore();
      windows.end();
    }
  });
});

describe.skipIf(!linux)('estepe serve ends in order', () => {
  const serve = async (...inside: string[]): Promise<Started> => {
    const engine = startEstepe(['serve', '--data', data(), '--json'], {}, inside);
    await until('the engine', () => engineOn(data()) !== null);
    return engine;
  };

  it.each(['SIGHUP', 'SIGINT', 'SIGTERM'] as const)(
    'on %s: exit 0, the folder is free, its log says why',
    async (signal) => {
      const engine = await serve();
      engine.signal(signal);
      expect(await engine.ended).toMatchObject({ exit: 0, err: '' });
      expect(log()).toMatch(new RegExp(` info stopping: ${signal}\n`));
      expect(existsSync(join(data(), 'engine.json'))).toBe(false);
    },
  );

  it('goes on when whoever read its output is gone', async () => {
    // `head` ends after the one line that it waits for
    const piped = ['sh', '-c', '"$@" 2>&1 | head -n 1 >/dev/null; wait', 'sh'];
    const engine = startEstepe(['serve', '--data', data()], {}, piped);
    await until('the engine', () => engineOn(data()) !== null);
    const { pid } = engineOn(data()) as { pid: number };
    process.kill(pid, 'SIGTERM');
    await engine.ended;
    expect(log()).toContain('stopping: SIGTERM');
  });
});
