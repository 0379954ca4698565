/** /metrics as a monitoring system scrapes it, and what its figures are. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { metricsOf } from '../../../src-main/console/metrics.ts';
import { ask, consoleUnderTest, token, type UnderTest } from './console-under-test.ts';
import { healthySnapshot, noon } from './desk-double.ts';

/** Samples of the text format, by name with labels. */
function samples(text: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.split(' ').at(-1))]));
}

describe('metrics', () => {
  it('are those of the snapshot', async () => {
    const snapshot = healthySnapshot(noon);
    const read = samples(await metricsOf(snapshot));
    expect(read).toMatchObject({
      estepe_offset_seconds: 9 * 3600 + 120,
      estepe_offset_bound_seconds: 86_400,
      estepe_backup_last_success_timestamp_seconds:
        (snapshot.backups.rows.find(({ verified }) => verified)?.createdAt ?? 0) / 1000,
      estepe_restore_last_success_timestamp_seconds: (snapshot.backups.restored?.restoredAt ?? 0) / 1000,
      'estepe_phase{phase="watching"}': 1,
      'estepe_phase{phase="active"}': 0,
      'estepe_verdict{verdict="healthy"}': 1,
      'estepe_verdict{verdict="down"}': 0,
      'estepe_beats{test="sip",outcome="alive"}': 58,
      'estepe_beats{test="sip",outcome="degraded"}': 1,
      'estepe_beats{test="sip",outcome="dead"}': 1,
      'estepe_guard{guard="restored-data"}': 1,
      'estepe_guard{guard="proven-down"}': 0,
      estepe_epoch: 3,
      estepe_active: 0,
      estepe_troubles: 0,
    });
  });

  it('what is not known has no sample, and a verdict that is not there yet is none of them', async () => {
    const healthy = healthySnapshot(noon);
    const text = await metricsOf({
      ...healthy,
      core: { ...healthy.core, verdict: null },
      offset: { state: 'never', ageMs: null, maxMs: 1000, verified: false },
      backups: { ...healthy.backups, rows: [], restored: null },
      tests: [],
    });
    const read = samples(text);
    for (const name of [
      'offset_seconds',
      'backup_last_success_timestamp_seconds',
      'restore_last_success_timestamp_seconds',
    ])
      expect(read).not.toHaveProperty(`estepe_${name}`);
    expect(read.estepe_offset_bound_seconds).toBe(1);
    const verdicts = Object.entries(read).filter(([name]) => name.startsWith('estepe_verdict'));
    expect(verdicts.map(([, value]) => value)).toEqual([0, 0, 0, 0, 0]);
  });

  describe('over HTTP', () => {
    let under: UnderTest;
    beforeEach(async () => {
      under = await consoleUnderTest();
    });
    afterEach(() => under.end());

    it('H1 with the token only, and only to be read', async () => {
      const { port } = under.running;
      const authorization = `Bearer ${token}`;
      const get = await ask(port, { path: '/metrics', headers: { authorization } });
      expect(get).toMatchObject({ status: 200, body: expect.stringContaining('\nestepe_phase{phase="watching"} 1\n') });
      expect(get.headers['content-type']).toContain('text/plain; version=0.0.4');
      expect((await ask(port, { path: '/metrics', method: 'POST', headers: { authorization } })).status).toBe(405);
      const stranger = await ask(port, { path: '/metrics' });
      expect(stranger.status).toBe(401);
      expect(stranger.body).not.toContain('estepe_');
    });
  });
});
