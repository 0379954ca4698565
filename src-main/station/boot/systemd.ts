/**
 * The engine as a unit of systemd: written, enabled, started, looked at, taken away. What fails after something was written is
 * taken back, and said.
 */
import { chownSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cleanLeftovers, writeAtomically } from '../../config/atomic-file.ts';
import { EstepeError, sentenceOf } from '../../contract/errors.ts';
import { systemdReached } from '../../runbook/rights.ts';
import { asAccount, type PosixAccount, posixAccountNamed } from './account.ts';
import {
  ask,
  type BootChange,
  type BootParts,
  type BootState,
  dataFolderMade,
  type InstallWish,
  must,
  notInstalled,
  stopMs,
  untilItRuns,
  whyFailed,
  withTakenBack,
} from './boot.ts';
import { readUnit, unitName, unitText } from './systemd-unit.ts';

const fileOf = ({ unitFolder = '/etc/systemd/system' }: BootParts): string => join(unitFolder, unitName);
const systemctl = (...words: string[]): readonly string[] => ['systemctl', ...words];

function textThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (Reflect.get(error as object, 'code') === 'ENOENT') return null;
    throw new EstepeError('runtime', `${file} cannot be read: ${sentenceOf(error)}.`, 'run this as root');
  }
}

/** How the unit stands. Never rejects; needs no rights. */
export async function unitState(parts: BootParts): Promise<BootState> {
  const file = fileOf(parts);
  let text: string | null;
  try {
    text = textThere(file);
  } catch (error) {
    return notInstalled('systemd', file, sentenceOf(error));
  }
  if (text === null) return notInstalled('systemd', file);
  const argv = systemctl('is-enabled', unitName);
  const said = await ask(parts, argv);
  const word = said.output.trim().split('\n').at(-1) ?? '';
  const known =
    said.end.how === 'exit' && /^(enabled|enabled-runtime|disabled|masked|static|linked|indirect)/.test(word);
  return {
    ...{ by: 'systemd', where: file, installed: true, logon: null, ...readUnit(text) },
    atBoot: known ? word === 'enabled' : null,
    fault: known ? '' : `Whether it starts with the machine is not known: ${whyFailed(argv, said) ?? word}.`,
  };
}

/** @throws EstepeError where this system or this account cannot do it: nothing was changed */
async function mayChange(parts: BootParts): Promise<void> {
  if (parts.uid !== 0) {
    throw new EstepeError(
      'refused',
      'Only root may change what the machine starts.',
      'run it again with sudo, or as root',
    );
  }
  const reached = systemdReached(await ask(parts, systemctl('is-system-running')));
  if (reached.ok) return;
  throw new EstepeError(
    'runtime',
    reached.sentence.replace(': services cannot be started by name.', ': it starts nothing at boot here.'),
    'let whatever starts programs with this machine run `estepe serve`',
  );
}

/** What the account could not do with program and data, each in words. */
async function missingRights(parts: BootParts, wish: InstallWish, account: PosixAccount): Promise<string[]> {
  if (account.uid === 0) return [];
  const [program = '', entry = ''] = wish.argv;
  const questions: [what: string, test: string, path: string][] = [
    ['may not run', '-x', program],
    ...(entry.startsWith('/') ? [['may not read', '-r', entry] as [string, string, string]] : []),
    ['may not write to', '-w', wish.dataFolder],
  ];
  const faults: string[] = [];
  for (const [what, test, path] of questions) {
    const { end } = await ask(parts, asAccount(account, ['test', test, path]));
    if (end.how !== 'exit' || end.code !== 0) faults.push(`${wish.account} ${what} ${path}`);
  }
  return faults;
}

function giveTo({ uid, gid }: PosixAccount, folder: string): void {
  chownSync(folder, uid, gid);
  for (const name of readdirSync(folder)) chownSync(join(folder, name), uid, gid);
}

/**
 * Installs the unit, or brings the installed one up to date; the same again changes nothing.
 * @throws EstepeError what failed; what had been written is as it was before, or the sentence says what is not
 */
export async function installUnit(parts: BootParts, wish: InstallWish): Promise<BootChange> {
  const text = unitText(wish);
  const file = fileOf(parts);
  const before = textThere(file);
  if (before !== null && !readUnit(before).ours) {
    const todo = 'move it away, or change it by hand (`systemctl edit estepe`)';
    throw new EstepeError('refused', `${file} was not written by Estepe and is left as it is.`, todo);
  }
  const same = before === text;
  const change = same ? 'up to date' : before === null ? 'written' : 'replaced';
  if (wish.dryRun) {
    const done = [`${file} would be ${change}.`, `${unitName} would start with the machine, under ${wish.account}.`];
    return { done, troubles: [], text };
  }
  await mayChange(parts);
  const done = await placeFor(parts, wish);
  const ran = await isActive(parts);
  await written(parts, file, before, text);
  done.push(`${file} was ${change}.`);
  done.push(`${unitName} starts with the machine, under ${wish.account}, on ${wish.dataFolder}.`);
  if (ran && same) return { done: [...done, 'The engine runs, and was not disturbed.'], troubles: [], text };
  if (!wish.start) return { done, troubles: [], text };
  const trouble = await started(parts, 'restart', wish.dataFolder);
  if (trouble !== null) return { done, troubles: [trouble], text };
  return { done: [...done, ran ? 'The engine was started anew.' : 'The engine runs.'], troubles: [], text };
}

/**
 * The data folder, and the account that is to work in it. Says what was done.
 * @throws EstepeError when the account could not work there: then no unit was written
 */
async function placeFor(parts: BootParts, wish: InstallWish): Promise<string[]> {
  const account = await posixAccountNamed(parts, wish.account);
  const made = dataFolderMade(wish.dataFolder);
  if (made) giveTo(account, wish.dataFolder);
  const faults = await missingRights(parts, wish, account);
  if (faults.length > 0) {
    const todo = `give it the rights (\`chown -R ${wish.account}: ${wish.dataFolder}\` for the data), or choose another account`;
    throw new EstepeError('refused', `Nothing was installed: ${faults.join('; ')}.`, todo);
  }
  return made ? [`${wish.dataFolder} was made, for ${wish.account}.`] : [];
}

/** Written and enabled, or as it was before. */
async function written(parts: BootParts, file: string, before: string | null, text: string): Promise<void> {
  try {
    if (before !== text) write(file, text);
    await must(parts, systemctl('daemon-reload'), 'see `systemctl status`, then install again', stopMs);
    await must(parts, systemctl('enable', unitName), 'see `systemctl status`, then install again');
  } catch (error) {
    throw before === text ? error : withTakenBack(error, await takenBack(parts, file, before));
  }
}

function write(file: string, text: string): void {
  try {
    cleanLeftovers(join(file, '..'), unitName);
    writeAtomically(file, text, 0o644);
  } catch (error) {
    throw new EstepeError(
      'runtime',
      `${file} cannot be written: ${sentenceOf(error)}.`,
      'see the free space and the rights there',
    );
  }
}

async function takenBack(parts: BootParts, file: string, before: string | null): Promise<string[]> {
  try {
    if (before === null) rmSync(file, { force: true });
    else writeAtomically(file, before, 0o644);
  } catch (error) {
    return [`And ${file} could not be taken back: ${sentenceOf(error)}.`];
  }
  const argv = systemctl('daemon-reload');
  const why = whyFailed(argv, await ask(parts, argv));
  const back = before === null ? `${file} was taken away again.` : `${file} is as it was before.`;
  return why === null ? [back] : [back, `But systemd has not read that: ${why}.`];
}

async function isActive(parts: BootParts): Promise<boolean> {
  const { end } = await ask(parts, systemctl('is-active', '--quiet', unitName));
  return end.how === 'exit' && end.code === 0;
}

/** @returns what stands in the way of it, or null */
async function started(parts: BootParts, verb: 'start' | 'restart', dataFolder: string): Promise<string | null> {
  const argv = systemctl(verb, unitName);
  const why = whyFailed(argv, await ask(parts, argv, stopMs), stopMs);
  if (why !== null) return `It did not start: ${why}. See \`journalctl -u ${unitName}\`.`;
  return untilItRuns(dataFolder, async () => {
    const { output } = await ask(parts, systemctl('show', '--property=MainPID', '--value', unitName));
    // 0: not running, or not just now
    return Number(output.trim()) || 0;
  });
}

function installedHere(parts: BootParts): string {
  const text = textThere(fileOf(parts));
  if (text !== null) return text;
  const todo = 'run `estepe service install`';
  throw new EstepeError(
    'nothing-to-do',
    `There is no ${fileOf(parts)}: the engine is not installed to start with the machine.`,
    todo,
  );
}

/** @throws EstepeError when it is not installed or may not be done */
export async function startUnit(parts: BootParts): Promise<BootChange> {
  const text = installedHere(parts);
  await mayChange(parts);
  const trouble = await started(parts, 'start', readUnit(text).dataFolder ?? '');
  return { done: trouble === null ? ['The engine runs.'] : [], troubles: trouble === null ? [] : [trouble], text };
}

/** Stopped in order until it is started again, or the machine is. */
export async function stopUnit(parts: BootParts): Promise<BootChange> {
  const text = installedHere(parts);
  await mayChange(parts);
  await must(parts, systemctl('stop', unitName), 'see `systemctl status estepe`', stopMs);
  return { done: ['The engine was stopped.'], troubles: [], text };
}

/** Stops the engine and takes its unit away; the data stays. Where there is none nothing is done. */
export async function uninstallUnit(parts: BootParts, { dryRun }: { dryRun: boolean }): Promise<BootChange> {
  const file = fileOf(parts);
  const text = textThere(file);
  if (text === null) return { done: [`There is no ${file}: nothing to take away.`], troubles: [], text: '' };
  const read = readUnit(text);
  if (!read.ours)
    throw new EstepeError('refused', `${file} was not written by Estepe and is left as it is.`, 'remove it by hand');
  const stays = `What is in ${read.dataFolder ?? 'the data folder'} stays.`;
  if (dryRun) return { done: [`The engine would be stopped and ${file} taken away.`, stays], troubles: [], text };
  await mayChange(parts);
  await must(
    parts,
    systemctl('disable', '--now', unitName),
    'nothing was taken away; see `systemctl status estepe`',
    stopMs,
  );
  try {
    rmSync(file);
  } catch (error) {
    const what = `It is stopped and starts no more with the machine, but ${file} could not be taken away: ${sentenceOf(error)}.`;
    throw new EstepeError('runtime', what, 'remove it by hand, then run `systemctl daemon-reload`');
  }
  const argv = systemctl('daemon-reload');
  const why = whyFailed(argv, await ask(parts, argv, stopMs), stopMs);
  await ask(parts, systemctl('reset-failed', unitName));
  const own = existsSync(`${file}.d`) ? [`Changes of your own stay in ${file}.d.`] : [];
  return {
    done: [`The engine was stopped, and ${file} taken away.`, stays, ...own],
    troubles: why === null ? [] : [`systemd has not read that yet: ${why}. Run \`systemctl daemon-reload\`.`],
    text,
  };
}
