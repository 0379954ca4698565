import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StepId } from '../../../src-main/contract/words.ts';
import { type History, openHistory } from '../../../src-main/history/history.ts';
import { beat, decision, hour, minute, newHistory, noon, ownFolder, promotion } from './workbench.ts';

/** Everything that a start goes by, and what the screens show. */
function told(history: History): Record<string, unknown> {
  return {
    standing: history.standing(),
    highest: history.highestEpoch(),
    maintenance: history.recall('maintenance'),
    cooldown: history.recall('lastPromotion'),
    open: history.openRunbook(),
    last: history.lastRunbook(),
    events: history.events({ limit: 99 }).map((event) => [event.id, event.reason]),
    beats: history.beatRows({ test: 'sip', from: 0, to: noon * 2, limit: 99 }).length,
    counted: history.availability('sip', noon - hour, noon + hour).alive,
  };
}

/** The life of a promotion as the engine writes it, one transaction a call. */
const transactions: readonly ((history: History, id: () => number) => void)[] = [
  (h) => h.saveStanding({ role: 'passive', epoch: 6, since: noon }),
  (h) => h.remember('maintenance', { until: noon + minute, by: 'admin', reason: 'upgrade' }),
  (h) => h.beats([beat(noon), beat(noon, 'alive', 12, 'web')]),
  (h) => void h.event(decision),
  (h) => void h.beginRunbook(promotion),
  ...step('guards', 'every guard holds'),
  (h, id) => h.setRunbook(id(), { status: 'running', reason: '', epoch: 7 }),
  (h) => h.remember('lastPromotion', noon),
  (h) => void h.claimEpoch(7, 'here', noon),
  ...step('claim', 'epoch 7 is ours'),
  // Several pages in one transaction: half of it must never be seen.
  ...step('start-services', 'started', 'x'.repeat(14_000)),
  (h) => h.beats(Array.from({ length: 40 }, (_, n) => beat(noon + n * 1_000 + 1, 'alive', n, 'sip', `answer ${n}`))),
  (h) => h.saveStanding({ role: 'active', epoch: 7, since: noon + 1 }),
  (h, id) => h.setRunbook(id(), { status: 'done', reason: 'every step is done', endedAt: noon + 2 }),
  (h) => void h.event({ ...decision, reason: 'active under epoch 7' }),
];

function step(name: StepId, sentence: string, output = ''): typeof transactions {
  return [
    (h, id) => h.intent(id(), { step: name, attempt: 1, intentAt: noon, runToken: name }),
    (h, id) => h.result(id(), name, 1, { outcome: 'done', sentence, output }, noon),
  ];
}

interface Cut {
  /** the database without what is in the log */
  main: Buffer;
  log: Buffer;
  /** what the history told after each transaction, and where that one ends in the log */
  states: { end: number; told: Record<string, unknown> }[];
}

/** Lets a real history write, and takes what lies on the disk at its end, as a power cut would leave it. */
function written(): Cut {
  const first = newHistory();
  first.close();
  const history = openHistory(first.file);
  const main = readFileSync(first.file);
  const logEnd = (): number => statSync(`${first.file}-wal`).size;
  const states = [{ end: logEnd(), told: told(history) }];
  for (const write of transactions) {
    write(history, () => history.lastRunbook()?.id ?? 0);
    states.push({ end: logEnd(), told: told(history) });
  }
  const log = readFileSync(`${first.file}-wal`);
  expect(readFileSync(first.file)).toEqual(main);
  history.close();
  return { main, log, states };
}

/** What a start finds when the log is `log`. */
function foundWith(main: Buffer, log: Buffer): Record<string, unknown> {
  const file = join(ownFolder(), 'estepe.db');
  writeFileSync(file, main);
  writeFileSync(`${file}-wal`, log);
  const history = openHistory(file);
  try {
    expect(history.notice).toBeNull();
    return told(history);
  } finally {
    history.close();
  }
}

/** The state after the last transaction that lies whole before the cut. */
function stateAt({ states, main }: Cut, at: number): Record<string, unknown> {
  const whole = states.findLast(({ end }) => end <= at);
  return whole?.told ?? foundWith(main, Buffer.alloc(0));
}

/** A log's own header; a frame's header and its page (sqlite.org/fileformat2.html §4.1). */
const headBytes = 32;
const frameBytes = 24 + 4096;

/** The rest may happen to be what was cut off: how far the two are the same. */
function sameUpTo(log: Buffer, whole: Buffer): number {
  const at = log.findIndex((byte, n) => byte !== whole[n]);
  return at < 0 ? log.length : at;
}

describe('F2 the database cut at any byte of its log', () => {
  const cut = { current: null as Cut | null };
  const made = (): Cut => {
    cut.current ??= written();
    return cut.current;
  };

  it('F2 a cut at each frame, and just beside it, leaves the whole transactions before it and nothing else', () => {
    const whole = made();
    expect(whole.states.length).toBe(transactions.length + 1);
    const frames = Math.floor((whole.log.length - headBytes) / frameBytes);
    expect(frames).toBeGreaterThan(transactions.length);
    for (let frame = 0; frame <= frames; frame++) {
      for (const beside of [-1, 0, 1]) {
        const at = Math.min(whole.log.length, headBytes + frame * frameBytes + beside);
        expect(foundWith(whole.main, whole.log.subarray(0, at)), `cut at byte ${at}`).toEqual(stateAt(whole, at));
      }
    }
  }, 60_000);

  it('F2 the same at any byte, whether the rest is missing, zero or of an older log', () => {
    const whole = made();
    // As a log that is begun anew from its start leaves it: sound frames, of another round.
    const older = written().log;
    fc.assert(
      fc.property(fc.nat(whole.log.length), fc.constantFrom('missing', 'zero', 'older'), (at, rest) => {
        const log = Buffer.alloc(rest === 'missing' ? at : whole.log.length);
        if (rest === 'older') older.copy(log, headBytes, headBytes);
        whole.log.copy(log, 0, 0, at);
        expect(foundWith(whole.main, log)).toEqual(stateAt(whole, sameUpTo(log, whole.log)));
      }),
      { seed: 2, numRuns: 400 },
    );
  }, 120_000);

  it('F2 a start that is itself cut off before it ended finds the same again', () => {
    const whole = made();
    const at = whole.states.at(-4)?.end ?? 0;
    const file = join(ownFolder(), 'estepe.db');
    writeFileSync(file, whole.main);
    writeFileSync(`${file}-wal`, whole.log.subarray(0, at + 100));
    const first = openHistory(file);
    const copy = join(ownFolder(), 'estepe.db');
    for (const suffix of ['', '-wal']) copyFileSync(file + suffix, copy + suffix);
    first.close();
    const second = openHistory(copy);
    expect(told(second)).toEqual(stateAt(whole, at));
    second.close();
  });
});
