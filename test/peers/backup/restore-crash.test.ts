/** F1 for restores: kill -9 at each step; the next start ends it in the old or the new state, never half. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Around, recoverFolders } from '../../../src-main/backup/restoring/restore-folders.ts';
import { TwoNodes } from '../../unit/backup/two-nodes.ts';

let nodes: TwoNodes;
beforeEach(async () => {
  nodes = await TwoNodes.make();
});
afterEach(() => nodes[Symbol.dispose]());

/** In the order in which a restore passes them. */
const boundaries = [
  'staging',
  'staged',
  'stopping',
  'stopped',
  'swapping',
  'before old 0',
  'after old 0',
  'after new 0',
  'before old 1',
  'after old 1',
  'after new 1',
  'after new 2',
  'swapped',
  'after done',
  'cleaning',
  'removed 0',
  'removed 1',
  'removed 2',
  'journal removed',
];

describe('F1 a restore killed at each step', () => {
  function die(last: string): string[] {
    const passed = nodes.bench.at('passed');
    appendFileSync(passed, '');
    const script = nodes.bench.at('script.json');
    writeFileSync(
      script,
      JSON.stringify({ archive: nodes.archive, journal: nodes.journal, targets: [...nodes.targets], passed, last }),
    );
    const child = fileURLToPath(new URL('./dying-restore.ts', import.meta.url));
    const { signal, stderr } = spawnSync(process.execPath, [child, script], { encoding: 'utf8' });
    expect([signal, stderr]).toEqual([last === 'none' ? null : 'SIGKILL', '']);
    return readFileSync(passed, 'utf8').trim().split('\n');
  }

  it('F1 passes the boundaries that are named here, all of them', () => {
    const ran = die('none');
    expect(ran.filter((name) => !name.endsWith(' ran'))).toEqual(boundaries);
  });

  it.each(boundaries)(
    'F1 killed at `%s`: the next start ends it in the old or the new state, with nothing left over',
    async (last) => {
      const old = nodes.here();
      const ran = die(last);
      const recovered = await recoverFolders(nodes.journal, nodes.around, false);
      const isNew = boundaries.indexOf(last) >= boundaries.indexOf('swapped');
      expect(nodes.here()).toEqual(isNew ? nodes.active() : old);
      if (last === 'journal removed') expect(recovered).toBeNull();
      else expect(recovered?.ended).toBe(isNew ? 'new' : 'old');
      // Whatever was stopped was started again.
      if (ran.includes('before ran'))
        expect([...ran, ...nodes.calls]).toEqual(expect.arrayContaining([expect.stringContaining('after')]));
      expect(nodes.hasJournal()).toBe(false);
      expect(await recoverFolders(nodes.journal, nodes.around, false)).toBeNull();
      await nodes.restore();
      expect(nodes.here()).toEqual(nodes.active());
    },
  );

  it('F1 the end of a restore that is itself cut off goes on: each rename of putting back undone by hand', async () => {
    const old = nodes.here();
    die('after new 1');
    let left = 1;
    const failing: Around = {
      ...nodes.around,
      after: async () => {
        if (left-- > 0) throw new Error('cut off again');
      },
    };
    await expect(recoverFolders(nodes.journal, failing, false)).rejects.toThrow('cut off again');
    expect((await recoverFolders(nodes.journal, nodes.around, false))?.ended).toBe('old');
    expect(nodes.here()).toEqual(old);
  });

  it('F1 after the swap `after` fails at the next start: the old state', async () => {
    const old = nodes.here();
    die('swapped');
    let left = 1;
    const failing: Around = {
      ...nodes.around,
      after: async () => {
        if (left-- > 0) throw new Error('no such database');
      },
    };
    const recovered = await recoverFolders(nodes.journal, failing, false);
    expect(recovered).toMatchObject({ ended: 'old', sentence: expect.stringContaining('no such database') });
    expect(nodes.here()).toEqual(old);
  });
});
