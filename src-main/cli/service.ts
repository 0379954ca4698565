/** `estepe service …`: whether, how and under which account this machine starts the engine at boot. */
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { type Command, Option } from 'commander';
import { EstepeError } from '../contract/errors.ts';
import { RealProc } from '../runbook/real-proc.ts';
import { type BootChange, type BootParts, type BootState, engineOn, type InstallWish } from '../station/boot/boot.ts';
import { engineArgv, startedHere } from '../station/boot/plan.ts';
import { installUnit, startUnit, stopUnit, uninstallUnit, unitState } from '../station/boot/systemd.ts';
import {
  installTask,
  startTask,
  stopTask,
  type TaskParts,
  taskState,
  uninstallTask,
} from '../station/boot/task-scheduler.ts';
import { type LogLevel, logLevels } from '../station/log.ts';
import { secretFrom } from './secret.ts';
import type { Done, Run, Session } from './session.ts';
import { stopEngine } from './stop-engine.ts';

/** This platform's way. */
interface Way {
  state(): Promise<BootState>;
  install(wish: InstallWish): Promise<BootChange>;
  uninstall(ask: { dryRun: boolean }): Promise<BootChange>;
  start(): Promise<BootChange>;
  stop(): Promise<BootChange>;
  account: string;
}

function wayHere(): Way {
  const parts: BootParts & TaskParts = {
    proc: new RealProc(),
    cwd: tmpdir(),
    runToken: randomBytes(8).toString('hex'),
    uid: process.getuid?.() ?? null,
    stopEngine: (dataFolder) => stopEngine(dataFolder, '`estepe service`'),
  };
  if (process.platform === 'win32') {
    return {
      state: () => taskState(parts),
      install: (wish) => installTask(parts, wish),
      uninstall: (asked) => uninstallTask(parts, asked),
      start: () => startTask(parts),
      stop: () => stopTask(parts),
      account: 'SYSTEM',
    };
  }
  if (process.platform === 'linux') {
    return {
      state: () => unitState(parts),
      install: (wish) => installUnit(parts, wish),
      uninstall: (asked) => uninstallUnit(parts, asked),
      start: () => startUnit(parts),
      stop: () => stopUnit(parts),
      account: 'root',
    };
  }
  throw new EstepeError(
    'runtime',
    `Estepe knows no way to start with the machine on this system (${process.platform}).`,
    'let whatever starts programs at boot here run `estepe serve`',
  );
}

interface InstallOptions {
  account?: string;
  passwordStdin?: boolean;
  logLevel: LogLevel;
  start: boolean;
  dryRun?: boolean;
}

export function addService(program: Command, run: Run): void {
  const service = program.command('service').helpCommand(false).description('the engine at boot, on this machine');
  service
    .command('install')
    .description('let the machine start the engine at boot, and start it now; again: bring that up to date')
    .option('--account <name>', 'run it under this account (default: SYSTEM on Windows, root elsewhere)')
    .option('--password-stdin', 'Windows: read the password of that account from stdin')
    .addOption(
      new Option('--log-level <level>', "how much goes into the engine's log").choices(logLevels).default('info'),
    )
    .option('--no-start', 'at the next boot only')
    .option('--dry-run', 'say what would be done, and show the unit or the task')
    .action(
      run<InstallOptions>(async (session, options) => {
        const way = wayHere();
        const { account = way.account, logLevel, start, dryRun = false } = options;
        if (options.passwordStdin && process.platform !== 'win32') {
          throw new EstepeError('usage', 'A password is needed on Windows alone.', 'leave out --password-stdin');
        }
        const password = options.passwordStdin ? await secretFrom(process.stdin) : null;
        const words = ['--data', session.dataFolder, '--log-level', logLevel];
        const argv = engineArgv(startedHere(), words);
        const { dataFolder } = session;
        const change = await way.install({ argv, dataFolder, account, dryRun, start, password });
        const more = { dryRun, account, dataFolder, text: change.text };
        const answer = changed(session, change, more);
        return dryRun ? { ...answer, text: `${answer.text}\n\n${change.text.trimEnd()}` } : answer;
      }),
    );
  service
    .command('status')
    .description('whether the machine starts the engine, under which account and on which folder; and whether it runs')
    .action(run(async (session) => statusOf(session, await wayHere().state())));
  service
    .command('start')
    .description('start the installed engine')
    .action(run(async (session) => changed(session, await wayHere().start())));
  service
    .command('stop')
    .description('stop it in order, as an update does; Windows: until it is started again')
    .action(run(async (session) => changed(session, await wayHere().stop())));
  service
    .command('uninstall')
    .description('stop the engine and let the machine start it no more; its data stays')
    .option('--dry-run', 'say what would be done')
    .action(
      run<{ dryRun?: boolean }>(async (session, { dryRun = false }) =>
        changed(session, await wayHere().uninstall({ dryRun }), { dryRun }),
      ),
    );
}

function changed(session: Session, { done, troubles }: BootChange, more: object = {}): Done {
  const lines = [...done, ...troubles.map((trouble) => session.paint('yellow', `! ${trouble}`))];
  return { exit: troubles.length === 0 ? 0 : 1, document: { done, troubles, ...more }, text: lines.join('\n') };
}

/** Exit 0: the machine starts it. */
function statusOf(session: Session, state: BootState): Done {
  const folder = state.dataFolder ?? session.dataFolder;
  const engine = engineOn(folder);
  const lines: string[] = [];
  if (!state.installed) {
    lines.push(
      state.fault || `This machine does not start the engine: there is no ${state.where.replace('the ', '')}.`,
    );
    if (state.fault === '') lines.push('`estepe service install` lets it.');
  } else {
    const when = {
      true: 'starts the engine at boot',
      false: 'does NOT start the engine at boot',
      null: 'may start the engine at boot',
    };
    lines.push(`This machine ${when[`${state.atBoot}`]}: ${state.where}, under ${state.account}, on ${folder}.`);
    if (state.atBoot === false) lines.push('`estepe service install` lets it.');
    if (state.fault !== '') lines.push(state.fault);
    if (!state.ours) lines.push('It was not written by Estepe.');
  }
  lines.push(engine === null ? `No engine runs on ${folder}.` : `An engine runs on ${folder} (process ${engine.pid}).`);
  return {
    exit: state.atBoot === true ? 0 : 1,
    document: { ...state, dataFolder: folder, engine },
    text: lines.join('\n'),
  };
}
