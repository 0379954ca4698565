/** Looks at this machine and the other one: services, versions, clocks, rights and scripts. */
import { existsSync } from 'node:fs';
import { pbxVersion } from '../../backup/sources/pbx-version.ts';
import type { Config } from '../../config/schema.ts';
import { rightsHere } from '../../runbook/rights.ts';
import { serviceStates } from '../../runbook/service-states.ts';
import { parityFacts } from '../parity-facts.ts';
import { blindSpots } from '../site.ts';
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

export function machineLooks(shared: Shared): Look[] {
  const { parts, config, site, ends, signal } = shared;
  const { clock, proc, random, folder, platform } = parts;
  const asked = once(async (): Promise<{ told: Told; askedAt: number; heardAt: number }> => {
    const askedAt = clock.wall();
    const told = await (parts.peer?.facts(signal) ??
      Promise.resolve('No engine runs here, so the other node was not asked.'));
    return { told, askedAt, heardAt: clock.wall() };
  });
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
    {
      ...{ area: 'rights', what: 'what Estepe may do here', withinMs: rightsMs, promotion: true },
      run: async (own) => {
        const byName = config.services.names.length > 0;
        const rights = await rightsHere(parts, {
          ...{
            platform,
            uid: parts.uid,
            byName,
            scripts: scriptsOf(config),
            scriptsFolder: folder.scripts,
            cwd: folder.root,
          },
          dnscmdServer:
            config.promotion.dns.flatMap((entry) => (entry.kind === 'dnscmd' ? [entry.server] : []))[0] ?? null,
          ...{ timeoutMs: oneRightMs, runToken: random.hex(8), signal: own },
        });
        return judgeRights(rights, byName);
      },
    },
  ];
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
