/** `estepe history`: what was decided and why, newest first; or the beats of one test. */
import type { Command } from 'commander';
import { durationForms, parseDuration } from '../config/duration.ts';
import { findEngine } from '../console/engine-client.ts';
import { type EventFilter, eventKinds, longestText } from '../contract/history.ts';
import type { EventView } from '../contract/snapshot.ts';
import { msWords } from '../contract/view.ts';
import { severitySchema } from '../contract/words.ts';
import { usage } from './failures.ts';
import type { Done, Paint, Run, Session } from './session.ts';
import { clock } from './status.ts';

interface HistoryOptions {
  limit: string;
  severity?: string;
  kind?: string;
  text?: string;
  beats?: string;
  since?: string;
}

export function addHistory(program: Command, run: Run): void {
  program
    .command('history')
    .description('what was decided, by which rule and why; newest first')
    .option('--limit <number>', 'how many rows at most', '50')
    .option('--severity <word>', `only ${severitySchema.options.join(', ')}`)
    .option('--kind <word>', `only ${eventKinds.join(', ')}`)
    .option('--text <text>', 'only those with this text in rule, reason or evidence')
    .option('--since <duration>', 'how far back; with --beats 1h unless it is given')
    .option('--beats <test>', 'the beats of one test instead, e.g. sip')
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
  const filter = filterOf(options, Date.now());
  const engine = findEngine(session.dataFolder);
  const rows = await engine.call((client) => client.history.events({ ...filter, limit }));
  const none = Object.keys(filter).length === 0 ? 'Nothing yet.' : 'No event is like that.';
  const text = rows.length === 0 ? none : rows.map((row) => eventLine(row, session.paint)).join('\n');
  return { exit: 0, document: { events: rows }, text };
}

/** What the options ask for. @throws EstepeError `usage` */
export function filterOf(options: Omit<HistoryOptions, 'limit' | 'beats'>, now: number): EventFilter {
  const severity = oneOf('severity', options.severity, severitySchema.options);
  const kind = oneOf('kind of event', options.kind, eventKinds);
  const { text, since } = options;
  if (text !== undefined && text.length > longestText) {
    throw usage(`The text has ${text.length} characters.`, `Allowed: ${longestText}.`);
  }
  return {
    ...(severity === undefined ? {} : { severity }),
    ...(kind === undefined ? {} : { kind }),
    ...(text === undefined || text === '' ? {} : { text }),
    ...(since === undefined ? {} : { from: now - durationOf(since) }),
  };
}

function oneOf<T extends string>(what: string, said: string | undefined, allowed: readonly T[]): T | undefined {
  const found = allowed.find((one) => one === said);
  if (said !== undefined && found === undefined) {
    throw usage(`There is no ${what} \`${said}\`.`, `Allowed: ${allowed.join(', ')}.`);
  }
  return found;
}

function durationOf(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw usage(`\`${text}\` is not a duration.`, `Allowed: ${durationForms}.`);
  return ms;
}

async function beats(session: Session, options: HistoryOptions, test: string, limit: number): Promise<Done> {
  const wrong = (['kind', 'text', 'severity'] as const).find((name) => options[name] !== undefined);
  if (wrong !== undefined) throw usage(`\`--${wrong}\` is for events.`, 'Leave it out, or leave out `--beats`.');
  const since = durationOf(options.since ?? '1h');
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
