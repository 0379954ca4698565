/** What history must show: the rule and the reason, each alert once, nothing missing. */
import { expect } from 'vitest';
import type { EventView, Snapshot } from '../../../src-main/contract/snapshot.ts';
import type { GuardName } from '../../../src-main/contract/words.ts';
import { RealNet } from '../../../src-main/heartbeat/real-net.ts';
import { processRow } from '../../../src-main/runbook/process-table.ts';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';
import type { EngineUnderTest } from './engine-process.ts';
import { fqdn } from './site.ts';

/** Decisions by this rule, oldest first. */
export const decisions = (events: readonly EventView[], rule: string): EventView[] =>
  events.filter((event) => event.kind === 'decision' && event.rule === rule);

/** What people were told: keys in order. */
export const told = (events: readonly EventView[]): string[] =>
  events.filter(({ kind }) => kind === 'alert').map(({ rule }) => rule);

/** Ids leave no hole: no event was lost. */
export function expectNothingLost(events: readonly EventView[]): void {
  expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1));
}

/** The process whose number a script wrote down does not run any more. */
export function expectGone(pid: string | undefined): void {
  expect(pid).toMatch(/^\d+$/);
  const row = processRow(Number(pid));
  expect(row === null || row.zombie).toBe(true);
}

/** SIP OPTIONS from the test itself: whether the PBX there is really alive. */
export async function answersSip(address: string, port: number): Promise<boolean> {
  const net = new RealNet({ proc: new RealProc(), scripts: '/nonexistent', dataFolder: '/nonexistent' });
  const beat = await net.probe(
    { id: 'sip', kind: 'sip', transport: 'udp', port, timeoutMs: 3000 },
    { address, fqdn },
    new AbortController().signal,
  );
  return beat.outcome === 'alive';
}

export interface Takeover {
  /** the rule that decided it */
  rule: string;
  /** its sentence */
  reason: RegExp;
  /** keys of all alerts, in order */
  told: readonly string[];
  origin?: 'automatic' | 'silence' | 'person';
  overrides?: readonly GuardName[];
}

/** The takeover is over and complete, explained by that rule, told once each; returns the whole history. */
export async function expectTakenOver(engine: EngineUnderTest, takeover: Takeover): Promise<EventView[]> {
  const snapshot: Snapshot = await engine.phase('active');
  const { runbook } = snapshot;
  expect(runbook).toMatchObject({ id: 1, kind: 'promotion', status: 'done', epoch: 1 });
  expect(runbook?.origin).toBe(takeover.origin ?? 'automatic');
  expect(runbook?.steps.map(({ state }) => state).filter((s) => s !== 'done' && s !== 'skipped')).toEqual([]);
  expect(runbook?.overrides.map(({ guard }) => guard)).toEqual(takeover.overrides ?? []);
  expect(snapshot.nodes.find(({ self }) => self)).toMatchObject({ role: 'active', epoch: 1 });

  const events = await engine.events();
  expectNothingLost(events);
  const [decided, ...more] = decisions(events, takeover.rule);
  expect(more).toEqual([]);
  expect(decided).toMatchObject({ phase: 'promoting', evidence: { to: 'promoting' } });
  expect(decided?.reason).toMatch(takeover.reason);
  expect(told(events)).toEqual(takeover.told);
  return events;
}
