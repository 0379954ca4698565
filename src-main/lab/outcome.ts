/**
 * What a scenario came to: the one document, and whether it is the right outcome. Every figure is taken from what the engine wrote down
 * and from what the pair answers now.
 */
import type { Mode, Outcome as TestOutcome } from '../contract/words.ts';
import type { Entry } from './diary.ts';
import { type DataOutcome, noData } from './replica.ts';
import type { Scenario, ScenarioName } from './scenarios.ts';
import type { Stage } from './stage.ts';

export interface Outcome {
  scenario: ScenarioName;
  right: boolean;
  /** why it is right, or all that is wrong */
  reason: string;
  mode: Mode;
  /** the spare took over */
  promoted: boolean;
  /** the old active returned, and its engine stood down */
  stoodDown: boolean;
  /** how the way home went; null where none was gone */
  home: WayHome | null;
  epoch: number;
  phase: string;
  /** from the blow to the verdict `down`; null where it never was */
  detectMs: number | null;
  /** from the verdict `down` to the phase `active`; null where it never was */
  promoteMs: number | null;
  /** in the order in which they were decided */
  verdicts: string[];
  steps: { id: string; state: string; result: string }[];
  /** the pair's own tests, asked at the end of the address that is to serve: the spare's, or after the way home the active's */
  answers: { test: string; outcome: TestOutcome; evidence: string }[];
  /** what the PBX has there, held against the newest backup */
  data: DataOutcome;
  /** what became of the active's PBX */
  active: { pid: number; state: string };
  /** null: removed at the end */
  dataFolder: string | null;
  events: { atMs: number; kind: string; severity: string; rule: string; reason: string; phase: string | null }[];
}

export interface WayHome {
  /** the old active is the active one again */
  done: boolean;
  /** its epoch */
  epoch: number;
  /** from the order to its end */
  tookMs: number | null;
  steps: Outcome['steps'];
  /** what the other node wrote while it served is there */
  carried: boolean;
}

export interface Course {
  name: ScenarioName;
  scenario: Scenario;
  /** the instant from which the events are counted */
  began: number;
  /** the instant of the blow; null where none was struck, or where nothing is detected from it */
  struck: number | null;
  /** what the spare's PBX wrote while it served; null: nothing that is looked for */
  wrote: string | null;
  /** why the scenario was not played to its end */
  trouble: string | null;
  /** it was ended from outside: then nothing else is held against it */
  stopped: boolean;
}

/** Looks at the pair as it is now and judges. */
export async function judge(stage: Stage, course: Course): Promise<Outcome> {
  const { name, scenario, began, struck } = course;
  const snapshot = stage.desk.snapshot();
  const self = snapshot.nodes.find((node) => node.self);
  const { entries } = stage.diary;
  const down = struck === null ? null : stage.diary.first(struck, ({ verdict }) => verdict === 'down');
  const active = down && stage.diary.first(down.mono, ({ kind, phase }) => kind === 'decision' && phase === 'active');
  const server = scenario.returns === 'home' ? 'active' : 'spare';
  const facts = {
    mode: stage.manner.mode,
    promoted: entries.some(({ event }) => event.rule === 'promoting.done'),
    stoodDown: stage.replica.diary.entries.some(({ event }) => event.rule === 'standing-down.done'),
    home: scenario.returns === 'home' ? wayHome(stage, course) : null,
    epoch: self?.epoch ?? 0,
    phase: snapshot.core.phase,
    detectMs: down && struck !== null ? Math.round(down.mono - struck) : null,
    promoteMs: down && active ? Math.round(active.mono - down.mono) : null,
    verdicts: verdictsOf(entries),
    steps: (snapshot.runbook?.steps ?? []).map(({ id, state, result }) => ({ id, state, result })),
    answers: await answersOf(stage, server),
    data: await stage.replica.compare(server),
    active: { pid: stage.active.pid, state: stage.active.state },
    dataFolder: stage.stays ? stage.folder.data.root : null,
    events: entries.map(({ mono, event: { kind, severity, rule, reason, phase, verdict } }) => {
      return { atMs: Math.round(mono - began), kind, severity, rule, reason, phase, verdict };
    }),
  };
  const against = course.stopped ? [] : faults(stage, course, facts);
  const wrong = [...(course.trouble === null ? [] : [course.trouble]), ...against];
  const right = wrong.length === 0;
  const reason = right ? praise(stage, scenario, facts) : `${wrong.join('; ')}.`;
  return { scenario: name, right, reason, ...facts };
}

/** Asked again where something is silent: on a busy machine one answer may be late, and what serves answers soon. */
async function answersOf(stage: Stage, server: 'active' | 'spare'): Promise<Outcome['answers']> {
  for (let tries = 1; ; tries += 1) {
    const beats = await stage.ask(stage.place[server]);
    if (tries < mostAsks && beats.some(({ outcome }) => outcome !== 'alive')) continue;
    return beats.map(({ test, outcome, evidence }) => ({ test, outcome, evidence }));
  }
}
const mostAsks = 5;

type Facts = Omit<Outcome, 'scenario' | 'right' | 'reason'>;

function wayHome({ replica }: Stage, { wrote }: Course): WayHome {
  const { runbook, nodes } = replica.desk.snapshot();
  const self = nodes.find((node) => node.self);
  const ours = runbook?.kind === 'failback' ? runbook : null;
  return {
    done: ours?.status === 'done' && self?.role === 'active',
    epoch: self?.epoch ?? 0,
    tookMs: ours?.endedAt == null ? null : ours.endedAt - ours.startedAt,
    steps: (ours?.steps ?? []).map(({ id, state, result }) => ({ id, state, result })),
    carried: wrote !== null && replica.knows('active', wrote),
  };
}

/** Of a scenario that was ended before the pair was up. */
export function notPlayed(scenario: ScenarioName, mode: Mode, reason: string): Outcome {
  const nothing = {
    promoted: false,
    stoodDown: false,
    home: null,
    epoch: 0,
    phase: 'starting',
    detectMs: null,
    promoteMs: null,
    dataFolder: null,
  };
  const lists = { verdicts: [], steps: [], answers: [], events: [] };
  return {
    scenario,
    right: false,
    reason,
    mode,
    ...nothing,
    ...lists,
    data: noData,
    active: { pid: 0, state: 'gone' },
  };
}

function verdictsOf(entries: readonly Entry[]): string[] {
  const all = entries.flatMap(({ event }) => (event.verdict === null ? [] : [event.verdict]));
  return all.filter((verdict, i) => verdict !== all[i - 1]);
}

/** All in which the outcome is not the right one. */
function faults(stage: Stage, { scenario, struck, began }: Course, facts: Facts): string[] {
  const { promotes, returns, verdicts } = scenario;
  const end = returns === 'home' ? homeFaults : promotes ? takeoverFaults : calmFaults;
  const stood = returns !== undefined && !facts.stoodDown ? ['the old active did not stand down'] : [];
  const missing = verdicts.must.filter((verdict) => !facts.verdicts.includes(verdict));
  // While the pair is put up the spare may be blind for a moment.
  const since = stage.diary.entries.filter(({ mono }) => mono >= (struck ?? began));
  const unwanted = verdicts.never.filter((never) => since.some(({ event: { verdict } }) => verdict === never));
  return [
    ...stood,
    ...end(stage, facts).flatMap(([right, fault]) => (right ? [] : [fault])),
    ...missing.map((verdict) => `the verdict was never ${verdict}`),
    ...unwanted.map((verdict) => `the verdict was ${verdict}`),
  ];
}

/** What has to be, and what it is called when it is not. */
type Demand = readonly [boolean, string];

const answers = (address: string, facts: Facts): Demand => {
  const silent = facts.answers.filter(({ outcome }) => outcome !== 'alive').map(({ evidence }) => evidence);
  return [silent.length === 0, `${address} does not answer (${silent.join('; ')})`];
};

function takeoverFaults({ place }: Stage, facts: Facts): Demand[] {
  const { promoted, phase, epoch, active, data } = facts;
  return [
    [promoted && phase === 'active', `the spare did not take over (it is ${phase})`],
    [epoch === 1, `the epoch is ${epoch}, not 1`],
    answers(place.spare, facts),
    [active.state === 'gone', `the old active’s process ${active.pid} is ${active.state}`],
    [facts.detectMs !== null, 'its death was never proven'],
    [data.same, `the spare's data is not the last backup's (${data.differences.join('; ')})`],
  ];
}

function homeFaults({ place }: Stage, facts: Facts): Demand[] {
  const { promoted, phase, epoch, home, data } = facts;
  return [
    [promoted, 'the spare did not take over'],
    [home?.done === true, 'the old active is not the active one again'],
    [epoch === 2 && home?.epoch === 2, `the epochs are ${epoch} and ${home?.epoch}, not 2`],
    [phase === 'watching', `the spare is ${phase}, not watching`],
    answers(place.active, facts),
    [home?.carried === true, 'the call that came in meanwhile did not come home'],
    [data.same, `the data is not the last backup's (${data.differences.join('; ')})`],
  ];
}

function calmFaults(_stage: Stage, { promoted, epoch, steps, phase }: Facts): Demand[] {
  return [
    [!promoted, `the spare took over under epoch ${epoch}`],
    [steps.length === 0, 'a promotion was begun'],
    [phase === 'watching', `the spare is ${phase}, not watching`],
  ];
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function praise(stage: Stage, { promotes, blow }: Scenario, facts: Facts): string {
  const { epoch, detectMs, promoteMs, data, home, stoodDown } = facts;
  if (home)
    return `The old active came home in ${seconds(home.tookMs ?? 0)} under epoch ${home.epoch}, and the spare watches again. Its data is that of ${data.backup}, byte for byte, with the call that came in meanwhile.`;
  if (!promotes) return 'The spare did not take over, and watches again.';
  return (
    `The spare took over under epoch ${epoch} and its PBX answers on ${stage.place.spare}: ` +
    `death proven ${seconds(detectMs ?? 0)} after ${blow}, takeover done ${seconds(promoteMs ?? 0)} after that. ` +
    `Its data is that of ${data.backup}, byte for byte: ${data.files} files, ${seconds(data.offsetMs ?? 0)} old.${stoodDown ? ' The old active came back and stood down by itself.' : ''}`
  );
}
