/** The steps of a planned change of roles that a promotion does not have, with another node that does as it is told. */
import { describe, expect, it } from 'vitest';
import type { BackupAnswer, StandDownAnswer } from '../../../src-main/engine/ports.ts';
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
  return { ...b, asked: pair.asked, begin: () => b.begin(plannedStepIds, 'switchover', null, 'person') };
}

async function ran(told: Told = {}, more: Parameters<typeof bench>[1] = {}) {
  const b = staged(told, more);
  b.begin();
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
