/** A node that has served and does not any more: what it wrote last is in no backup, and nothing destroys it by itself. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { day, hereFile, type Node, Pair } from './storeroom-bench.ts';

let pair: Pair;
beforeEach(() => {
  pair = new Pair();
});
afterEach(() => pair.end());
const never = new AbortController().signal;

/** The one that was active before; and the other one's backup, which is newer than anything it restored. */
async function stoodDown(): Promise<Node> {
  const active = await pair.node('active').start();
  const here = await pair.node('passive').start();
  here.role = 'active';
  here.room.look();
  await here.quiet();
  mkdirSync(dirname(hereFile(pair)), { recursive: true });
  writeFileSync(hereFile(pair), 'written while it served');
  here.role = 'passive';
  here.room.look();
  await here.quiet();
  expect(active.room.desk.run({ by: 'an admin' })).toMatchObject({ accepted: true });
  await active.quiet();
  return here;
}

const held = (node: Node): string[] => node.room.troubles().map(({ key }) => key);

describe('what a node wrote while it served', () => {
  it('is not restored over by schedule, which is told; also not after a restart', async () => {
    const here = await stoodDown();
    await pair.pass(day);
    expect(readFileSync(hereFile(pair), 'utf8')).toBe('written while it served');
    expect(held(here)).toEqual(['restore-held']);
    expect(here.room.forPlanned().unsaved).toContain('is in no backup');
    await here.reborn();
    await pair.pass(day);
    expect(readFileSync(hereFile(pair), 'utf8')).toBe('written while it served');
    expect(held(here)).toEqual(['restore-held']);
  });

  it('is given up by a person who orders the restore, and then the schedule goes on', async () => {
    const here = await stoodDown();
    expect(here.room.desk.restore({ by: 'an admin', name: null })).toMatchObject({ accepted: true });
    await here.quiet();
    expect(readFileSync(hereFile(pair), 'utf8')).toBe('first');
    expect(held(here)).toEqual([]);
  });

  it('is free to be restored over once a runbook of the pair has made a backup of it', async () => {
    const here = await stoodDown();
    const made = await here.room.commissioned({ kind: 'backup', by: 'the other node', name: null }, never);
    expect(made).toMatchObject({ verified: expect.any(Number) });
    expect(held(here)).toEqual([]);
  });

  it('a node that never served holds nothing back', async () => {
    mkdirSync(pair.bench.at('nas'));
    const here = await pair.node('passive').start();
    expect(held(here)).toEqual([]);
    expect(here.room.forPlanned()).toEqual({ whyNoRestore: null, unsaved: null });
  });
});

describe('what a runbook of the pair orders', () => {
  it('is done while a runbook is open, which ends everything else', async () => {
    const active = await pair.node('active').start();
    const made = await active.room.commissioned({ kind: 'backup', by: 'the other node', name: null }, never);
    const passive = await pair.node('passive', { restore: '  whenNewer: false' }).start();
    passive.runbook = true;
    const order = { kind: 'restore', by: 'a runbook', name: made.name } as const;
    const restoring = passive.room.commissioned(order, never);
    passive.room.look();
    expect(await restoring).toMatchObject({ name: made.name });
    expect(readFileSync(hereFile(pair), 'utf8')).toBe('first');
    expect(passive.room.desk.restore({ by: 'an admin', name: null })).toMatchObject({ accepted: false });
  });

  it('rejects as it failed, and ends by its signal', async () => {
    mkdirSync(pair.bench.at('nas'));
    const passive = await pair.node('passive', { restore: '  whenNewer: false' }).start();
    const order = { kind: 'restore', by: 'a runbook', name: 'never-made.zip' } as const;
    await expect(passive.room.commissioned(order, never)).rejects.toThrow(/never-made/);
    await expect(passive.room.commissioned(order, AbortSignal.abort())).rejects.toThrow('was cancelled');
  });
});
