/** `estepe lab`: the embedded pair, to try the product and to test it. */
import { type Command, Option } from 'commander';
import { modeSchema } from '../contract/words.ts';
import type { LabEnd } from '../lab/lab.ts';
import { scenarioNames, scenarios } from '../lab/scenarios.ts';
import { whereOf } from '../lab/where.ts';
import { usage } from './failures.ts';
import type { Done, Run, Session } from './session.ts';
import { statusText } from './status.ts';
import { estepeVersion } from './version.ts';

interface LabWords {
  scenario?: string;
  mode?: string;
  keep?: boolean;
  location?: string;
  /** as given; without it the lab has a folder of its own */
  data?: string;
}

export function addLab(program: Command, run: Run): void {
  program
    .command('lab')
    .description('an embedded pair on loopback addresses: kill its active and see what happens')
    .addOption(new Option('--scenario <name>', `play one: ${scenarioNames.join(', ')}`))
    .addOption(new Option('--mode <mode>', `how the spare takes over: ${modeSchema.options.join(', ')}`))
    .option(
      '--location <where>',
      'keep the backups there: a folder, sftp://user@host:port/folder, ftps:// or smb:// alike',
    )
    .option('--keep', 'leave the data folder where it is, and say where')
    .addHelpText('after', scenarioHelp())
    .action(run<LabWords>(lab));
}

function scenarioHelp(): string {
  const lines = scenarioNames.map((name) => `  ${name.padEnd(16)} ${scenarios[name].about}`);
  return `\nScenarios (without a terminal kill-active is played):\n${lines.join('\n')}
Passwords and keys for --location: ESTEPE_LAB_PASSWORD, ESTEPE_LAB_KEY. What the lab stored there is removed at the end.
With --data the lab uses that folder, which must be empty, and leaves it there.
Exit code: 0 when the scenario's outcome is the right one, else 1.`;
}

async function lab(session: Session, words: LabWords): Promise<Done> {
  const scenario = oneOf('scenario', words.scenario, scenarioNames);
  const mode = oneOf('mode', words.mode, modeSchema.options);
  const { json, dataFolder, paint, say } = session;
  const { runLab } = await import('../lab/lab.ts');
  const end = await runLab({
    scenario,
    mode,
    keep: words.keep === true,
    where: words.location === undefined ? null : whereOf(words.location, process.env),
    data: words.data === undefined ? undefined : dataFolder,
    attended: session.terminal && process.stdin.isTTY === true,
    version: estepeVersion(),
    say,
    statusText: (snapshot) => statusText(snapshot, paint),
  });
  const exit = end.outcome === null || end.outcome.right ? 0 : 1;
  return { exit, document: json ? end.outcome : undefined, text: lastWords(end) };
}

function oneOf<T extends string>(what: string, given: string | undefined, allowed: readonly T[]): T | null {
  if (given === undefined) return null;
  const found = allowed.find((each) => each === given);
  if (found !== undefined) return found;
  throw usage(`There is no ${what} \`${given}\`.`, `Allowed: ${allowed.join(', ')}.`);
}

function lastWords({ outcome, kept }: LabEnd): string {
  const lines: string[] = [];
  if (outcome !== null)
    lines.push('', `${outcome.right ? 'As it should be' : 'Not as it should be'}: ${outcome.reason}`);
  lines.push(kept === null ? 'The lab is down; nothing of it is left.' : `The lab is down. Its data folder: ${kept}`);
  return lines.join('\n');
}
