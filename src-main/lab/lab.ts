/**
 * The lab as the command line runs it: puts the pair up, tells what happens on it, plays a scenario or lets a person act on it by keys, and takes
 * everything down again, whatever ends it.
 */
import type { Snapshot } from '../contract/snapshot.ts';
import type { Mode } from '../contract/words.ts';
import { Stopped } from './diary.ts';
import { keyboard, keyLine } from './keys.ts';
import { narrate } from './narrator.ts';
import { notPlayed, type Outcome } from './outcome.ts';
import { play } from './play.ts';
import { mannerFor, type ScenarioName, scenarios } from './scenarios.ts';
import { openStage, type Stage } from './stage.ts';
import type { Where } from './where.ts';

export interface LabOptions {
  /** null: none was asked for */
  scenario: ScenarioName | null;
  /** null: automatic for a scenario, else confirm */
  mode: Mode | null;
  keep: boolean;
  data?: string | undefined;
  /** where backups are kept; null: a folder of the lab's own */
  where: Where | null;
  /** a person sits at a terminal: keys are read, and the lab stays until told to end */
  attended: boolean;
  version: string;
  say: (line: string) => void;
  statusText: (snapshot: Snapshot) => string;
}

/** What a lab ends with; `outcome` is null where no scenario was played. */
export interface LabEnd {
  outcome: Outcome | null;
  /** the folder that was left where it is */
  kept: string | null;
}

const usual: ScenarioName = 'kill-active';

/**
 * Runs a lab to its end.
 * @throws EstepeError when the pair cannot be put up; nothing is left then
 */
export async function runLab(options: LabOptions): Promise<LabEnd> {
  const began = performance.now();
  const tell = (mono: number, sentence: string): void => options.say(`${timeOf(mono - began)}  ${sentence}`);
  const stop = stopSignals();
  const name = options.scenario ?? (options.attended ? null : usual);
  const { keep, data, where, version } = options;
  const mode = options.mode ?? (name === null ? 'confirm' : 'automatic');
  const manner = mannerFor(name && scenarios[name], mode, options.attended ? '30s' : '3s');
  let stage: Stage;
  try {
    stage = await openStage({ manner, keep, data, where, version }, stop.signal);
  } catch (error) {
    stop.forget();
    if (!stop.signal.aborted) throw error;
    return { outcome: name && notPlayed(name, mode, `${stop.why()}.`), kept: data ?? null };
  }
  const say = (sentence: string): void => tell(performance.now(), sentence);
  let outcome: Outcome | null = null;
  try {
    options.say(heading(stage, options));
    const silence = narrate(stage.diary, stage.desk, tell);
    outcome = await run({ stage, say, stop, options }, name, began);
    silence();
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    outcome = name && notPlayed(name, mode, `${stop.why()}.`);
  } finally {
    await stage.close();
    stop.forget();
  }
  return { outcome, kept: stage.stays ? stage.folder.data.root : null };
}

/** Brings the data over, then plays or lets play. */
async function run(given: Given, name: ScenarioName | null, began: number): Promise<Outcome | null> {
  const { stage, say, stop, options } = given;
  await stage.replica.bringOver(say, stop.signal);
  stage.replica.call();
  const course = { stage, began, say, signal: stop.signal, stoppedBy: stop.why };
  if (options.attended) return attend(given, name && (() => play({ ...course, name })));
  return play({ ...course, name: name ?? usual });
}

interface Given {
  stage: Stage;
  say: (sentence: string) => void;
  stop: ReturnType<typeof stopSignals>;
  options: LabOptions;
}

/** Reads keys until one of them ends the lab; plays a scenario meanwhile, where one was asked for. */
async function attend({ stage, say, stop, options }: Given, scenario: (() => Promise<Outcome>) | null) {
  const { stdin } = process;
  const press = keyboard({
    stage,
    say,
    show: options.say,
    statusText: options.statusText,
    quit: () => stop.end('a key'),
  });
  const read = (keys: Buffer): void => {
    for (const key of keys.toString('utf8')) void press(key);
  };
  stdin.setRawMode(true);
  stdin.on('data', read);
  try {
    let outcome: Outcome | null = null;
    if (scenario !== null) {
      outcome = await scenario();
      if (!stop.signal.aborted) {
        say(
          `${outcome.right ? 'As it should be' : 'Not as it should be'}: ${outcome.reason} The lab stays up until q.`,
        );
      }
    }
    await stop.aborted;
    return outcome;
  } finally {
    stdin.off('data', read);
    stdin.setRawMode(false);
    // else it would keep this process alive
    stdin.pause();
  }
}

/** What is where, before anything happens. */
function heading(stage: Stage, { attended }: LabOptions): string {
  const { place, manner, folder } = stage;
  const { sip, web, tunnel } = place.ports;
  const asks = manner.mode === 'confirm' ? `, asks a person for ${manner.countdown} and then takes over` : '';
  const lines = [
    'A pair on this machine alone, to see what Estepe does.',
    `  Active   ${place.active}: SIP ${sip}, web ${web}, tunnel ${tunnel}, really answering (process ${stage.active.pid})`,
    `  Spare    ${place.spare}: tests it every ${manner.interval}; a failed round and ${manner.confirm.times} more, ${manner.confirm.every} apart, prove a death`,
    `  Data     the active backs it up to ${stage.replica.title}, the spare restores it`,
    `  Mode     ${manner.mode}${asks}`,
    `  Folder   ${folder.data.root} (${stage.stays ? 'stays' : 'removed at the end; --keep keeps it'})`,
  ];
  if (attended) {
    lines.push(`  Console  ${stage.link}`);
    if (!stage.pageBuilt) lines.push('           Its page is not built here; `npm run lab` builds it first.');
    lines.push('', `Keys: ${keyLine}`);
  }
  return `${lines.join('\n')}\n`;
}

/** `  +2.3 s` */
function timeOf(ms: number): string {
  return `+${(Math.max(0, ms) / 1000).toFixed(1)} s`.padStart(8);
}

/** The first signal, or a key, ends the lab in order; a second signal does not wait. */
function stopSignals() {
  const control = new AbortController();
  let by = '';
  const end = (what: string): void => {
    by ||= what;
    control.abort();
  };
  const forgets = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((name) => {
    const hear = (): void => (control.signal.aborted ? process.exit(1) : end(name));
    process.on(name, hear);
    return () => process.removeListener(name, hear);
  });
  return {
    signal: control.signal,
    aborted: new Promise<void>((resolve) => control.signal.addEventListener('abort', () => resolve(), { once: true })),
    end,
    why: () => `the lab was stopped by ${by}`,
    forget: () => {
      for (const forget of forgets) forget();
    },
  };
}
