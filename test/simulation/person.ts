/** The people of the simulated site: one who looks in at night and presses something, one who puts things right by day. */
import { guardNames } from '../../src-main/contract/words.ts';
import type { Override } from '../../src-main/engine/observation.ts';
import type { Plan } from './fate.ts';
import type { Seeded } from './random.ts';
import type { Simulation } from './simulation.ts';
import { minutes } from './time.ts';
import { scriptsAreFine } from './world.ts';

const by = 'operator';

const everything: readonly Override[] = guardNames.map((guard) => ({ guard, reason: 'I looked' }));
/** an override without a reason is none */
const unexplained: readonly Override[] = guardNames.map((guard) => ({ guard, reason: ' ' }));

const promote = (s: Simulation, overrides: readonly Override[], skipStep = false): void =>
  s.order({ kind: 'promote', by, reason: 'it is dead', overrides, skipStep });
const cancel = (s: Simulation): void => s.order({ kind: 'cancel', by, reason: 'leave it' });

/** Somebody looks in (G1 to G4): promotes, cancels, resumes, leaves a step out, clicks twice. */
export function lookIn(at: number, r: Seeded, plan: Plan): void {
  const some = guardNames.filter(() => r.chance(0.5)).map((guard) => ({ guard, reason: 'I looked' }));
  const [what, act] = r.pick<[string, (s: Simulation) => void]>([
    ['promotes', (s) => promote(s, [])],
    ['promotes over every guard', (s) => promote(s, everything)],
    ['promotes over every guard, without a reason', (s) => promote(s, unexplained)],
    [`promotes over ${some.map((o) => o.guard).join(', ') || 'nothing'}`, (s) => promote(s, some)],
    ['leaves the failed step out', (s) => promote(s, everything, true)],
    ['cancels', cancel],
    ['cancels', cancel],
    [
      'clicks twice on promote',
      (s) => {
        promote(s, everything);
        promote(s, everything);
      },
    ],
    [
      'promotes and cancels at once',
      (s) => {
        promote(s, everything);
        cancel(s);
      },
    ],
  ]);
  plan(at, `a person ${what}`, act);
}

/** The world is whole again: what finish() may count on. */
export function repair({ world, disk, time, rival }: Simulation): void {
  world.setActive('up');
  world.setLoss(0, 0);
  world.referenceLoss = 0;
  world.wordReadable = true;
  world.scripts = scriptsAreFine;
  disk.full = false;
  rival.strikes = false;
  if (world.data) world.data = { createdAt: time.now - 60 * minutes, verified: true };
}

/** The admin puts things right; `whole`: not only the world but also what the engine was left in. */
export function putRight(at: number, whole: boolean, plan: Plan): void {
  plan(at, 'the admin repairs the world', (s) => {
    s.planCuts([]);
    repair(s);
  });
  if (!whole) return;
  plan(at + 3 * minutes, 'the admin looks at the phase', (s) => {
    const phase = s.engine?.interpreter.state.phase;
    if (phase === 'active') failBack(s);
    if (phase === 'halted') cancel(s);
  });
  plan(at + 15 * minutes, 'the admin looks again', (s) => {
    const phase = s.engine?.interpreter.state.phase;
    if (phase === 'active' || phase === 'halted' || s.world.here.sip !== 'refusing') failBackByHand(s);
  });
}

const nextEpoch = ({ disk, rival }: Simulation): number =>
  1 + Math.max(disk.standing?.epoch ?? 0, ...disk.epochs.keys(), ...rival.taken.keys());

/** The other node is promoted: it claims the next epoch, and where there is a word it says so. */
function failBack(s: Simulation): void {
  const epoch = nextEpoch(s);
  s.rival.taken.set(epoch, 'other#2');
  s.world.setOtherEpoch(epoch);
  if (!s.world.hasWord) s.setUpAnew();
}

function failBackByHand(s: Simulation): void {
  const epoch = nextEpoch(s);
  s.rival.taken.set(epoch, 'other#3');
  s.world.setOtherEpoch(epoch);
  s.setUpAnew();
}
