/** Claims of epochs with a real etcd. */
import { describe, expect, it } from 'vitest';
import { sentenceOf } from '../../../src-main/contract/errors.ts';
import { EtcdKeeper, type EtcdSettings } from '../../../src-main/peer/etcd-keeper.ts';
import { etcdPrograms, pbx, startEtcd } from '../fixtures/etcd.ts';
import { freePort } from '../fixtures/free-port.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';

const signal = new AbortController().signal;
const pair = { pair: 'head-office', fqdn: 'pbx.example.com' };

const keeperAt = (endpoints: string[], change: Partial<EtcdSettings> = {}, of = pair): EtcdKeeper =>
  new EtcdKeeper(
    { endpoints, user: null, password: null, prefix: 'estepe/head-office', timeoutMs: 5000, ...change },
    of,
  );
const faultOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'none', sentenceOf);

describeWithPeers('claims in etcd', etcdPrograms, () => {
  it('B6 twenty epochs claimed by both at the same instant: each has one owner, and both know whom', async ({
    onTestFinished: later,
  }) => {
    const { peer, endpoint } = await startEtcd();
    later(() => peer.stop());
    const [a, b] = [keeperAt([endpoint]), keeperAt([endpoint])];
    for (let epoch = 1; epoch <= 20; epoch += 1) {
      const answers = await Promise.all([a.claim(epoch, 'a#1', signal), b.claim(epoch, 'b#1', signal)]);
      expect(answers.map(({ won }) => won).sort()).toEqual([false, true]);
      expect(new Set(answers.map(({ owner }) => owner)).size).toBe(1);
    }
    const claims = await a.claims(signal);
    expect(claims.map(({ epoch }) => epoch).sort((x, y) => x - y)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });

  it('the same owner again is won again, also where the first answer was lost; a claim is given back once', async ({
    onTestFinished: later,
  }) => {
    const { peer, endpoint } = await startEtcd();
    later(() => peer.stop());
    const keeper = keeperAt([endpoint]);
    expect(await keeper.claim(3, 'a#1', signal)).toEqual({ won: true, owner: 'a#1' });
    expect(await keeperAt([endpoint]).claim(3, 'a#1', signal)).toEqual({ won: true, owner: 'a#1' });
    expect(await keeper.claim(3, 'a#2', signal)).toEqual({ won: false, owner: 'a#1' });
    for (const _ of [1, 2]) await keeper.withdraw(3, 'a#1', signal);
    expect(await keeper.claims(signal)).toEqual([{ epoch: 3, owner: 'a#1', withdrawn: true }]);
  });

  it('logs in; a wrong password, and a user without the right, are told; a token that is no longer known is renewed', async ({
    onTestFinished: later,
  }) => {
    const etcd = await startEtcd({ users: true });
    later(() => etcd.peer.stop());
    const keeper = keeperAt([etcd.endpoint], pbx);
    expect((await keeper.claim(1, 'a#1', signal)).won).toBe(true);
    const wrong = await faultOf(keeperAt([etcd.endpoint], { ...pbx, password: 'guess' }).claims(signal));
    expect(wrong).toContain('it does not let in the user estepe');
    expect(wrong).not.toContain('guess');
    const elsewhere = await faultOf(keeperAt([etcd.endpoint], { ...pbx, prefix: 'not-ours' }).claims(signal));
    expect(elsewhere).toMatch(/it refuses: .*permission denied/);
    expect(await faultOf(keeperAt([etcd.endpoint]).claims(signal))).toMatch(/it refuses|user name/);
    // Changing a password revokes its tokens.
    etcd.ctl('auth', 'disable');
    etcd.ctl('auth', 'enable');
    expect(await keeper.claims(signal)).toHaveLength(1);
  });

  it('asks the next address where one does not answer; where none does, each is named with why', async ({
    onTestFinished: later,
  }) => {
    const { peer, endpoint } = await startEtcd();
    later(() => peer.stop());
    const closed = `http://127.0.0.1:${await freePort()}`;
    expect((await keeperAt([closed, endpoint]).claim(1, 'a#1', signal)).won).toBe(true);
    await peer.freeze();
    const why = await faultOf(keeperAt([closed, endpoint], { timeoutMs: 300 }).claims(signal));
    expect(why).toMatch(/127\.0\.0\.1:\d+: ECONNREFUSED; 127\.0\.0\.1:\d+: no answer within 0\.3 s/);
    peer.thaw();
  });

  describe('what is none of this pair', () => {
    it('a claim of another pair under the same prefix is no answer', async ({ onTestFinished: later }) => {
      const { peer, endpoint } = await startEtcd();
      later(() => peer.stop());
      await keeperAt([endpoint], {}, { ...pair, pair: 'branch' }).claim(2, 'c#1', signal);
      expect(await faultOf(keeperAt([endpoint]).claim(2, 'a#1', signal))).toContain('of another pair, `branch`');
    });
  });
});
