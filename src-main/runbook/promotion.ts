/**
 * The promotion's steps in their first form: guards, claim, fence, before-script, start services, prove them alive, switch
 * DNS, after-script, flip standing. Each says where it can be repeated and what its failure means; the runner does the rest.
 */
import type { StepId } from '../contract/words.ts';
import { inWords } from '../engine/duration.ts';
import {
  type Claims,
  type Clock,
  type Dns,
  type Files,
  type Net,
  type Proc,
  type RunbookRecord,
  type Store,
  standingLostKey,
} from '../engine/ports.ts';
import { type BootPlan, setBoot } from './boot-services.ts';
import { claimStep, outbid } from './claim-step.ts';
import { type DnsSwitch, switchDnsStep } from './dns-step.ts';
import { type FencePlan, fenceStep } from './fence/fence-step.ts';
import type { PbxApi, PeerFence } from './fence/means.ts';
import { type PairAtWork, plannedClaim, plannedSteps } from './planned.ts';
import { type Proof, proveAlive } from './prove-alive.ts';
import { runScript } from './script.ts';
import { type ServiceCommands, spoken } from './services.ts';
import { runAll } from './site-commands.ts';
import { done, failure, type Step, type StepContext, type StepEnd } from './step.ts';

/** What a promotion needs to know of the site; read anew for every runbook. */
export interface PromotionPlan {
  fqdn: string;
  oldAddress: string;
  newAddress: string;
  scriptsFolder: string;
  fence: FencePlan;
  before: ScriptPlan | null;
  after: ScriptPlan | null;
  /** whether a takeover needs a claim that the other node can see */
  claim: 'required' | 'best-effort';
  services: ServiceCommands & {
    timeoutMs: number;
    onFail: Step['onFail'];
    /** none: how the PBX starts with the machine is left alone */
    boot?: BootPlan;
    /** who starts the PBX of the active node after a boot; none: the machine */
    letOn?: 'machine' | 'estepe';
  };
  proof: Proof;
  /** the records that lead to this node from then on */
  dns: readonly DnsSwitch[];
}

export interface ScriptPlan {
  argv: readonly string[];
  timeoutMs: number;
  retries: number;
  onFail: Step['onFail'];
}

/** Asks the guards again, once the verdict is conclusive. */
export type GuardsAsked = (runbook: RunbookRecord, signal: AbortSignal) => Promise<{ ok: boolean; sentence: string }>;

export interface PromotionParts {
  clock: Clock;
  net: Net;
  proc: Proc;
  files: Files;
  dns: Dns;
  store: Store;
  claims: Claims;
  /** this node's name in claims; unique in the pair */
  node: string;
  plan: () => PromotionPlan;
  /** the peer link, where there is one */
  peer?: PeerFence;
  /** what speaks to a PBX's own API, where there is one */
  pbxApi?: PbxApi;
  askGuards: GuardsAsked;
  /** what the other node does for a planned change of roles; none where there is no peer link */
  pair?: PairAtWork;
  askReady: GuardsAsked;
  /** Resolves when no restore changes the PBX's data any more: finished, or taken back; also when `signal` is aborted. */
  settled: (signal: AbortSignal) => Promise<void>;
  /** Resolves when nothing lets the PBX on any more; also when `signal` is aborted. */
  lettingOn?: (signal: AbortSignal) => Promise<void>;
}

/** How long a resumed promotion may look for proof before a person is asked. */
const guardsTimeoutMs = 10 * 60_000;

export const promotionStepIds: readonly StepId[] = [
  'guards',
  'claim',
  'fence',
  'before-script',
  'start-services',
  'prove-alive',
  'switch-dns',
  'after-script',
  'flip-standing',
];

/** The steps of a runbook, those its record names, in order. */
export function promotionSteps(parts: PromotionParts): (record: Pick<RunbookRecord, 'steps'>) => Step[] {
  return (record) => {
    const plan = parts.plan();
    const all: Record<StepId, () => Step> = {
      guards: () => guardsStep(parts),
      claim: () => (record.steps.includes('stand-down-other') ? plannedClaim(claimStep(parts)) : claimStep(parts)),
      ...plannedSteps(parts, plan.fence.silence),
      fence: () => fenceStep(parts, plan, plan.fence),
      'before-script': () => scriptStep(parts, plan, 'before-script', 'Run the before-script', plan.before),
      'start-services': () => startStep(parts, plan),
      'prove-alive': () => proveStep(parts, plan),
      'switch-dns': () =>
        switchDnsStep(parts.dns, plan.dns, async (c) => (c.epoch === null ? null : outbid(parts.claims, c.epoch))),
      'after-script': () => scriptStep(parts, plan, 'after-script', 'Run the after-script', plan.after),
      'flip-standing': () => (record.steps.includes('claim') ? flipStep(parts) : flipBackStep(parts)),
      'stop-services': () => stopStep(parts, plan),
    };
    return record.steps.map((id) => all[id]());
  };
}

const plain = { detail: '', retries: 0, onFail: 'halt', pointOfNoReturn: false, repeatOnResume: false } as const;
const commandWords = (commands: readonly (readonly string[])[]): string => commands.map(spoken).join('; ');
const none = 'none is configured';

function guardsStep(parts: PromotionParts): Step {
  return {
    ...plain,
    id: 'guards',
    title: 'Ask the guards',
    timeoutMs: guardsTimeoutMs,
    repeatOnResume: true,
    run: async (c) => {
      // First: what stands restored here is one of the things that they judge.
      await parts.settled(c.signal);
      const { ok, sentence } = await parts.askGuards(c.runbook, c.signal);
      return ok ? done(sentence) : { ...failure(sentence), takeBack: true };
    },
  };
}

function scriptStep(
  p: PromotionParts,
  plan: PromotionPlan,
  id: StepId,
  title: string,
  script: ScriptPlan | null,
): Step {
  const run = async (c: StepContext): Promise<StepEnd> => {
    if (!script) return { outcome: 'skipped', sentence: none, output: '' };
    const end = await runScript(
      { proc: p.proc, files: p.files, scriptsFolder: plan.scriptsFolder, onOutput: c.onOutput },
      { run: script.argv, timeoutMs: script.timeoutMs, retries: script.retries },
      {
        epoch: c.epoch ?? 0,
        step: id,
        attempt: c.attempt,
        reason: c.runbook.because,
        dryRun: c.dryRun,
        fqdn: plan.fqdn,
        oldAddress: plan.oldAddress,
        newAddress: plan.newAddress,
        runToken: c.runToken,
      },
      c.signal,
    );
    if (end.verdict === 'done') return done(end.sentence, end.output);
    return { ...failure(end.sentence, end.output), again: end.verdict === 'again' };
  };
  // The script's own time-out ends it; the step's is a net below it.
  const timeoutMs = (script?.timeoutMs ?? 0) + 30_000;
  const detail = script ? `${script.argv.join(' ')} (at most ${inWords(script.timeoutMs)})` : none;
  const { retries, onFail } = script ?? { retries: 0, onFail: 'continue' };
  const remains = script ? `${script.argv[0]} had been run, and what it did was not taken back` : '';
  return { ...plain, id, title, detail, timeoutMs, retries, onFail, remains, run };
}

/** The site's command lines with what they are told of the takeover. */
const allOf = (p: PromotionParts, plan: PromotionPlan, commands: readonly (readonly string[])[], c: StepContext) =>
  runAll(p.proc, commands, {
    cwd: plan.scriptsFolder,
    env: { ESTEPE_EPOCH: String(c.epoch ?? 0), ESTEPE_FQDN: plan.fqdn, ESTEPE_NEW_ADDRESS: plan.newAddress },
    timeoutMs: plan.services.timeoutMs,
    runToken: c.runToken,
    signal: c.signal,
    onOutput: c.onOutput,
  });

/** Asked after twice, and set in between: a service each is what one command may take. */
const bootMs = ({ services: { boot, timeoutMs } }: PromotionPlan): number =>
  boot ? timeoutMs * (3 * boot.names.length + Math.max(boot.on.length, boot.off.length)) : 0;

function startStep(p: PromotionParts, plan: PromotionPlan): Step {
  const { start, query, onFail, timeoutMs } = plan.services;
  return {
    ...plain,
    id: 'start-services',
    title: 'Start the services',
    detail: commandWords(start) || none,
    timeoutMs: timeoutMs * (start.length + query.length) + bootMs(plan) + 30_000,
    onFail,
    pointOfNoReturn: true,
    keepsLeftovers: true,
    stillHolds: (signal) => answersHere(p, plan, signal),
    run: async (c) => {
      // From here on the cool-down counts.
      p.store.remember('lastPromotion', p.clock.wall());
      if (start.length === 0) return { outcome: 'skipped', sentence: 'no services are configured', output: '' };
      // A start whose result was lost is asked after, not blindly repeated. A PBX that runs is left alone: it may have calls.
      if (c.attempt > 1 && query.length > 0) {
        const now = await allOf(p, plan, query, c);
        if (now.why === null) return withBoot(p, plan, 'on', c, done('they run already', now.output));
      }
      await c.endLeftovers();
      // The before-script took its time: a higher epoch may have been claimed meanwhile.
      const outdone = c.epoch === null ? null : await outbid(p.claims, c.epoch);
      if (outdone) return outdone;
      const { why, output } = await allOf(p, plan, start, c);
      if (why !== null) return failure(why, output);
      const started = `${start.length} start command${start.length === 1 ? '' : 's'} done`;
      return withBoot(p, plan, 'on', c, done(started, output));
    },
  };
}

/**
 * Any sign of life counts: a PBX that runs is left alone. Seen from outside, without a command: an effect has its intent in the journal,
 * and this looks at a step that is done.
 */
async function answersHere({ net }: PromotionParts, { proof }: PromotionPlan, signal: AbortSignal): Promise<boolean> {
  const beats = await Promise.all(proof.tests.map((test) => net.probe(test, proof.target, signal)));
  return beats.some(({ outcome }) => outcome === 'alive' || outcome === 'degraded');
}

function stopStep(p: PromotionParts, plan: PromotionPlan): Step {
  const { stop, timeoutMs } = plan.services;
  return {
    ...plain,
    id: 'stop-services',
    title: 'Stop the services',
    detail: commandWords(stop) || none,
    timeoutMs: timeoutMs * Math.max(1, stop.length) + bootMs(plan) + 30_000,
    run: async (c) => {
      // What is just being let on after a boot must not come up behind the stop.
      await p.lettingOn?.(c.signal);
      if (stop.length === 0) return stoppedByHand(p, plan, c);
      const { why, output } = await allOf(p, plan, stop, c);
      return why === null ? withBoot(p, plan, 'off', c, done('stopped', output)) : failure(why, output);
    },
  };
}

/** The PBX runs or is stopped as it should: that it is so after a reboot too is set now, and told where it could not be. */
async function withBoot(
  p: PromotionParts,
  { services, scriptsFolder: cwd }: PromotionPlan,
  wanted: 'on' | 'off',
  { runToken, signal }: StepContext,
  end: StepEnd,
): Promise<StepEnd> {
  const { boot, letOn, timeoutMs } = services;
  if (!boot) return end;
  // Where Estepe lets the PBX on, the machine never does.
  const byMachine = letOn === 'estepe' ? 'off' : wanted;
  const { sentence, faults, output } = await setBoot(p, boot, byMachine, { cwd, timeoutMs, runToken, signal });
  const risk =
    byMachine === 'off'
      ? 'After a reboot the PBX may start here beside the active one'
      : 'After a reboot the PBX may not start here';
  return {
    ...end,
    sentence: [end.sentence, ...(sentence ? [sentence] : []), ...faults].join('; '),
    output: end.output + output,
    ...(faults.length > 0 ? { alert: `${risk}: ${faults.join('; ')}. Set it by hand.` } : {}),
  };
}

/** Without commands a person stops the PBX; that it is stopped is seen by its silence, not taken on trust. */
async function stoppedByHand({ net }: PromotionParts, { proof }: PromotionPlan, c: StepContext): Promise<StepEnd> {
  const beats = await Promise.all(proof.tests.map((test) => net.probe(test, proof.target, c.signal)));
  const answering = beats
    .filter(({ outcome }) => outcome === 'alive' || outcome === 'degraded')
    .map((beat) => `${beat.test}: ${beat.evidence}`);
  if (answering.length === 0) return done('no stop commands are configured (services.stop), and nothing answers here');
  return failure(
    `no stop commands are configured (services.stop), and the PBX here is not silent (${answering.join('; ')}): stop it by hand, then try again`,
  );
}

function proveStep(p: PromotionParts, plan: PromotionPlan): Step {
  const slowest = Math.max(0, ...plan.proof.tests.map((t) => t.timeoutMs));
  return {
    ...plain,
    id: 'prove-alive',
    proves: 'start-services',
    title: 'Prove that the PBX answers here',
    detail: `${plan.proof.tests.map((test) => test.id).join(', ')} on ${plan.proof.target.address}`,
    timeoutMs: plan.proof.withinMs + 2 * slowest + plan.proof.pauseMs + 5_000,
    // One silent test (a certificate, a tunnel nobody uses) must not keep a PBX that takes calls from going live.
    onFail: 'ask',
    run: (c) => proveAlive(p, plan.proof, c.signal),
  };
}

/** A standing that is set is known, whatever was lost before. */
function foundAgain(store: Store): void {
  if (store.recall(standingLostKey) != null) store.remember(standingLostKey, null);
}

function flipStep({ claims, store, clock }: PromotionParts): Step {
  return {
    ...plain,
    id: 'flip-standing',
    title: 'Become the active node',
    timeoutMs: 30_000,
    run: async (c) => {
      if (c.epoch === null) return failure('no epoch was claimed');
      const outdone = await outbid(claims, c.epoch);
      if (outdone) return outdone;
      store.saveStanding({ role: 'active', epoch: c.epoch, since: clock.wall() });
      foundAgain(store);
      return done(`active under epoch ${c.epoch}`);
    },
  };
}

/** The end of standing down: a restart must not find this node active again. */
function flipBackStep({ store, clock }: PromotionParts): Step {
  return {
    ...plain,
    id: 'flip-standing',
    title: 'Become the passive node',
    timeoutMs: 30_000,
    run: async (c) => {
      const epoch = Math.max(c.epoch ?? 0, store.standing()?.epoch ?? 0);
      store.saveStanding({ role: 'passive', epoch, since: clock.wall() });
      foundAgain(store);
      return done(`passive, under epoch ${epoch} of the other node`);
    },
  };
}
