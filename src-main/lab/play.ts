/**
 * Plays one scenario on a lab that is up, and tells it. The same for a terminal and without one.
 */
import { sentenceOf } from '../contract/errors.ts';
import { NotSeen, Stopped } from './diary.ts';
import { type Course, judge, type Outcome } from './outcome.ts';
import { type ScenarioName, scenarios } from './scenarios.ts';
import type { Stage } from './stage.ts';

export interface Play {
  stage: Stage;
  name: ScenarioName;
  /** the instant from which times are counted */
  began: number;
  say: (sentence: string) => void;
  signal: AbortSignal;
  /** who ended it, once the signal says so; in a sentence without its full stop */
  stoppedBy: () => string;
}

/** Never rejects: what goes wrong is the outcome's reason. */
export async function play({ stage, name, began, say, signal, stoppedBy }: Play): Promise<Outcome> {
  const scenario = scenarios[name];
  const course: Course = { name, scenario, began, struck: null, wrote: null, trouble: null, stopped: false };
  const struck = (mono: number): void => {
    course.struck = mono;
  };
  const wrote = (line: string): void => {
    course.wrote = line;
  };
  try {
    await scenario.play({ stage, signal, say, struck, wrote });
  } catch (error) {
    course.stopped = error instanceof Stopped;
    if (course.stopped) course.trouble = stoppedBy();
    else if (error instanceof NotSeen) course.trouble = error.message;
    else course.trouble = `the scenario could not be played: ${sentenceOf(error)}`;
  }
  return judge(stage, course);
}
