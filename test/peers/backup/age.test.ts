/** Encrypted archives against the standard `age` tool, both ways. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Bench, picture, sha256 } from '../../unit/backup/workbench.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
  bench.make('pbx');
  writeFileSync(bench.at('pbx', 'sip.conf'), 'port=5060\n');
  writeFileSync(bench.at('pbx', 'noise'), randomBytes(300_000));
});
afterEach(() => bench[Symbol.dispose]());

const passphrase = 'a passphrase of some length';

/** A key pair made by the tool. */
function keys(name: string) {
  spawnSync('age-keygen', ['-o', bench.at(name)]);
  const text = readFileSync(bench.at(name), 'utf8');
  const recipient = /public key: (age1\w+)/.exec(text)?.[1] ?? '';
  const identity = /^AGE-SECRET-KEY-\w+$/m.exec(text)?.[0] ?? '';
  return { recipient, identity, file: bench.at(name) };
}

/** The tool reads a passphrase from a terminal only: `script` gives it one. */
function ageWithPassphrase(args: string): number | null {
  return spawnSync('script', ['-qec', `age ${args}`, '/dev/null'], { input: `${passphrase}\n${passphrase}\n` }).status;
}

describeWithPeers('an encrypted archive', ['age', 'age-keygen', 'script', 'unzip'], () => {
  it('for a recipient: the tool opens it, and so do we', async () => {
    const { recipient, identity, file } = keys('key');
    const made = await bench.archive('a.zip.age', [bench.at('pbx')], { recipient });
    expect(sha256(readFileSync(made.file))).toBe(made.sha256);
    expect(spawnSync('age', ['-d', '-i', file, '-o', bench.at('plain.zip'), made.file])).toMatchObject({ status: 0 });
    expect(spawnSync('unzip', ['-tq', bench.at('plain.zip')])).toMatchObject({ status: 0 });
    expect(await bench.refusal(bench.at('plain.zip'))).toBe('taken');
    const { into } = await bench.extract(made.file, made.manifest, 'out', { identity });
    expect(picture([...into.values()][0] ?? '')).toEqual(picture(bench.at('pbx')));
  });

  it('with a passphrase: the tool opens it, and so do we', async () => {
    const made = await bench.archive('a.zip.age', [bench.at('pbx')], { passphrase });
    expect(ageWithPassphrase(`-d -o ${bench.at('plain.zip')} ${made.file}`)).toBe(0);
    expect(await bench.refusal(bench.at('plain.zip'))).toBe('taken');
    expect(await bench.refusal(made.file, {}, { passphrase })).toBe('taken');
  });

  it('made by the tool: we open it', async () => {
    const { recipient, identity } = keys('key');
    const { file } = await bench.archive('a.zip', [bench.at('pbx')]);
    expect(spawnSync('age', ['-r', recipient, '-o', bench.at('r.age'), file])).toMatchObject({ status: 0 });
    expect(await bench.refusal(bench.at('r.age'), {}, { identity })).toBe('taken');
    expect(ageWithPassphrase(`-p -o ${bench.at('p.age')} ${file}`)).toBe(0);
    expect(await bench.refusal(bench.at('p.age'), {}, { passphrase })).toBe('taken');
  });

  it('with another key, or none: refused by that name, and nothing decrypted is left', async () => {
    const { recipient } = keys('key');
    const { identity } = keys('other');
    const made = await bench.archive('a.zip.age', [bench.at('pbx')], { recipient });
    expect(await bench.refusal(made.file, {}, { identity })).toBe('wrong-key');
    expect(await bench.refusal(made.file, {}, { passphrase })).toBe('wrong-key');
    expect(await bench.refusal(made.file)).toBe('wrong-key');
    const locked = await bench.archive('b.zip.age', [bench.at('pbx')], { passphrase });
    expect(await bench.refusal(locked.file, {}, { passphrase: 'another of that length' })).toBe('wrong-key');
    expect(spawnSync('sh', ['-c', `ls ${bench.folder} | grep -c scratch`], { encoding: 'utf8' }).stdout.trim()).toBe(
      '0',
    );
  });

  it('D2 cut short or with a flipped byte: damaged', async () => {
    const { recipient, identity } = keys('key');
    const made = await bench.archive('a.zip.age', [bench.at('pbx')], { recipient });
    const bytes = readFileSync(made.file);
    for (const at of [30, 300, 66_000, bytes.length - 1]) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      writeFileSync(bench.at('flipped'), flipped);
      const want = at === 30 ? ['damaged', 'wrong-key'] : ['damaged'];
      expect(want).toContain(await bench.refusal(bench.at('flipped'), {}, { identity }));
    }
    for (const length of [bytes.length - 1, 65_536, 250, 30]) {
      writeFileSync(bench.at('cut'), bytes.subarray(0, length));
      expect([length, await bench.refusal(bench.at('cut'), {}, { identity })]).toEqual([length, 'damaged']);
    }
  });

  it('a short passphrase or a wrong recipient is refused before anything is written', async () => {
    await expect(bench.archive('a', [bench.at('pbx')], { passphrase: 'short' })).rejects.toMatchObject({
      fault: 'wrong-key',
    });
    await expect(bench.archive('a', [bench.at('pbx')], { recipient: 'age1no' })).rejects.toMatchObject({
      fault: 'wrong-key',
    });
  });
});
