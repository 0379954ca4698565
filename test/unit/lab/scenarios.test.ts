/** The lab's scenarios as an admin or a script runs them: the one document, the exit code, and nothing left. */
import { describe, expect, it, vi } from 'vitest';
import { plannedStepIds } from '../../../src-main/runbook/planned.ts';
import { documentOf, estepe } from '../cli/estepe-process.ts';
import { startLab } from './lab-process.ts';

// Several processes each; a busy machine takes its time.
vi.setConfig({ testTimeout: 180_000 });

async function played(scenario: string, ...more: string[]) {
  const lab = startLab('--scenario', scenario, '--json', ...more);
  const ended = await lab.ended;
  await lab.expectNothingLeft();
  expect(ended.err).toBe('');
  const document = documentOf(ended) as unknown as Document;
  // first and alone: the sentence says what went wrong
  expect(document.right, `${scenario}: ${document.reason}; ${rulesOf(document).join(', ')}`).toBe(true);
  return { exit: ended.exit, document };
}

interface Document {
  right: boolean;
  detectMs: number;
  promoteMs: number;
  reason: string;
  verdicts: string[];
  steps: { id: string; state: string; result: string }[];
  home: { steps: { id: string; state: string }[] } | null;
  answers: { test: string; outcome: string }[];
  events: { atMs: number; rule: string; reason: string; verdict: string | null }[];
}

const rulesOf = ({ events }: Document): string[] => events.map(({ rule }) => rule);
const answering = ['sip', 'web', 'tunnel'].map((test) => expect.objectContaining({ test, outcome: 'alive' }));

/** Between the first event by one rule and the first by another. */
function between({ events }: Document, one: string, other: string): number {
  const at = (rule: string): number => events.find((event) => event.rule === rule)?.atMs ?? Number.NaN;
  return at(other) - at(one);
}

const linux = process.platform === 'linux';

// What comes back must be back before its death is proven, also on a busy machine: these two have it for themselves.
describe.skipIf(!linux)('estepe lab --scenario, one at a time', () => {
  it('A3, A8: a hung active is ended and replaced; one that comes and goes is left alone', async () => {
    const hung = await played('hang-active');
    const flapping = await played('flap');

    expect(hung.document).toMatchObject({
      ...{ right: true, promoted: true, epoch: 1, phase: 'active', active: { state: 'gone' }, answers: answering },
    });
    expect(hung.exit).toBe(0);
    const decided = hung.document.events.find(({ verdict }) => verdict === 'down');
    expect(decided?.reason).toMatch(
      /sip: no answer within.*web: port accepts, but no TLS handshake.*tunnel: port accepts/,
    );

    expect(flapping.document).toMatchObject({ right: true, promoted: false, epoch: 0, phase: 'watching', steps: [] });
    expect(flapping.exit).toBe(0);
    // A busy machine may add a round that failed for want of time.
    for (const rule of ['watching.failed-round', 'suspecting.cleared'])
      expect(rulesOf(flapping.document).filter((each) => each === rule).length).toBeGreaterThanOrEqual(3);
    expect(flapping.document.verdicts).not.toContain('down');
  });
});

describe.skipIf(!linux)('estepe lab --scenario', () => {
  it('A1, B2: two labs at once: a killed active is replaced, an isolated spare takes nothing over', async () => {
    const [killed, isolated] = await Promise.all([played('kill-active'), played('isolate-passive')]);

    expect(killed.document).toMatchObject({
      ...{ scenario: 'kill-active', right: true, mode: 'automatic', promoted: true, epoch: 1, phase: 'active' },
      ...{ verdicts: ['healthy', 'suspect', 'down'], active: { state: 'gone' }, answers: answering },
      data: { backup: expect.stringMatching(/^lab-.*\.zip$/), files: 14, same: true, differences: [] },
    });
    expect(killed.exit).toBe(0);
    const { document } = killed;
    const states = new Map<string, string>(document.steps.map(({ id, state }) => [id, state]));
    // No record is configured in the lab.
    expect(states.get('switch-dns')).toBe('skipped');
    expect([...states.values()].filter((state) => state === 'done')).toHaveLength(8);
    expect(states.size).toBe(9);
    const decided = document.events.find(({ verdict }) => verdict === 'down');
    expect(decided).toMatchObject({
      rule: 'suspecting.down-automatic',
      reason: expect.stringMatching(/4 of 4 rounds in a row failed.*sip: ECONNREFUSED 127\.\d+\.\d+\.1:/),
    });
    // Both figures are those of the events themselves.
    expect(
      Math.abs(document.promoteMs - between(document, 'suspecting.down-automatic', 'promoting.done')),
    ).toBeLessThan(2);
    expect(document.detectMs).toBeGreaterThan(between(document, 'watching.failed-round', 'suspecting.down-automatic'));

    expect(isolated.document).toMatchObject({
      ...{ scenario: 'isolate-passive', right: true, promoted: false, epoch: 0, phase: 'watching' },
      ...{ detectMs: null, promoteMs: null, steps: [], active: { state: 'running' } },
    });
    expect(isolated.exit).toBe(0);
    expect(isolated.document.verdicts).toContain('isolated');
    expect(isolated.document.verdicts).not.toContain('down');
    expect(isolated.document.verdicts.at(-1)).toBe('healthy');
    const turns = isolated.document.events.filter(({ rule }) => rule.startsWith('test.')).map(({ reason }) => reason);
    expect(turns.join('\n')).toMatch(/tunnel turned from alive to dead: no connection to .* within/);
    expect(turns.join('\n')).not.toContain('ECONNREFUSED');
  });

  it('B5, G6: a machine that comes back stands down; home again with what was written meanwhile', async () => {
    const [returned, home] = await Promise.all([played('returning-active'), played('failback')]);

    expect(returned.document).toMatchObject({
      ...{ right: true, promoted: true, stoodDown: true, home: null, epoch: 1, phase: 'active' },
      ...{ active: { state: 'gone' }, answers: answering, data: { same: true, differences: [] } },
    });
    expect(returned.exit).toBe(0);
    expect(rulesOf(returned.document)).toContain('active.other-answers');

    expect(home.document).toMatchObject({
      ...{ right: true, promoted: true, stoodDown: true, epoch: 2, phase: 'watching', answers: answering },
      ...{ home: { done: true, epoch: 2, carried: true }, data: { same: true, differences: [] } },
    });
    expect(home.exit).toBe(0);
    const { steps } = home.document.home ?? { steps: [] };
    expect(steps.map(({ id }) => id)).toEqual(plannedStepIds({ whenIdle: false }));
    // No record and no script is configured on the old active.
    expect(steps.filter(({ state }) => state === 'skipped').map(({ id }) => id)).toEqual([
      'switch-dns',
      'after-script',
    ]);
    const rules = rulesOf(home.document);
    expect(rules.indexOf('promoting.done')).toBeLessThan(rules.indexOf('standing.asked'));
    expect(rules.indexOf('standing.asked')).toBeLessThan(rules.indexOf('standing-down.done'));
  });

  it('in the other modes a person is asked: silence promotes, or the order does', async () => {
    const [confirmed, ordered] = await Promise.all([
      played('kill-active', '--mode', 'confirm'),
      played('kill-active', '--mode', 'manual'),
    ]);
    expect(confirmed).toMatchObject({ exit: 0, document: { mode: 'confirm', promoted: true, epoch: 1 } });
    expect(rulesOf(confirmed.document)).toEqual(expect.arrayContaining(['suspecting.down-ask', 'awaiting.go']));
    // the countdown is part of it
    expect(confirmed.document.promoteMs).toBeGreaterThan(3_000);
    expect(ordered).toMatchObject({ exit: 0, document: { mode: 'manual', promoted: true, epoch: 1 } });
    expect(rulesOf(ordered.document)).toEqual(expect.arrayContaining(['suspecting.down-ask', 'order.promote']));
  });
});

describe('wrong words', () => {
  it.each([
    [
      ['--scenario', 'kill'],
      /^There is no scenario `kill`\.\nAllowed: kill-active, hang-active, isolate-passive, flap, returning-active, failback\.\n$/,
    ],
    [['--mode', 'auto'], /^There is no mode `auto`\.\nAllowed: automatic, confirm, manual\.\n$/],
  ])('%j exits 2 with what is allowed', async (words, said) => {
    const ended = await estepe('lab', ...words);
    expect(ended.err).toMatch(said);
    expect(ended.out).toBe('');
    expect(ended.exit).toBe(2);
    const document = documentOf(await estepe('lab', ...words, '--json'));
    expect(document).toMatchObject({ error: { code: 'usage' } });
  });
});
