/**
 * F1: kill -9 before and after every journal write and every effect of a promotion. The next life is the product's own
 * `estepe serve`; it must end in `active` under the same epoch, with no step lost and none repeated unknowingly.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import type { StepId } from '../../../src-main/contract/words.ts';
import { promotionStepIds } from '../../../src-main/runbook/promotion.ts';
import { freePort } from '../fixtures/free-port.ts';
import { startKamailio } from '../fixtures/kamailio.ts';
import { newFolder, startPeer } from '../fixtures/peer-process.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { until } from '../fixtures/until.ts';
import { startEngine } from './engine-process.ts';
import { answersSip, expectGone, expectNothingLost, told } from './evidence.ts';
import type { Later } from './one-pbx.ts';
import { newPair, Site, yamlOf } from './site.ts';
import { makeStandbyPbx } from './standby-pbx.ts';

const program = fileURLToPath(new URL('./dying-engine.ts', import.meta.url));

const around = (...names: string[]): string[] => names.flatMap((name) => [`before ${name}`, `after ${name}`]);
/** before, in the middle of and after a program that runs */
const run = (name: string): string[] => [`before run ${name}`, `during run ${name}`, `after run ${name}`];
const step = (id: StepId, ...within: string[]): string[] => [
  ...around(`intent ${id}`),
  ...within,
  ...around(`result ${id}`),
];

/** All of them, in order; the first test holds this list against what a promotion really passes. */
const boundaries = [
  ...around('begin'),
  ...step('guards'),
  ...step('claim', ...around('epoch noted', 'remember lastClaim', 'claim epoch')),
  ...step('fence', ...around('probe there')),
  ...step('before-script', ...run('before.sh')),
  ...step('start-services', ...around('remember lastPromotion'), ...run('start.sh')),
  ...step('prove-alive', ...around('probe here')),
  ...step('switch-dns'),
  ...step('after-script', ...run('after.sh')),
  ...step('flip-standing', ...around('standing active')),
  // the core is told of the new standing, and keeps its epoch as the highest seen
  ...around('remember epochSeen'),
  ...around('status done'),
  ...around('remember endTold'),
];

/** The step that was under way at a boundary: its intent is in the journal, its result is not. */
function inDoubtAt(boundary: string): StepId | null {
  let open: StepId | null = null;
  for (const name of boundaries) {
    const [when, what, id] = name.split(' ');
    if (when === 'after' && what === 'intent') open = id as StepId;
    if (when === 'after' && what === 'result') open = null;
    if (name === boundary) return open;
  }
  throw new Error(`no boundary ${boundary}`);
}

/** Which programs run, under which attempt, when the engine dies at a boundary and goes on after it. */
function runsWith(boundary: string): string[] {
  const scripted = (id: 'before-script' | 'after-script', script: string): string[] => {
    const begun = boundaries.indexOf(boundary) >= boundaries.indexOf(`during run ${script}`);
    const attempts = inDoubtAt(boundary) !== id ? [1] : begun ? [1, 2] : [2];
    return attempts.map((attempt) => `${script} ${id} ${attempt}`);
  };
  // Started services are asked after, not started twice; a start that was cut off is made anew.
  const starts = boundary === 'during run start.sh' ? 2 : 1;
  return [
    ...scripted('before-script', 'before.sh'),
    ...Array.from({ length: starts }, () => 'start.sh  '),
    ...scripted('after-script', 'after.sh'),
  ];
}

/**
 * Each program notes that it ran. Where the file `hang` names it, its first attempt says `middle` and goes on for ever, with
 * a companion that left its session: what a killed engine leaves running.
 */
const witness = (site: Site, name: string, then = ''): string =>
  [
    `echo "${name} \${ESTEPE_STEP:-} \${ESTEPE_ATTEMPT:-}" >>${site.path('ran')}`,
    `if [ "$(cat ${site.path('hang')} 2>/dev/null)" = ${name} ]; then`,
    `  rm ${site.path('hang')}`,
    `  setsid sleep 600 & echo $! >>${site.path('left')}; echo $$ >>${site.path('left')}`,
    '  echo middle; sleep 600; exit 1',
    'fi',
    'echo middle',
    then,
  ].join('\n');

async function prepared(later: Later) {
  const { active: address, passive } = newPair();
  const port = await freePort(address);
  const active = await startKamailio({ address, udpPort: port });
  later(() => active.stop());
  const pbx = makeStandbyPbx({ sip: { address: passive, udpPort: port } });
  later(() => pbx.end());
  const site = new Site();
  later(() => site.remove());
  site.script('before.sh', witness(site, 'before.sh'));
  site.script('after.sh', witness(site, 'after.sh'));
  const [start = []] = pbx.services.start;
  site.script('start.sh', witness(site, 'start.sh', start.join(' ')));
  site.configure(
    yamlOf({
      active: address,
      passive,
      tests: { sip: { port, timeout: '250ms' } },
      // A reference that a busy machine answers late would take the promotion back: it has nearly a second.
      heartbeat: { interval: '1s', confirm: { times: 1, every: '100ms' }, referenceTimeout: '900ms' },
      services: { ...pbx.services, start: [[site.path('scripts', 'start.sh')]] },
      promotion: { scripts: { before: 'before.sh', after: 'after.sh' } },
    }),
  );
  return { active, site, passive, port };
}

/** The first life: sees the active healthy, then dead, takes over, and dies at that boundary. */
async function firstLife(later: Later, site: Site, boundary: string, kill: () => Promise<void>) {
  const engine = await startPeer({
    argv: [process.execPath, program, site.folder, boundary],
    folder: newFolder('dying'),
    ready: (peer) => peer.output().includes('watching'),
  });
  later(() => engine.stop());
  await kill();
  return engine;
}

describeWithPeers('F1 kill -9 in a promotion', ['kamailio'], () => {
  it.concurrent('F1 the boundaries of a promotion are the ones that are died at', async ({ onTestFinished: later }) => {
    const { active, site } = await prepared(later);
    await firstLife(later, site, 'none', () => active.kill());
    await until('the promotion to be done', () => site.lines('boundaries').at(-1) === boundaries.at(-1), 30_000);
    // before the promotion the engine writes where it stands
    expect(site.lines('boundaries')).toEqual([...around('standing passive'), ...boundaries]);
  });

  it.concurrent.for(boundaries)('F1 killed %s', async (boundary, { onTestFinished: later }) => {
    const { active, site, passive, port } = await prepared(later);
    const [when, what, name = ''] = boundary.split(' ');
    if (when === 'during' && what === 'run') writeFileSync(site.path('hang'), name);
    const dying = await firstLife(later, site, boundary, () => active.kill());
    await until(`it to die ${boundary}`, () => dying.pids().length === 0, 30_000);
    expect(site.lines('boundaries').at(-1)).toBe(boundary);
    const ranBefore = site.lines('ran');

    const engine = await startEngine(site);
    later(() => engine.stop());
    if (boundary === 'before begin') {
      // Nothing was journaled, so nothing was begun; a new engine has not seen the active healthy.
      await engine.until('it to say so', ({ core }) => core.rule === 'starting.never-seen');
      const { runbook, nodes } = await engine.snapshot();
      expect(runbook).toBeNull();
      expect(nodes.find(({ self }) => self)).toMatchObject({ role: 'passive', epoch: 0 });
      expect(site.lines('ran')).toEqual([]);
      return;
    }

    const { runbook, nodes } = await engine.phase('active');
    const events = await engine.events();
    expectNothingLost(events);
    expect(runbook).toMatchObject({ id: 1, origin: 'automatic', status: 'done', epoch: 1 });
    expect(nodes.find(({ self }) => self)).toMatchObject({ role: 'active', epoch: 1 });
    // no record is configured here
    const states = runbook?.steps.map(({ id, state }) => (id === 'switch-dns' && state === 'skipped' ? 'done' : state));
    expect(states).toEqual(promotionStepIds.map(() => 'done'));
    const ended = boundaries.indexOf(boundary) >= boundaries.indexOf('after status done');
    expect(events.filter(({ rule }) => rule === 'runbook.resumed')).toHaveLength(ended ? 0 : 1);
    // Told by one of the two lives; by both where the first died between telling and noting that it had told.
    expect(told(events)).toEqual(boundary === 'before remember endTold' ? ['promoted', 'promoted'] : ['promoted']);

    // The step that was cut off is tried again under a number of its own, and said to have been in doubt.
    const doubt = inDoubtAt(boundary);
    const cutOff = events.filter(({ reason }) => /cut off by the end of Estepe/.test(reason)).map(({ rule }) => rule);
    expect(cutOff).toEqual(doubt === null ? [] : [`step.${doubt}`]);

    const ran = site.lines('ran');
    expect(ran.slice(0, ranBefore.length)).toEqual(ranBefore);
    expect(ran).toEqual(runsWith(boundary));

    expect(await answersSip(passive, port)).toBe(true);
    for (const pid of site.lines('left')) expectGone(pid);
    expect(site.lines('left')).toHaveLength(when === 'during' ? 2 : 0);
    await engine.stop();
    const db = new Database(site.path('estepe.db'), { readonly: true });
    try {
      expect(db.prepare('SELECT epoch FROM claim').pluck().all()).toEqual([1]);
      expect(db.prepare('SELECT count(*) FROM runbook').pluck().get()).toBe(1);
      expect(db.prepare('SELECT count(*) FROM journal WHERE result_at IS NULL').pluck().get()).toBe(
        doubt === null ? 0 : 1,
      );
    } finally {
      db.close();
    }
  });
});
