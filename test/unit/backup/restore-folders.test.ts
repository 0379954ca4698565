import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recoverFolders } from '../../../src-main/backup/restoring/restore-folders.ts';
import { TwoNodes } from './two-nodes.ts';
import { expected } from './workbench.ts';

let nodes: TwoNodes;
beforeEach(async () => {
  nodes = await TwoNodes.make();
});
afterEach(() => nodes[Symbol.dispose]());

// Each starts workers of its own: on a busy machine that takes its time.
describe('a restore of folders', { timeout: 60_000 }, () => {
  it('brings back what was archived, in place of what was there, and leaves nothing else', async () => {
    const done = await nodes.restore();
    expect(nodes.here()).toEqual(nodes.active());
    expect(done).toMatchObject({ ownersLost: 0, proven: { files: 4 } });
    expect(nodes.calls).toEqual(['before', 'after']);
    expect(nodes.hasJournal()).toBe(false);
  });

  it('stops nothing before all new files are on the disk and proven', async () => {
    const seen: string[] = [];
    await nodes.restore({
      around: {
        ...nodes.around,
        before: async () => {
          const staged = readdirSync(nodes.bench.at('here')).filter((name) => name.endsWith('-new'));
          seen.push(...staged.map((name) => name.replace(/\.estepe-.*/, '')));
          expect(readFileSync(nodes.bench.at('here', 'licence'), 'utf8')).toBe('old licence');
        },
      },
    });
    expect(seen.sort()).toEqual(['data', 'extra', 'licence']);
  });

  it.each(['before', 'after'] as const)(
    'a failing `%s` leaves the old state, and what was stopped starts again',
    async (which) => {
      const old = nodes.here();
      let failures = 0;
      const failing = async (): Promise<void> => {
        nodes.calls.push(which);
        failures += 1;
        if (failures === 1) throw new Error(`${which} failed`);
      };
      await expect(nodes.restore({ around: { ...nodes.around, [which]: failing } })).rejects.toThrow(`${which} failed`);
      expect(nodes.here()).toEqual(old);
      expect(nodes.calls).toEqual(which === 'before' ? ['before', 'after'] : ['before', 'after', 'after']);
      expect(nodes.hasJournal()).toBe(false);
    },
  );

  it('a rename that fails in the middle leaves the old state', async () => {
    const old = nodes.here();
    const failAt = (name: string): void => {
      if (name === 'after old 1') throw new Error('this rename failed');
    };
    await expect(nodes.restore({ boundary: failAt })).rejects.toThrow('this rename failed');
    expect(nodes.here()).toEqual(old);
    expect(nodes.calls).toEqual(['before', 'after']);
  });

  it('a damaged archive, or one of another pair, touches nothing', async () => {
    const old = nodes.here();
    await expect(nodes.restore({ expect: { ...expected, pair: 'branch' } })).rejects.toMatchObject({
      fault: 'other-pair',
    });
    const bytes = readFileSync(nodes.archive);
    writeFileSync(nodes.bench.at('cut.zip'), bytes.subarray(0, bytes.length - 30));
    await expect(nodes.restore({ file: nodes.bench.at('cut.zip') })).rejects.toMatchObject({ fault: 'damaged' });
    expect(nodes.here()).toEqual(old);
    expect(nodes.calls).toEqual([]);
  });

  it('writes only where this node says: what is not named here is refused', async () => {
    const some = new Map([...nodes.targets].slice(0, 2));
    await expect(nodes.restore({ targets: some })).rejects.toMatchObject({ fault: 'unsafe' });
    expect(existsSync(nodes.bench.at('here', 'extra'))).toBe(false);
  });

  it('a target that is a link is not followed', async () => {
    rmSync(nodes.bench.at('here', 'data'), { recursive: true });
    mkdirSync(nodes.bench.at('elsewhere'));
    symlinkSync(nodes.bench.at('elsewhere'), nodes.bench.at('here', 'data'));
    await expect(nodes.restore()).rejects.toThrow('is a link');
    expect(readdirSync(nodes.bench.at('elsewhere'))).toEqual([]);
  });

  it('cancelled: the old state', async () => {
    const old = nodes.here();
    const control = new AbortController();
    const cancel = (name: string): void => {
      if (name === 'staged') control.abort();
    };
    await expect(nodes.restore({ boundary: cancel }, control.signal)).rejects.toThrow('cancelled');
    expect(nodes.here()).toEqual(old);
    expect(nodes.calls).toEqual([]);
  });

  it('a journal that nobody can read stops everything', async () => {
    writeFileSync(nodes.journal, 'not this');
    await expect(nodes.restore()).rejects.toThrow('is not readable');
    await expect(recoverFolders(nodes.journal, nodes.around, false)).rejects.toThrow('is not readable');
  });

  it('somebody makes the folder anew between its two renames: taken back, and what was made is kept aside', async () => {
    const old = nodes.here();
    const remake = (name: string): void => {
      if (name !== 'after old 0') return;
      nodes.bench.make('here', 'data');
      writeFileSync(nodes.bench.at('here', 'data', 'default.conf'), 'made by the PBX');
    };
    await expect(nodes.restore({ boundary: remake })).rejects.toThrow('data was made anew by somebody');
    expect(nodes.calls).toEqual(['before', 'after']);
    expect(nodes.hasJournal()).toBe(false);
    const [aside = '', ...others] = readdirSync(nodes.bench.at('here')).filter((name) => name.includes('.estepe-'));
    expect({ aside, others }).toEqual({ aside: expect.stringMatching(/^data\.estepe-[0-9a-f]+-found$/), others: [] });
    expect(readdirSync(nodes.bench.at('here', aside))).toEqual(['default.conf']);
    rmSync(nodes.bench.at('here', aside), { recursive: true });
    expect(nodes.here()).toEqual(old);
  });

  it('cut off between the two renames, and the PBX makes itself a folder before the next start: the old one is back', async () => {
    const old = nodes.here();
    const target = nodes.bench.at('here', 'data');
    const beside = (what: string): string => `${target}.estepe-0123456789ab-${what}`;
    renameSync(target, beside('old'));
    nodes.bench.make('here', 'data.estepe-0123456789ab-new');
    nodes.bench.make('here', 'data', 'astdb');
    const places = [{ target, existed: true }];
    writeFileSync(nodes.journal, JSON.stringify({ id: '0123456789ab', phase: 'swapping', places }));
    expect(await recoverFolders(nodes.journal, nodes.around, false)).toMatchObject({ ended: 'old' });
    expect(nodes.calls).toEqual(['after']);
    expect(readdirSync(beside('found'))).toEqual(['astdb']);
    rmSync(beside('found'), { recursive: true });
    expect(nodes.here()).toEqual(old);
    expect(nodes.hasJournal()).toBe(false);
  });

  it('a folder that holds the data folder of this Estepe itself is not exchanged', async () => {
    const journal = nodes.bench.at('here', 'data', 'estepe', 'spool', 'restore.json');
    nodes.bench.make('here', 'data', 'estepe', 'spool');
    const old = nodes.here();
    await expect(nodes.restore({ journal })).rejects.toThrow("holds Estepe's own data folder");
    expect(nodes.here()).toEqual(old);
    expect(nodes.calls).toEqual([]);
  });
});
