/**
 * `estepe probe`: runs each configured test and reference once, from here, without a running engine, and says what was
 * seen. Exit 0 when by the configured rule the node is healthy.
 */
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { targetOf, toPolicy, toReferences, toTests } from '../config/schema.ts';
import { msWords } from '../contract/view.ts';
import { summarize } from '../engine/judge.ts';
import type { Beat, ReferenceBeat } from '../engine/ports.ts';
import { RealNet } from '../heartbeat/real-net.ts';
import { RealProc } from '../runbook/real-proc.ts';
import type { Paint, Run } from './session.ts';

export function addProbe(program: Command, run: Run): void {
  program
    .command('probe')
    .description('run each test and reference once from here, with the evidence; needs no engine')
    .action(
      run(async (session) => {
        const { config } = loadConfig(session.dataFolder);
        const [target, policy] = [targetOf(config), toPolicy(config)];
        const scripts = join(session.dataFolder, 'scripts');
        const net = new RealNet({ proc: new RealProc(), scripts, dataFolder: session.dataFolder });
        const stop = new AbortController();
        process.once('SIGINT', () => stop.abort());
        const startedAt = performance.now();
        const [beats, references] = await Promise.all([
          Promise.all(toTests(config).map((test) => net.probe(test, target, stop.signal))),
          Promise.all(toReferences(config).map((spec) => net.reference(spec, stop.signal))),
        ]);
        const round = { seq: 1, startedAt, endedAt: performance.now(), beats, references };
        const { result } = summarize(round, policy);
        const words = {
          ok: 'healthy',
          failed: 'failed',
          inconclusive: 'inconclusive: too many tests could not be made',
        }[result];
        const text = [
          ...beats.map((beat) => beatLine(beat, session.paint)),
          ...references.map((beat) => referenceLine(beat, session.paint)),
          `${target.address} (${target.fqdn}): ${words}, by the rule failWhen: ${policy.failWhen}`,
        ].join('\n');
        const document = {
          address: target.address,
          fqdn: target.fqdn,
          failWhen: policy.failWhen,
          result,
          tests: beats,
          references,
        };
        return { exit: result === 'ok' ? 0 : 1, document, text };
      }),
    );
}

function beatLine(beat: Beat, paint: Paint): string {
  const good = beat.outcome === 'alive';
  const half = beat.outcome === 'degraded' || beat.outcome === 'unknown';
  const word = paint(good ? 'green' : half ? 'yellow' : 'red', beat.outcome.padEnd(8));
  return `${beat.test.padEnd(10)} ${word} ${msWords(beat.ms).padStart(9)}  ${beat.evidence}`;
}

function referenceLine(beat: ReferenceBeat, paint: Paint): string {
  const word = beat.answered === null ? 'unknown' : beat.answered ? 'answers' : 'silent';
  return `${beat.id.padEnd(10)} ${paint(beat.answered ? 'green' : 'yellow', word.padEnd(8))} ${msWords(beat.ms).padStart(9)}  ${beat.evidence}`;
}
