/**
 * The command line's frame: options that every command has, the one place where a command's answer or error becomes
 * output and exit code. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
 */
import { Command } from 'commander';
import { addBackup } from './backup.ts';
import { addConfig } from './config.ts';
import { addDoctor } from './doctor.ts';
import { addDrill } from './drill.ts';
import { asEstepeError, tell } from './failures.ts';
import { addHistory } from './history.ts';
import { addLab } from './lab.ts';
import { addLocation } from './location.ts';
import { addMaintenance } from './maintenance.ts';
import { addNotify } from './notify.ts';
import { addPair } from './pair.ts';
import { addProbe } from './probe.ts';
import { addCancel, addPromote } from './promote.ts';
import { addReplay } from './replay.ts';
import { addRestore } from './restore.ts';
import { addSecret } from './secret.ts';
import { addServe } from './serve.ts';
import { addService } from './service.ts';
import { makeSession, type Run } from './session.ts';
import { addStandDown } from './stand-down.ts';
import { addStanding } from './standing.ts';
import { addStatus } from './status.ts';
import { addSwitchover } from './switchover.ts';
import { estepeVersion } from './version.ts';

/**
 * Runs the command line.
 * @param argv the words after `estepe`
 * @returns the exit code; output is written by then
 */
export async function main(argv: readonly string[]): Promise<0 | 1 | 2> {
  let exit: 0 | 1 | 2 = 0;
  const run: Run =
    (command) =>
    async (...given) => {
      const own = given.at(-1) as Command;
      const options = own.optsWithGlobals();
      const session = makeSession(options);
      const words = given.slice(0, -2).filter((word) => typeof word === 'string');
      const done = await command(session, options as never, words);
      exit = done.exit;
      // A command that has written its document already has none left.
      if (!session.json) await write(done.text);
      else if (done.document !== undefined) await write(JSON.stringify(done.document, null, 2));
    };
  const json = argv.includes('--json');
  let shown = '';
  const program = makeProgram(run, (text) => {
    shown += text;
  });
  try {
    if (argv.length === 0) {
      process.stdout.write(program.helpInformation());
      return 2;
    }
    await program.parseAsync(argv, { from: 'user' });
    return exit;
  } catch (error) {
    const known = asEstepeError(error);
    if (known !== null) return tell(known, json);
    const said = shown.trimEnd();
    const document = said === estepeVersion() ? { version: said } : { help: said };
    await write(json ? JSON.stringify(document, null, 2) : said);
    return 0;
  }
}

/** @param writeOut takes the help and the version, in pieces */
function makeProgram(run: Run, writeOut: (text: string) => void): Command {
  const program = new Command('estepe')
    .description("Keeps a warm spare for a small site's PBX: watches the active node, proves its death, takes over.")
    .version(estepeVersion())
    .option('--data <folder>', 'the data folder (estepe.yaml, estepe.db, logs, scripts)')
    .option('--json', 'print one JSON document on stdout, nothing else')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage or configuration.')
    .helpCommand(false)
    .showSuggestionAfterError(true)
    // What commander would print is told once, by `tell`, in the caller's form.
    .configureOutput({ outputError: () => {}, writeOut })
    .exitOverride();
  addServe(program, run);
  addService(program, run);
  addSecret(program, run);
  addStatus(program, run);
  addProbe(program, run);
  addDoctor(program, run);
  addDrill(program, run);
  addPromote(program, run);
  addSwitchover(program, run);
  addStandDown(program, run);
  addCancel(program, run);
  addMaintenance(program, run);
  addStanding(program, run);
  addPair(program, run);
  addNotify(program, run);
  addHistory(program, run);
  addBackup(program, run);
  addRestore(program, run);
  addLocation(program, run);
  addConfig(program, run);
  addReplay(program, run);
  addLab(program, run);
  return program;
}

/** Resolves when the text is out: a pipe's reader may be slow, and the process ends right after. */
function write(text: string): Promise<void> {
  if (text === '') return Promise.resolve();
  return new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
}
