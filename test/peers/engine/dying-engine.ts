/**
 * An engine that dies at one exact point of a promotion: the parts that `startStation` puts together, on the real ports,
 * with a boundary before and after every journal write and every effect. At the boundary of argv[3] it KILLs itself; each
 * boundary it passes goes to the file `boundaries` in the data folder argv[2]. Says `watching` when it is.
 */
import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { openDataFolder } from '../../../src-main/config/data-folder.ts';
import { loadConfig } from '../../../src-main/config/load.ts';
import { takeOwnership } from '../../../src-main/config/owner.ts';
import { readSecret } from '../../../src-main/config/secrets.ts';
import type { Net, Proc, Store } from '../../../src-main/engine/ports.ts';
import { RealClock } from '../../../src-main/heartbeat/real-clock.ts';
import { RealNet } from '../../../src-main/heartbeat/real-net.ts';
import { openHistory } from '../../../src-main/history/history.ts';
import { RealDns } from '../../../src-main/runbook/dns/real-dns.ts';
import { RealFiles } from '../../../src-main/runbook/real-files.ts';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';
import { Engine } from '../../../src-main/station/engine.ts';
import { siteOf } from '../../../src-main/station/site.ts';

const [root = '', last = ''] = process.argv.slice(2);
const folder = openDataFolder(root);
takeOwnership(folder);
const { config } = loadConfig(folder.root);
const history = openHistory(folder.db, { onDamage: 'set-aside' });
const clock = new RealClock();
const realProc = new RealProc();

const passed = new Map<string, number>();
function boundary(name: string): void {
  const times = (passed.get(name) ?? 0) + 1;
  passed.set(name, times);
  // A step is proven by as many probes as it takes; the first is enough to die at.
  if (times > 1) return;
  appendFileSync(join(folder.root, 'boundaries'), `${name}\n`);
  if (name === last) process.kill(process.pid, 'SIGKILL');
}

function around<T>(name: string, call: () => T): T {
  boundary(`before ${name}`);
  const answer = call();
  boundary(`after ${name}`);
  return answer;
}

/** the old active is asked after by the fence, and not by the watch alone */
let fencing = false;

const store: Store = {
  ...history,
  beginRunbook: (start) => around('begin', () => history.beginRunbook(start)),
  intent: (runbook, entry) => {
    around(`intent ${entry.step}`, () => history.intent(runbook, entry));
    fencing = entry.step === 'fence';
  },
  result: (runbook, step, ...rest) => around(`result ${step}`, () => history.result(runbook, step, ...rest)),
  setRunbook: (id, change) =>
    around(change.epoch === undefined ? `status ${change.status}` : 'epoch noted', () =>
      history.setRunbook(id, change),
    ),
  remember: (key, value) => around(`remember ${key}`, () => history.remember(key, value)),
  claimEpoch: (...claim) => around('claim epoch', () => history.claimEpoch(...claim)),
  saveStanding: (standing) => around(`standing ${standing.role}`, () => history.saveStanding(standing)),
};

const proc: Proc = {
  endLeftovers: (token) => realProc.endLeftovers(token),
  run: async (command) => {
    const name = `run ${basename(command.argv.at(-1) ?? '')}`;
    boundary(`before ${name}`);
    const end = await realProc.run({
      ...command,
      onOutput: (chunk) => {
        if (chunk.includes('middle')) boundary(`during ${name}`);
        command.onOutput?.(chunk);
      },
    });
    boundary(`after ${name}`);
    return end;
  },
};

const realNet = new RealNet({ proc: realProc, scripts: folder.scripts, dataFolder: folder.root });
const net: Net = {
  reference: (spec, signal) => realNet.reference(spec, signal),
  probe: async (test, target, signal) => {
    const here = target.address === config.pair.passive;
    const place = here ? 'here' : fencing ? 'there' : null;
    if (place) boundary(`before probe ${place}`);
    const beat = await realNet.probe(test, target, signal);
    if (place) boundary(`after probe ${place}`);
    return beat;
  },
};

let watching = false;
const engine = new Engine(
  {
    clock,
    net,
    proc,
    store,
    files: new RealFiles(folder.scripts),
    dns: new RealDns({
      ...{ clock, proc, files: new RealFiles(folder.scripts), scriptsFolder: folder.scripts },
      ...{ secretOf: (name) => readSecret(folder.secrets, name), hide: () => {} },
    }),
    random: { hex: (bytes) => randomBytes(bytes).toString('hex') },
    claims: {
      claim: async (epoch, owner) => ({ ...store.claimEpoch(epoch, owner, clock.wall()), unshared: null }),
      foreign: async () => 0,
      highest: async () => store.highestEpoch(),
    },
  },
  siteOf(config, folder, process.platform),
  {
    word: () => null,
    claims: () => ({ state: 'alone', evidence: 'no keeper', foreign: 0 }),
    data: () => ({ state: 'not-kept' }),
    settled: async () => {},
  },
  {
    onChange: () => {
      if (watching || engine.interpreter.state.phase !== 'watching') return;
      watching = true;
      process.stdout.write('watching\n');
    },
    onRound: (round, wall) => store.beats(round.beats.map((beat) => ({ test: beat.test, at: Math.round(wall), beat }))),
    tell: () => {},
  },
);
engine.start();
