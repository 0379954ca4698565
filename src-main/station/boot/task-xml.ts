/**
 * The engine's task for the Windows Task Scheduler (schema 1.4, Windows 10 and Server 2016 on), as text; and what an installed one
 * says. Pure: nothing is run or written here.
 */
import { EstepeError } from '../../contract/errors.ts';
import { type BootPlan, dataFolderIn, refuseControls } from './plan.ts';

/** In the root folder of the Task Scheduler's library. */
export const taskName = 'Estepe';

/**
 * How the account is logged on. `system`: SYSTEM, which is the computer's own account on the network. `password`: the account with all
 * its rights, also on other machines; for a managed service account (`name$`) Windows knows the password. `s4u`: without a stored
 * password, with rights on this machine alone.
 */
export type Logon = 'system' | 'password' | 's4u';

export interface TaskPlan extends BootPlan {
  logon: Logon;
}

const systemSid = 'S-1-5-18';
export const isSystem = (account: string): boolean => /^(?:NT AUTHORITY\\)?SYSTEM$|^S-1-5-18$/i.test(account);

const xml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const unXml = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');

/** A word as CommandLineToArgvW reads it back. */
export function windowsWord(word: string): string {
  if (word !== '' && !/[\s"]/.test(word)) return word;
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
}

/** A command line's words, by the rules of CommandLineToArgvW. */
export function windowsWords(line: string): string[] {
  const words: string[] = [];
  let [word, open, quoted] = ['', false, false];
  for (const [piece] of line.matchAll(/\\+"?|"|[^\\"\s]+|\s+/g)) {
    if (/^\s/.test(piece) && !quoted) {
      if (open) words.push(word);
      [word, open] = ['', false];
      continue;
    }
    open = true;
    const slashes = /^\\*/.exec(piece)?.[0].length ?? 0;
    if (!piece.endsWith('"')) word += piece;
    else {
      word += '\\'.repeat(Math.floor(slashes / 2));
      if (slashes % 2 === 1) word += '"';
      else quoted = !quoted;
    }
  }
  return open ? [...words, word] : words;
}

/**
 * Of its two triggers the first is the boot. The second tries every minute, and is ignored while it runs: RestartOnFailure counts its
 * tries, up to 255, and some versions of Windows take a program that ended by itself for a success, whatever its exit code.
 * @throws EstepeError `usage` for what a task would read as something else
 */
export function taskXml({ argv, dataFolder, account, logon }: TaskPlan): string {
  const words = [...argv, dataFolder, account];
  refuseControls(words);
  const bad = words.find((word) => /%[^%]+%|\$\(/.test(word));
  if (bad !== undefined) {
    throw new EstepeError(
      'usage',
      `The Task Scheduler would put something else in place of a part of ${bad}.`,
      'use a path without % and $(',
    );
  }
  const [program = '', ...rest] = argv;
  const principal = logon === 'system' ? systemSid : account;
  const logonType = {
    system: '',
    s4u: '\n      <LogonType>S4U</LogonType>',
    password: '\n      <LogonType>Password</LogonType>',
  };
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.4" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Estepe, the warm spare for a PBX. Written by \`estepe service install\`.</Description>
    <URI>\\${taskName}</URI>
  </RegistrationInfo>
  <Triggers>
    <BootTrigger>
      <Enabled>true</Enabled>
    </BootTrigger>
    <TimeTrigger>
      <Repetition>
        <Interval>PT1M</Interval>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
      <StartBoundary>2024-01-01T00:00:00</StartBoundary>
      <Enabled>true</Enabled>
    </TimeTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>${xml(principal)}</UserId>${logonType[logon]}
      <RunLevel>HighestAvailable</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <IdleSettings>
      <StopOnIdleEnd>false</StopOnIdleEnd>
      <RestartOnIdle>false</RestartOnIdle>
    </IdleSettings>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>false</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>4</Priority>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>255</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${xml(`"${program}"`)}</Command>
      <Arguments>${xml(rest.map(windowsWord).join(' '))}</Arguments>
      <WorkingDirectory>${xml(dataFolder)}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
`;
}

/** What an installed task says. */
export interface TaskRead {
  ours: boolean;
  /** it is not switched off */
  enabled: boolean;
  /** as it stands there: a name, or a SID for what has been registered; `SYSTEM` by that name */
  account: string;
  logon: Logon;
  argv: readonly string[];
  dataFolder: string | null;
}

/** Reads what `schtasks /Query /XML` prints; null where that is no task. */
export function readTask(text: string): TaskRead | null {
  if (!/<Task\b[^>]*>/.test(text)) return null;
  const of = (tag: string, within = text): string =>
    unXml(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(within)?.[1]?.trim() ?? '');
  const userId = of('UserId');
  const type = of('LogonType');
  const argv = [...windowsWords(of('Command')), ...windowsWords(of('Arguments'))];
  // the triggers have an `Enabled` of their own
  const settings = /<Settings>[\s\S]*<\/Settings>/.exec(text)?.[0] ?? '';
  return {
    ours: of('Description').includes('estepe service install'),
    enabled: of('Enabled', settings) !== 'false',
    account: isSystem(userId) ? 'SYSTEM' : userId,
    logon: isSystem(userId) ? 'system' : type === 'S4U' ? 's4u' : 'password',
    argv,
    dataFolder: dataFolderIn(argv),
  };
}
