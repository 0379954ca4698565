/** From a valid estepe.yaml to what the engine is given. Pure: reads nothing, starts nothing. */
import { oldestBy, widestBetween } from '../backup/schedule.ts';
import { onItsWayMs } from '../backup/storeroom/offset.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { profileFacts } from '../config/profiles.ts';
import { type Config, ownTarget, targetOf, toDns, toPolicy, toReferences, toTests } from '../config/schema.ts';
import type { Snapshot } from '../contract/snapshot.ts';
import { roundDurationWords } from '../contract/view.ts';
import type { Target, TestSpec } from '../engine/ports.ts';
import type { FencePlan } from '../runbook/fence/fence-step.ts';
import type { ScriptPlan } from '../runbook/promotion.ts';
import { serviceCommands } from '../runbook/services.ts';
import type { Site } from './engine.ts';

/** Between two looks at the PBX started here; one that starts and dies is caught by the second. */
const proofPauseMs = 1_000;
/** In a row, before the old active counts as silent. */
const silentRounds = 2;

export function siteOf(config: Config, folder: Pick<DataFolder, 'scripts'>, platform: NodeJS.Platform): Site {
  const { pair, services, promotion } = config;
  const watched = targetOf(config);
  const own = ownTarget(config);
  const tests = toTests(config);
  const { timeout, proveWithin, onFail, boot, letOn, ...plan } = services;
  const script = (given: Config['promotion']['scripts']['before']): ScriptPlan | null =>
    given && { argv: given.argv, timeoutMs: given.timeout, retries: given.retries, onFail: given.onFail };
  return {
    node: `${pair.name}@${own.address}`,
    role: config.role,
    policy: toPolicy(config),
    watched: { target: watched, tests, references: toReferences(config) },
    plan: {
      fqdn: pair.fqdn,
      oldAddress: watched.address,
      newAddress: own.address,
      scriptsFolder: folder.scripts,
      claim: promotion.claim.need,
      fence: fenceOf(config, watched, tests),
      before: script(promotion.scripts.before),
      after: script(promotion.scripts.after),
      services: {
        ...serviceCommands(plan, platform),
        timeoutMs: timeout,
        onFail,
        boot: { ...boot, names: plan.names, platform },
        letOn,
      },
      proof: { target: own, tests, withinMs: proveWithin, pauseMs: proofPauseMs },
      dns: toDns(config),
    },
  };
}

function fenceOf({ pair, heartbeat, promotion }: Config, target: Target, tests: readonly TestSpec[]): FencePlan {
  const { need, api, script, silenceWithin } = promotion.fence;
  return {
    need,
    api: api && {
      address: target.address,
      fqdn: pair.fqdn,
      port: heartbeat.tests.web?.port ?? profileFacts[pair.profile].ports.web,
      clientId: api.clientId,
      secret: api.secret,
      timeoutMs: api.timeout,
    },
    script: script && { argv: script.argv, timeoutMs: script.timeout, retries: script.retries },
    silence: {
      target,
      tests,
      failWhen: heartbeat.failWhen,
      withinMs: silenceWithin,
      pauseMs: proofPauseMs,
      rounds: silentRounds,
    },
  };
}

/** How a test's target is written on screens: `udp 192.0.2.1:5060`. */
export function targetText(test: TestSpec, address: string): string {
  const host = address.includes(':') ? `[${address}]` : address;
  switch (test.kind) {
    case 'sip':
      return `${test.transport} ${host}:${test.port}`;
    case 'web':
      return `https ${host}:${test.port}${test.path === '/' ? '' : test.path}`;
    case 'tunnel':
      return `tcp ${host}:${test.port}`;
    case 'command':
      return test.argv.join(' ');
  }
}

type Trouble = Snapshot['troubles'][number];

/** Schedules by which the restored data grows older than `maxOffset` every day, even where all goes well. */
export function boundMissed({ backup, restore }: Config, now: number): Trouble[] {
  if (backup === null || restore === null) return [];
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const of = ({ schedule: cron, timeZone = zone }: { schedule: string; timeZone?: string | undefined }) => ({
    cron,
    timeZone,
  });
  const { maxOffset, whenNewer } = restore;
  // Each newer one is restored at once: what is left is the time between two, and the hour by which an autumn day is longer.
  const oldest = whenNewer ? widestBetween(of(backup), now) : oldestBy(of(backup), of(restore), now);
  if (oldest === null || oldest <= maxOffset + (whenNewer ? onItsWayMs : 0)) return [];
  return [
    {
      key: 'bound-missed',
      sentence: `By these schedules the data restored here is up to ${roundDurationWords(oldest)} old, and \`restore.maxOffset\` is ${roundDurationWords(maxOffset)}: in between this node does not take over by itself.`,
      todo: whenNewer
        ? 'Make backups more often, or raise `restore.maxOffset`.'
        : 'Set `restore.whenNewer: true`, make backups more often, or raise `restore.maxOffset`.',
    },
  ];
}

/** What keeps an engine from doing its work although the file is valid. */
export function blindSpots({ role, services }: Config): Trouble[] {
  if (role === 'active' || services.start.length > 0 || services.names.length > 0) return [];
  return [
    {
      key: 'no-services',
      sentence: 'Nothing says how the PBX is started here: a promotion would start nothing.',
      todo: 'Set `services.start` (and `services.stop`), or choose the profile of the PBX.',
    },
  ];
}
