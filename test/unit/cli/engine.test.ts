/** Commands that speak to a running engine: answers, live steps, and every way in which the engine can be away. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { guardsAllOk, healthySnapshot, runbookAt } from '../console/desk-double.ts';
import { manyEvents } from '../console/history-double.ts';
import { documentOf, type EngineUnderTest, engineUnderTest, estepe, startEstepe, token } from './estepe-process.ts';

// Each call is a process of its own; a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

let engine: EngineUnderTest;
beforeEach(async () => {
  engine = await engineUnderTest();
});
afterEach(() => engine.end());

const ask = (...args: string[]) => estepe(...args, '--data', engine.data);

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within 30 s: ${what}`);
    await new Promise((next) => setTimeout(next, 20));
  }
}

/** The phase that a finished promotion leaves. */
function become(phase: 'active' | 'halted', sentence: string): Parameters<typeof engine.desk.change>[0] {
  return { core: { ...healthySnapshot(Date.now()).core, phase, sentence } };
}

describe('status', () => {
  it('prints the one sentence, nodes, last beats, offset and failing guards, without colour and without the token', async () => {
    const ended = await ask('status');
    expect(ended.exit).toBe(0);
    const lines = ended.out.split('\n');
    expect(lines[0]).toBe('The active is healthy and the spare is watching; nothing to do.');
    expect(ended.out).toContain('192.0.2.2 (passive, epoch 3, this node): Watches the active every 30 s.');
    expect(ended.out).toMatch(/sip \(udp 192\.0\.2\.1:5060\): alive in .* ms, SIP\/2\.0 200 OK, \d+ s ago/);
    expect(ended.out).toContain('Offset: 9 h 02 min (bound 1 d 0 h)');
    expect(ended.out).toContain('✗ proven-down: the active answers');
    expect(ended.out).not.toContain('✗ cool-down');
    expect(ended.out).toContain(`Console: ${engine.console.url}`);
    expect(ended.out).not.toContain(token);
    expect(ended.out).not.toContain('\u001b[');
  });

  it('colours when it is told to, and NO_COLOR wins', async () => {
    const coloured = await startEstepe(['status', '--data', engine.data], { FORCE_COLOR: '1' }).ended;
    expect(coloured.out).toContain('\u001b[');
    const plain = await startEstepe(['status', '--data', engine.data], { FORCE_COLOR: '1', NO_COLOR: '1' }).ended;
    expect(plain.out).not.toContain('\u001b[');
  });

  it('--json is the snapshot, without the token', async () => {
    const ended = await ask('status', '--json');
    expect(documentOf(ended)).toMatchObject({
      core: { phase: 'watching' },
      pair: { name: 'head-office' },
      console: engine.console.url,
    });
    expect(ended.out).not.toContain(token);
    expect(ended.err).toBe('');
  });
});

describe('promote', () => {
  it('G3 refused: each guard with its evidence and the exact command that overrides it; exit 1', async () => {
    const ended = await ask('promote', '--because', 'just so');
    expect(ended.exit).toBe(1);
    expect(ended.out).toContain('✗ proven-down: the active answers: sip 200 OK');
    expect(ended.out).toContain(
      `estepe promote --override "proven-down=why you know better" --because "just so" --data ${engine.data}`,
    );
    const json = await ask('promote', '--json');
    expect(documentOf(json)).toMatchObject({
      accepted: false,
      refusedBy: ['proven-down'],
      guards: [{ name: 'proven-down' }],
    });
    expect(json.exit).toBe(1);
  });

  it('hands over who, why and the overrides', async () => {
    engine.desk.change({ guards: guardsAllOk });
    const ended = await ask(
      'promote',
      '--no-wait',
      '--override',
      'references=I am on site',
      '--because',
      'power is out',
    );
    expect(ended.exit).toBe(0);
    expect(engine.desk.asked.at(-1)).toMatchObject({
      call: 'promote',
      ask: {
        by: expect.stringContaining('(command line)'),
        reason: 'power is out',
        overrides: [{ guard: 'references', reason: 'I am on site' }],
        dryRun: false,
        skipStep: false,
      },
    });
  });

  it('--dry-run prints the plan and starts nothing', async () => {
    engine.desk.change({ guards: guardsAllOk });
    const ended = await ask('promote', '--dry-run');
    expect(ended.exit).toBe(0);
    expect(ended.out).toContain('2. claim epoch 4');
    expect(engine.desk.asked.at(-1)).toMatchObject({ ask: { dryRun: true } });
  });

  it('follows the steps live and exits 0 only when this node is active', async () => {
    engine.desk.change({ guards: guardsAllOk });
    const running = startEstepe(['promote', '--data', engine.data]);
    await until('the feed is open', () => engine.desk.subscribers === 1);
    for (let done = 1; done <= 9; done++) engine.desk.change({ runbook: runbookAt(Date.now(), done) });
    await until('the last step is shown', () => running.out().includes('✓ become the active node'));
    engine.desk.change({ runbook: runbookAt(Date.now(), 9, { status: 'done', endedAt: Date.now() }) });
    engine.desk.change(become('active', 'This node is active under epoch 4.'));
    const ended = await running.ended;
    expect(ended.exit).toBe(0);
    const shown = ended.out.split('\n').filter((line) => line.includes('✓'));
    expect(shown).toHaveLength(9);
    expect(shown[3]).toMatch(/✓ run stop-old-active\.cmd: done, \d+ ms/);
    expect(ended.out.trimEnd().endsWith('This node is active under epoch 4.')).toBe(true);
  });

  it('exits 1 when the runbook halts, and says what can be done', async () => {
    engine.desk.change({ guards: guardsAllOk });
    const running = startEstepe(['promote', '--data', engine.data, '--json']);
    await until('the feed is open', () => engine.desk.subscribers === 1);
    engine.desk.change({ runbook: runbookAt(Date.now(), 3) });
    engine.desk.change({
      runbook: runbookAt(Date.now(), 3, { status: 'halted', reason: 'start-services: exit code 2' }),
      ...become('halted', 'Halted.'),
    });
    const ended = await running.ended;
    expect(ended.exit).toBe(1);
    expect(documentOf(ended)).toMatchObject({
      accepted: true,
      promoted: false,
      runbook: { status: 'halted', reason: 'start-services: exit code 2' },
    });
  });

  it('an order that was accepted and could not be begun: says why and ends', async () => {
    engine.desk.onPromote = async () => ({
      accepted: true,
      rule: 'order.promote',
      reason: 'ordered',
      refusedBy: [],
      plan: [],
    });
    const promoting = startEstepe(['promote', '--data', engine.data]);
    await until('the order', () => engine.desk.asked.length > 0);
    const core = { ...healthySnapshot(Date.now()).core, phase: 'halted' as const, reason: 'it cannot be journaled' };
    engine.desk.change({ core });
    const ended = await promoting.ended;
    expect(ended).toMatchObject({
      exit: 1,
      out: expect.stringContaining('Nothing was done: it cannot be journaled') as string,
    });
  });

  it('an engine that falls silent under way is given up on, and the process ends', { timeout: 120_000 }, async () => {
    engine.desk.onPromote = async () => ({
      accepted: true,
      rule: 'order.promote',
      reason: 'ordered',
      refusedBy: [],
      plan: [],
    });
    const ended = await ask('promote');
    expect(ended.exit).toBe(1);
    expect(ended.err).toMatch(/^The engine was lost while the promotion ran: .*has not answered for 15 s/);
  });

  it('does not take an older runbook for its own', async () => {
    engine.desk.change({ guards: guardsAllOk, runbook: runbookAt(Date.now(), 8, { id: 6, status: 'done' }) });
    const running = startEstepe(['promote', '--data', engine.data]);
    await until('the feed is open', () => engine.desk.subscribers === 1);
    engine.desk.change({
      runbook: runbookAt(Date.now(), 2, { status: 'cancelled', reason: 'the active answers again' }),
    });
    const ended = await running.ended;
    expect(ended.exit).toBe(1);
    expect(ended.out).toContain('Cancelled: the active answers again');
  });

  it('leaving the terminal stops nothing, and says so', async () => {
    engine.desk.change({ guards: guardsAllOk });
    const running = startEstepe(['promote', '--data', engine.data]);
    await until('the feed is open', () => engine.desk.subscribers === 1);
    engine.desk.change({ runbook: runbookAt(Date.now(), 1) });
    await until('a step is shown', () => running.out().includes('check the guards'));
    running.signal('SIGINT');
    const ended = await running.ended;
    expect(ended.err).toContain('It goes on without this terminal.');
    expect(ended.exit).toBe(1);
    expect(engine.desk.asked.map(({ call }) => call)).toEqual(['promote']);
  });
});

describe('other orders', () => {
  it.each([
    ['cancelled', 'suspecting', 0, /Cancelled: the test thought better of it/],
    ['halted', 'halted', 1, /services may be running here already/],
  ] as const)('cancel of a running promotion is followed to its end: %s', async (status, phase, exit, said) => {
    const { core } = healthySnapshot(Date.now());
    engine.desk.change({ core: { ...core, phase: 'promoting' }, runbook: runbookAt(Date.now(), 3) });
    const cancelling = startEstepe(['cancel', '--data', engine.data]);
    await until('the order', () => engine.desk.asked.some(({ call }) => call === 'cancel'));
    const reason = status === 'cancelled' ? 'the test thought better of it' : 'services may be running here already';
    engine.desk.change({ core: { ...core, phase }, runbook: runbookAt(Date.now(), 3, { status, reason }) });
    const ended = await cancelling.ended;
    expect(ended.exit).toBe(exit);
    expect(ended.out).toMatch(said);
  });

  it('standing, and a person’s word that it is right', async () => {
    expect((await ask('standing')).out).toContain('This node is passive under epoch 3.');
    const confirmed = await ask('standing', 'confirm', '--because', 'looked at both', '--json');
    expect(documentOf(confirmed)).toEqual({ confirmed: true });
    expect(engine.desk.asked.at(-1)).toMatchObject({
      call: 'standingConfirmed',
      ask: { reason: 'looked at both', by: expect.stringMatching(/./) as string },
    });
  });

  it('cancel, maintenance on and off', async () => {
    expect((await ask('cancel', '--because', 'not now')).exit).toBe(0);
    expect(engine.desk.asked.at(-1)).toMatchObject({ call: 'cancel', ask: { reason: 'not now' } });
    const on = await ask('maintenance', 'on', '--for', '30m', '--because', 'update');
    expect(on.out).toMatch(/^Maintenance until \d{4}-\d\d-\d\d .*30 min/);
    expect(engine.desk.asked.at(-1)).toMatchObject({
      call: 'maintenanceOn',
      ask: { forMs: 1_800_000, reason: 'update' },
    });
    expect(documentOf(await ask('maintenance', 'off', '--json'))).toEqual({ maintenance: false, was: true });
  });

  it('history: events by severity, beats of a test', async () => {
    const history = await ask('history', '--severity', 'warning');
    expect(history.out).toMatch(/warning suspecting \[first-failed-round\] sip, web, tunnel: no answer/);
    expect(history.out.trimEnd().split('\n')).toHaveLength(1);
    const beats = documentOf(await ask('history', '--beats', 'sip', '--limit', '5', '--json'));
    expect(beats).toMatchObject({ test: 'sip' });
    expect(beats.beats).toHaveLength(5);
    const unknown = await ask('history', '--beats', 'spi');
    expect(unknown.err).toContain('There is no test `spi` here.\nTests are sip, web, tunnel.');
    expect(unknown.exit).toBe(2);
  });

  it('history: events by kind, text and how far back', async () => {
    engine.desk.history.older = manyEvents(Date.now() - 6 * 3_600_000, 11);
    const idsOf = async (...args: string[]): Promise<number[]> => {
      const { events } = documentOf(await ask('history', ...args, '--json')) as { events: { id: number }[] };
      return events.map(({ id }) => id);
    };
    expect(await idsOf('--kind', 'order')).toEqual([10, 2]);
    expect(await idsOf('--text', 'EVENT 1')).toEqual([11, 10, 1]);
    // the newest of them is seven hours old
    expect(await idsOf('--since', '510m', '--text', 'event ')).toEqual([11, 10]);
    expect(await idsOf('--kind', 'order', '--since', '510m', '--limit', '1')).toEqual([10]);
    expect((await ask('history', '--kind', 'order', '--text', 'nobody wrote this')).out).toBe(
      'No event is like that.\n',
    );
    const { events } = documentOf(await ask('history', '--kind', 'order', '--limit', '1', '--json'));
    expect(events).toEqual([
      expect.objectContaining({ kind: 'order', rule: 'order.rule-3', evidence: { round: 10, failed: ['sip'] } }),
    ]);
  });
});

describe('an engine that cannot be reached', () => {
  it('H1 wrong token: refused, with what to do', async () => {
    engine.publish('another-token-of-an-earlier-start');
    const ended = await ask('status');
    expect(ended.err).toMatch(/refused this data folder's token/);
    expect(ended.exit).toBe(1);
    expect(documentOf(await ask('status', '--json'))).toMatchObject({ error: { code: 'unauthorized' } });
  });

  it('nobody listens any more', async () => {
    await engine.console.close();
    const ended = await ask('status');
    expect(ended.err).toMatch(/^No engine answers on http:\/\/127\.0\.0\.1:\d+\//);
    expect(ended.exit).toBe(1);
  });

  it('a fault inside the engine is its sentence, without a stack', async () => {
    engine.desk.fault = new Error('secret path /x/y');
    const ended = await ask('status');
    expect(ended.err).toMatch(/the engine could not answer this call/);
    expect(ended.err).not.toMatch(/secret path|\n\s+at /);
    expect(ended.exit).toBe(1);
  });
});
