/** The whole engine on a real history and simulated time: the other node, the references and the programs do as they are told. */
import type { Outcome } from '../../../src-main/contract/words.ts';
import type { DataState, Policy, Word } from '../../../src-main/engine/observation.ts';
import type { Beat, ClaimsSeen, Net, ReferenceSpec, TestSpec } from '../../../src-main/engine/ports.ts';
import { Engine, type Site } from '../../../src-main/station/engine.ts';
import { Clockwork } from '../clockwork.ts';
import { policy as usual } from '../engine/moments.ts';
import { newHistory } from '../history/workbench.ts';
import { plan } from './promotion-bench.ts';
import { countedTokens, StagedDns, StagedProc } from './workbench.ts';

const tests: TestSpec[] = [
  { id: 'sip', kind: 'sip', transport: 'udp', port: 5060, timeoutMs: 4_000 },
  { id: 'web', kind: 'web', port: 5001, path: '/', marker: null, warnDays: 14, timeoutMs: 4_000 },
];
const references: ReferenceSpec[] = [{ id: 'gateway', kind: 'gateway', timeoutMs: 2_000 }];

export function engineBench(policy: Partial<Policy> = {}, change: Partial<Site> = {}) {
  const work = new Clockwork();
  const history = newHistory();
  const proc = new StagedProc(work);
  /** what the world is like now */
  const world = {
    active: 'alive' as Outcome,
    here: 'alive' as Outcome,
    references: true,
    word: null as Word | null,
    claims: { state: 'alone', evidence: 'no keeper', foreign: 0 } as ClaimsSeen,
    data: { state: 'not-kept' } as DataState,
  };
  const asked: number[] = [];
  const told: string[] = [];
  const random = countedTokens();
  const net: Net = {
    probe({ id, timeoutMs }, { address }): Promise<Beat> {
      const there = address === plan.oldAddress;
      const outcome = there ? world.active : world.here;
      if (there && id === 'sip') asked.push(work.time.now);
      const ms = outcome === 'dead' ? timeoutMs : 20;
      const evidence = outcome === 'dead' ? 'no answer within 4 s' : outcome;
      return new Promise((go) => {
        work.clock.after(ms, () => go({ test: id, outcome, ms, evidence }));
      });
    },
    reference: ({ id }) => Promise.resolve({ id, answered: world.references, ms: 1, evidence: '' }),
  };
  const site: Site = {
    node: 'head-office@192.0.2.2',
    role: 'passive',
    policy: { ...usual, references: 1, maxOffsetMs: null, ...policy },
    watched: { target: { address: plan.oldAddress, fqdn: plan.fqdn }, tests, references },
    plan: { ...plan, proof: { ...plan.proof, tests } },
    ...change,
  };
  const claims = {
    claim: async (epoch: number, owner: string) => ({
      ...history.claimEpoch(epoch, owner, work.time.wall()),
      unshared: null,
    }),
    foreign: async () => world.claims.foreign,
    highest: () => Promise.resolve(history.highestEpoch()),
  };
  const live = (): Engine =>
    new Engine(
      {
        clock: work.clock,
        net,
        proc,
        dns: new StagedDns(),
        random,
        claims,
        store: history,
        files: { vetScript: () => Promise.resolve(null) },
      },
      site,
      { word: () => world.word, claims: () => world.claims, data: () => world.data, settled: async () => {} },
      { onChange: () => {}, onRound: () => {}, tell: ({ key }) => void told.push(key) },
    );
  const here = { work, history, proc, world, asked, told, site, live, engine: live() };
  const phase = (engine = here.engine): string => engine.interpreter.state.phase;
  return {
    ...here,
    phase,
    untilPhase: (wanted: string, engine = here.engine, atMostMs?: number) =>
      work.until(`phase ${wanted}, not ${phase(engine)}`, () => phase(engine) === wanted, atMostMs),
    /** Starts, and sees the active well. */
    async well(): Promise<void> {
      here.engine.start();
      await work.until('watching', () => phase() === 'watching');
    },
    /** kill -9, and the next start. */
    reborn(): Engine {
      work.die();
      const next = live();
      next.start();
      return next;
    },
    promote: (
      more: { overrides?: { guard: 'proven-down' | 'references'; reason: string }[]; skipStep?: boolean } = {},
    ) =>
      here.engine.order({
        by: 'console',
        reason: 'I am here',
        kind: 'promote',
        overrides: [],
        skipStep: false,
        ...more,
      }),
    cancel: () => here.engine.order({ by: 'console', reason: 'not now', kind: 'cancel' }),
    /** the rules of the decisions in history, oldest first */
    decided: (): string[] =>
      history
        .events({ limit: 200 })
        .filter((e) => e.kind === 'decision')
        .map((e) => e.rule)
        .reverse(),
    events: (rule: string) => history.events({ limit: 200 }).filter((e) => e.rule === rule),
  };
}
