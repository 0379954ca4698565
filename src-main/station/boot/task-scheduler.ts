/**
 * The engine as a task of the Windows Task Scheduler: registered, started, looked at, taken away. Registering replaces a task as a
 * whole or leaves the old one; so nothing is ever half of either.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolderAt } from '../../config/data-folder.ts';
import { EstepeError, sentenceOf } from '../../contract/errors.ts';
import { windowsAccount } from '../../runbook/rights.ts';
import { powershell, quoted } from '../../runbook/services.ts';
import {
  ask,
  type BootChange,
  type BootParts,
  type BootState,
  dataFolderMade,
  engineOn,
  type InstallWish,
  must,
  notInstalled,
  untilItRuns,
  whyFailed,
} from './boot.ts';
import { isSystem, type Logon, readTask, type TaskPlan, type TaskRead, taskName, taskXml } from './task-xml.ts';

const registerMs = 60_000;
const named = `task \\${taskName}`;
const schtasks = (...words: string[]): readonly string[] => ['schtasks.exe', ...words];

export interface TaskParts extends BootParts {
  /** asks the engine on that folder to end in order and waits until it has; a task can only be cut off by Windows */
  stopEngine(dataFolder: string): Promise<void>;
}

/** Managed service accounts end in `$`, and Windows keeps their password. */
const isManaged = (account: string): boolean => account.endsWith('$');

export function logonOf(account: string, password: string | null): Logon {
  if (isSystem(account)) return 'system';
  return password !== null || isManaged(account) ? 'password' : 's4u';
}

async function taskThere(parts: BootParts): Promise<{ task: TaskRead | null; fault: string }> {
  const argv = schtasks('/Query', '/TN', taskName, '/XML');
  const said = await ask(parts, argv);
  const task = readTask(said.output);
  // 1: there is none by that name, said in the machine's language
  if (task !== null || (said.end.how === 'exit' && said.end.code === 1)) return { task, fault: '' };
  return { task: null, fault: `Whether there is the ${named} is not known: ${whyFailed(argv, said) ?? 'no answer'}.` };
}

/** How the task stands. Never rejects. Windows shows it to administrators alone, and others are told that there is none. */
export async function taskState(parts: BootParts): Promise<BootState> {
  const { task, fault } = await taskThere(parts);
  if (task === null) return notInstalled('task-scheduler', `the ${named}`, fault);
  const { ours, enabled, account, logon, dataFolder, argv } = task;
  return {
    by: 'task-scheduler',
    where: `the ${named}`,
    installed: true,
    ours,
    atBoot: enabled,
    account,
    logon,
    dataFolder,
    argv,
    fault: '',
  };
}

async function mayChange(parts: BootParts): Promise<void> {
  const here = windowsAccount(await ask(parts, ['whoami.exe', '/groups', '/fo', 'csv', '/nh']));
  if (here.ok) return;
  const todo = 'run it again from a terminal that was opened with "Run as administrator"';
  throw new EstepeError(
    'refused',
    'Only an administrator with raised rights may change what the machine starts.',
    todo,
  );
}

/** Scripts from there run with the engine's rights: nobody but the machine, its administrators and the account may write there. */
async function closeFolder(parts: BootParts, { dataFolder, account }: InstallWish): Promise<void> {
  const grant = (who: string, rights: string): string[] => ['/grant:r', `${who}:(OI)(CI)${rights}`];
  const argv = [
    ...['icacls.exe', dataFolder, '/inheritance:r', ...grant('*S-1-5-18', 'F'), ...grant('*S-1-5-32-544', 'F')],
    ...(isSystem(account) ? [] : grant(account, 'M')),
  ];
  await must(parts, argv, 'nothing was installed; see whether that account and that folder are there');
}

/** A password is on no command line: any program may read those, and Windows can be set to log them. */
function registering(
  plan: TaskPlan,
  file: string,
  password: string | null,
): [argv: readonly string[], env: Record<string, string>] {
  if (password === null) return [schtasks('/Create', '/TN', taskName, '/XML', file, '/F'), {}];
  const script =
    `Register-ScheduledTask -TaskName ${quoted(taskName)} -Xml ([IO.File]::ReadAllText(${quoted(file)})) ` +
    `-User ${quoted(plan.account)} -Password $env:ESTEPE_TASK_PASSWORD -Force | Out-Null`;
  return [powershell(script), { ESTEPE_TASK_PASSWORD: password }];
}

/**
 * Registers the task, or brings the registered one up to date.
 * @throws EstepeError what failed; the task is then as it was before
 */
export async function installTask(parts: TaskParts, wish: InstallWish): Promise<BootChange> {
  const account = isSystem(wish.account) ? 'SYSTEM' : wish.account;
  const plan = { ...wish, account, logon: logonOf(wish.account, wish.password) };
  const text = taskXml(plan);
  const { task: before, fault } = await taskThere(parts);
  if (fault !== '') throw new EstepeError('runtime', fault, 'see whether the service Task Scheduler runs');
  if (before !== null && !before.ours) {
    const todo = 'give it another name, or delete it';
    throw new EstepeError('refused', `There is the ${named} that Estepe did not write; it is left as it is.`, todo);
  }
  const verb = before === null ? 'registered' : 'replaced';
  if (wish.dryRun) {
    return { done: [`The ${named} would be ${verb}, to start with the machine under ${account}.`], troubles: [], text };
  }
  await mayChange(parts);
  const done = dataFolderMade(wish.dataFolder) ? [`${wish.dataFolder} was made.`] : [];
  await closeFolder(parts, plan);
  await register(parts, plan, text);
  done.push(`The ${named} was ${verb}: the engine starts with the machine, under ${account}, on ${wish.dataFolder}.`);
  const runs = wish.start ? await startedAnew(parts, plan, before) : { done: [], troubles: [] };
  return { done: [...done, ...runs.done], troubles: [...hintsOf(plan), ...runs.troubles], text };
}

/** What runs as it is to run is not disturbed. */
async function startedAnew(
  parts: TaskParts,
  plan: TaskPlan,
  before: TaskRead | null,
): Promise<Omit<BootChange, 'text'>> {
  const running = engineOn(before?.dataFolder ?? plan.dataFolder) !== null;
  const what = ({ argv, account, logon }: TaskPlan | TaskRead): string => JSON.stringify([argv, account, logon]);
  const same = before?.enabled === true && what(before) === what(plan);
  if (running && same) return { done: ['The engine runs, and was not disturbed.'], troubles: [] };
  if (running && before === null) {
    // the window's, or one that was started by hand: not ours to end
    const other = `Another engine runs on ${plan.dataFolder}: the one at boot takes its place within a minute after it has ended.`;
    return { done: [other], troubles: [] };
  }
  if (running) await parts.stopEngine(before?.dataFolder ?? plan.dataFolder);
  const trouble = await started(parts, plan.dataFolder);
  if (trouble !== null) return { done: [], troubles: [trouble] };
  return { done: [running ? 'The engine was started anew.' : 'The engine runs.'], troubles: [] };
}

async function register(parts: BootParts, plan: TaskPlan & InstallWish, text: string): Promise<void> {
  const file = join(dataFolderAt(plan.dataFolder).spool, `task-${parts.runToken}.xml`);
  try {
    // The Task Scheduler reads UTF-16 with its mark.
    writeFileSync(file, `\ufeff${text}`, { encoding: 'utf16le', mode: 0o600 });
    const [argv, env] = registering(plan, file, plan.password);
    const said = await ask(parts, argv, registerMs, env);
    const why = whyFailed(argv, said, registerMs);
    if (why === null) return;
    const clean = plan.password === null ? why : why.replaceAll(plan.password, '[secret]');
    throw new EstepeError('runtime', `The ${named} could not be registered: ${clean}.`, todoOf(plan));
  } finally {
    try {
      rmSync(file, { force: true });
    } catch (error) {
      parts.say?.(`${file} could not be removed: ${sentenceOf(error)}`);
    }
  }
}

function todoOf({ logon, account }: TaskPlan): string {
  if (logon === 'system') return 'see whether the service Task Scheduler runs, then install again';
  return `check the name ${account}${logon === 'password' ? ' and its password' : ''}, and that it may "Log on as a batch job" (local security policy)`;
}

function hintsOf({ logon, account }: TaskPlan): string[] {
  if (logon !== 's4u') return [];
  return [
    `${account} runs without a stored password and has rights on this machine alone: not on shares, nor on the DNS server of another one. Give --password-stdin where those are needed.`,
  ];
}

/** @returns what stands in the way of it, or null */
async function started(parts: BootParts, dataFolder: string): Promise<string | null> {
  const argv = schtasks('/Run', '/TN', taskName);
  const why = whyFailed(argv, await ask(parts, argv));
  // Windows tells no process of a task.
  return why === null ? untilItRuns(dataFolder, async () => null) : `It did not start: ${why}.`;
}

async function registeredHere(parts: BootParts): Promise<TaskRead> {
  const { task, fault } = await taskThere(parts);
  if (task !== null) return task;
  const sentence =
    fault === '' ? `There is no ${named}: the engine is not installed to start with the machine.` : fault;
  throw new EstepeError(fault === '' ? 'nothing-to-do' : 'runtime', sentence, 'run `estepe service install`');
}

export async function startTask(parts: TaskParts): Promise<BootChange> {
  const { dataFolder } = await registeredHere(parts);
  await mayChange(parts);
  await must(parts, schtasks('/Change', '/TN', taskName, '/ENABLE'), 'see the Task Scheduler');
  const trouble = await started(parts, dataFolder ?? '');
  return { done: trouble === null ? ['The engine runs.'] : [], troubles: trouble === null ? [] : [trouble], text: '' };
}

/** Switched off first: it would be started again within the minute. */
export async function stopTask(parts: TaskParts): Promise<BootChange> {
  const { dataFolder } = await registeredHere(parts);
  await mayChange(parts);
  await must(parts, schtasks('/Change', '/TN', taskName, '/DISABLE'), 'see the Task Scheduler');
  const troubles = await ended(parts, dataFolder);
  const done = 'The engine was stopped, and its task switched off until `estepe service start`.';
  return { done: troubles.length === 0 ? [done] : [], troubles, text: '' };
}

/** In order where the engine lets itself be asked, else by Windows, which cuts it off: what was under way is journaled. */
async function ended(parts: TaskParts, dataFolder: string | null): Promise<string[]> {
  let why = '';
  try {
    if (dataFolder !== null) await parts.stopEngine(dataFolder);
  } catch (error) {
    // It is the window's: the task has none of its own to be cut off.
    if (error instanceof EstepeError && error.code === 'refused') return [`${error.message} Now ${error.todo}.`];
    why = sentenceOf(error);
  }
  const argv = schtasks('/End', '/TN', taskName);
  const said = await ask(parts, argv);
  const fault = whyFailed(argv, said);
  if (why === '') return [];
  if (fault === null)
    return [
      `The engine could not be asked to stop (${why}), so Windows cut it off: what was under way is gone on with at its next start.`,
    ];
  return [`The engine could not be stopped: ${why} ${fault}.`];
}

/** Stops the engine and deletes its task; the data stays. Where there is none nothing is done. */
export async function uninstallTask(parts: TaskParts, { dryRun }: { dryRun: boolean }): Promise<BootChange> {
  const { task, fault } = await taskThere(parts);
  if (fault !== '') throw new EstepeError('runtime', fault, 'see whether the service Task Scheduler runs');
  if (task === null) return { done: [`There is no ${named}: nothing to take away.`], troubles: [], text: '' };
  if (!task.ours)
    throw new EstepeError('refused', `Estepe did not write the ${named}; it is left as it is.`, 'delete it by hand');
  const stays = `What is in ${task.dataFolder ?? 'the data folder'} stays.`;
  if (dryRun) return { done: [`The engine would be stopped and the ${named} deleted.`, stays], troubles: [], text: '' };
  await mayChange(parts);
  await must(parts, schtasks('/Change', '/TN', taskName, '/DISABLE'), 'nothing was deleted; see the Task Scheduler');
  const troubles = await ended(parts, task.dataFolder);
  await must(
    parts,
    schtasks('/Delete', '/TN', taskName, '/F'),
    'the task is switched off; delete it in the Task Scheduler',
  );
  return { done: [`The engine was stopped, and the ${named} deleted.`, stays], troubles, text: '' };
}
