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
  promoted: boolean;
  epoch: number;
  phase: string;
  /** from the blow to the verdict `down`; null where it never was */
  detectMs: number | null;
  /** from the verdict `down` to the phase `active`; null where it never was */
  promoteMs: number | null;
  /** in the order in which they were decided */
  verdicts: string[];
  steps: { id: string; state: string; result: string }[];
  /** the pair's own tests, asked of the spare's address at the end */
  answers: { test: string; outcome: TestOutcome; evidence: string }[];
  /** what the spare's PBX has, held against the newest backup */
  data: DataOutcome;
  /** what became of the active's PBX */
  active: { pid: number; state: string };
  /** null: removed at the end */
  dataFolder: string | null;
  events: { atMs: number; kind: string; severity: string; rule: string; reason: string; phase: string | null }[];
}

export interface Course {
  name: ScenarioName;
  scenario: Scenario;
  /** the instant from which the events are counted */
  began: number;
  /** the instant of the blow; null where none was struck, or where nothing is detected from it */
  struck: number | null;
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
  const facts = {
    mode: stage.manner.mode,
    promoted: self?.role === 'active',
    epoch: self?.epoch ?? 0,
    phase: snapshot.core.phase,
    detectMs: down && struck !== null ? Math.round(down.mono - struck) : null,
    promoteMs: down && active ? Math.round(active.mono - down.mono) : null,
    verdicts: verdictsOf(entries),
    steps: (snapshot.runbook?.steps ?? []).map(({ id, state, result }) => ({ id, state, result })),
    answers: (await stage.ask(stage.place.spare)).map(({ test, outcome, evidence }) => ({ test, outcome, evidence })),
    data: await stage.replica.compare(),
    active: { pid: stage.active.pid, state: stage.active.state },
    dataFolder: stage.stays ? stage.folder.data.root : null,
    events: entries.map(({ mono, event: { kind, severity, rule, reason, phase, verdict } }) => {
      return { atMs: Math.round(mono - began), kind, severity, rule, reason, phase, verdict };
    }),
  };
  const against = course.stopped ? [] : faults(stage, scenario, facts);
  const wrong = [...(course.trouble === null ? [] : [course.trouble]), ...against];
  const right = wrong.length === 0;
  const reason = right ? praise(stage, scenario, facts) : `${wrong.join('; ')}.`;
  return { scenario: name, right, reason, ...facts };
}

type Facts = Omit<Outcome, 'scenario' | 'right' | 'reason'>;

/** Of a scenario that was ended before the pair was up. */
export function notPlayed(scenario: ScenarioName, mode: Mode, reason: string): Outcome {
  const nothing = { promoted: false, epoch: 0, phase: 'starting', detectMs: null, promoteMs: null, dataFolder: null };
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
function faults(stage: Stage, { promotes, verdicts }: Scenario, facts: Facts): string[] {
  const silent = facts.answers.filter(({ outcome }) => outcome !== 'alive');
  const takeover = promotes
    ? [
        facts.promoted && facts.phase === 'active' ? '' : `the spare did not take over (it is ${facts.phase})`,
        facts.epoch === 1 ? '' : `the epoch is ${facts.epoch}, not 1`,
        silent.length === 0 ? '' : `${stage.place.spare} does not answer (${silent.map((a) => a.evidence).join('; ')})`,
        facts.active.state === 'gone' ? '' : `the old active’s process ${facts.active.pid} is ${facts.active.state}`,
        facts.detectMs === null ? 'its death was never proven' : '',
        facts.data.same ? '' : `the spare's data is not the last backup's (${facts.data.differences.join('; ')})`,
      ]
    : [
        facts.promoted ? `the spare took over under epoch ${facts.epoch}` : '',
        facts.steps.length === 0 ? '' : 'a promotion was begun',
        facts.phase === 'watching' ? '' : `the spare is ${facts.phase}, not watching`,
      ];
  const missing = verdicts.must.filter((verdict) => !facts.verdicts.includes(verdict));
  const unwanted = verdicts.never.filter((verdict) => facts.verdicts.includes(verdict));
  return [
    ...takeover,
    ...missing.map((verdict) => `the verdict was never ${verdict}`),
    ...unwanted.map((verdict) => `the verdict was ${verdict}`),
  ].filter((fault) => fault !== '');
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function praise(stage: Stage, { promotes, blow }: Scenario, { epoch, detectMs, promoteMs, data }: Facts): string {
  if (!promotes) return 'The spare did not take over, and watches again.';
  return (
    `The spare took over under epoch ${epoch} and its PBX answers on ${stage.place.spare}: ` +
    `death proven ${seconds(detectMs ?? 0)} after ${blow}, takeover done ${seconds(promoteMs ?? 0)} after that. ` +
    `Its data is that of ${data.backup}, byte for byte: ${data.files} files, ${seconds(data.offsetMs ?? 0)} old.`
  );
}
