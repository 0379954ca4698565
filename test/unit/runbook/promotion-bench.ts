/** The promotion's steps over a real journal and simulated time, with programs and a pair that do as they are told. */
import type { Origin, RunbookKind, StepId } from '../../../src-main/contract/words.ts';
import type { Beat, Claims, Net } from '../../../src-main/engine/ports.ts';
import type { History } from '../../../src-main/history/history.ts';
import type { PbxApi, PeerFence } from '../../../src-main/runbook/fence/means.ts';
import type { PairAtWork } from '../../../src-main/runbook/planned.ts';
import {
  type GuardsAsked,
  type PromotionPlan,
  promotionStepIds,
  promotionSteps,
} from '../../../src-main/runbook/promotion.ts';
import { Runner } from '../../../src-main/runbook/runner.ts';
import { Clockwork } from '../clockwork.ts';
import { newHistory } from '../history/workbench.ts';
import { countedTokens, StagedDns, StagedProc } from './workbench.ts';

export const plan: PromotionPlan = {
  fqdn: 'pbx.example.com',
  oldAddress: '192.0.2.1',
  newAddress: '192.0.2.2',
  claim: 'required',
  scriptsFolder: '/scripts',
  fence: {
    need: 'best-effort',
    api: null,
    script: null,
    silence: {
      target: { address: '192.0.2.1', fqdn: 'pbx.example.com' },
      tests: [{ id: 'sip', kind: 'sip', transport: 'udp', port: 5060, timeoutMs: 4_000 }],
      failWhen: 'all',
      withinMs: 30_000,
      pauseMs: 1_000,
      rounds: 2,
    },
  },
  before: { argv: ['before.sh', '--now'], timeoutMs: 60_000, retries: 2, onFail: 'halt' },
  after: { argv: ['after.sh'], timeoutMs: 60_000, retries: 0, onFail: 'continue' },
  services: {
    start: [
      ['start', 'a'],
      ['start', 'b'],
    ],
    query: [['query']],
    stop: [['stop']],
    timeoutMs: 60_000,
    onFail: 'halt',
  },
  proof: {
    target: { address: '192.0.2.2', fqdn: 'pbx.example.com' },
    tests: [{ id: 'sip', kind: 'sip', transport: 'udp', port: 5060, timeoutMs: 4_000 }],
    withinMs: 60_000,
    pauseMs: 1_000,
  },
  dns: [],
};

/** The claims of the pair in the local history, and what somebody else claimed. */
export class LocalClaims implements Claims {
  readonly asked: { epoch: number; owner: string }[] = [];
  readonly elsewhere = new Map<number, string>();
  readonly #history: History;
  hang = false;
  /** why the location cannot be asked */
  unreachable = '';

  constructor(history: History) {
    this.#history = history;
  }

  async claim(epoch: number, owner: string, how: { alone: boolean }) {
    this.asked.push({ epoch, owner });
    const other = this.elsewhere.get(epoch);
    const answer = other === undefined ? this.#history.claimEpoch(epoch, owner, 0) : { won: false, owner: other };
    if (this.hang) return new Promise<never>(() => {});
    if (!this.unreachable) return { ...answer, unshared: null };
    return how.alone
      ? { ...answer, unshared: this.unreachable }
      : { won: false, owner: '', unshared: this.unreachable };
  }

  highest(): Promise<number> {
    return Promise.resolve(Math.max(this.#history.highestEpoch(), ...this.elsewhere.keys()));
  }

  foreign(): Promise<number> {
    return Promise.resolve(Math.max(0, ...this.elsewhere.keys()));
  }
}

export function bench(change: Partial<PromotionPlan> = {}, beside: { pair?: PairAtWork; askReady?: GuardsAsked } = {}) {
  const work = new Clockwork();
  const history = newHistory();
  const proc = new StagedProc(work);
  const dns = new StagedDns();
  const claims = new LocalClaims(history);
  const guards = { asked: 0, ok: true };
  const answers = {
    here: true,
    unsure: false,
    /** what the old active's tests find */
    old: { outcome: 'dead', evidence: 'no answer' } as Omit<Beat, 'test' | 'ms'>,
    byTest: {} as Record<string, Omit<Beat, 'test' | 'ms'>>,
  };
  const told: { key: string; text: string }[] = [];
  /** the other node's word on standing down, and the API of its PBX; none unless a test gives one */
  const fencing: { peer?: PeerFence; pbxApi?: PbxApi } = {};
  const vetted: string[] = [];
  const net: Net = {
    probe: ({ id }, { address }): Promise<Beat> =>
      Promise.resolve(
        address === plan.oldAddress
          ? { test: id, ms: 3, ...(answers.byTest[id] ?? answers.old) }
          : {
              test: id,
              outcome: answers.unsure ? 'unknown' : answers.here ? 'alive' : 'dead',
              ms: 3,
              evidence: answers.here ? '200 OK' : 'silent',
            },
      ),
    reference: ({ id }) => Promise.resolve({ id, answered: true, ms: 1, evidence: '' }),
  };
  const random = countedTokens();
  const live = (): Runner =>
    new Runner({
      whyNotDown: async () => null,
      clock: work.clock,
      store: history,
      random,
      proc,
      onChange: () => {},
      tell: ({ key, text }) => void told.push({ key, text }),
      stepsFor: promotionSteps({
        clock: work.clock,
        net,
        proc,
        dns,
        claims,
        ...fencing,
        store: history,
        files: {
          vetScript: (path) => {
            vetted.push(path);
            return Promise.resolve(null);
          },
        },
        node: 'head-office@192.0.2.2',
        plan: () => ({ ...plan, ...change }),
        settled: async () => {},
        ...(beside.pair ? { pair: beside.pair } : {}),
        askReady: beside.askReady ?? (() => Promise.resolve({ ok: true, sentence: 'ready' })),
        askGuards: () => {
          guards.asked += 1;
          return Promise.resolve({ ok: guards.ok, sentence: guards.ok ? 'they hold' : 'references: 0 of 2 answered' });
        },
      }),
    });
  const here = { work, history, proc, dns, claims, guards, answers, fencing, told, vetted, live, runner: live() };
  return {
    ...here,
    begin: (
      steps: readonly StepId[] = promotionStepIds,
      kind: RunbookKind = 'promotion',
      epoch: number | null = null,
      origin: Origin = 'automatic',
    ) =>
      here.runner.begin({
        kind,
        origin,
        by: 'Estepe',
        because: 'it is dead & gone',
        overrides: [],
        epoch,
        dryRun: false,
        steps,
      }),
    end: (runner = here.runner) => work.until('an end', () => runner.facts()?.status !== 'running'),
    /** kill -9, and the next start. */
    async reborn(): Promise<Runner> {
      work.die();
      const next = live();
      next.recover();
      await work.settle();
      return next;
    },
    said: (step: StepId) => history.lastRunbook()?.entries.findLast((e) => e.step === step)?.result?.sentence,
    status: () => `${history.lastRunbook()?.status}: ${history.lastRunbook()?.reason}`,
  };
}
