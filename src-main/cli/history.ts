/** `estepe history`: what was decided and why, newest first; or the beats of one test. */
import type { Command } from 'commander';
import { durationForms, parseDuration } from '../config/duration.ts';
import { findEngine } from '../console/engine-client.ts';
import type { EventView } from '../contract/snapshot.ts';
import { msWords } from '../contract/view.ts';
import { severitySchema } from '../contract/words.ts';
import { usage } from './failures.ts';
import type { Done, Paint, Run, Session } from './session.ts';
import { clock } from './status.ts';

interface HistoryOptions {
  limit: string;
  severity?: string;
  beats?: string;
  since: string;
}

export function addHistory(program: Command, run: Run): void {
  program
    .command('history')
    .description('what was decided, by which rule and why; newest first')
    .option('--limit <number>', 'how many rows at most', '50')
    .option('--severity <word>', `only ${severitySchema.options.join(', ')}`)
    .option('--beats <test>', 'the beats of one test instead, e.g. sip')
    .option('--since <duration>', 'with --beats: how far back', '1h')
    .action(
      run<HistoryOptions>(async (session, options) => {
        const limit = wholeNumber(options.limit);
        return options.beats === undefined
          ? events(session, options, limit)
          : beats(session, options, options.beats, limit);
      }),
    );
}

async function events(session: Session, options: HistoryOptions, limit: number): Promise<Done> {
  const severity = severitySchema.options.find((one) => one === options.severity);
  if (options.severity !== undefined && severity === undefined) {
    throw usage(`There is no severity \`${options.severity}\`.`, `Allowed: ${severitySchema.options.join(', ')}.`);
  }
  const engine = findEngine(session.dataFolder);
  const ask = { limit, ...(severity === undefined ? {} : { severity }) };
  const rows = await engine.call((client) => client.history.events(ask));
  const text = rows.length === 0 ? 'Nothing yet.' : rows.map((row) => eventLine(row, session.paint)).join('\n');
  return { exit: 0, document: { events: rows }, text };
}

async function beats(session: Session, options: HistoryOptions, test: string, limit: number): Promise<Done> {
  const since = parseDuration(options.since);
  if (since === null) throw usage(`\`${options.since}\` is not a duration.`, `Allowed: ${durationForms}.`);
  const engine = findEngine(session.dataFolder);
  const { tests } = await engine.call((client) => client.snapshot());
  if (!tests.some(({ id }) => id === test)) {
    const known = tests.map(({ id }) => id).join(', ');
    throw usage(`There is no test \`${test}\` here.`, known === '' ? 'No test is configured.' : `Tests are ${known}.`);
  }
  const to = Date.now();
  const rows = await engine.call((client) => client.history.beats({ test, from: to - since, to, limit }));
  const line = (row: (typeof rows)[number]): string =>
    `${clock(row.at)}  ${row.outcome.padEnd(8)} ${msWords(row.ms).padStart(8)}  ${row.evidence}`;
  return {
    exit: 0,
    document: { test, beats: rows },
    text: rows.length === 0 ? 'No beats.' : rows.map(line).join('\n'),
  };
}

function eventLine(event: EventView, paint: Paint): string {
  const colour = event.severity === 'alert' ? 'red' : event.severity === 'warning' ? 'yellow' : 'reset';
  const phase = event.phase === null ? '' : ` ${event.phase}`;
  return `${clock(event.at)}  ${paint(colour, event.severity.padEnd(7))}${phase} [${event.rule}] ${event.reason}`;
}

/** A number of rows. @throws EstepeError `usage` */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1000) {
    throw usage(`\`${text}\` is not a number of rows.`, 'Allowed: a whole number from 1 to 1000.');
  }
  return value;
}
