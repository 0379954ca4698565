/**
 * `estepe drill`: would a promotion work tonight? Run by the engine, followed here; its report as text, as JSON, as an HTML file. Exit 0:
 * passed.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { writeAtomically } from '../config/atomic-file.ts';
import { findEngine } from '../console/engine-client.ts';
import type { DoctorState } from '../contract/doctor.ts';
import { type DrillArea, type DrillEnd, type DrillReport, type DrillRunning, drillByArea } from '../contract/drill.ts';
import { type DrillWords, drillPage } from '../contract/drill-page.ts';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import type { Snapshot } from '../contract/snapshot.ts';
import { sizeWords } from '../engine/size.ts';
import { checkLines, areaWords as doctorWords, marks, sumLine } from './doctor.ts';
import { usage } from './failures.ts';
import { followFeed } from './follow-feed.ts';
import { type Done, type Paint, type Run, type Session, whoAmI } from './session.ts';
import { clock } from './status.ts';
import { progressLine } from './storage.ts';

interface DrillOptions {
  html?: string;
  last?: boolean;
}

/** After the order was taken, how long the engine may take to show it. */
const shownWithinMs = 10_000;

const areaWords: Record<DrillArea, string> = {
  ...{ ...doctorWords, restore: 'Restore into a sandbox', promotion: 'Steps of a promotion' },
};

export function addDrill(program: Command, run: Run): void {
  program
    .command('drill')
    .description('rehearse a promotion up to going live, and report; changes nothing outside a sandbox')
    .option('--html <file>', 'write the report as one HTML file, to print or to file')
    .option('--last', 'show the last report; nothing is run')
    .action(
      run<DrillOptions>(async (session, options) => {
        const html = options.html === undefined ? null : writable(options.html);
        const engine = findEngine(session.dataFolder);
        if (options.last !== true) await drill(session);
        const report = await engine.call((client) => client.drill.report());
        if (report === null) {
          throw new EstepeError('not-found', 'No drill has ended here yet.', 'run one: `estepe drill`');
        }
        if (html !== null) write(html, drillPage(report, words));
        const where = html === null ? '' : `\n\nWritten to ${html}`;
        return doneOf(report, `${drillText(report, session.paint)}${where}`);
      }),
    );
}

const doneOf = (report: DrillReport, text: string): Done => ({ exit: report.passed ? 0 : 1, document: report, text });

/** Before anything is run: a report that could not be written is no good after an hour. @throws EstepeError `usage` */
function writable(file: string): string {
  const path = resolve(file);
  try {
    accessSync(dirname(path), constants.W_OK);
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) throw new Error('it is not a file');
    return path;
  } catch (error) {
    throw usage(`${path} cannot be written: ${sentenceOf(error)}.`, 'Name a file in a folder that you may write to.');
  }
}

function write(path: string, text: string): void {
  try {
    writeAtomically(path, text);
  } catch (error) {
    const todo = 'mend that, then `estepe drill --last --html FILE`: the report is kept';
    throw new EstepeError('data-folder', `${path} could not be written: ${sentenceOf(error)}.`, todo, {}, error);
  }
}

/** Begins one and follows it to its end. @throws EstepeError `refused`, when it was cancelled or the drill itself failed too */
async function drill(session: Session): Promise<void> {
  const engine = findEngine(session.dataFolder);
  const before = (await engine.call((client) => client.snapshot())).drill.ended;
  const answer = await engine.call((client) => client.drill.start({ by: whoAmI() }));
  if (!answer.accepted) throw new EstepeError('refused', answer.reason, 'look at `estepe status`, then try again');
  const line = progressLine(session);
  const stop = stops(session, (text) => line.show(text));
  try {
    const { how, sentence } = await follow(session.dataFolder, before, (running) => {
      if (!running.cancelling) line.show(runningWords(running));
    });
    if (how === 'cancelled' || how === 'broken') {
      const todo = how === 'cancelled' ? 'run it again when it is wanted' : 'look at the log, then try again';
      throw new EstepeError('refused', sentence, todo, { how });
    }
  } finally {
    stop();
    line.end();
  }
}

export function runningWords({ done, total, waitsFor, bytes, bytesTotal }: DrillRunning): string {
  const of = bytesTotal === null ? '' : ` of ${sizeWords(bytesTotal)}`;
  const restored = bytes === null ? '' : `: ${sizeWords(bytes)}${of}`;
  return `${done} of ${total} looks have ended${restored}; left: ${waitsFor.map((area) => areaWords[area]).join(', ')}`;
}

function follow(dataFolder: string, before: DrillEnd | null, show: (running: DrillRunning) => void): Promise<DrillEnd> {
  let idleAt: number | null = null;
  const seen = ({ drill: { running, ended } }: Snapshot) => {
    if (running === null && ended !== null && JSON.stringify(ended) !== JSON.stringify(before)) return ended;
    if (running !== null) {
      idleAt = null;
      show(running);
      return null;
    }
    idleAt ??= performance.now();
    if (performance.now() - idleAt < shownWithinMs) return null;
    const what = 'The engine took the order, but neither shows the drill nor how it ended.';
    throw new EstepeError('internal', what, 'look at `estepe history`');
  };
  const lost = {
    what: 'The engine was lost while the drill ran',
    todo: 'when it runs again, run `estepe drill` again',
  };
  return followFeed(dataFolder, seen, lost);
}

/** Ctrl-C and SIGTERM, until it is called: the first asks the engine to cancel, the second leaves. */
function stops({ dataFolder }: Session, show: (text: string) => void): () => void {
  let asked = false;
  const onSignal = (): void => {
    if (asked) {
      process.stderr.write('\nThe drill goes on in the engine. `estepe status` shows it.\n');
      process.exit(1);
    }
    asked = true;
    show('cancelling …');
    findEngine(dataFolder)
      .call((client) => client.drill.cancel({ by: whoAmI() }))
      .catch((error: unknown) => process.stderr.write(`\nIt could not be cancelled: ${sentenceOf(error)}\n`));
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal);
  return () => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, onSignal);
  };
}

export function drillText(report: DrillReport, paint: Paint): string {
  const areas = drillByArea(report.rows).map(({ area, rows }) =>
    [paint('bold', areaWords[area]), ...rows.flatMap((row) => checkLines(row, paint))].join('\n'),
  );
  const { passed, at, by, node, role } = report;
  const where = role === 'active' ? ' This is the active node: drill on the passive one, too.' : '';
  const verdict = passed
    ? paint(['bold', 'green'], 'Passed: nothing was found that would hinder a promotion.')
    : paint(['bold', 'red'], 'Not passed: a promotion would be hindered.');
  const sum = `${verdict}${where}\n${sumLine(report.counts, paint)}\n${node}, ${clock(at)}, by ${by}`;
  return [...areas, sum].join('\n\n');
}

const counted =
  (word: string) =>
  ({ count }: { count: number }): string =>
    `${word}: ${count}`;

/** Of the file that is written from here. */
const words: DrillWords = {
  ...{ lang: 'en', title: 'Drill', todo: 'What to do:', node: 'Node', at: 'Time', by: 'By', backup: 'Backup' },
  ...{ none: 'none', time: clock, areas: areaWords },
  passed: 'Passed: nothing was found that would hinder a promotion.',
  failed: 'Not passed: a promotion would be hindered.',
  states: Object.fromEntries(Object.entries(marks).map(([state, { word }]) => [state, word])) as Record<
    DoctorState,
    string
  >,
  counts: {
    problem: counted('Problems'),
    warning: counted('Warnings'),
    ok: counted('OK'),
    skipped: counted('Not looked at'),
  },
};
