/** Observations recorded by a running engine and decided over again. */
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decide, initialState } from '../../../src-main/engine/decide.ts';
import type { CoreState, Observation, Round } from '../../../src-main/engine/observation.ts';
import { RecordingFault, recordingHead, recordingLine, replay } from '../../../src-main/engine/recording.ts';
import { Recorder } from '../../../src-main/station/recorder.ts';
import { temporaryFolder } from '../config/temporary-folder.ts';
import { observed } from '../engine/moments.ts';

const round = (seq: number, outcome: 'alive' | 'dead'): Round => ({
  seq,
  startedAt: seq * 10,
  endedAt: seq * 10 + 5,
  beats: [{ test: 'sip', outcome, ms: 5, evidence: outcome === 'alive' ? 'SIP/2.0 200 OK' : 'ECONNREFUSED' }],
  references: [{ id: 'gateway', answered: true, ms: 1, evidence: 'answers' }],
});

/** An active that answers, dies, and is proven dead. */
const outage: Observation[] = [
  observed(),
  observed({ round: round(1, 'alive') }),
  ...[2, 3, 4, 5].map((seq) => observed({ at: 1_000_000 + seq, round: round(seq, 'dead') })),
];

/** What an engine does with them: decides until the phase stays, recording each look. */
function lived(observations: readonly Observation[], note: Recorder['note']): { rules: string[]; state: CoreState } {
  let state = initialState('starting', 0);
  const rules: string[] = [];
  for (const observation of observations) {
    for (let before = ''; before !== state.phase; ) {
      before = state.phase;
      const decision = decide(state, observation);
      note(state, observation, decision);
      rules.push(decision.rule);
      state = decision.state;
    }
  }
  return { rules, state };
}

const linesOf = (file: string): string[] => readFileSync(file, 'utf8').trimEnd().split('\n');

describe('recording', () => {
  it('replays to the very decisions that were made', () => {
    using folder = temporaryFolder();
    const recorder = new Recorder(folder.path);
    const { rules, state } = lived(outage, (...given) => recorder.note(...given));
    const again = [...replay(linesOf(folder.at('observations.jsonl')))];
    expect(again.map((one) => one.decision.rule)).toEqual(rules);
    expect(again.at(-1)?.decision.state).toEqual(JSON.parse(JSON.stringify(state)));
    expect(rules).toContain('suspecting.down-automatic');
  });

  it('leaves out what cannot change anything: the same look again', () => {
    using folder = temporaryFolder();
    const recorder = new Recorder(folder.path);
    const [, healthy = observed()] = outage;
    lived([healthy, healthy, healthy, healthy], (...given) => recorder.note(...given));
    // the head, starting.healthy, watching.healthy
    expect(linesOf(folder.at('observations.jsonl'))).toHaveLength(3);
  });

  it('an engine that died in the middle of a line: the next one begins anew behind it', () => {
    using folder = temporaryFolder();
    const first = new Recorder(folder.path);
    lived(outage.slice(0, 2), (...given) => first.note(...given));
    appendFileSync(folder.at('observations.jsonl'), '{"at":10000');
    const second = new Recorder(folder.path);
    const { rules } = lived(outage, (...given) => second.note(...given));
    const again = [...replay(linesOf(folder.at('observations.jsonl')))];
    expect(again.slice(-rules.length).map((one) => one.decision.rule)).toEqual(rules);
  });

  it('a folder that is gone costs the recording, not the watch; it goes on when it is back', () => {
    using folder = temporaryFolder();
    const recorder = new Recorder(folder.at('logs'));
    lived(outage.slice(0, 2), (...given) => recorder.note(...given));
    folder.make('logs');
    const { rules } = lived(outage, (...given) => recorder.note(...given));
    const again = [...replay(linesOf(folder.at('logs/observations.jsonl')))];
    expect(again.map((one) => one.decision.rule)).toEqual(rules);
  });

  it('a full file is kept as the older one, and the new one stands on its own', () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at('observations.jsonl'), ' '.repeat(25 * 1024 * 1024));
    const recorder = new Recorder(folder.path);
    const { rules } = lived(outage, (...given) => recorder.note(...given));
    expect(readdirSync(folder.path).sort()).toEqual(['observations.jsonl', 'observations.jsonl.1']);
    const again = [...replay(linesOf(folder.at('observations.jsonl')))];
    expect(again.map((one) => one.decision.rule)).toEqual(rules);
  });
});

describe('a recording that cannot be used', () => {
  const head = recordingHead(initialState('watching', 0));
  const good = recordingLine(observed());
  const given = JSON.parse(good) as Record<string, unknown>;

  it.each([
    ['no head', [good], 1, 'estepe'],
    ['another version', [head.replace('"version":1', '"version":2'), good], 1, 'version'],
    ['no JSON', [head, '{', good], 2, 'no JSON'],
    ['a key is missing', [head, JSON.stringify({ ...given, policy: undefined }), good], 2, '`policy`'],
    ['a wrong word', [head, good, good.replace('"automatic"', '"sometimes"'), good], 3, '`policy.mode`'],
    ['half a line at the end', [head, good, good.slice(0, 40)], 3, 'no JSON'],
  ])('%s: which line and why', (_what, lines, line, why) => {
    const all = () => [...replay(lines)];
    expect(all).toThrow(RecordingFault);
    expect(all).toThrow(`line ${line}: `);
    expect(all).toThrow(why);
  });

  it('what came before the wrong line was decided', () => {
    const steps = replay([head, good, '{']);
    expect(steps.next().value).toMatchObject({ line: 2, decision: { rule: 'watching.healthy' } });
    expect(() => steps.next()).toThrow('line 3');
  });
});
