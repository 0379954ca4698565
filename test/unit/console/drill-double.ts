/** The drill for screens and clients under test: one begins, and ends when the test says so. */
import type { DrillDesk } from '../../../src-main/contract/desk.ts';
import { countsOf } from '../../../src-main/contract/doctor.ts';
import {
  type DrillReport,
  type DrillRow,
  type DrillRunning,
  type DrillView,
  hasPassed,
} from '../../../src-main/contract/drill.ts';

export const drillNever: DrillView = {
  ...{ running: null, last: null, lastPassedAt: null, ended: null, maxAgeMs: 90 * 24 * 3600_000, refusal: null },
  schedule: {
    cron: '0 4 1 * *',
    timeZone: 'Europe/Lisbon',
    nextAt: Date.now() + 12 * 24 * 3600_000,
    paused: '',
    whenNewer: false,
  },
};

const row = (id: string, state: DrillRow['state'], sentence: string, evidence = '', todo = ''): DrillRow => ({
  ...{ id, state, sentence, evidence, todo },
  area: id.split('.')[0] as DrillRow['area'],
});

/** One of each state, as the drill words them. */
export const someRows: readonly DrillRow[] = [
  row(
    'restore.proven',
    'ok',
    'The backup head-office-20260101.zip was restored into the sandbox, and every file proven by its hash in the manifest.',
    'It is the newest that was read back; 128 files, 42 MB',
  ),
  row('promotion.plan', 'ok', 'A promotion would take these steps; none of them was begun.', '1. Ask the guards'),
  row(
    'promotion.script.stop-old-active.sh',
    'problem',
    'stop-old-active.sh would fail: it cannot be read as a script.',
    'line 3: syntax error: unexpected <end of file>',
    'Mend what it says.',
  ),
  row('link.state', 'warning', 'The two nodes are not paired.', '', 'Pair them: `estepe pair`.'),
  row('restore.command', 'skipped', "The PBX's own restore command was not run."),
];

export const drillReportOf = (rows: readonly DrillRow[], at: number): DrillReport => ({
  ...{ startedAt: at - 61_000, at, node: 'head-office@192.0.2.2', fqdn: 'pbx.example.com', by: 'schedule' },
  ...{ role: 'passive', passed: hasPassed(rows), backup: 'head-office-20260101.zip' },
  ...{ counts: countsOf(rows), rows: [...rows] },
});

/** One that passed twelve days ago. */
export const passedDrill = (now: number) =>
  drillReportOf(
    someRows.filter(({ state }) => state !== 'problem'),
    now - 12 * 24 * 3600_000,
  );

/** The part of the snapshot that such a report leaves. */
export function drillAfter(report: DrillReport, lastPassedAt: number | null): DrillView {
  const { at, by, role, passed, backup, counts } = report;
  const ended = { at, how: passed ? 'passed' : 'failed', sentence: 'The drill has ended.' } as const;
  return { ...drillNever, last: { at, by, role, passed, backup, counts }, lastPassedAt, ended };
}

export const drillRunning: DrillRunning = {
  ...{ startedAt: 0, by: 'console', done: 0, total: 17, waitsFor: ['restore', 'promotion', 'storage'] },
  ...{ bytes: 21_000_000, bytesTotal: 42_000_000, cancelling: false },
};

export interface DrillDouble extends DrillDesk {
  /** what `report` answers from now on */
  show(report: DrillReport | null): void;
}

/** @param change puts a view into the snapshot */
export function drillDesk(
  asked: { call: string; ask: unknown }[],
  now: () => DrillView,
  change: (view: DrillView) => void,
): DrillDouble {
  let last: DrillReport | null = null;
  return {
    start(ask) {
      asked.push({ call: 'drill.start', ask });
      const { refusal } = now();
      if (refusal !== null) return { accepted: false, reason: refusal };
      change({ ...now(), running: { ...drillRunning, startedAt: Date.now() } });
      return { accepted: true, reason: 'the drill begins' };
    },
    cancel(ask) {
      asked.push({ call: 'drill.cancel', ask });
      change({ ...now(), running: null });
      return { accepted: true, reason: 'the drill is being cancelled' };
    },
    report: () => last,
    show(report) {
      last = report;
    },
  };
}
