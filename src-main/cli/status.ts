/** `estepe status`: the snapshot as one screen of text. Rendering is pure; the state is the engine's. */
import type { Command } from 'commander';
import { findEngine } from '../console/engine-client.ts';
import { drillStanding } from '../contract/drill.ts';
import { EstepeError } from '../contract/errors.ts';
import type { GuardView, NodeView, RunbookView, Snapshot, StepView, TestView } from '../contract/snapshot.ts';
import {
  countdownLeft,
  countdownWords,
  durationWords,
  msWords,
  offsetGauge,
  roundDurationWords,
  standingOf,
} from '../contract/view.ts';
import type { Paint, Run } from './session.ts';

export function addStatus(program: Command, run: Run): void {
  program
    .command('status')
    .description('the state of the spare: one sentence, nodes, tests, guards, runbook')
    .action(
      run(async (session) => {
        const engine = findEngine(session.dataFolder);
        const snapshot = await engine
          .call((client) => client.snapshot())
          .catch((error: unknown) => {
            throw withAddress(error, session.terminal ? engine.link : engine.url);
          });
        // The link holds the token: it belongs on a person's screen, not in a file that a script writes.
        const address = session.terminal ? engine.link : engine.url;
        const text = `${statusText(snapshot, session.paint)}\n\nConsole: ${address}`;
        return { exit: 0, document: { ...snapshot, console: engine.url }, text };
      }),
    );
}

/** Before the first configuration the address is what is needed most. */
function withAddress(error: unknown, address: string): unknown {
  if (!(error instanceof EstepeError) || error.code !== 'first-run') return error;
  return new EstepeError(error.code, error.message, `open ${address} and answer what it asks`);
}

/** The whole screen. `paint` colours; without it, it reads the same. */
export function statusText(snapshot: Snapshot, paint: Paint): string {
  const { core, pair, overlays } = snapshot;
  const lines = [
    paint(['bold', colourOf(snapshot)], core.sentence),
    `${pair.name} (${pair.fqdn}), mode ${pair.mode}, since ${clock(core.since)}: ${core.phase} [${core.rule}] ${core.reason}`,
  ];
  if (overlays.maintenance !== null) {
    const { leftMs, by, reason } = overlays.maintenance;
    lines.push(
      paint('yellow', `Maintenance for ${durationWords(leftMs)} more, by ${by}${reason === '' ? '' : `: ${reason}`}`),
    );
  }
  if (overlays.observeOnly) lines.push(paint('yellow', 'Observe-only: it decides and says so, but never acts'));
  lines.push(...confirmationLines(snapshot, paint));
  lines.push('', paint('bold', 'Nodes'), ...snapshot.nodes.map(nodeLine));
  lines.push('', paint('bold', 'Tests'), ...testLines(snapshot, paint));
  lines.push('', `${paint('bold', 'Offset')}: ${offsetText(snapshot)}`);
  lines.push(`${paint('bold', 'Drill')}: ${drillText(snapshot, paint)}`);
  const failing = snapshot.guards.filter((guard) => !guard.ok);
  if (failing.length > 0) {
    lines.push('', paint('bold', 'Guards that say no'), ...failing.map((guard) => guardLine(guard, paint)));
  }
  if (snapshot.runbook !== null) lines.push('', ...runbookLines(snapshot.runbook, snapshot.at, paint));
  if (snapshot.troubles.length > 0) {
    lines.push('', paint('bold', 'Troubles of the engine'));
    lines.push(...snapshot.troubles.map(({ sentence, todo }) => paint('yellow', `  ! ${sentence} ${todo}`)));
  }
  return lines.join('\n');
}

function colourOf(snapshot: Snapshot): 'green' | 'yellow' | 'red' | 'cyan' {
  const standing = standingOf(snapshot);
  if (standing === 'good') return 'green';
  return standing === 'alarm' ? 'red' : standing === 'busy' ? 'cyan' : 'yellow';
}

function confirmationLines({ confirmation, at }: Snapshot, paint: Paint): string[] {
  if (confirmation === null) return [];
  if (confirmation.held) return [paint('yellow', 'A person said: do not take over. Nothing happens by itself.')];
  const left = countdownLeft(confirmation, at);
  const promotes = confirmation.onSilence === 'promote' && confirmation.blockedBy.length === 0;
  const blockers = confirmation.blockedBy.join(', ');
  const then = promotes ? 'this node takes over' : 'nothing happens by itself';
  const blocked = blockers === '' ? '' : ` Nothing happens by itself as long as this holds it back: ${blockers}.`;
  const words =
    left === null
      ? 'Waits for a person: `estepe promote`.'
      : `Waits for a person for ${countdownWords(left)} more, then ${then}.`;
  return [paint('red', `${words}${blocked} \`estepe promote\` takes over now, \`estepe cancel\` holds it.`)];
}

function nodeLine(node: NodeView): string {
  const role = node.role ?? 'role unknown';
  const epoch = node.epoch === null ? '' : `, epoch ${node.epoch}`;
  return `  ${node.address} (${role}${epoch}${node.self ? ', this node' : ''}): ${node.sentence}`;
}

function testLines(snapshot: Snapshot, paint: Paint): string[] {
  const lines = snapshot.tests.map((test) => testLine(test, snapshot.at, paint));
  const references = snapshot.references.map(({ id, answered, evidence }) => {
    const word = answered === null ? 'not asked' : answered ? 'answers' : 'silent';
    return `  ${id}: ${answered === false ? paint('red', word) : word}${evidence === '' ? '' : `, ${evidence}`}`;
  });
  return [...(lines.length > 0 ? lines : ['  none']), ...references];
}

function testLine(test: TestView, now: number, paint: Paint): string {
  const beat = test.beats.at(-1);
  if (beat === undefined) return `  ${test.id} (${test.target}): no beat yet`;
  const colour =
    beat.outcome === 'alive' ? 'green' : beat.outcome === 'degraded' || beat.outcome === 'unknown' ? 'yellow' : 'red';
  const word = paint(colour, beat.outcome);
  return `  ${test.id} (${test.target}): ${word} in ${msWords(beat.ms)}, ${beat.evidence}, ${durationWords(now - beat.at)} ago`;
}

function offsetText({ offset }: Snapshot): string {
  const gauge = offsetGauge(offset);
  if (!('ageMs' in gauge)) {
    return gauge.kind === 'never'
      ? 'unknown: nothing has been restored here yet'
      : 'Estepe keeps no copy of the data here';
  }
  const bound = gauge.maxMs === null ? '' : ` (bound ${durationWords(gauge.maxMs)})`;
  const words = { within: '', near: ', near the bound', beyond: ', beyond the bound', unverified: ', not verified' };
  return `${durationWords(gauge.ageMs)}${bound}${words[gauge.kind]}`;
}

/** `passed 12 d 3 h ago`, and what is under way. */
export function drillText({ drill, at }: Pick<Snapshot, 'drill' | 'at'>, paint: Paint): string {
  const { last, lastPassedAt, running } = drill;
  const ago = (then: number): string => `${durationWords(at - then)} ago`;
  const under = running === null ? '' : `; one is under way (${running.done} of ${running.total} looks)`;
  if (last === null) return `none yet${under}`;
  const failed = lastPassedAt === null ? 'none passed yet' : `the last that passed was ${ago(lastPassedAt)}`;
  switch (drillStanding(drill, at)) {
    case 'failed':
      return `${paint('red', `failed ${ago(last.at)}`)}, ${failed}${under}`;
    case 'old':
      return `${paint('yellow', `passed ${ago(last.at)}`)}, longer than ${roundDurationWords(drill.maxAgeMs)}${under}`;
    default:
      return `passed ${ago(last.at)}${under}`;
  }
}

/** `  ✗ references: none of 2 answers (automatic promotion only)` */
export function guardLine(guard: GuardView, paint: Paint): string {
  const mark = guard.ok ? paint('green', '✓') : paint('red', '✗');
  return `  ${mark} ${guard.name}: ${guard.evidence}${guard.bindsPerson ? '' : ' (minds automatic promotion only)'}`;
}

function runbookLines(runbook: RunbookView, now: number, paint: Paint): string[] {
  const dry = runbook.dryRun ? ' (dry run)' : '';
  const epoch = runbook.epoch === null ? '' : `, epoch ${runbook.epoch}`;
  const head = `Runbook ${runbook.id}: ${runbook.kind}${dry} by ${runbook.by}${epoch}, ${runbook.status}`;
  const why = runbook.reason === '' ? [] : [`  ${runbook.reason}`];
  return [paint('bold', head), ...why, ...runbook.steps.map((step) => stepLine(step, now, paint))];
}

const stepMarks: Record<StepView['state'], string> = {
  waiting: '·',
  running: '…',
  done: '✓',
  failed: '✗',
  skipped: '-',
  'in-doubt': '?',
};

/** One step as a line: mark, title, state, how long, what came out. */
export function stepLine(step: StepView, now: number, paint: Paint): string {
  const bad = step.state === 'failed' || step.state === 'in-doubt';
  const mark = paint(bad ? 'red' : step.state === 'done' ? 'green' : 'reset', stepMarks[step.state]);
  const took = step.startedAt === null ? '' : `, ${msWords(Math.max(0, (step.endedAt ?? now) - step.startedAt))}`;
  const attempt = step.attempt > 1 ? `, attempt ${step.attempt}` : '';
  return `  ${mark} ${step.title}: ${step.state}${took}${attempt}${step.result === '' ? '' : `; ${step.result}`}`;
}

/** Local date and time, to the second, the way logs have it. */
export function clock(at: number): string {
  const d = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}
