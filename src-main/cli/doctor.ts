/**
 * `estepe doctor`: every prerequisite of an identical pair with OK, warning or problem, what was seen and what to do. By the engine that
 * runs on the data folder; where none runs, from here. Exit 0: no problem was found.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { meansOf } from '../backup/work-of-config.ts';
import { dataFolderAt } from '../config/data-folder.ts';
import { loadConfig } from '../config/load.ts';
import { readSecret, redact } from '../config/secrets.ts';
import type { Engine } from '../console/engine-client.ts';
import {
  byArea,
  type DoctorArea,
  type DoctorCheck,
  type DoctorReport,
  type DoctorState,
  type DoctorView,
} from '../contract/doctor.ts';
import { EstepeError } from '../contract/errors.ts';
import { RealClock } from '../heartbeat/real-clock.ts';
import { RealNet } from '../heartbeat/real-net.ts';
import { RealDns } from '../runbook/dns/real-dns.ts';
import { RealFiles } from '../runbook/real-files.ts';
import { RealProc } from '../runbook/real-proc.ts';
import type { DoctorParts } from '../station/doctor/shared.ts';
import { siteOf } from '../station/site.ts';
import { runningEngine } from './engine-work.ts';
import { leave } from './leave.ts';
import type { Paint, Run, Session } from './session.ts';
import { progressLine, restoresIn, standingIn } from './storage.ts';
import { estepeVersion } from './version.ts';

const askEveryMs = 300;
/** Longer than all bounds of its looks together could take, side by side. */
const atMostMs = 5 * 60_000;

export const areaWords: Record<DoctorArea, string> = {
  addresses: 'Addresses',
  names: 'DNS',
  certificate: 'Certificate',
  ports: 'Ports',
  services: 'Services',
  parity: 'Identical pair',
  clock: 'Clocks',
  rights: 'Rights and scripts',
  disk: 'Disk',
  storage: 'Backups',
  references: 'References',
  link: 'Link to the other node',
  firewall: 'Firewall',
};

export function addDoctor(program: Command, run: Run): void {
  program
    .command('doctor')
    .description('look at every prerequisite of the pair: what is well, what is not, and what to do')
    .action(
      run(async (session) => {
        const engine = runningEngine(session.dataFolder);
        const report = engine === null ? await alone(session) : await byEngine(session, engine);
        return { exit: report.counts.problem > 0 ? 1 : 0, document: report, text: reportText(report, session.paint) };
      }),
    );
}

async function byEngine(session: Session, engine: Engine): Promise<DoctorReport> {
  const line = progressLine(session);
  const until = performance.now() + atMostMs;
  await engine.call((client) => client.doctor.start());
  try {
    while (performance.now() < until) {
      const { running, report } = await engine.call((client) => client.doctor.view());
      if (running === null && report !== null) return report;
      if (running !== null) line.show(runningWords(running));
      await pause(askEveryMs);
    }
  } finally {
    line.end();
  }
  throw new EstepeError(
    'internal',
    'The doctor has not ended in 5 min.',
    'look at the log of the engine, and try again',
  );
}

function runningWords({ done, total, waitsFor }: NonNullable<DoctorView['running']>): string {
  return `${done} of ${total} looks have ended; left: ${waitsFor.map((area) => areaWords[area]).join(', ')}`;
}

/** Without an engine nobody keeps the link: what the other node alone could tell is left out, and said to be. */
async function alone(session: Session): Promise<DoctorReport> {
  const { config } = loadConfig(session.dataFolder);
  const folder = dataFolderAt(session.dataFolder);
  const clock = new RealClock();
  const proc = new RealProc();
  const files = new RealFiles(folder.scripts);
  const secrets: string[] = [];
  const hide = (secret: string): void => void secrets.push(secret);
  const secretOf = (name: string): string => {
    const secret = readSecret(folder.secrets, name);
    hide(secret);
    return secret;
  };
  const role = standingIn(folder.db)?.role ?? config.role;
  const restored = restoresIn(folder.db, null, (restores) => restores.restoredNow());
  const site = siteOf(config, folder, process.platform);
  const parts: DoctorParts = {
    ...{ clock, proc, files, folder, version: estepeVersion(), peer: null, platform: process.platform },
    net: new RealNet({ proc, scripts: folder.scripts, dataFolder: folder.root }),
    dns: new RealDns({ clock, proc, files, scriptsFolder: folder.scripts, secretOf, hide }),
    random: { hex: (bytes) => randomBytes(bytes).toString('hex') },
    means: meansOf(folder, clock, hide),
    config: () => config,
    site: () => site,
    role: () => role,
    ownRound: () => null,
    restored: () => restored,
    uid: process.getuid?.() ?? null,
  };
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) leave(1);
    stop.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal);
  const line = progressLine(session);
  const { examineSite } = await import('../station/doctor/doctor.ts');
  try {
    return await examineSite(parts, {
      signal: stop.signal,
      clean: (text) => redact(text, secrets),
      onProgress: (looks, left) => {
        const waitsFor = [...new Set(left.map(({ area }) => area))];
        line.show(runningWords({ startedAt: 0, done: looks.length - left.length, total: looks.length, waitsFor }));
      },
    });
  } finally {
    line.end();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, onSignal);
    clock.close();
  }
}

export const marks: Record<DoctorState, { mark: string; word: string; colour: 'red' | 'yellow' | 'green' | 'gray' }> = {
  problem: { mark: '✗', word: 'problem', colour: 'red' },
  warning: { mark: '!', word: 'warning', colour: 'yellow' },
  ok: { mark: '✓', word: 'OK', colour: 'green' },
  skipped: { mark: '-', word: 'skipped', colour: 'gray' },
};

export function reportText({ checks, counts }: DoctorReport, paint: Paint): string {
  const areas = byArea(checks).map(({ area, checks: own }) =>
    [paint('bold', areaWords[area]), ...own.flatMap((one) => checkLines(one, paint))].join('\n'),
  );
  return [...areas, sumLine(counts, paint)].join('\n\n');
}

/** `1 problem, 2 warnings, 14 OK, 1 not looked at` */
export function sumLine({ problem, warning, ok, skipped }: DoctorReport['counts'], paint: Paint): string {
  const colour = problem > 0 ? 'red' : warning > 0 ? 'yellow' : 'green';
  const sum = `${problem} ${problem === 1 ? 'problem' : 'problems'}, ${warning} ${warning === 1 ? 'warning' : 'warnings'}, ${ok} OK, ${skipped} not looked at`;
  return paint(['bold', colour], sum);
}

export function checkLines({ state, sentence, evidence, todo }: Omit<DoctorCheck, 'area'>, paint: Paint): string[] {
  const { mark, word, colour } = marks[state];
  const lines = [`  ${paint(colour, `${mark} ${word.padEnd(7)}`)} ${sentence}`];
  if (evidence !== '') lines.push(`              ${paint('dim', evidence)}`);
  if (todo !== '') lines.push(`            → ${todo}`);
  return lines;
}
