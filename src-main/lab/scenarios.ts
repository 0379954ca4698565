/**
 * The scenarios: what is done to the pair, what is waited for, and what the right outcome is. Each is played against the running lab by
 * what its engine wrote down; nothing here decides for the engine.
 */
import { EstepeError } from '../contract/errors.ts';
import type { Mode } from '../contract/words.ts';
import type { Manner } from './folder.ts';
import type { Stage } from './stage.ts';

export const scenarioNames = [
  'kill-active',
  'hang-active',
  'isolate-passive',
  'flap',
  'returning-active',
  'failback',
] as const;
export type ScenarioName = (typeof scenarioNames)[number];

/** What a scenario is played with. */
export interface Played {
  stage: Stage;
  signal: AbortSignal;
  say: (sentence: string) => void;
  /** the instant of the blow from which detection is counted */
  struck: (mono: number) => void;
  /** the line that the spare's PBX wrote while it served */
  wrote: (line: string) => void;
}

export interface Scenario {
  /** what it shows, for the command line's help */
  about: string;
  /** re-checks and their pace where they differ from the lab's usual ones */
  confirm?: Manner['confirm'];
  /** whether it is to end in a promotion */
  promotes: boolean;
  /** the old active returns with its engine, and has to stand down; `home`: then it is made the active one again */
  returns?: 'spare' | 'home';
  /** what detection is counted from, in words */
  blow?: string;
  /** verdicts that must have been, and one that must not */
  verdicts: { must: readonly string[]; never: readonly string[] };
  play(played: Played): Promise<void>;
}

/** Generous: a busy machine takes its time, and no scenario judges by speed. */
const patienceMs = 90_000;
/** How often the active goes and returns. */
const flaps = 3;
/** How many rounds an isolated spare is watched for. */
const roundsApart = 3;

/** Phases that a scenario without a takeover must not see; once there, nothing better is waited for. */
const takeover = ['awaiting', 'promoting', 'active', 'halted'];

const phaseOf = (stage: Stage): string => stage.desk.snapshot().core.phase;

async function untilPhase({ stage, signal }: Played, ...phases: string[]): Promise<void> {
  const holds = (): boolean => phases.includes(phaseOf(stage));
  await stage.diary.until(`the spare is ${phases.join(' or ')}`, holds, patienceMs, signal);
}

/** From the blow to the end of a takeover. In mode manual the lab is the person who orders it. */
async function untilTakenOver(played: Played): Promise<void> {
  const { stage, say } = played;
  if (stage.manner.mode === 'manual') {
    await untilPhase(played, 'awaiting');
    say('Mode manual: nothing happens by itself. The lab gives the order, as the key p or the page would.');
    await stage.desk.promote({ by: 'lab', reason: 'scenario', overrides: [], dryRun: false, skipStep: false });
  }
  await untilPhase(played, 'active', 'halted');
}

const killActive: Scenario = {
  about: 'the active dies; the spare proves it and takes over',
  promotes: true,
  blow: 'the kill',
  verdicts: { must: ['healthy', 'down'], never: ['isolated', 'conflicting'] },
  async play(played) {
    const { stage, say, struck } = played;
    await untilPhase(played, 'watching');
    say(`We kill the active's PBX on ${stage.place.active} (process ${stage.active.pid}), as a crash would.`);
    struck(await stage.kill());
    await untilTakenOver(played);
  },
};

const hangActive: Scenario = {
  about: 'the active hangs: it accepts and never answers; the spare takes over, and the before-script ends it',
  promotes: true,
  blow: 'the freeze',
  verdicts: { must: ['healthy', 'down'], never: ['isolated', 'conflicting'] },
  async play(played) {
    const { stage, say, struck } = played;
    await untilPhase(played, 'watching');
    say(
      `We freeze the active's PBX on ${stage.place.active} (process ${stage.active.pid}): its ports go on accepting, and nothing answers.`,
    );
    struck(await stage.hang());
    await untilTakenOver(played);
  },
};

const isolatePassive: Scenario = {
  about: 'the spare is cut off while the active serves on; it must not take over',
  promotes: false,
  verdicts: { must: ['healthy', 'isolated'], never: ['down', 'conflicting'] },
  async play(played) {
    const { stage, say, signal } = played;
    await untilPhase(played, 'watching');
    say('We pull the spare’s cable: whatever it sends, nothing comes back, neither an answer nor a refusal.');
    await stage.cut();
    await untilPhase(played, 'isolated', ...takeover);
    const beyond = await stage.ask(stage.place.beyond);
    const serves = beyond.every(({ outcome }) => outcome === 'alive');
    say(
      serves
        ? 'Beyond the cut the active serves on, all its tests pass: a takeover now would have made two actives.'
        : `Beyond the cut the active does not answer either: ${beyond.map((b) => `${b.test}: ${b.evidence}`).join('; ')}.`,
    );
    const since = Date.now();
    const roundsSince = (): number =>
      Math.min(...stage.desk.snapshot().tests.map(({ beats }) => beats.filter(({ at }) => at > since).length));
    await stage.diary.until(
      `${roundsApart} more rounds of tests`,
      () => roundsSince() >= roundsApart || phaseOf(stage) !== 'isolated',
      patienceMs,
      signal,
    );
    say(`${roundsApart} more rounds without an answer. We plug the cable in again.`);
    await stage.mend();
    await untilPhase(played, 'watching', ...takeover);
  },
};

const flap: Scenario = {
  about: 'the active goes and returns, faster than a death is proven, some times; no takeover',
  // Longer than a PBX of the lab needs to start on a busy machine.
  confirm: { times: 5, every: '900ms' },
  promotes: false,
  verdicts: { must: ['healthy', 'suspect'], never: ['down', 'isolated', 'conflicting'] },
  async play(played) {
    const { stage, say } = played;
    await untilPhase(played, 'watching');
    for (let time = 1; time <= flaps; time += 1) {
      say(
        `We kill the active's PBX for the ${['first', 'second', 'third'][time - 1]} time (process ${stage.active.pid}).`,
      );
      await stage.kill();
      await untilPhase(played, 'suspecting', ...takeover);
      const at = performance.now();
      await stage.bringBack();
      say(`It is back after ${((performance.now() - at) / 1000).toFixed(1)} s (process ${stage.active.pid}).`);
      await untilPhase(played, 'watching', ...takeover);
      if (takeover.includes(phaseOf(stage))) return;
    }
  },
};

const verdictsOfReturn: Scenario['verdicts'] = { must: ['healthy', 'down'], never: ['isolated'] };

/** The active's whole machine goes, the spare takes over, and the machine comes back as if nothing had been. */
async function goAndReturn(played: Played): Promise<void> {
  const { stage, say, struck, signal } = played;
  const { replica, place } = stage;
  await untilPhase(played, 'watching');
  await pairUp(played);
  say(
    `We switch the active's machine ${place.active} off: its PBX (process ${stage.active.pid}) and its engine are gone.`,
  );
  await replica.off();
  struck(await stage.kill());
  await untilTakenOver(played);
  if (phaseOf(stage) !== 'active') return;
  await stage.bringBack();
  await replica.on();
  say(`The machine is back, its PBX serves again by itself (process ${stage.active.pid}), and so its engine believes.`);
  const stoodDown = (): boolean => roleOf(replica.desk) === 'passive' && stage.active.state === 'gone';
  await stage.diary.until('the old active has stood down', stoodDown, patienceMs, signal);
  say('It saw the higher epoch, stopped its PBX and stands as the passive node.');
}

const roleOf = (desk: Stage['desk']) => desk.snapshot().nodes.find(({ self }) => self)?.role;

/** By the code that one node shows and a person types on the other. */
async function pairUp({ stage, say, signal }: Played): Promise<void> {
  const { desk } = stage.replica;
  await stage.diary.until('the active listens', () => desk.snapshot().peer.listening !== null, patienceMs, signal);
  const { code } = desk.pair.open({ by: 'lab' });
  const { accepted, sentence } = await stage.desk.pair.join({ by: 'lab', code });
  if (!accepted) throw new EstepeError('internal', `The nodes could not be paired: ${sentence}`, 'See their logs.');
  say('The two engines are paired: each knows the other by its certificate.');
}

const returningActive: Scenario = {
  about: 'the active’s machine dies and comes back serving: its engine sees that it was replaced, and stands down',
  promotes: true,
  returns: 'spare',
  blow: 'the power cut',
  verdicts: verdictsOfReturn,
  play: goAndReturn,
};

const failback: Scenario = {
  about: 'after that, the way home: the old active takes over again, with what the other one wrote meanwhile',
  promotes: true,
  returns: 'home',
  blow: 'the power cut',
  verdicts: verdictsOfReturn,
  async play(played) {
    const { stage, say, wrote, signal } = played;
    await goAndReturn(played);
    if (phaseOf(stage) !== 'active') return;
    const { replica } = stage;
    wrote(replica.call('spare'));
    say('A call comes in meanwhile; only the node that serves now knows of it.');
    const ask = { kind: 'failback', by: 'lab', reason: 'scenario' } as const;
    const refusing = async (): Promise<string[]> =>
      (await replica.desk.switchover({ ...ask, overrides: [given], dryRun: true })).refusedBy;
    let refused: string[] | null = null;
    const look = (): boolean => {
      void refusing().then((guards) => {
        refused = guards;
      });
      return refused?.length === 0 && replica.desk.snapshot().core.phase === 'watching';
    };
    await stage.diary.until('the way home is open', look, patienceMs, signal);
    say(`The lab orders the way home on ${stage.place.active}: \`estepe failback --override newer-data-here=…\`.`);
    await replica.desk.switchover({ ...ask, overrides: [given], dryRun: false });
    const ended = (): boolean => {
      const { runbook, core } = replica.desk.snapshot();
      return runbook?.kind === 'failback' && runbook.status !== 'running' && core.phase !== 'promoting';
    };
    await stage.diary.until('the way home has ended', ended, patienceMs, signal);
    await untilPhase(played, 'watching', 'active');
  },
};

/** What the machine wrote after its last backup and before it died: given up, which only a person can. */
const given = { guard: 'newer-data-here', reason: 'the last minute before the power cut is given up' } as const;

export const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  'kill-active': killActive,
  'hang-active': hangActive,
  'isolate-passive': isolatePassive,
  flap,
  'returning-active': returningActive,
  failback,
};

/** How the lab's spare watches: short, so that one sees it happen. */
export function mannerFor(scenario: Scenario | null, mode: Mode, countdown: string): Manner {
  const returns = scenario?.returns ? { returns: true as const } : {};
  return { interval: '1s', confirm: scenario?.confirm ?? { times: 3, every: '300ms' }, mode, countdown, ...returns };
}
