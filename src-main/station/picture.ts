/**
 * The snapshot: what a client may see of a running engine, gathered from its parts at one instant. Reads only; decides
 * nothing.
 */
import { type Config, targetOf, toTests } from '../config/schema.ts';
import type { PeerGood } from '../contract/peer.ts';
import type {
  BeatView,
  EventView,
  NodeView,
  OffsetView,
  RunbookView,
  Snapshot,
  StepView,
} from '../contract/snapshot.ts';
import { agoInWords, inWords } from '../engine/duration.ts';
import { countdownEndsAt } from '../engine/facts.ts';
import { guardsOf, holdingBack, holdingBackThen } from '../engine/guards.ts';
import { roundsNeeded } from '../engine/judge.ts';
import type { CoreState, Observation, Policy } from '../engine/observation.ts';
import type { ClaimsSeen, RunbookRecord } from '../engine/ports.ts';
import type { NodeWord } from '../peer/word.ts';
import { lastEntry } from '../runbook/journal-view.ts';
import type { Runner } from '../runbook/runner.ts';
import type { Step } from '../runbook/step.ts';
import type { Maintenance } from './lasting.ts';
import { sentenceFor } from './sentence.ts';
import { targetText } from './site.ts';

/** What a picture is made of. */
export interface Sitter {
  engine: Snapshot['engine'];
  config: Config;
  state: CoreState;
  observation: Observation;
  last: { rule: string; reason: string } | null;
  cadence: 'steady' | 'confirming';
  /** wall clock at which the phase began */
  since: number;
  standing: { role: 'active' | 'passive'; epoch: number };
  beats: ReadonlyMap<string, readonly BeatView[]>;
  maintenance: (Maintenance & { leftMs: number }) | null;
  backups: Snapshot['backups'];
  drill: Snapshot['drill'];
  notify: Snapshot['notify'];
  peer: Snapshot['peer'];
  /** the other node's word, as heard last */
  said: NodeWord | null;
  offset: OffsetView;
  runbook: RunbookRecord | null;
  runner: Pick<Runner, 'live' | 'facts'>;
  stepsFor: (record: RunbookRecord) => readonly Step[];
  /** newest first */
  events: EventView[];
  troubles: Snapshot['troubles'];
}

/** Whole milliseconds: a client compares, and the monotonic clock has fractions. */
const whole = Math.round;

export function pictureOf(sitter: Sitter): Omit<Snapshot, 'version'> {
  const { config, state, observation, events, troubles } = sitter;
  const { wall } = observation;
  const guards = guardsOf(state, observation);
  return {
    at: whole(wall),
    engine: sitter.engine,
    pair: {
      name: config.pair.name,
      fqdn: config.pair.fqdn,
      profile: config.pair.profile,
      mode: config.promotion.mode,
      failWhen: config.heartbeat.failWhen,
      intervalMs: config.heartbeat.interval,
    },
    nodes: nodesOf(sitter),
    core: coreOf(sitter),
    tests: toTests(config).map((test) => ({
      id: test.id,
      kind: test.kind,
      target: targetText(test, targetOf(config).address),
      beats: [...(sitter.beats.get(test.id) ?? [])],
    })),
    references: referencesOf(config, observation),
    guards,
    confirmation: confirmationOf(state, observation),
    overlays: { maintenance: sitter.maintenance, observeOnly: config.promotion.observeOnly },
    offset: sitter.offset,
    backups: sitter.backups,
    drill: sitter.drill,
    notify: sitter.notify,
    peer: sitter.peer,
    runbook: sitter.runbook && runbookView(sitter.runbook, sitter.stepsFor(sitter.runbook), sitter.runner),
    events,
    troubles,
  };
}

function coreOf({ state, observation, last, cadence, since, standing, troubles }: Sitter): Snapshot['core'] {
  const { policy } = observation;
  const ends = countdownEndsAt(state, policy);
  const sentence = sentenceFor({
    state,
    policy,
    epoch: standing.epoch,
    maintenanceLeftMs: observation.maintenance?.leftMs ?? null,
    countdownLeftMs: ends === null ? null : Math.max(0, ends - observation.at),
    heldBy: holdingBack(guardsOf(state, observation)).map((guard) => guard.name),
    heldThenBy: holdingBackThen(guardsOf(state, observation)).map((guard) => guard.name),
    besideHealthy: observation.runbook?.kind === 'promotion' && state.verdict === 'healthy',
    stoppedBecause: observation.runbook?.reason ?? '',
    skippable: observation.runbook?.skippable ?? false,
    blind: troubles.find((trouble) => trouble.key.startsWith('watch'))?.sentence ?? null,
  });
  return {
    phase: state.phase,
    since,
    verdict: state.verdict,
    rule: last?.rule ?? '',
    reason: last?.reason ?? 'nothing was decided yet',
    sentence: sentence.text,
    severity: sentence.severity,
    seenHealthy: state.seenHealthy,
    failedRounds: state.failedRounds,
    neededRounds: roundsNeeded(policy),
    cadence,
  };
}

function confirmationOf(state: CoreState, observation: Observation): Snapshot['confirmation'] {
  if (state.phase !== 'awaiting') return null;
  const { policy, at, wall } = observation;
  const ends = countdownEndsAt(state, policy);
  return {
    // by the tenth of a second: worked out from two clocks, it would tremble
    endsAt: ends === null ? null : whole((wall + ends - at) / 100) * 100,
    leftMs: ends === null ? null : Math.max(0, whole(ends - at)),
    onSilence: policy.onSilence,
    held: state.held,
    blockedBy: holdingBack(guardsOf(state, observation)).map((guard) => guard.name),
  };
}

function referencesOf(config: Config, { round }: Observation): Snapshot['references'] {
  return config.heartbeat.references.map((id) => {
    const told = round?.references.find((reference) => reference.id === id);
    return { id, answered: told?.answered ?? null, evidence: told?.evidence ?? 'not asked yet' };
  });
}

function nodesOf({ config, state, observation, standing, said }: Sitter): NodeView[] {
  const other = otherNode(state, observation, standing, said);
  const self = {
    role: standing.role,
    epoch: standing.epoch,
    sentence: selfSentence(state, observation.policy, config),
  };
  return (['active', 'passive'] as const).map((place) => {
    const own = place === config.role;
    return { place, address: config.pair[place], self: own, ...(own ? self : other) };
  });
}

/** What can be known of the other node from here: its own word, else what follows from our standing and its tests. */
function otherNode(
  state: CoreState,
  { word, wall }: Observation,
  standing: Sitter['standing'],
  said: NodeWord | null,
): Pick<NodeView, 'role' | 'epoch' | 'sentence'> {
  const tests = otherSentence(state);
  if (word !== null) {
    const own = `Its word, heard ${agoInWords(word.ageMs)}, says that it is ${word.role}${word.healthy ? ' and serves' : ''}.`;
    return {
      role: word.role,
      epoch: word.epoch,
      sentence: [tests, own, ...(said ? toldInside(said, wall) : [])].join(' '),
    };
  }
  // A passive's other node holds the epoch it was promoted under as far as we heard; beyond that nothing is known.
  if (standing.role === 'passive') return { role: 'active', epoch: standing.epoch, sentence: tests };
  const stays = state.phase === 'active' ? ' It was the active one and must stay off.' : '';
  return { role: null, epoch: null, sentence: `${tests}${stays}` };
}

/** What only the node itself can know: its services, its tests against itself, its newest backup. */
function toldInside({ role, services, tests, backup }: NodeWord, wall: number): string[] {
  const failing = tests.filter(({ outcome }) => outcome === 'dead' || outcome === 'foreign');
  return [
    ...(services === 'unknown' ? [] : [`Its services are ${services}.`]),
    ...(failing.length > 0
      ? [`Against itself: ${failing.map(({ id, evidence }) => `${id}: ${evidence}`).join('; ')}.`]
      : []),
    ...(role === 'active' && backup !== null
      ? [`Its newest verified backup is ${inWords(Math.max(0, wall - backup.createdAt))} old.`]
      : []),
  ];
}

/** Carried by the words in the location, too. */
const goodsOfWords: readonly PeerGood[] = ['health-from-inside', 'standing', 'backup-news'];

/** Without the link what the location's words bring is not missing, as long as there is a location and it answers. */
export function coveredByWords(peer: Snapshot['peer'], hasLocation: boolean, claims: ClaimsSeen): Snapshot['peer'] {
  if (!hasLocation || claims.state !== 'reachable') return peer;
  return { ...peer, unprotected: peer.unprotected.filter((good) => !goodsOfWords.includes(good)) };
}

function otherSentence(state: CoreState): string {
  switch (state.verdict) {
    case null:
      return 'Not looked at yet.';
    case 'healthy':
      return 'Answers its tests.';
    case 'suspect':
      return 'A round of tests failed; not proven yet.';
    case 'down':
      return `Down: ${state.failedRounds} rounds in a row failed.`;
    case 'isolated':
      return 'Silent, but so is everything else: this may be our own network.';
    case 'conflicting':
      return 'Fails its tests, but says itself that it serves.';
  }
}

function selfSentence(state: CoreState, policy: Policy, config: Config): string {
  const address = targetOf(config).address;
  switch (state.phase) {
    case 'starting':
    case 'watching':
      return `Watches ${address} every ${inWords(policy.intervalMs)}.`;
    case 'suspecting':
    case 'isolated':
    case 'conflicting':
      return `Looks at ${address} closely.`;
    case 'awaiting':
      return 'Asks whether to take over.';
    case 'promoting':
      return 'Is taking over.';
    case 'halted':
      return 'A runbook stopped here; a person decides.';
    case 'active':
    case 'serving':
      return 'Serves the pair.';
    case 'standing-down':
      return 'Is standing down.';
    case 'stood-down':
      return 'Has stood down.';
  }
}

/** A runbook with its journal and what runs of it now. */
export function runbookView(
  record: RunbookRecord,
  steps: readonly Step[],
  runner: Pick<Runner, 'live' | 'facts'>,
): RunbookView {
  const facts = runner.facts();
  return {
    id: record.id,
    kind: record.kind,
    origin: record.origin,
    by: record.by,
    because: record.because,
    epoch: record.epoch,
    // What cannot be journaled stands still, whatever the file says.
    status: facts?.id === record.id ? facts.status : record.status,
    reason: facts?.id === record.id ? facts.reason : record.reason,
    dryRun: record.dryRun,
    cancellable: record.kind !== 'stand-down' && facts?.status === 'running' && !facts.cancelling,
    overrides: record.overrides.map(({ guard, reason }) => ({ guard, reason })),
    startedAt: whole(record.startedAt),
    endedAt: record.endedAt === null ? null : whole(record.endedAt),
    steps: steps.map((step) => stepView(record, step, runner.live)),
  };
}

function stepView(record: RunbookRecord, step: Step, live: Runner['live']): StepView {
  const entry = lastEntry(record, step.id);
  const { id, title, onFail, pointOfNoReturn } = step;
  const running = entry !== null && entry.result === null && live?.step === id && live.attempt === entry.attempt;
  const state = entry === null ? 'waiting' : running ? 'running' : (entry.result?.outcome ?? 'in-doubt');
  return {
    id,
    title,
    state,
    attempt: entry?.attempt ?? 0,
    startedAt: entry === null ? null : whole(entry.intentAt),
    endedAt: entry === null || entry.resultAt === null ? null : whole(entry.resultAt),
    onFail,
    pointOfNoReturn,
    result: entry?.result?.sentence ?? '',
    output: running ? (live?.output ?? '') : (entry?.result?.output ?? ''),
  };
}
