/** What is written goes through without its secrets (H4), and everybody hears of it. */
import { describe, expect, it } from 'vitest';
import type { NewEvent, Store } from '../../../src-main/engine/ports.ts';
import { openHistory } from '../../../src-main/history/history.ts';
import { witnessed } from '../../../src-main/station/witness.ts';
import { temporaryFolder } from '../config/temporary-folder.ts';

const secret = 's3cr3t "of" this & site';
const disguised = Buffer.from(secret).toString('base64');

describe('witness', () => {
  it('H4 takes secrets out of events, evidence, results and beats, in any disguise', () => {
    using folder = temporaryFolder();
    const history = openHistory(folder.at('estepe.db'));
    const heard: NewEvent[] = [];
    const { store, events } = witnessed(
      history,
      () => [secret],
      (event) => heard.push(event),
    );
    store.event({
      at: 1,
      kind: 'step',
      severity: 'info',
      rule: 'step.before-script',
      reason: `it printed ${secret}`,
      phase: null,
      verdict: null,
      evidence: { argv: ['--password', secret], header: `Basic ${disguised}`, count: 3 },
    });
    const id = store.beginRunbook(runbook);
    store.intent(id, { step: 'before-script', attempt: 1, intentAt: 1, runToken: 'ab' });
    store.result(id, 'before-script', 1, { outcome: 'done', sentence: `did ${secret}`, output: `${disguised}\n` }, 2);
    store.beats([{ test: 'trunk', at: 5, beat: { test: 'trunk', outcome: 'dead', ms: 1, evidence: `no ${secret}` } }]);
    const written = JSON.stringify([
      history.events({ limit: 10 }),
      history.lastRunbook(),
      history.beatRows({ test: 'trunk', from: 0, to: 10, limit: 10 }),
      heard,
    ]);
    expect(written).not.toContain('s3cr3t');
    expect(written).not.toContain(disguised);
    expect(history.events({ limit: 1 })[0]?.evidence).toEqual({
      argv: ['--password', '[secret]'],
      header: 'Basic [secret]',
      count: 3,
    });
    expect(events()).toBe(1);
    expect(heard[0]?.reason).toBe('it printed [secret]');
    history.close();
  });
});

const runbook: Parameters<Store['beginRunbook']>[0] = {
  kind: 'promotion',
  origin: 'person',
  by: 'console',
  because: 'try',
  overrides: [],
  epoch: null,
  dryRun: false,
  startedAt: 1,
  steps: ['guards', 'before-script'],
};
