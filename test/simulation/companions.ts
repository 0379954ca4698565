/** What goes wrong beside the active's death: on the wire, in this process, on this machine, in the scripts, by people. */
import type { Policy } from '../../src-main/engine/observation.ts';
import type { Plan } from './fate.ts';
import type { Seeded } from './random.ts';
import { hours, minutes, seconds } from './time.ts';
import { scriptsAreFine } from './world.ts';

type Plans = (at: number, policy: Policy, r: Seeded, plan: Plan) => void;
export type Companion = keyof typeof companions;

const lossy: Plans = (at, policy, r, plan) => {
  const loss = r.pick([0.2, 0.2, 0.5, 0.8]);
  const way = r.pick(['out', 'in', 'both'] as const);
  // What chance decides has to be simulated round by round, except where it hardly ever does.
  const lasts =
    loss === 0.2 && policy.failWhen === 'all' ? r.between(minutes, 5 * hours) : r.between(minutes, 8 * minutes);
  plan(at, `${loss * 100} % of the packets are lost (${way})`, ({ world }) => {
    world.setLoss(way === 'in' ? 0 : loss, way === 'out' ? 0 : loss);
  });
  plan(at + lasts, 'no packets are lost any more', ({ world }) => {
    world.setLoss(0, 0);
  });
};

/** The path to the active is cut, one way or both; what lies outside the pair still answers (B1, B3). */
const partition: Plans = (at, _policy, r, plan) => {
  const way = r.pick(['out', 'in', 'both'] as const);
  plan(at, `the path to the active is cut (${way})`, ({ world }) => {
    world.setLoss(way === 'in' ? 0 : 1, way === 'out' ? 0 : 1);
  });
  plan(at + r.between(20 * seconds, 40 * minutes), 'the path to the active is whole again', ({ world }) => {
    world.setLoss(0, 0);
  });
};

/** This node is cut off from everything (B2). */
const isolation: Plans = (at, _policy, r, plan) => {
  plan(at, 'this node is cut off', ({ world }) => {
    world.setLoss(1, 0);
    world.referenceLoss = 1;
    world.wordReadable = false;
  });
  plan(at + r.between(20 * seconds, 40 * minutes), 'this node is on the network again', ({ world }) => {
    world.setLoss(0, 0);
    world.referenceLoss = 0;
    world.wordReadable = true;
  });
};

const references: Plans = (at, _policy, r, plan) => {
  const loss = r.pick([0.5, 1, 1]);
  plan(at, `the references lose ${loss * 100} %`, ({ world }) => {
    world.referenceLoss = loss;
  });
  const lasts = loss === 1 ? r.between(20 * seconds, 40 * minutes) : r.between(20 * seconds, 4 * minutes);
  plan(at + lasts, 'the references answer again', ({ world }) => {
    world.referenceLoss = 0;
  });
};

/** B4 */
const location: Plans = (at, _policy, r, plan) => {
  plan(at, 'the location cannot be read', ({ world }) => {
    world.wordReadable = false;
  });
  plan(at + r.between(20 * seconds, hours), 'the location can be read again', ({ world }) => {
    world.wordReadable = true;
  });
};

const stall: Plans = (at, _policy, r, plan) => {
  const ms = r.pick([r.between(500, 5 * seconds), r.between(2 * seconds, 90 * seconds)]);
  plan(at, `this process stands still for ${(ms / seconds).toFixed(1)} s`, (s) => s.stall(ms));
};

const sleep: Plans = (at, _policy, r, plan) => {
  const ms = r.pick([r.between(5 * seconds, 2 * minutes), r.between(2 * minutes, 2 * hours)]);
  const frozen = r.chance(0.5);
  plan(at, `this machine sleeps for ${Math.round(ms / seconds)} s${frozen ? ', its monotonic clock too' : ''}`, (s) =>
    s.sleep(ms, frozen),
  );
};

/** C2 */
const wallClock: Plans = (at, _policy, r, plan) => {
  const ms = r.pick([5 * minutes, 24 * hours]) * r.pick([1, -1]);
  plan(at, `the wall clock jumps by ${ms / minutes} min`, (s) => s.stepWall(ms));
  if (r.chance(0.7)) plan(at + r.between(minutes, hours), 'the wall clock is put right', (s) => s.stepWall(-ms));
};

const crash: Plans = (at, _policy, r, plan) => {
  const down = r.pick([r.between(seconds, 10 * seconds), r.between(10 * seconds, 10 * minutes)]);
  plan(at, `this engine is killed, and started after ${(down / seconds).toFixed(1)} s`, (s) => {
    if (s.up) s.cutOff(down);
  });
};

/** F1 */
const cut: Plans = (at, _policy, r, plan) => {
  const cuts = Array.from({ length: r.pick([1, 1, 2, 3]) }, () => ({
    further: r.whole(1, 45),
    downMs: r.pick([r.between(seconds, 10 * seconds), r.between(10 * seconds, 5 * minutes)]),
  }));
  plan(at, `this engine will be cut off at the ${cuts.map((c) => `${c.further}.`).join(', then the ')} boundary`, (s) =>
    s.planCuts(cuts),
  );
};

const disk: Plans = (at, _policy, r, plan) => {
  plan(at, 'the disk is full', (s) => {
    s.disk.full = true;
  });
  plan(at + r.between(10 * seconds, 20 * minutes), 'there is room on the disk again', (s) => {
    s.disk.full = false;
  });
};

/** E1, E2, E5 */
const scripts: Plans = (at, _policy, r, plan) => {
  const name = r.pick(['beforeFails', 'startFails', 'startDies', 'startDeaf', 'afterFails', 'hangs'] as const);
  const chance = r.pick([0.5, 1]);
  plan(at, `scripts and services go wrong: ${name}, ${chance * 100} %`, ({ world }) => {
    world.scripts = { ...world.scripts, [name]: chance };
  });
  plan(at + r.between(minutes, 2 * hours), 'scripts and services are fine', ({ world }) => {
    world.scripts = scriptsAreFine;
  });
};

/** B6 */
const claimant: Plans = (at, _policy, r, plan) => {
  if (r.chance(0.5)) {
    plan(at, 'another claimant will claim the very next epoch at the same instant', ({ rival }) => {
      rival.strikes = true;
    });
    return;
  }
  plan(at, 'another claimant takes the next epoch', ({ rival, disk: d, world }) => {
    const next = 1 + Math.max(d.standing?.epoch ?? 0, ...d.epochs.keys(), ...rival.taken.keys());
    rival.taken.set(next, 'other#1');
    world.setOtherEpoch(next);
  });
};

/** D1 */
const data: Plans = (at, _policy, r, plan) => {
  const [what, age, verified] = r.pick([
    ['of 23 h 59 min', 23 * hours + 59 * minutes, true],
    ['of 24 h 1 min', 24 * hours + minutes, true],
    ['of 3 days', 72 * hours, true],
    ['of today, not verified', hours, false],
  ] as const);
  plan(at, `the restored copy is one ${what}`, ({ world, time }) => {
    if (world.data) world.data = { createdAt: time.now - age, verified };
  });
};

/** A9 */
const maintenance: Plans = (at, _policy, r, plan) => {
  const forMs = r.pick([r.between(minutes, 5 * minutes), r.between(5 * minutes, 2 * hours)]);
  plan(
    at,
    `maintenance is switched on for ${Math.round(forMs / seconds)} s`,
    (s) => void s.maintenanceOn('admin', forMs),
  );
  if (r.chance(0.3)) plan(at + r.between(0, forMs), 'maintenance is switched off', (s) => s.maintenanceOff('admin'));
};

const configuration: Plans = (at, _policy, r, plan) => {
  const change: Partial<Policy> = r.pick([
    { mode: 'automatic' },
    { mode: 'confirm' },
    { mode: 'manual' },
    { failWhen: 'any' },
    { failWhen: 'all' },
    { confirmTimes: 1 },
    { intervalMs: 15 * seconds },
    { onSilence: 'hold' },
    { countdownMs: 30 * seconds },
  ]);
  plan(at, `the configuration is changed: ${JSON.stringify(change)}`, (s) => s.reconfigure(change));
};

export const companions = {
  lossy,
  partition,
  isolation,
  references,
  location,
  stall,
  sleep,
  wallClock,
  crash,
  cut,
  cutTwice: cut,
  disk,
  scripts,
  claimant,
  data,
  maintenance,
  configuration,
} as const satisfies Record<string, Plans>;
