/**
 * The step `fence`: makes sure that the old active cannot answer. Gentle means first: it is asked to stand down, its PBX's API stops
 * the services, the site's own script cuts it off; a means that says it is done is believed once the node is silent, else the next
 * one follows. Comes before the point of no return: nothing runs here yet.
 */
import { inWords } from '../../engine/duration.ts';
import type { Clock, Files, Net, Proc, RunbookRecord, StandDownAnswer } from '../../engine/ports.ts';
import { pause } from '../pause.ts';
import { runScript } from '../script.ts';
import { done, failure, type Step, type StepContext, type StepEnd } from '../step.ts';
import type { PbxApi, PbxApiPlan, PeerFence } from './means.ts';
import { proveSilent, type Silence, type SilencePlan } from './silence.ts';

export interface FencePlan {
  /** `required`: no promotion without proof. `best-effort`: what could not be proven is told, and the promotion goes on. */
  need: 'required' | 'best-effort';
  api: PbxApiPlan | null;
  script: { argv: readonly string[]; timeoutMs: number; retries: number } | null;
  silence: SilencePlan;
}

export interface FenceParts {
  clock: Clock;
  net: Net;
  proc: Proc;
  files: Files;
  /** none: there is no peer link */
  peer?: PeerFence;
  /** none: nothing here can speak to a PBX's API */
  pbxApi?: PbxApi;
}

/** The site, as its scripts are told of it. */
export interface FenceSite {
  fqdn: string;
  oldAddress: string;
  newAddress: string;
  scriptsFolder: string;
}

/** What one means came to. */
interface Tried {
  by: 'peer' | 'api' | 'script';
  /** it says itself that the old active is stopped */
  confirmed: boolean;
  /** it may have changed something there, so it has to be told when the promotion is taken back */
  sentence: string;
  output: string;
  /** it knows an epoch that is not lower than ours: our claim is worth nothing */
  outbid?: boolean;
}

type Means = (c: StepContext) => Promise<Tried>;

/** A net below the link's own bound of two minutes: the other node stops its services one by one. */
const peerMs = 130_000;
const scriptPauseMs = 2_000;

export function fenceStep(parts: FenceParts, site: FenceSite, plan: FencePlan): Step {
  const means = meansOf(parts, site, plan);
  const names = means.map(({ name }) => name);
  const slowest = Math.max(0, ...plan.silence.tests.map((test) => test.timeoutMs));
  const proofMs = plan.silence.withinMs + (plan.silence.rounds + 1) * (slowest + plan.silence.pauseMs);
  return {
    id: 'fence',
    title: 'Fence the old active',
    detail: `${[...names, 'silence'].join(', then ')} (${plan.need})`,
    timeoutMs: means.reduce((ms, one) => ms + one.timeoutMs + proofMs, proofMs) + 30_000,
    // The script repeats itself; the whole is not begun anew.
    retries: 0,
    // Whoever pulled the plug knows more than any test: the step may be left out, by a person who says why.
    onFail: 'ask',
    pointOfNoReturn: false,
    repeatOnResume: false,
    ...(names.length > 0
      ? { remains: `the old active was fenced (${names.join(', ')}), which was not taken back` }
      : {}),
    run: (c) => (c.dryRun ? rehearse(means, c) : fence(parts, plan, means, c)),
  };
}

async function rehearse(means: readonly { run: Means }[], c: StepContext): Promise<StepEnd> {
  const tried: Tried[] = [];
  for (const { run } of means) tried.push(await run(c));
  const output = tried.map((one) => one.output).join('');
  const told = tried.map(({ sentence }) => sentence).join('; ') || 'nothing is configured to be tried';
  return tried.every(({ confirmed }) => confirmed)
    ? done(`dry run: ${told}`, output)
    : failure(`dry run: ${told}`, output);
}

async function fence(
  parts: FenceParts,
  plan: FencePlan,
  means: readonly { run: Means }[],
  c: StepContext,
): Promise<StepEnd> {
  const tried: Tried[] = [];
  let silence: Silence | null = null;
  for (const { run } of means) {
    if (c.signal.aborted) break;
    const one = await run(c);
    tried.push(one);
    c.onOutput(`${one.sentence}\n`);
    // Whoever is right about its epoch must not be stopped by force.
    if (one.outbid) return outbid(one.sentence);
    silence = one.confirmed ? await proveSilent(parts, plan.silence, c.signal) : null;
    if (silence?.how === 'silent') break;
  }
  silence ??= await proveSilent(parts, plan.silence, c.signal);
  return judged(plan, tried, silence, c.runbook);
}

/** Two nodes active under one epoch would both go on for ever: its claim is given back, and a new one is made above what is known now. */
const outbid = (told: string): StepEnd => ({
  ...failure(`${told} The claim made here is worth nothing beside that; ordered again, a higher epoch is claimed`),
  takeBack: true,
});

/** What it comes to. Silence that nobody caused may end: it is proof only where no script was there to make it last. */
export function judged(
  plan: Pick<FencePlan, 'need' | 'script'>,
  tried: readonly Tried[],
  silence: Silence,
  runbook: Pick<RunbookRecord, 'origin' | 'overrides' | 'goneOn'>,
): StepEnd {
  const output = tried.map((one) => one.output).join('');
  const told = [...tried.map((one) => one.sentence), silence.sentence].join('; ');
  const required = plan.need === 'required';
  if (silence.how === 'cancelled') return failure(told, output);
  if (silence.how === 'silent') {
    if (tried.some(({ confirmed }) => confirmed) || plan.script === null) return done(told, output);
    const risk = 'nothing has made sure that it stays silent: it may come back and serve beside this node';
    if (required) return failure(`${told}; ${risk} (fence: required)`, output);
    return { ...done(`${told}; ${risk}`, output), alert: alertOf(told, risk) };
  }
  // A node that serves is no matter of proof: two would. Only a person who said so before goes on beside it. What began by itself is
  // taken back, so that its claim is given back too: left standing, it would make the node that serves stand down for nobody.
  if (silence.how === 'serves' && !overrodeProof(runbook))
    return runbook.origin === 'person' ? failure(told, output) : { ...failure(told, output), takeBack: true };
  if (required) return failure(`${told} (fence: required)`, output);
  const risk = 'both nodes may answer now, and phones, trunks and data would be split between them';
  return { ...done(`${told}; ${risk}`, output), alert: alertOf(told, risk) };
}

const alertOf = (told: string, risk: string): string =>
  `The old active is not fenced, and the takeover goes on (fence: best-effort): ${risk}. Switch the old one off. What was seen: ${told}.`;

const overrodeProof = ({ overrides, goneOn = [] }: Pick<RunbookRecord, 'overrides' | 'goneOn'>): boolean =>
  [...overrides, ...goneOn].some(({ guard }) => guard === 'proven-down');

function meansOf(
  parts: FenceParts,
  site: FenceSite,
  { api, script }: FencePlan,
): { name: string; timeoutMs: number; run: Means }[] {
  const { peer, pbxApi } = parts;
  return [
    ...(peer?.isPaired()
      ? [{ name: 'stand-down over the peer link', timeoutMs: peerMs, run: byPeer(parts, peer) }]
      : []),
    ...(api && pbxApi ? [{ name: "the PBX's API", timeoutMs: api.timeoutMs, run: byApi(pbxApi, api) }] : []),
    ...(script
      ? [
          {
            name: script.argv[0] ?? 'script',
            timeoutMs: (script.retries + 1) * (script.timeoutMs + scriptPauseMs + 15_000),
            run: byScript(parts, site, script),
          },
        ]
      : []),
  ];
}

function byPeer({ clock }: FenceParts, peer: PeerFence): Means {
  return async (c) => {
    if (c.dryRun) return { by: 'peer', confirmed: true, sentence: 'the peer link would be asked first', output: '' };
    const limit = new AbortController();
    const stop = clock.after(peerMs, () => limit.abort());
    const late = new Promise<StandDownAnswer>((go) => {
      const sentence = `the peer link did not answer within ${inWords(peerMs)}`;
      limit.signal.addEventListener('abort', () => go({ outcome: 'unreachable', sentence }), { once: true });
    });
    const end = () => limit.abort();
    c.signal.addEventListener('abort', end, { once: true });
    if (c.signal.aborted) end();
    try {
      const asked = peer.askStandDown(c.epoch ?? 0, c.runbook.because, limit.signal);
      const { outcome, sentence, outbid = false } = await Promise.race([asked, late]);
      const told = outcome === 'stood-down' ? `asked over the peer link it stood down (${sentence})` : sentence;
      return { by: 'peer', confirmed: outcome === 'stood-down', sentence: told, output: '', outbid };
    } finally {
      stop();
      c.signal.removeEventListener('abort', end);
    }
  };
}

function byApi(pbxApi: PbxApi, plan: PbxApiPlan): Means {
  return async ({ dryRun, signal }) => {
    const { outcome, sentence } = await pbxApi.stop(plan, { dryRun, signal });
    return { by: 'api', confirmed: outcome === 'stopped' || outcome === 'checked', sentence, output: '' };
  };
}

/** All attempts of the script: its exit 1 asks for another one. */
function byScript(parts: FenceParts, site: FenceSite, script: NonNullable<FencePlan['script']>): Means {
  return async (c) => {
    let output = '';
    for (let attempt = 1; ; attempt += 1) {
      const end = await runScript(
        { proc: parts.proc, files: parts.files, scriptsFolder: site.scriptsFolder, onOutput: c.onOutput },
        { run: script.argv, timeoutMs: script.timeoutMs, retries: script.retries },
        {
          epoch: c.epoch ?? 0,
          step: 'fence',
          attempt,
          reason: c.runbook.because,
          dryRun: c.dryRun,
          fqdn: site.fqdn,
          oldAddress: site.oldAddress,
          newAddress: site.newAddress,
          runToken: c.runToken,
        },
        c.signal,
      );
      output += end.output;
      const over = end.verdict !== 'again' || c.signal.aborted;
      if (over) return { by: 'script', confirmed: end.verdict === 'done', sentence: end.sentence, output };
      await pause(parts.clock, scriptPauseMs, c.signal);
    }
  };
}
