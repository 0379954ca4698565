/**
 * A snapshot as metrics for a monitoring system, in Prometheus' text format. Pure: every figure is one that screens show too.
 * What is not known has no sample, so that an alert on its absence works.
 */
import { Gauge, Registry } from 'prom-client';
import type { Snapshot } from '../contract/snapshot.ts';
import { outcomes, phases, verdicts } from '../contract/words.ts';

export const metricsType = Registry.PROMETHEUS_CONTENT_TYPE;

/** `what` as its help, then its samples; null: not known. */
type Sample = readonly [value: number | null, labels?: Record<string, string>];

export function metricsOf(snapshot: Snapshot): Promise<string> {
  const registry = new Registry();
  const gauge = (name: string, help: string, samples: readonly Sample[]): void => {
    const labelNames = Object.keys(samples[0]?.[1] ?? {});
    const made = new Gauge({ name, help, labelNames, registers: [registry] });
    for (const [value, labels = {}] of samples) {
      if (value === null) made.remove(labels);
      else made.set(labels, value);
    }
  };
  const { core, offset, backups, tests, nodes, guards, troubles } = snapshot;
  const seconds = (ms: number | null | undefined): number | null => (ms == null ? null : ms / 1000);
  const flag = (holds: boolean): number => (holds ? 1 : 0);
  const self = nodes.find((node) => node.self);

  const about = 'Age of the restored data; on the active node that of the newest verified backup.';
  gauge('estepe_offset_seconds', about, [[seconds(offset.ageMs)]]);
  gauge('estepe_offset_bound_seconds', 'How old that may be.', [[seconds(offset.maxMs)]]);
  const verified = backups.rows.find((row) => row.verified)?.createdAt ?? null;
  gauge('estepe_backup_last_success_timestamp_seconds', 'When the data of the newest verified backup was current.', [
    [seconds(verified)],
  ]);
  gauge('estepe_restore_last_success_timestamp_seconds', 'When what stands here was restored.', [
    [seconds(backups.restored?.restoredAt)],
  ]);
  gauge(
    'estepe_phase',
    '1 for the phase of this node.',
    phases.map((phase) => [flag(core.phase === phase), { phase }]),
  );
  gauge(
    'estepe_verdict',
    '1 for the verdict over the other node; none before the first.',
    verdicts.map((verdict) => [flag(core.verdict === verdict), { verdict }]),
  );
  gauge(
    'estepe_beats',
    'Results of a test among its newest ones, at most 60, by outcome.',
    tests.flatMap(({ id, beats }) =>
      outcomes.map((outcome): Sample => {
        const count = beats.filter((beat) => beat.outcome === outcome).length;
        return [count, { test: id, outcome }];
      }),
    ),
  );
  gauge('estepe_epoch', 'Epoch under which this node stands.', [[self?.epoch ?? null]]);
  gauge('estepe_active', '1 where this node is the active one.', [[flag(self?.role === 'active')]]);
  gauge(
    'estepe_guard',
    '1 where the guard lets a promotion by itself pass.',
    guards.map(({ name, ok }) => [flag(ok), { guard: name }]),
  );
  gauge('estepe_troubles', 'What is wrong with the engine itself, by number.', [[troubles.length]]);
  return registry.metrics();
}
