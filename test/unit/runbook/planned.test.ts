/** The steps of a planned change of roles that a promotion does not have, with another node that does as it is told. */
import { describe, expect, it } from 'vitest';
import type { CallsSeen } from '../../../src-main/contract/parity.ts';
import type { BackupAnswer, StandDownAnswer } from '../../../src-main/engine/ports.ts';
import { callsIn } from '../../../src-main/runbook/calls.ts';
import { type PairAtWork, plannedStepIds } from '../../../src-main/runbook/planned.ts';
import { bench } from './promotion-bench.ts';

const made = (name: string, verified = true): BackupAnswer => ({
  ...{ outcome: 'made', name, createdAt: 0, verified },
  sentence: `${name} was made`,
});
const fails = (outcome: 'failed' | 'refused' | 'unreachable', sentence: string): BackupAnswer => ({
  outcome,
  sentence,
});

/** What the other node answers, and what a restore here comes to; the last of a list is answered again and again. */
interface Told {
  backups?: BackupAnswer[];
  standDown?: StandDownAnswer[];
  /** calls that are active there, one answer after the other */
  calls?: CallsSeen[];
  /** a backup is not answered for before that */
  holdBackup?: Promise<void>;
  restore?: (name: string) => { ok: boolean; sentence: string };
}

/** The other node, and this one's storeroom: a double at the port, since the real ones are tried in test/peers. */
class StagedPair implements PairAtWork {
  readonly asked: string[] = [];
  readonly #told: Told;
  constructor(told: Told) {
    this.#told = told;
  }
  readonly peer: PairAtWork['peer'] = {
    askBackup: async ({ epoch }, _signal, onProgress) => {
      this.asked.push(`backup ${epoch ?? 'now'}`);
      for (const text of ['it packs', 'it packs', 'it reads back']) onProgress(text);
      await this.#told.holdBackup;
      return next(this.#told.backups ?? [made('b.zip')]);
    },
    askStandDown: async (epoch) => {
      this.asked.push(`stand down ${epoch}`);
      return next(this.#told.standDown ?? [{ outcome: 'stood-down', sentence: 'passive' }]);
    },
    calls: async () => {
      this.asked.push('calls');
      return next(this.#told.calls ?? [{ count: 0, sentence: '0 calls are active' }]);
    },
  };
  async restore(name: string) {
    this.asked.push(`restore ${name}`);
    return this.#told.restore?.(name) ?? { ok: true, sentence: `${name} was restored` };
  }
}

function next<T>(answers: T[]): T {
  const [answer] = answers.length > 1 ? answers.splice(0, 1) : answers;
  if (answer === undefined) throw new Error('no answer is left');
  return answer;
}

function staged(told: Told = {}, more: Parameters<typeof bench>[1] = {}) {
  const pair = new StagedPair(told);
  const b = bench({}, { pair, ...more });
  return {
    ...b,
    asked: pair.asked,
    begin: (whenIdle = false) => b.begin(plannedStepIds({ whenIdle }), 'switchover', null, 'person'),
  };
}

async function ran(told: Told = {}, more: Parameters<typeof bench>[1] = {}, whenIdle = false) {
  const b = staged(told, more);
  b.begin(whenIdle);
  await b.end();
  return b;
}

const before = ['backup now', 'restore b.zip'];

describe('a planned change of roles', () => {
  it('backs up there, restores here, claims, has the other node stand down, brings the last changes over, starts', async () => {
    const b = await ran({ backups: [made('b.zip'), made('c.zip')] });
    expect(b.status()).toBe('done: every step is done');
    expect(b.asked).toEqual([...before, 'stand down 1', 'backup 1', 'restore c.zip']);
    expect(b.proc.names).toEqual(['start a', 'start b', 'after.sh']);
    expect(b.history.standing()).toMatchObject({ role: 'active', epoch: 1 });
    expect(b.said('stand-down-other')).toContain('192.0.2.1 is silent');
  });

  it('brings nothing over where nothing newer was made', async () => {
    const b = await ran();
    expect(b.asked).toEqual([...before, 'stand down 1', 'backup 1']);
    expect(b.said('last-changes')).toBe('nothing was written since: b.zip was made');
    expect(b.history.standing()).toMatchObject({ role: 'active', epoch: 1 });
  });

  it('says each sentence of the other node about its backup once', async () => {
    let goOn = (): void => {};
    const b = staged({
      holdBackup: new Promise((resolve) => {
        goOn = resolve;
      }),
    });
    b.begin();
    await b.work.until('its progress to be told', () => b.runner.live?.output.includes('reads back') === true);
    expect(b.runner.live).toMatchObject({ step: 'final-backup', output: 'it packs\nit reads back\n' });
    goOn();
    await b.end();
    expect(b.status()).toBe('done: every step is done');
  });

  it.each<[string, Told, RegExp, string[]]>([
    ['no final backup', { backups: [fails('failed', 'the disk is full')] }, /the disk is full/, ['backup now']],
    ['the other node away', { backups: [fails('unreachable', 'nobody listens')] }, /nobody listens/, ['backup now']],
    ['a backup that is not verified', { backups: [made('b.zip', false)] }, /b\.zip is not verified/, ['backup now']],
    ['a restore that fails', { restore: () => ({ ok: false, sentence: 'no room here' }) }, /no room here/, before],
  ])('%s is taken back before anything is claimed', async (_, told, why, asked) => {
    const b = await ran(told);
    expect(b.status()).toMatch(/^cancelled: /);
    expect(b.status()).toMatch(why);
    expect(b.status()).not.toContain('epoch');
    expect(b.asked).toEqual(asked);
    expect(b.claims.asked).toEqual([]);
    expect(b.proc.names).toEqual([]);
    expect(b.history.standing()).toBeNull();
  });

  it('guards that do not hold are taken back before anything is asked of the other node', async () => {
    const b = await ran({}, { askReady: async () => ({ ok: false, sentence: 'peer-link: not paired' }) });
    expect(b.status()).toBe('cancelled: peer-link: not paired');
    expect(b.asked).toEqual([]);
  });

  it('a claim that another node won is taken back, and nothing is said of standing down', async () => {
    const b = staged();
    b.claims.elsewhere.set(1, 'head-office@192.0.2.1');
    b.claims.highest = async () => 0;
    b.begin();
    await b.end();
    expect(b.status()).toBe('cancelled: epoch 1 was claimed by head-office@192.0.2.1: another node takes over');
    expect(b.asked).toEqual(before);
    expect(b.proc.names).toEqual([]);
  });

  it('refused because a higher epoch is known there: taken back, with nothing started', async () => {
    const b = await ran({ standDown: [{ outcome: 'refused', sentence: 'epoch 4 is known here', outbid: true }] });
    expect(b.status()).toMatch(/^cancelled: .*the other node did not stand down: epoch 4 is known here/);
    expect(b.proc.names).toEqual([]);
    expect(b.history.standing()?.role).not.toBe('active');
  });

  it('refused to stand down: a person is asked, told which node serves, and may leave the step out', async () => {
    const b = await ran({ standDown: [{ outcome: 'refused', sentence: 'it takes over itself' }] });
    expect(b.status()).toMatch(
      /^halted: Have the other node stand down: the other node did not stand down: it takes over itself; the other node stands down by itself as soon as it sees the claim of epoch 1\. `estepe promote` here goes on; .*`estepe cancel` here, then `estepe promote --because …` there$/,
    );
    expect(b.runner.facts()?.skippable).toBe(true);
    expect(b.asked).toEqual([...before, 'stand down 1']);
    expect(b.proc.names).toEqual([]);
    b.runner.abandon('a person gave it up');
    await b.end();
    expect(b.status()).toMatch(
      /^cancelled: a person gave it up; the claim of epoch 1 is withdrawn, and the other node serves on unless/,
    );
    expect(b.proc.names).toEqual([]);
  });

  it('a link that is down after the claim is waited for, and only then a person is asked', async () => {
    const away: StandDownAnswer = { outcome: 'unreachable', sentence: 'nobody listens' };
    const b = await ran({ standDown: [away, away, { outcome: 'stood-down', sentence: 'passive' }] });
    expect(b.status()).toBe('done: every step is done');
    const gone = await ran({ standDown: [away] });
    expect(gone.status()).toMatch(/^halted: .*nobody listens/);
    expect(gone.asked.filter((one) => one === 'stand down 1')).toHaveLength(9);
    expect(gone.proc.names).toEqual([]);
  });

  it('it says that it stood down, but its PBX answers still: a person is asked', async () => {
    const b = staged();
    b.answers.old = { outcome: 'alive', evidence: '200 OK' };
    b.begin();
    await b.end();
    expect(b.status()).toMatch(/^halted: Have the other node stand down: .*200 OK/);
    expect(b.proc.names).toEqual([]);
  });

  it.each<[string, BackupAnswer, Told['restore'], RegExp]>([
    ['it is away', fails('unreachable', 'nobody listens'), undefined, /nobody listens/],
    ['no backup is made', fails('failed', 'the disk is full'), undefined, /the disk is full/],
    ['it is not verified', made('c.zip', false), undefined, /the backup c\.zip is not verified/],
    [
      'the restore fails',
      made('c.zip'),
      (name) => ({ ok: name !== 'c.zip', sentence: 'no room here' }),
      /no room here/,
    ],
  ])('the last changes do not come across, %s: a person is asked, with the name of what is here', async (...row) => {
    const [, answer, restore, why] = row;
    const b = await ran({ backups: [made('b.zip'), answer], ...(restore ? { restore } : {}) });
    expect(b.status()).toMatch(/^halted: .*what the other node wrote after b\.zip is not here/);
    expect(b.status()).toMatch(why);
    expect(b.status()).toMatch(/the other node has stood down, and nothing was started here, so neither serves/);
    expect(b.runner.facts()?.skippable).toBe(true);
    expect(b.proc.names).toEqual([]);
    b.runner.resume({ skipStep: true, by: 'a person', overrides: [] });
    await b.end();
    expect(b.status()).toBe('done: every step is done');
  });

  it('cancelled once the other node has stood down, it halts and says that nothing was started here', async () => {
    const b = staged({ backups: [made('b.zip'), fails('unreachable', 'nobody listens')] });
    b.begin();
    await b.work.until('the last changes to be asked for', () => b.asked.includes('backup 1'));
    b.runner.cancel('a person cancelled it');
    await b.end();
    expect(b.status()).toMatch(
      /^halted: a person cancelled it; the other node has stood down, and nothing was started/,
    );
    expect(b.status()).not.toContain('services may be running');
    b.runner.abandon('a person gave it up');
    await b.end();
    expect(b.status()).toMatch(/^cancelled: a person gave it up; neither node serves now/);
    expect(b.proc.names).toEqual([]);
  });
});

const active = (count: number): CallsSeen => ({ count, sentence: `${count} calls are active` });
const cannotTell: CallsSeen = { count: null, sentence: 'services.calls names no command' };

describe('when no calls are active', () => {
  it('waits before the claim until the last call has ended, and asks the guards again', async () => {
    const b = await ran({ calls: [active(3), active(3), active(1), active(0)] }, {}, true);
    expect(b.status()).toBe('done: every step is done');
    expect(b.asked).toEqual(['calls', ...before, 'calls', 'calls', 'calls', 'stand down 1', 'backup 1']);
    expect(b.said('wait-idle')).toBe('no call is active on the other node');
  });

  it('is refused at once where the other node cannot tell', async () => {
    const b = await ran({ calls: [cannotTell] }, {}, true);
    expect(b.status()).toMatch(/^cancelled: .*services\.calls names no command/);
    expect(b.asked).toEqual(['calls']);
    expect(b.history.standing()).toBeNull();
  });

  it('one answer that says nothing is no answer; many of them take it back, with the pair as it was', async () => {
    const hiccup = await ran({ calls: [active(1), cannotTell, active(1), active(0)] }, {}, true);
    expect(hiccup.status()).toBe('done: every step is done');
    const gone = await ran({ calls: [active(1), cannotTell] }, {}, true);
    expect(gone.status()).toMatch(/^cancelled: .*services\.calls names no command/);
    expect(gone.asked).not.toContain('stand down 1');
  });

  it('calls that never end are not waited for beyond 12 h', async () => {
    const b = staged({ calls: [active(2)] });
    b.begin(true);
    await b.work.until('an end', () => b.runner.facts()?.status !== 'running', 13 * 3600_000);
    expect(b.status()).toMatch(/^cancelled: .*within 12 h the calls never ended: 2 calls are active/);
    expect(b.asked).not.toContain('stand down 1');
  });

  it('can be cancelled while it waits', async () => {
    const b = staged({ calls: [active(2)] });
    b.begin(true);
    await b.work.until('it to wait', () => b.runner.live?.step === 'wait-idle' && b.runner.live.output !== '');
    expect(b.runner.live?.output).toBe('2 calls are active\n');
    b.runner.cancel('not tonight');
    await b.end();
    expect(b.status()).toMatch(/^cancelled: not tonight/);
    expect(b.asked).not.toContain('stand down 1');
  });

  it('goes without where it was not asked for', async () => {
    const b = await ran({ calls: [cannotTell] });
    expect(b.status()).toBe('done: every step is done');
    expect(b.asked).not.toContain('calls');
  });

  it.each([
    ['0 active channels\n0 active calls\n17 calls processed\n', 0],
    ['4 active channels\n2 active calls\n17 calls processed\n', 2],
    ['1 active channel\n1 active call\n', 1],
    ['3\n', 3],
    ['calls:\n 12 \n', 12],
    ['', null],
    ['1\n2\n', null],
    ['none', null],
    ['-1\n', null],
    ['Unable to connect to remote asterisk', null],
  ])('reads %j as %s', (output, count) => {
    expect(callsIn(output)).toBe(count);
  });
});
