/** Looks at this machine and the other one: services, versions, clocks, rights and scripts. */
import { existsSync } from 'node:fs';
import { pbxVersion } from '../../backup/sources/pbx-version.ts';
import type { Config } from '../../config/schema.ts';
import { rightsHere } from '../../runbook/rights.ts';
import { serviceStates } from '../../runbook/service-states.ts';
import { asAccount, type PosixAccount, posixAccountNamed } from '../boot/account.ts';
import { ask, type BootParts, type BootState, notInstalled } from '../boot/boot.ts';
import { bootState } from '../boot/state.ts';
import { isSystem } from '../boot/task-xml.ts';
import { parityFacts } from '../parity-facts.ts';
import { blindSpots } from '../site.ts';
import { type AccountFacts, judgeAtBoot } from './at-boot.ts';
import { check } from './check.ts';
import type { Look } from './examine.ts';
import { judgeRights } from './means.ts';
import { judgeClock, judgeParity, type Told } from './parity.ts';
import { judgeQueries, judgeServices } from './ports.ts';
import { once, type Shared } from './shared.ts';

const servicesMs = 60_000;
const oneServiceMs = 20_000;
const versionMs = 8_000;
const factsMs = 8_000;
const rightsMs = 45_000;
const oneRightMs = 10_000;
const bootMs = 45_000;

export function machineLooks(shared: Shared): Look[] {
  const { parts, config, site, ends, signal } = shared;
  const { clock, proc, random, folder, platform } = parts;
  const asked = once(async (): Promise<{ told: Told; askedAt: number; heardAt: number }> => {
    const askedAt = clock.wall();
    const told = await (parts.peer?.facts(signal) ??
      Promise.resolve('No engine runs here, so the other node was not asked.'));
    return { told, askedAt, heardAt: clock.wall() };
  });
  const boot = once(() => bootFacts(shared));
  return [
    {
      ...{ area: 'services', what: 'the services of this node', withinMs: servicesMs, promotion: true },
      run: async (own) => {
        const troubles = blindSpots(config).map(({ key, sentence, todo }) =>
          check('services', key).problem(sentence, '', todo),
        );
        if (troubles.length > 0) return troubles;
        const { names } = config.services;
        if (names.length > 0) {
          const question = {
            names,
            platform,
            timeoutMs: oneServiceMs,
            cwd: folder.root,
            runToken: random.hex(8),
            signal: own,
          };
          return judgeServices(await serviceStates(proc, question), ends);
        }
        const exits = [];
        for (const argv of site.plan.services.query) {
          const env = { ESTEPE_FQDN: ends.fqdn, ESTEPE_NEW_ADDRESS: site.plan.newAddress };
          const command = {
            argv,
            cwd: existsSync(folder.scripts) ? folder.scripts : folder.root,
            env,
            timeoutMs: oneServiceMs,
            runToken: random.hex(8),
            signal: own,
          };
          const { end } = await proc.run(command);
          const said = end.how === 'not-started' ? end.why : end.how;
          exits.push({ command: argv.join(' '), code: end.how === 'exit' ? end.code : null, said });
        }
        return judgeQueries(exits, ends);
      },
    },
    {
      ...{ area: 'parity', what: 'the other node beside this one', withinMs: versionMs + factsMs },
      run: async (own) => {
        const running = { proc, runToken: random.hex(8), timeoutMs: versionMs, signal: own };
        const [version, { told }] = await Promise.all([pbxVersion(config.pair.profile, running), asked()]);
        const facts = await parityFacts({
          ...{ config, pbxVersion: version, version: parts.version, dataFolder: folder.root },
          ...{ round: parts.ownRound(), wall: clock.wall() },
        });
        return judgeParity(facts, told, ends);
      },
    },
    {
      ...{ area: 'clock', what: "the other node's clock", withinMs: factsMs },
      run: async () => {
        const { told, askedAt, heardAt } = await asked();
        return [judgeClock(told, askedAt, heardAt)];
      },
    },
    ...(config.lab ? [] : [atBootLook(shared, boot)]),
    {
      ...{ area: 'rights', what: 'what Estepe may do here', withinMs: rightsMs, promotion: true },
      run: async (own) => {
        const byName = config.services.names.length > 0;
        const { placed } = await boot();
        const rights = await rightsHere(parts, {
          ...{
            platform,
            uid: placed?.uid ?? parts.uid,
            ...(placed === null ? {} : { account: { name: placed.name, as: (argv) => asAccount(placed, argv) } }),
            byName,
            scripts: scriptsOf(config),
            scriptsFolder: folder.scripts,
            cwd: folder.root,
          },
          dnscmdServer: dnscmdServerOf(config),
          ...{ timeoutMs: oneRightMs, runToken: random.hex(8), signal: own },
        });
        return judgeRights(rights, byName);
      },
    },
  ];
}

const dnscmdServerOf = ({ promotion }: Config): string | null =>
  promotion.dns.flatMap((entry) => (entry.kind === 'dnscmd' ? [entry.server] : []))[0] ?? null;

interface BootFacts {
  state: BootState;
  looked: AccountFacts['looked'];
  by: string;
  /** the account at boot, in whose place this process may ask; null: it is this process's own, or cannot be asked for */
  placed: PosixAccount | null;
}

/** How the start at boot stands, and whether this process has the rights of that account. Never rejects. */
async function bootFacts({ parts, config, signal }: Shared): Promise<BootFacts> {
  const { proc, platform, uid, folder, random } = parts;
  const asking = { proc, uid, cwd: folder.root, runToken: random.hex(8), signal };
  const by = uid === null ? '' : uid === 0 ? 'root' : `user ${uid}`;
  // Whatever runs at boot on this machine is not the lab.
  if (config.lab) return { state: notInstalled('systemd', ''), looked: 'same', by, placed: null };
  const state = await bootState(platform, asking);
  const facts: BootFacts = { state, looked: 'same', by, placed: null };
  if (!state.installed || state.account === null) return facts;
  if (platform === 'win32') return { ...facts, ...(await lookedOnWindows(asking, state.account)) };
  try {
    const account = await posixAccountNamed(asking, state.account);
    if (account.uid === uid) return facts;
    return uid === 0 ? { ...facts, placed: account } : { ...facts, looked: 'other' };
  } catch {
    return { ...facts, looked: 'gone' };
  }
}

/** A task names its account by SID once it is registered. */
async function lookedOnWindows(asking: BootParts, account: string): Promise<Pick<BootFacts, 'looked' | 'by'>> {
  const { output } = await ask(asking, ['whoami.exe', '/user', '/fo', 'csv', '/nh']);
  const [, name = '', sid = ''] = /^"([^"]+)","(S-[\d-]+)"/m.exec(output) ?? [];
  if (name === '') return { looked: 'unknown', by: '' };
  const same = [name, sid].some((one) => one.toLowerCase() === account.toLowerCase());
  return { looked: same || (isSystem(account) && isSystem(sid)) ? 'same' : 'other', by: name };
}

function atBootLook({ parts, config }: Shared, boot: () => Promise<BootFacts>): Look {
  return {
    ...{ area: 'rights', what: 'the start of the engine with this machine', withinMs: bootMs },
    run: async () => {
      const { state, looked, by } = await boot();
      return judgeAtBoot(state, parts.folder.root, { looked, by, dnscmdServer: dnscmdServerOf(config) });
    },
  };
}

/** Every script that is configured, each once. */
export function scriptsOf({ promotion, heartbeat }: Config): (readonly string[])[] {
  const all = [
    promotion.scripts.before?.argv,
    promotion.scripts.after?.argv,
    promotion.fence.script?.argv,
    ...promotion.dns.map((entry) => (entry.kind === 'script' ? entry.run : undefined)),
    ...heartbeat.tests.commands.map(({ run }) => run),
  ].filter((argv) => argv !== undefined);
  return all.filter((argv, i) => all.findIndex((other) => other[0] === argv[0]) === i);
}
