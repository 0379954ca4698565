/** `estepe replay FILE`: decides over recorded observations again and says at each step what followed and why. */
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import { RecordingFault, type Replayed, replay } from '../engine/recording.ts';
import type { Done, Paint, Run, Session } from './session.ts';
import { clock } from './status.ts';

interface ReplayOptions {
  all?: boolean;
}

/** One step as programs read it. */
interface Step {
  line: number;
  /** wall clock of the observation */
  at: number;
  phase: string;
  verdict: string | null;
  rule: string;
  reason: string;
  failedRounds: number;
  effects: string[];
}

export function addReplay(program: Command, run: Run): void {
  program
    .command('replay')
    .argument('<file>', 'recorded observations (`<data>/logs/observations.jsonl`)')
    .description('decide over recorded observations again: state, rule and reason at each step; needs no engine')
    .option('--all', 'also the steps at which nothing changed')
    .action(run<ReplayOptions>(async (session, options, [file = '']) => shown(session, options, resolve(file))));
}

function shown(session: Session, options: ReplayOptions, file: string): Done {
  const lines = readLines(file);
  const steps: Step[] = [];
  let total = 0;
  let last = '';
  try {
    for (const one of replay(lines)) {
      total += 1;
      const step = stepOf(one);
      // While rounds are counted each one is a step; afterwards they only confirm what is known.
      const counted = step.phase === 'suspecting' ? step.failedRounds : 0;
      const mark = `${step.phase} ${step.rule} ${step.verdict} ${counted}`;
      if (options.all !== true && mark === last && step.effects.length === 0) continue;
      last = mark;
      steps.push(step);
      session.say(stepLine(step, session.paint));
    }
  } catch (error) {
    if (!(error instanceof RecordingFault)) throw error;
    // An engine that died may have left half a line at the very end: that one was never decided upon.
    if (error.line < lines.length || steps.length === 0) {
      throw new EstepeError(
        'usage',
        `${file} cannot be replayed: ${error.message}.`,
        'Give a file that Estepe recorded: one JSON document a line, the first with the state.',
        { file, line: error.line },
        error,
      );
    }
    session.say(`${basename(file)}: the last line is cut off (${error.message}); it is left out.`);
  }
  const end = steps.at(-1);
  const text = `${total} observations, ${steps.length} steps shown; at the end ${end?.phase ?? 'nothing'} [${end?.rule ?? '-'}].`;
  return { exit: 0, document: { file, observations: total, steps }, text };
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n');
  } catch (error) {
    throw new EstepeError(
      'usage',
      `${file} cannot be read: ${sentenceOf(error)}.`,
      'Name a recording, such as `<data>/logs/observations.jsonl`.',
      { file },
      error,
    );
  }
}

function stepOf({ line, observation, decision }: Replayed): Step {
  const { phase, verdict, failedRounds } = decision.state;
  const effects = decision.effects.map((effect) => (effect.do === 'tell' ? `tell ${effect.key}` : effect.do));
  const { rule, reason } = decision;
  return { line, at: observation.wall, phase, verdict, rule, reason, failedRounds, effects };
}

function stepLine(step: Step, paint: Paint): string {
  const does = step.effects.length === 0 ? '' : paint('cyan', ` → ${step.effects.join(', ')}`);
  const state = `${paint('bold', step.phase)} (${step.verdict ?? 'no verdict'})`;
  return `${clock(step.at)}  line ${step.line}  ${state} [${step.rule}] ${step.reason}${does}`;
}
