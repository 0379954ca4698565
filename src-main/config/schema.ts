/**
 * The whole estepe.yaml: defaults filled in, keys checked against each other; and what the engine is given of it
 * (policy, tests, references, target). Must not know files or YAML.
 */
import type { z } from 'zod';
import type { OnFail } from '../contract/words.ts';
import type { Policy } from '../engine/observation.ts';
import type { DnsChange, DnsRecord, DnsWay, ReferenceSpec, Target, TestSpec } from '../engine/ports.ts';
import { parseReference, parseServer } from '../engine/reference-name.ts';
import { crossChecks } from './cross-checks.ts';
import { fillIn, writtenSchema } from './fill-in.ts';
import { splitHostPort } from './scalars.ts';

/** estepe.yaml, parsed: every default filled in, durations in milliseconds, keys checked against each other. */
export const configSchema = writtenSchema.transform(fillIn).superRefine((config, context) => {
  for (const { path, wrong, allowed } of crossChecks(config)) {
    context.addIssue({ code: 'custom', path: [...path], message: wrong, params: { allowed } });
  }
});

/** A valid configuration: every default filled in, every duration in milliseconds (the brand `Ms`). */
export type Config = z.infer<typeof configSchema>;

/** The part that decisions stand on. */
export function toPolicy(config: Config): Policy {
  const { heartbeat, promotion, restore } = config;
  return {
    failWhen: heartbeat.failWhen,
    intervalMs: heartbeat.interval,
    confirmTimes: heartbeat.confirm.times,
    confirmEveryMs: heartbeat.confirm.every,
    mode: promotion.mode,
    countdownMs: promotion.countdown,
    onSilence: promotion.onSilence,
    cooldownMs: promotion.cooldown,
    maxOffsetMs: restore?.maxOffset ?? null,
    observeOnly: promotion.observeOnly,
    claim: promotion.claim.need,
    references: heartbeat.references.length,
    failbackStableMs: promotion.failback.stable,
  };
}

/** The tests of one round, in the order of screens: sip, web, tunnel, then the site's own. */
export function toTests(config: Config): TestSpec[] {
  const { sip, web, tunnel, commands } = config.heartbeat.tests;
  const specs: TestSpec[] = [];
  if (sip) specs.push({ id: 'sip', kind: 'sip', transport: sip.transport, port: sip.port, timeoutMs: sip.timeout });
  if (web) {
    const { port, path, marker, warnDays, timeout } = web;
    specs.push({ id: 'web', kind: 'web', port, path, marker, warnDays, timeoutMs: timeout });
  }
  if (tunnel) specs.push({ id: 'tunnel', kind: 'tunnel', port: tunnel.port, timeoutMs: tunnel.timeout });
  for (const { id, run, timeout } of commands) specs.push({ id, kind: 'command', argv: run, timeoutMs: timeout });
  return specs;
}

/** The references of one round. */
export function toReferences(config: Config): ReferenceSpec[] {
  return config.heartbeat.references.map((text) => parseReference(text, config.heartbeat.referenceTimeout));
}

/** The node that is watched: the pair's other one. */
export function targetOf(config: Config): Target {
  const { active, passive, fqdn } = config.pair;
  return { address: config.role === 'passive' ? active : passive, fqdn };
}

/** The other node's address in the pair. */
export const otherPlaceOf = (config: Config): string => targetOf(config).address;

/** This node itself, for proving that the PBX is alive here after a promotion. */
export function ownTarget(config: Config): Target {
  const { active, passive, fqdn } = config.pair;
  return { address: config.role === 'passive' ? passive : active, fqdn };
}

type DnsEntry = Config['promotion']['dns'][number];

function wayOf(entry: DnsEntry): DnsWay {
  switch (entry.kind) {
    case 'rfc2136':
      return { kind: entry.kind, server: { host: entry.server, port: entry.port }, key: entry.key };
    case 'dnscmd':
      return { kind: entry.kind, server: entry.server };
    case 'cloudflare':
      return { kind: entry.kind, token: entry.token, endpoint: entry.endpoint ?? null };
    case 'route53': {
      const { kind, zoneId, keyId, key, endpoint = null } = entry;
      return { kind, zoneId, keyId, key, endpoint };
    }
    case 'script':
      return { kind: entry.kind, argv: entry.run, timeoutMs: entry.timeout };
  }
}

/** The records that lead to the active node, and how each changes when this node takes over. */
export function toDns({ role, pair, promotion }: Config): (DnsChange & { record: DnsRecord; onFail: OnFail })[] {
  return promotion.dns.map((entry) => {
    const isScript = entry.kind === 'script';
    const zone = isScript ? null : entry.zone;
    const name = isScript ? pair.fqdn : entry.record === '@' ? entry.zone : `${entry.record}.${entry.zone}`;
    const record: DnsRecord = {
      ...{ name: name.toLowerCase().replace(/\.$/, ''), zone },
      ttlS: Math.max(1, Math.round(entry.ttl / 1000)),
      servers: entry.servers.flatMap((text) => parseServer(text) ?? []),
      withinMs: entry.within,
      way: wayOf(entry),
    };
    const [from, to] = role === 'passive' ? [entry.active, entry.passive] : [entry.passive, entry.active];
    return { record, from, to, onFail: entry.onFail };
  });
}

/** The port of the peer link where none is named. */
const peerPort = 7443;

/** Where the peer link listens here and where it finds the other node; null: none is wanted. */
export function toPeerLink(config: Config) {
  if (config.peer === null) return null;
  const end = (written: string | undefined, usual: string) => {
    const { host, port } = splitHostPort(written ?? '') ?? { host: usual, port: null };
    return { host, port: port ?? peerPort };
  };
  const { listen, address } = config.peer;
  return { listen: end(listen, ownTarget(config).address), address: end(address, targetOf(config).address) };
}

/** How long history is kept, as history/ takes it. */
export function toRetention({ history }: Config) {
  const { beats, minutes, hours, events } = history;
  return { beatsMs: beats, minutesMs: minutes, hoursMs: hours, eventsMs: events };
}
