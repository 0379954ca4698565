/** Claims of two nodes in one real folder, beside their own real histories. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openLocation } from '../../../src-main/backup/locations/open.ts';
import { RealClock } from '../../../src-main/heartbeat/real-clock.ts';
import { ownerOf } from '../../../src-main/peer/keeper.ts';
import { LocationKeeper } from '../../../src-main/peer/location-keeper.ts';
import { SharedClaims } from '../../../src-main/peer/shared-claims.ts';
import { Witness, wordName } from '../../../src-main/peer/witness.ts';
import { Heard, type NodeWord, parseWord } from '../../../src-main/peer/word.ts';
import { boardOf } from '../../../src-main/station/board.ts';
import { until } from '../../peers/fixtures/until.ts';
import { newHistory, ownFolder } from '../history/workbench.ts';
import { lifeA, lifeB, wordWith } from './words.ts';

const clock = new RealClock();
const signal = new AbortController().signal;
const must = { alone: false, signal };
const best = { alone: true, signal };
const folder = 'estepe-head-office';
const keptFor = { pair: 'head-office', fqdn: 'pbx.example.com' };
const places = { a: '192.0.2.1', b: '192.0.2.2' } as const;

function nodeIn(nas: string, name: 'a' | 'b') {
  const place = places[name];
  const otherPlace = places[name === 'a' ? 'b' : 'a'];
  const node = `head-office@${place}`;
  const store = newHistory();
  const location = openLocation(
    { kind: 'local', folder: nas },
    { clock, secretOf: () => '', hostKeys: { pinned: () => null, pin: () => {} } },
  );
  const board = boardOf(location);
  const keeper = new LocationKeeper(board, folder, keptFor);
  const heard = new Heard();
  const around = { role: 'passive' as 'active' | 'passive', epoch: 0, openEpoch: null as number | null, isOpen: false };
  const notes: string[] = [];
  let seq = 0;
  let looks = 0;
  const witness = new Witness({
    clock,
    store,
    node,
    isConfigured: () => true,
    board: () => board,
    keepers: () => [keeper],
    folder: () => folder,
    reader: () => ({ pair: 'head-office', fqdn: 'pbx.example.com', place }),
    otherPlace: () => otherPlace,
    ownWord: (): NodeWord => {
      seq += 1;
      const { role, epoch } = around;
      return wordWith({ node, place, life: name === 'a' ? lifeA : lifeB, seq, role, epoch });
    },
    hear: (word) => void heard.hear('location', word, clock.now()),
    forget: () => heard.forget('location'),
    everyMs: () => 50,
    around: () => around,
    onNews: () => {
      looks += 1;
    },
    note: (rule) => void notes.push(rule),
  });
  onTestFinished(() => witness.close());
  const claims = new SharedClaims({ clock, store, node, keepers: () => [keeper], seen: () => witness.seen });
  /** one whole look that began after now */
  const looked = async (): Promise<void> => {
    const before = looks;
    await until('two looks', () => looks >= before + 2);
  };
  return { node, store, claims, keeper, witness, heard, around, notes, looked, board };
}

function both() {
  const nas = join(ownFolder(), 'nas');
  mkdirSync(nas);
  return { nas, a: nodeIn(nas, 'a'), b: nodeIn(nas, 'b') };
}

describe('an epoch in the location', () => {
  it('B6 both claim at the same instant: one wins, the other is told who did', async () => {
    const { nas, a, b } = both();
    for (let epoch = 1; epoch <= 20; epoch += 1) {
      const answers = await Promise.all([
        a.claims.claim(epoch, `${a.node}#x`, must),
        b.claims.claim(epoch, `${b.node}#y`, must),
      ]);
      expect(answers.map(({ won }) => won).sort()).toEqual([false, true]);
      expect(new Set(answers.map(({ owner }) => owner)).size).toBe(1);
      expect([a.store.ownerOf(epoch), b.store.ownerOf(epoch)].filter((owner) => owner !== null)).toHaveLength(1);
    }
    expect(readdirSync(join(nas, folder)).filter((name) => name.startsWith('epoch-'))).toHaveLength(20);
    expect(await a.claims.highest()).toBe(20);
  });

  it('claimed again by the same runbook it is won again; numbering goes on from the other node’s', async () => {
    const { a, b } = both();
    expect(await a.claims.claim(7, `${a.node}#x`, must)).toEqual({ won: true, owner: `${a.node}#x`, unshared: null });
    expect((await a.claims.claim(7, `${a.node}#x`, must)).won).toBe(true);
    expect([await b.claims.highest(), await b.claims.foreign()]).toEqual([7, 7]);
    expect(await a.claims.foreign()).toBe(0);
  });

  it('B4 the location is away: nothing is won where it is required; with best-effort this node goes on alone, and says so', async () => {
    const { nas, a } = both();
    rmSync(nas, { recursive: true });
    writeFileSync(nas, 'no folder');
    const refused = await a.claims.claim(1, `${a.node}#x`, must);
    expect(refused).toMatchObject({ won: false, unshared: expect.stringContaining(nas) });
    expect(a.store.ownerOf(1)).toBeNull();
    const alone = await a.claims.claim(1, `${a.node}#x`, best);
    expect(alone).toMatchObject({ won: true, unshared: expect.stringContaining(nas) });
    expect(a.store.ownerOf(1)).toBe(`${a.node}#x`);
  });

  it('a claim of another pair in the same folder is no answer', async () => {
    const { a, b } = both();
    const other = new LocationKeeper(b.board, folder, { pair: 'branch', fqdn: 'pbx.example.com' });
    await other.claim(3, 'branch@192.0.2.9#z', signal);
    const answer = await a.claims.claim(3, `${a.node}#x`, must);
    expect(answer).toMatchObject({ won: false, unshared: expect.stringContaining('of another pair, `branch`') });
  });
});

describe('the witness', () => {
  it('carries each node’s word to the other, in a form that is read whole', async () => {
    const { a, b } = both();
    a.around.role = 'active';
    a.witness.start();
    b.witness.start();
    await until('b to hear a', () => b.heard.newestWord() !== null);
    expect(b.heard.newest(clock.now())).toMatchObject({
      role: 'active',
      healthy: true,
      via: 'location',
      everyMs: 30_000,
    });
    const first = b.heard.newestWord()?.word.seq ?? 0;
    await until('a newer one', () => (b.heard.newestWord()?.word.seq ?? 0) > first);
    expect(b.witness.claims()).toMatchObject({ state: 'reachable', foreign: 0 });
    const text = await b.board.get(wordName(folder, places.a), signal);
    expect(parseWord(text ?? '', { pair: 'head-office', fqdn: 'pbx.example.com', place: places.b })).toHaveProperty(
      'word',
    );
  });

  it('sees an epoch that the other node claimed; given back, it no longer outranks', async () => {
    const { a, b } = both();
    a.around.role = 'active';
    a.witness.start();
    await b.claims.claim(1, `${b.node}#y`, must);
    await until('a to see it', () => a.witness.seen.foreign === 1);
    // Taken back: this node knows the claim, no runbook is open, and it does not stand under it.
    b.witness.start();
    await until('b to give it back', () => b.notes.includes('claim.withdrawn'));
    await until('a to see that', () => a.witness.seen.foreign === 0);
    expect(a.witness.seen.highest).toBe(1);
    await b.looked();
    expect(b.notes.filter((rule) => rule === 'claim.withdrawn')).toHaveLength(1);
  });

  it('a claim whose answer was lost is given back with its runbook, which went on under an epoch of its own', async () => {
    const { b } = both();
    const promotion = {
      kind: 'promotion',
      origin: 'person',
      by: 'console',
      because: 'it is dead',
      overrides: [],
    } as const;
    const id = b.store.beginRunbook({ ...promotion, epoch: null, dryRun: false, startedAt: 7, steps: ['claim'] });
    const owner = ownerOf(b.node, { startedAt: 7, id });
    // taken there, and this node never heard so
    await b.keeper.claim(1, owner, signal);
    b.store.claimEpoch(9, owner, 0);
    b.store.setRunbook(id, { status: 'cancelled', reason: 'taken back', epoch: 9, endedAt: 8 });
    b.witness.start();
    await until('it to be given back', async () => (await b.keeper.claims(signal)).every(({ withdrawn }) => withdrawn));
    expect(await b.keeper.claims(signal)).toMatchObject([{ epoch: 1, withdrawn: true }]);
  });

  it('what was given back since the last look is no other node’s any more', async () => {
    const { a, b } = both();
    await b.claims.claim(1, `${b.node}#y`, must);
    a.witness.start();
    await until('a to see it', () => a.witness.seen.foreign === 1);
    a.witness.close();
    await b.keeper.withdraw(1, `${b.node}#y`, signal);
    expect([a.witness.seen.foreign, await a.claims.foreign()]).toEqual([1, 0]);
  });

  it('where no word can be written a higher epoch is seen all the same', async () => {
    const { a, b } = both();
    a.board.put = () => Promise.reject(new Error('read only'));
    a.witness.start();
    await b.claims.claim(1, `${b.node}#y`, must);
    await until('a to see it', () => a.witness.seen.foreign === 1);
    expect(a.witness.claims()).toMatchObject({ state: 'unreachable', evidence: expect.stringContaining('read only') });
  });

  it('does not give back what a runbook that is open may still go live under, nor what it knows nothing of', async () => {
    const { a, b } = both();
    await b.claims.claim(1, `${b.node}#y`, must);
    Object.assign(b.around, { isOpen: true, openEpoch: 1 });
    // of an earlier installation of this node
    await a.keeper.claim(9, `${a.node}#long-ago`, signal);
    a.witness.start();
    b.witness.start();
    await Promise.all([a.looked(), b.looked()]);
    expect([...a.notes, ...b.notes]).toEqual([]);
    expect((await a.keeper.claims(signal)).some(({ withdrawn }) => withdrawn)).toBe(false);
  });

  it('B4 claimed while the location was away, it stands there as soon as it is back', async () => {
    const { nas, a, b } = both();
    rmSync(nas, { recursive: true });
    writeFileSync(nas, 'no folder');
    await b.claims.claim(1, `${b.node}#y`, best);
    Object.assign(b.around, { role: 'active', epoch: 1 });
    b.witness.start();
    await until('it is seen that nobody answers', () => b.notes.includes('witness.away'));
    expect(b.witness.claims()).toMatchObject({ state: 'unreachable', evidence: expect.stringContaining(nas) });
    rmSync(nas);
    mkdirSync(nas);
    await until('it stands there', () => b.notes.includes('claim.afterwards'));
    expect(b.notes).toContain('witness.back');
    a.witness.start();
    await until('the other node sees it', () => a.witness.seen.foreign === 1);
  });

  it('an epoch that the other node could claim meanwhile is the other node’s', async () => {
    const { a, b } = both();
    b.store.claimEpoch(1, `${b.node}#y`, 0);
    Object.assign(b.around, { role: 'active', epoch: 1 });
    await a.claims.claim(1, `${a.node}#x`, must);
    b.witness.start();
    await until('b to see it', () => b.witness.seen.foreign === 1);
    expect(await b.claims.foreign()).toBe(1);
  });

  it('a word that cannot be used is told, and nothing of it is heard', async () => {
    const { a, b } = both();
    await b.board.put(wordName(folder, places.a), 'half a wo', signal);
    b.witness.start();
    await b.looked();
    expect(b.heard.newestWord()).toBeNull();
    expect(b.witness.unreadable).toContain('it is no JSON');
    a.witness.start();
    await until('the next one is good', () => b.heard.newestWord() !== null);
    expect(b.witness.unreadable).toBeNull();
  });
});
