/** `estepe backup` and `estepe location` as their user runs them: processes of their own, a real folder as location. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { progressWords } from '../../../src-main/cli/storage.ts';
import { sizeWords } from '../../../src-main/engine/size.ts';
import { openHistory } from '../../../src-main/history/history.ts';
import { whyMissing } from '../../peers/fixtures/require-peer.ts';
import { until } from '../../peers/fixtures/until.ts';
import { documentOf, entry, estepe, startEstepe, temporaryFolder } from './estepe-process.ts';

vi.setConfig({ testTimeout: 60_000 });

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(at('data'));
  mkdirSync(at('pbx'));
  writeFileSync(at('pbx', 'sip.conf'), 'sip');
});
afterEach(() => folder.remove());

const noMounts = whyMissing(['mounts']);

const at = (...names: string[]) => join(folder.path, ...names);
const run = (...words: string[]) => estepe(...words, '--data', at('data'));
function configure({ role = 'active', nas = at('nas'), before = '[]' } = {}): void {
  const yaml = `role: ${role}
pair: { name: lab, fqdn: pbx.lab.example, active: 127.0.9.1, passive: 127.0.9.2, profile: generic }
backup:
  location: { kind: local, folder: ${nas} }
  source: { folders: [ ${at('pbx')} ], before: ${before} }
`;
  writeFileSync(at('data', 'estepe.yaml'), yaml);
}

describe('backup', () => {
  it('run, list and verify: text for people, one document for programs, without an engine', async () => {
    configure();
    const made = await run('backup', 'run', '--json');
    expect(made).toMatchObject({ exit: 0, err: '' });
    const { proof } = documentOf(made) as { proof: { name: string; node: string } };
    expect(proof).toMatchObject({ pair: 'lab', node: '127.0.9.1', files: 1 });
    const listed = documentOf(await run('backup', 'list', '--json'));
    expect(listed).toMatchObject({ pair: 'lab', backups: [{ name: proof.name, verified: true }] });
    expect((await run('backup', 'list')).out).toMatch(new RegExp(`old .* B  ${proof.name}  verified\n$`));
    const verified = await run('backup', 'verify', proof.name);
    expect(verified).toMatchObject({ exit: 0, err: '' });
    expect(verified.out).toContain('are what was made');
  });

  it('is refused on the passive node, and without a section', async () => {
    configure({ role: 'passive' });
    const refused = await run('backup', 'run', '--json');
    expect(refused.exit).toBe(1);
    expect(documentOf(refused)).toMatchObject({ error: { code: 'refused' } });
    writeFileSync(
      at('data', 'estepe.yaml'),
      'role: active\npair: { fqdn: p.example, active: 127.0.9.1, passive: 127.0.9.2, profile: generic }\n',
    );
    expect(await run('backup', 'list')).toMatchObject({
      exit: 2,
      out: '',
      err: expect.stringContaining('no section `backup`'),
    });
    expect((await run('backup')).exit).toBe(2);
  });

  it('what this node is now counts, not what the configuration says it was at the start', async () => {
    configure({ role: 'passive' });
    const history = openHistory(at('data', 'estepe.db'));
    history.saveStanding({ role: 'active', epoch: 4, since: 1 });
    try {
      const { proof } = documentOf(await run('backup', 'run', '--json')) as { proof: { epoch: number; node: string } };
      expect(proof).toMatchObject({ epoch: 4, node: '127.0.9.2' });
    } finally {
      history.close();
    }
    configure();
    const stoodDown = openHistory(at('data', 'estepe.db'));
    stoodDown.saveStanding({ role: 'passive', epoch: 5, since: 2 });
    stoodDown.close();
    expect((await run('backup', 'run')).err).toContain('This node is the passive one');
  });

  it.skipIf(noMounts !== null)(
    `the location’s disk is full: said, nothing is left there${noMounts === null ? '' : ` (${noMounts})`}`,
    () => {
      configure();
      mkdirSync(at('nas'));
      writeFileSync(at('pbx', 'voice.wav'), randomBytes(4_000_000));
      const shell =
        'mount -t tmpfs -o size=1m none "$3" && { "$0" "$1" backup run --json --data "$2"; echo "left:$(ls -A "$3")"; }';
      const words = ['--mount', 'sh', '-c', shell, process.execPath, entry, at('data'), at('nas')];
      const { stdout } = spawnSync('unshare', words, { encoding: 'utf8' });
      const [document = '', left] = stdout.split('left:');
      expect(JSON.parse(document)).toMatchObject({ error: { code: 'location', detail: { fault: 'full' } } });
      expect(left).toBe('\n');
    },
  );

  it('Ctrl-C cancels it, a second one made meanwhile is refused, and nothing of it is listed', async () => {
    configure({
      before: `[[ ${process.execPath}, -e, "fs.writeFileSync('${at('begun')}',''); setInterval(() => {}, 1000)" ]]`,
    });
    const started = startEstepe(['backup', 'run', '--data', at('data')]);
    await until('the source is being made ready', () => readdirSync(folder.path).includes('begun'));
    expect(documentOf(await run('backup', 'run', '--json'))).toMatchObject({ error: { code: 'owned' } });
    started.signal('SIGINT');
    expect(await started.ended).toMatchObject({ exit: 1, out: '', err: expect.stringContaining('was cancelled') });
    expect(readdirSync(folder.path)).not.toContain('nas');
  });
});

describe('progress in words', () => {
  it('says how much of how much', () => {
    expect(progressWords({ phase: 'source', bytes: 0, total: null })).toBe('source …');
    expect(progressWords({ phase: 'store', bytes: 1_234_567, total: 4_000_000 })).toBe('store: 1.2 MB of 4.0 MB, 30 %');
    expect(progressWords({ phase: 'store', bytes: 0, total: 0 })).toBe('store: 0 B of 0 B, 100 %');
    expect([999, 1000, 123_456_789, 5e12].map(sizeWords)).toEqual(['999 B', '1.0 kB', '123 MB', '5.0 TB']);
  });
});

describe('location check', () => {
  it('proves each right, or says which one is missing', async () => {
    configure();
    expect(documentOf(await run('location', 'check', '--json'))).toMatchObject({ ok: true });
    expect(readdirSync(at('nas'))).toEqual([]);
    configure({ nas: at('mnt', 'nas') });
    const failed = await run('location', 'check');
    expect(failed.exit).toBe(1);
    expect(failed.out).toMatch(/write +failed/);
    expect(failed.out).toContain('mount the share');
  });
});
