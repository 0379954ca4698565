/**
 * One drill from end to end: the restore into the sandbox first, then everything a promotion needs, side by side. Changes nothing
 * outside the sandbox. Must not know when a drill is due, nor what becomes of its report.
 */
import type { DataFolder } from '../../config/data-folder.ts';
import type { OrderAnswer } from '../../contract/contract.ts';
import { countsOf } from '../../contract/doctor.ts';
import { type DrillArea, type DrillReport, type DrillRow, hasPassed } from '../../contract/drill.ts';
import { sentenceOf } from '../../contract/errors.ts';
import type { GuardView } from '../../contract/snapshot.ts';
import type { ClaimsSeen } from '../../engine/ports.ts';
import type { PbxApi } from '../../runbook/fence/means.ts';
import { check } from '../doctor/check.ts';
import { withOwnId } from '../doctor/doctor.ts';
import { examine, type Look } from '../doctor/examine.ts';
import { looksOf } from '../doctor/looks.ts';
import { scriptsOf } from '../doctor/machine-looks.ts';
import type { DoctorParts } from '../doctor/shared.ts';
import { scriptRows, startRows } from './command-looks.ts';
import { judgeClaim, judgeFence, judgeGuards, judgePlan, judgeProof } from './promotion-rows.ts';
import { restoreRows } from './restore-rows.ts';

/** What the engine says of a promotion now, nothing begun. */
export interface PromotionSight {
  answer: OrderAnswer;
  plan: readonly string[];
  guards: readonly GuardView[];
  claims: ClaimsSeen;
}

export interface RehearseParts extends DoctorParts {
  folder: DataFolder;
  /** null: nothing here speaks to a PBX's API */
  pbxApi: PbxApi | null;
  promotion(): PromotionSight;
}

export interface Rehearsing {
  by: string;
  /** absolute path of a folder that is not there yet; the caller removes it */
  sandbox: string;
  signal: AbortSignal;
  clean: (text: string) => string;
  onProgress: (progress: { done: number; total: number; waitsFor: DrillArea[] }) => void;
  onBytes: (bytes: number, total: number | null) => void;
}

/** A location that gives a byte now and then must not keep a drill for ever. */
const restoreMs = 12 * 3600_000;
const promotionMs = 30_000;
const scriptsMs = 60_000;

/** Rejects only when it was cancelled. */
export async function rehearse(parts: RehearseParts, how: Rehearsing): Promise<DrillReport> {
  const { clock } = parts;
  const { signal, clean, by, onProgress } = how;
  const startedAt = Math.round(clock.wall());
  const role = parts.role();
  // what is shared between looks ends with the last of them
  const ended = new AbortController();
  const onAbort = (): void => ended.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) ended.abort();
  try {
    const asked: Look<DrillArea>[] = looksOf(parts, ended.signal).filter(({ promotion }) => promotion === true);
    const looks = [...promotionLooks(parts), ...asked];
    const left = new Set(looks);
    const total = looks.length + 1;
    const tell = (first: DrillArea[] = []): void => {
      const areas = [...left].map(({ area }) => area);
      onProgress({ done: total - left.size - first.length, total, waitsFor: [...new Set([...first, ...areas])] });
    };
    tell(['restore']);
    const restored = await restore(parts, how);
    tell();
    const found = await examine(looks, {
      ...{ clock, signal: ended.signal },
      onEnd: (look) => {
        left.delete(look);
        tell();
      },
    });
    signal.throwIfAborted();
    const rows = [...restored.rows, ...found].map(withOwnId).map((row) => ({
      ...row,
      ...{ sentence: clean(row.sentence), evidence: clean(row.evidence), todo: clean(row.todo) },
    }));
    return {
      ...{ startedAt, at: Math.round(clock.wall()), node: parts.site().node, fqdn: parts.config().pair.fqdn },
      ...{ by, role, passed: hasPassed(rows), backup: restored.backup, counts: countsOf(rows), rows },
    };
  } finally {
    ended.abort();
    signal.removeEventListener('abort', onAbort);
  }
}

async function restore(parts: RehearseParts, { sandbox, signal, onBytes }: Rehearsing) {
  const { clock, proc, random, means, folder } = parts;
  const limit = new AbortController();
  const stop = clock.after(restoreMs, () => limit.abort());
  try {
    return await restoreRows({
      ...{ clock, proc, means, folder, sandbox, config: parts.config(), role: parts.role() },
      ...{ runToken: random.hex(8), signal: AbortSignal.any([signal, limit.signal]), onProgress: onBytes },
    });
  } catch (error) {
    if (signal.aborted) throw error;
    const todo = 'See how fast the location answers, then drill again.';
    const what = 'The restore into the sandbox did not end within 12 h.';
    return { rows: [check('restore', 'proven').problem(what, sentenceOf(error), todo)], backup: null };
  } finally {
    stop();
  }
}

function promotionLooks(parts: RehearseParts): Look<DrillArea>[] {
  const { folder, proc, random, platform } = parts;
  const config = parts.config();
  const { plan } = parts.site();
  if (parts.role() === 'active') {
    const what =
      'This node is the active one: a promotion of it cannot be rehearsed, and its steps were not looked at.';
    const row: DrillRow = check('promotion', 'role').skipped(what, '', 'Drill on the passive node.');
    return [{ area: 'promotion', what: 'the steps of a promotion', withinMs: promotionMs, run: async () => [row] }];
  }
  const command = (signal: AbortSignal) => {
    return { proc, platform, signal, scriptsFolder: folder.scripts, runToken: random.hex(8) };
  };
  return [
    {
      ...{ area: 'promotion', what: 'the steps of a promotion', withinMs: promotionMs },
      run: async () => {
        const sight = parts.promotion();
        return [
          judgePlan(sight.plan),
          ...judgeGuards(sight.guards, sight.answer.reason, config.promotion.mode),
          judgeClaim(sight.claims, plan.claim),
          judgeProof(plan.proof.tests, plan.proof.target.address),
        ];
      },
    },
    {
      ...{ area: 'promotion', what: 'the means to fence', withinMs: promotionMs + (plan.fence.api?.timeoutMs ?? 0) },
      run: async (signal) => {
        const { api } = plan.fence;
        const paired = parts.peer?.view().state === 'up' || parts.peer?.view().state === 'down';
        // asked whether it would, not to do it
        const end = api && parts.pbxApi ? await parts.pbxApi.stop(api, { dryRun: true, signal }) : null;
        return judgeFence(plan.fence, paired, end);
      },
    },
    {
      ...{ area: 'promotion', what: 'the scripts', withinMs: scriptsMs },
      run: (signal) => scriptRows(scriptsOf(config), command(signal)),
    },
    {
      ...{ area: 'promotion', what: 'what starts the PBX', withinMs: promotionMs },
      run: async (signal) => (config.services.names.length > 0 ? [] : startRows(plan.services.start, command(signal))),
    },
  ];
}

/** As one sentence, for history and for people. */
export function sentenceOfReport({ passed, counts, rows, role, backup }: DrillReport): string {
  const held = backup === null ? '' : ` with ${backup}`;
  const where = role === 'active' ? ', as far as it can be asked on the active node' : '';
  const warnings = counts.warning === 0 ? '' : ` ${counts.warning} ${counts.warning === 1 ? 'warning' : 'warnings'}.`;
  if (passed) return `The drill${held} passed${where}.${warnings}`;
  const problems = rows.filter(({ state }) => state === 'problem').map(({ sentence }) => sentence);
  const [first = 'Nothing could be looked at.', ...more] = problems;
  const rest = more.length === 0 ? '' : ` And ${more.length} more ${more.length === 1 ? 'problem' : 'problems'}.`;
  return `The drill${held} found what would hinder a promotion: ${first}${rest}`;
}
