/** `estepe serve`: the engine without a screen, until it is told to stop. */
import { type Command, Option } from 'commander';
import { dataFolderAt } from '../config/data-folder.ts';
import type { Host } from '../console/engine-host.ts';
import { sentenceOf } from '../contract/errors.ts';
import { durationWords } from '../contract/view.ts';
import { type LogLevel, logFailedStart, logLevels } from '../station/log.ts';
import { leave } from './leave.ts';
import type { Run, Session } from './session.ts';
import { estepeVersion } from './version.ts';

/** A step that minds its end is over well within this; then we go without it, and it is resumed at the next start. */
const closeWithinMs = 30_000;

export function addServe(program: Command, run: Run): void {
  program
    .command('serve')
    .description('run the engine here until it is stopped (Ctrl-C, SIGTERM); serves the console on loopback')
    .addOption(new Option('--log-level <level>', 'how much goes into the log').choices(logLevels).default('info'))
    .action(
      run<{ logLevel: LogLevel }>(async (session, { logLevel }) => {
        outliveReaders();
        const stopped = stopSignal();
        // A third of all code, which no other command needs.
        const { hostHere } = await import('../console/engine-host.ts');
        let onStop: (by: string) => void = () => {};
        const ordered = new Promise<string>((resolve) => {
          onStop = (by) => resolve(`an order of ${by}`);
        });
        const options = { dataFolder: session.dataFolder, version: estepeVersion(), logLevel, onStop };
        const host = await hostHere(options).catch((error: unknown) => {
          logFailedStart(dataFolderAt(session.dataFolder), error);
          throw error;
        });
        // What nobody foresaw must not leave a half-dead engine that looks alive: out, and started again from outside.
        const fault = new Promise<'fault'>((fail) => {
          for (const kind of ['uncaughtException', 'unhandledRejection'] as const) {
            process.on(kind, (error: unknown) => {
              host.log.error(`${kind}: ${error instanceof Error ? error.stack : sentenceOf(error)}`);
              fail('fault');
            });
          }
        });
        announce(session, host);
        const end = await Promise.race([stopped, ordered, fault]);
        const failed = end === 'fault';
        host.log.info(failed ? 'stopping because of a fault' : `stopping: ${end}`);
        const late = setTimeout(() => {
          host.log.warn(
            'Not all has ended in time; Estepe leaves, and goes on with what was under way at its next start.',
          );
          // `process.exit` would wait for a disk that hangs.
          leave(failed ? 1 : 0);
        }, closeWithinMs).unref();
        await host.close();
        clearTimeout(late);
        return {
          exit: failed ? 1 : 0,
          document: undefined,
          text: failed ? 'Estepe stopped because of a fault in itself; see its log.' : `Stopped by ${end}.`,
        };
      }),
    );
}

/** SIGHUP: the terminal or console window is closed. SIGBREAK: Ctrl-Break, on Windows only. */
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const;

/** The first signal ends the engine in order; a second one does not wait. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let stopping = false;
    for (const signal of stopSignals) {
      process.on(signal, () => {
        if (stopping) leave(1);
        stopping = true;
        resolve(signal);
      });
    }
  });
}

/** Whoever reads our output may end (`estepe serve | tee …`, a closed terminal): that ends other commands, and must not end a watch. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners('error');
    stream.on('error', () => {});
  }
}

function announce(session: Session, { station, url, link }: Host): void {
  if (station === null) return announceFirstRun(session, url, link);
  const snapshot = station.desk.snapshot();
  if (session.json) {
    const { pid, startedAt, dataFolder } = snapshot.engine;
    process.stdout.write(
      `${JSON.stringify({ pid, startedAt, dataFolder, console: url, phase: snapshot.core.phase })}\n`,
    );
    return;
  }
  const other = snapshot.nodes.find((node) => !node.self)?.address ?? '';
  session.say(
    `Estepe watches ${other} (${snapshot.pair.fqdn}) every ${durationWords(snapshot.pair.intervalMs)}, mode ${snapshot.pair.mode}. Data folder: ${snapshot.engine.dataFolder}`,
  );
  // The link holds the token: it belongs on a person's screen, not in a log that a service writes.
  session.say(
    `Console: ${session.terminal ? link : `${url} (\`estepe status\` on a terminal prints the address with its key)`}`,
  );
  for (const { sentence, todo } of snapshot.troubles) session.say(session.paint('yellow', `! ${sentence} ${todo}`));
}

/** Nothing is watched yet, and whoever started this must not take it for an engine that does. */
function announceFirstRun(session: Session, url: string, link: string): void {
  const { dataFolder } = session;
  if (session.json) {
    const document = { pid: process.pid, startedAt: Date.now(), dataFolder, console: url, phase: 'first-run' };
    process.stdout.write(`${JSON.stringify(document)}\n`);
    return;
  }
  session.say(session.paint('yellow', `! There is no configuration in ${dataFolder} yet: nothing is watched.`));
  session.say(
    `The console makes one: ${session.terminal ? link : `${url} (\`estepe status\` on a terminal prints the address with its key)`}`,
  );
}
