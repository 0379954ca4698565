/**
 * Defaults that hang on other keys: what a written estepe.yaml comes to when profile, transport and interval are
 * known. Must not know files or YAML.
 */
import { z } from 'zod';
import type { OnFail } from '../contract/words.ts';
import type { Ms } from './duration.ts';
import { profileFacts } from './profiles.ts';
import * as sections from './sections.ts';

/** estepe.yaml as people write it, before defaults that hang on other keys. */
export const writtenSchema = z
  .strictObject({
    role: sections.role,
    lab: sections.lab.prefault(false),
    pair: sections.pair,
    heartbeat: sections.heartbeat.prefault({}),
    services: sections.services.prefault({}),
    promotion: sections.promotion.prefault({}),
    selfFence: sections.selfFence.prefault({}),
    backup: sections.backup.optional(),
    restore: sections.restore.optional(),
    drill: sections.drill.prefault({}),
    notify: sections.notify.prefault({}),
    peer: sections.peer.optional(),
    history: sections.history.prefault({}),
    console: sections.consoleServer.prefault({}),
  })
  .meta({ description: 'Configuration of Estepe.', noun: 'a group of keys', allowed: 'a group of keys' });

type Written = z.output<typeof writtenSchema>;

/** A script with everything decided. */
export interface Script {
  /** argv[0] lies in the scripts folder */
  argv: readonly string[];
  timeout: Ms;
  /** how often exit 1 is tried again */
  retries: number;
  onFail: OnFail;
}

type WrittenScript = NonNullable<Written['promotion']['scripts']['before']>;

function scriptOf(
  written: WrittenScript | undefined,
  shared: Written['promotion']['scripts'],
  onFail: OnFail,
): Script | null {
  if (written === undefined) return null;
  const own = typeof written === 'string' || Array.isArray(written) ? { run: written } : written;
  return {
    argv: typeof own.run === 'string' ? [own.run] : own.run,
    timeout: own.timeout ?? shared.timeout,
    retries: own.retries ?? shared.retries,
    onFail: own.onFail ?? shared.onFail ?? onFail,
  };
}

type WrittenFence = Written['promotion']['fence'];

/** `fence: required` is short for a group with that need. */
function fenceOf(written: WrittenFence, shared: Written['promotion']['scripts']) {
  const own = typeof written === 'string' ? sections.fence.parse({ need: written }) : written;
  if (typeof own === 'string') throw new Error('a group was asked for');
  const script = scriptOf(own.script, shared, 'halt');
  return {
    need: own.need,
    api: own.api ?? null,
    script: script && { argv: script.argv, timeout: script.timeout, retries: script.retries },
    silenceWithin: own.silenceWithin,
  };
}

const atMost = (usual: number, bound: number) => Math.min(usual, Math.floor(bound)) as Ms;

function testsOf(written: Written) {
  const { interval } = written.heartbeat;
  const usualTimeout = atMost(4000, interval * 0.8);
  const { ports, tests: usual } = profileFacts[written.pair.profile];
  const named = written.heartbeat.tests;
  const asked = (kind: 'sip' | 'web' | 'tunnel') => named === undefined && usual.includes(kind);
  const sip = named?.sip ?? (asked('sip') ? { transport: 'udp' as const } : null);
  const web = named?.web ?? (asked('web') ? { path: '/', warnDays: 14 } : null);
  const tunnel = named?.tunnel ?? (asked('tunnel') ? {} : null);
  return {
    sip: sip && {
      transport: sip.transport,
      port: sip.port ?? (sip.transport === 'tls' ? ports.sipTls : ports.sip),
      timeout: sip.timeout ?? usualTimeout,
    },
    web: web && {
      port: web.port ?? ports.web,
      path: web.path,
      marker: web.marker ?? null,
      warnDays: web.warnDays,
      timeout: web.timeout ?? usualTimeout,
    },
    tunnel: tunnel && { port: tunnel.port ?? ports.tunnel, timeout: tunnel.timeout ?? usualTimeout },
    commands: (named?.commands ?? []).map(({ id, run, timeout }) => ({ id, run, timeout: timeout ?? usualTimeout })),
  };
}

/** Names of services are matched on the machine; commands are run as they stand. Never both. */
function servicesOf(written: Written) {
  const { start, query, stop, names, boot, calls, letOn, letOnWithin, timeout, proveWithin, onFail } = written.services;
  const silent = !start && !query && !stop && !names;
  const usual = profileFacts[written.pair.profile].services;
  return {
    names: names ?? (silent ? usual.names : []),
    start: start ?? (silent ? usual.start : []),
    query: query ?? (silent ? usual.query : []),
    stop: stop ?? (silent ? usual.stop : []),
    boot: { on: boot?.on ?? [], off: boot?.off ?? [] },
    calls: calls ?? usual.calls,
    letOn,
    letOnWithin,
    timeout,
    proveWithin,
    onFail,
  };
}

function claimOf(written: Written['promotion']['claim']) {
  if (typeof written === 'string') return { need: written, etcd: null };
  return { need: written?.need ?? ('required' as const), etcd: written?.etcd ?? null };
}

/** One record or many: a list, each with the two nodes' addresses as its zone shows them. */
function dnsOf({ pair, promotion }: Written) {
  const { dns } = promotion;
  const all = dns === undefined ? [] : Array.isArray(dns) ? dns : [dns];
  return all.map((entry) => ({
    ...entry,
    active: entry.active ?? pair.active,
    passive: entry.passive ?? pair.passive,
  }));
}

const mailPorts = { starttls: 587, tls: 465, none: 25 } as const;

function notifyOf({ desktop, email, webhook }: Written['notify']) {
  const onDesktop = desktop === true ? sections.desktop.parse({}) : desktop;
  return {
    desktop: onDesktop === false ? null : onDesktop,
    email: email === undefined ? null : { ...email, port: email.port ?? mailPorts[email.security] },
    webhook: webhook ?? null,
  };
}

export function fillIn(written: Written) {
  const { heartbeat, promotion } = written;
  const { scripts } = promotion;
  return {
    ...written,
    pair: { ...written.pair, name: written.pair.name ?? written.pair.fqdn },
    heartbeat: {
      ...heartbeat,
      confirm: {
        times: heartbeat.confirm.times,
        every: heartbeat.confirm.every ?? atMost(5000, heartbeat.interval / 2),
      },
      tests: testsOf(written),
      referenceTimeout: heartbeat.referenceTimeout ?? atMost(2000, heartbeat.interval * 0.8),
    },
    services: servicesOf(written),
    promotion: {
      ...promotion,
      scripts: {
        before: scriptOf(scripts.before, scripts, 'halt'),
        // The PBX already lives here when it runs: stopping there would help nobody.
        after: scriptOf(scripts.after, scripts, 'continue'),
      },
      claim: claimOf(promotion.claim),
      dns: dnsOf(written),
      fence: fenceOf(promotion.fence, scripts),
    },
    backup: written.backup ?? null,
    restore: written.restore ?? null,
    peer: written.peer ?? null,
    notify: notifyOf(written.notify),
  };
}

/** A valid configuration. Every duration is in milliseconds. */
export type Config = ReturnType<typeof fillIn>;
