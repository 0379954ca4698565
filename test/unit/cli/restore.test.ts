/** `estepe restore` as its user runs it, and what it and `backup` do where an engine runs. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BackupKind, BackupsView } from '../../../src-main/contract/backups.ts';
import { openHistory } from '../../../src-main/history/history.ts';
import { until } from '../../peers/fixtures/until.ts';
import {
  documentOf,
  type EngineUnderTest,
  engineUnderTest,
  estepe,
  startEstepe,
  temporaryFolder,
} from './estepe-process.ts';

vi.setConfig({ testTimeout: 60_000 });

describe('restore without an engine', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let name = '';
  const at = (...names: string[]) => join(folder.path, ...names);
  const run = (...words: string[]) => estepe(...words, '--data', at('data'));
  const begun = () => at('begun');

  function configure({ role = 'passive', restore = '', data = 'data' } = {}): void {
    const yaml = `role: ${role}
pair: { name: lab, fqdn: pbx.lab.example, active: 127.0.9.1, passive: 127.0.9.2, profile: generic }
backup:
  location: { kind: local, folder: ${at('nas')} }
  source: { folders: [ ${at('pbx')} ] }
${restore === 'none' ? '' : `restore: { into: [ { from: ${at('pbx')}, to: ${at('here')} } ]${restore} }`}
`;
    writeFileSync(at(data, 'estepe.yaml'), yaml);
  }

  beforeEach(async () => {
    folder = temporaryFolder();
    for (const part of ['data', 'active', 'pbx', 'here']) mkdirSync(at(part));
    writeFileSync(at('pbx', 'sip.conf'), 'new');
    writeFileSync(at('here', 'sip.conf'), 'old');
    configure({ role: 'active', data: 'active' });
    const made = documentOf(await estepe('backup', 'run', '--json', '--data', at('active')));
    name = (made as { proof: { name: string } }).proof.name;
  });
  afterEach(() => folder.remove());

  const here = () => readFileSync(at('here', 'sip.conf'), 'utf8');
  const rows = async () => documentOf(await run('restore', 'list', '--json')) as { now: unknown; restores: object[] };

  it('run and list: text for people, one document for programs', async () => {
    configure();
    expect((await run('restore', 'list')).out).toBe('Nothing was restored here yet.\n');
    const done = await run('restore', 'run', '--json');
    expect(done).toMatchObject({ exit: 0, err: '' });
    expect(documentOf(done)).toMatchObject({ name, already: false, files: 1, bytes: 3, troubles: [] });
    expect(here()).toBe('new');
    const again = await run('restore', 'run', name);
    expect(again).toMatchObject({ exit: 0, err: '' });
    expect(again.out).toContain(`${name}: restored, 1 file (3 B)`);
    expect(again.out).toContain('Chosen: it was asked for by its name.');
    expect(again.out).toContain('Proven: its SHA-256 as in its proof; 1 file by the hashes in its manifest.');
    expect(await rows()).toMatchObject({
      now: { name, verified: true },
      restores: [
        { name, outcome: 'restored', stands: 'new', by: expect.stringContaining('(command line)') },
        { name, outcome: 'restored' },
      ],
    });
    const { out } = await run('restore', 'list');
    expect(out).toMatch(new RegExp(`restored +${name} .* took .*; proven: its SHA-256`));
    expect(out).toContain(`Here stands ${name}`);
    expect((await run('restore', 'list', '--limit', '1', '--json')).out.match(/"outcome"/g)).toHaveLength(1);
  });

  it('--dry-run: which one, why, whether it would be taken and where it goes; nothing is changed', async () => {
    configure({ restore: ', before: [[ stop-it ]]' });
    const planned = documentOf(await run('restore', 'run', '--dry-run', '--json'));
    expect(planned).toMatchObject({
      ...{ name, verified: true, already: false, refusal: null, before: [['stop-it']] },
      into: [{ from: at('pbx'), to: at('here') }],
      why: 'it is the newest that was read back',
    });
    expect((await run('restore', 'run', '--dry-run')).out).toContain(
      `  ${at('pbx')} -> ${at('here')}\n  before: stop-it`,
    );
    expect([here(), (await rows()).restores]).toEqual(['old', []]);
    writeFileSync(at('nas', name), 'cut');
    const refused = await run('restore', 'run', '--dry-run', name);
    expect(refused.exit).toBe(1);
    expect(refused.out).toContain('! Refused (damaged): It has 3 bytes');
  });

  it('D2 a damaged one: refused by name, told, and on record', async () => {
    configure();
    writeFileSync(at('nas', name), 'cut');
    const refused = await run('restore', 'run', name, '--json');
    expect(refused.exit).toBe(1);
    expect(documentOf(refused)).toMatchObject({ error: { code: 'backup', detail: { fault: 'damaged' } } });
    expect((await run('restore', 'list')).out).toMatch(/refused .* is refused \(damaged\)/);
    expect(here()).toBe('old');
  });

  it('is refused on the active node, by its configuration or by what it is now; and without a section', async () => {
    configure({ role: 'active' });
    expect(documentOf(await run('restore', 'run', '--json'))).toMatchObject({ error: { code: 'refused' } });
    configure();
    const history = openHistory(at('data', 'estepe.db'));
    history.saveStanding({ role: 'active', epoch: 4, since: 1 });
    history.close();
    for (const words of [['run'], ['run', '--dry-run']]) {
      const refused = await run('restore', ...words);
      expect(refused).toMatchObject({ exit: 1, err: expect.stringContaining('This node is the active one') });
    }
    configure({ restore: 'none' });
    expect(await run('restore', 'run')).toMatchObject({
      exit: 2,
      err: expect.stringContaining('no section `restore`'),
    });
    expect(here()).toBe('old');
  });

  /** `before` that hangs as soon as it has said so. */
  const hanging = () =>
    `, before: [[ ${process.execPath}, -e, "fs.writeFileSync('${begun()}',''); setInterval(() => {}, 1000)" ]]`;

  it('Ctrl-C cancels it; another one meanwhile, a backup and an engine are refused; the old state, told so', async () => {
    configure({ restore: hanging() });
    const started = startEstepe(['restore', 'run', '--data', at('data')]);
    await until('the old state is about to go', () => existsSync(begun()));
    expect((await run('restore', 'run')).err).toContain('a restore is under way there without one');
    expect(await run('serve')).toMatchObject({ exit: 1, err: expect.stringContaining('a restore is under way') });
    started.signal('SIGINT');
    expect(await started.ended).toMatchObject({
      ...{ exit: 1, out: '' },
      err: expect.stringContaining('The restore was cancelled; the old state stands here.'),
    });
    expect(here()).toBe('old');
    expect(await rows()).toMatchObject({ now: null, restores: [{ outcome: 'cancelled', stands: 'old' }] });
  });

  it('F1 killed while `before` runs: the next restore ends it first, what `before` began included; both are on record', async () => {
    configure({ restore: hanging() });
    const started = startEstepe(['restore', 'run', '--data', at('data')]);
    await until('the old state is about to go', () => existsSync(begun()));
    started.signal('SIGKILL');
    await started.ended;
    expect((await run('restore', 'list')).out).toContain('under way, or cut off');
    configure({ restore: `, after: [[ ${process.execPath}, -e, "fs.appendFileSync('${at('after')}','x')" ]]` });
    expect(await run('restore', 'run')).toMatchObject({ exit: 0, err: '' });
    expect(here()).toBe('new');
    expect(readFileSync(at('after'), 'utf8')).toBe('xx');
    expect((await rows()).restores).toMatchObject([
      { outcome: 'restored' },
      { outcome: 'failed', stands: 'old', reason: expect.stringContaining('taken back') },
    ]);
    expect(readdirSync(at('data', 'spool')).filter((file) => file.startsWith('restore'))).toEqual([]);
    expect(readdirSync(folder.path).filter((file) => file.includes('.estepe-'))).toEqual([]);
  });
});

describe('where an engine runs, it does the work', () => {
  let engine: EngineUnderTest;
  beforeEach(async () => {
    engine = await engineUnderTest();
    change({ refusals: none });
  });
  afterEach(() => engine.end());

  const none = { backup: null, verify: null, restore: null };
  const held = (): BackupsView => engine.desk.snapshot().backups;
  const change = (part: Partial<BackupsView>): void => engine.desk.change({ backups: { ...held(), ...part } });
  const last = () => engine.desk.asked.at(-1);
  const ends = (kind: BackupKind, how: Partial<NonNullable<BackupsView['last'][BackupKind]>> = {}): void => {
    const end = {
      at: Date.now(),
      by: 'x',
      name: 'a.zip',
      ok: true,
      cancelled: false,
      sentence: 'done',
      todo: '',
      ...how,
    };
    change({ work: null, refusals: none, last: { ...held().last, [kind]: end } });
  };

  it.each([
    [['backup', 'run'], 'backup', 'backups.run', {}],
    [['backup', 'verify'], 'verify', 'backups.verify', { name: null }],
    [['backup', 'verify', 'a.zip'], 'verify', 'backups.verify', { name: 'a.zip' }],
    [['restore', 'run'], 'restore', 'backups.restore', { name: null }],
    [['restore', 'run', 'a.zip'], 'restore', 'backups.restore', { name: 'a.zip' }],
  ] as const)('%s: ordered there, followed until its end', async (words, kind, call, ask) => {
    const started = startEstepe([...words, '--data', engine.data]);
    await until('it is followed', () => held().work !== null && engine.desk.subscribers === 1);
    expect(last()).toMatchObject({ call, ask: { ...ask, by: expect.stringContaining('(command line)') } });
    ends(kind, { sentence: 'all is well' });
    expect(await started.ended).toEqual({ exit: 0, out: 'all is well\n', err: '' });
  });

  it('--json: how it ended, as one document', async () => {
    const started = startEstepe(['restore', 'run', '--json', '--data', engine.data]);
    await until('it is followed', () => held().work !== null && engine.desk.subscribers === 1);
    ends('restore', { name: 'b.zip' });
    expect(documentOf(await started.ended)).toMatchObject({ name: 'b.zip', ok: true, sentence: 'done' });
  });

  it('an end of before is not taken for this one; another work is not waited for', async () => {
    ends('restore', { sentence: 'yesterday' });
    const started = startEstepe(['restore', 'run', '--data', engine.data]);
    await until('it is followed', () => held().work !== null && engine.desk.subscribers === 1);
    ends('restore', { sentence: 'now' });
    change({ work: { ...workOf('backup'), by: 'schedule' } });
    expect(await started.ended).toMatchObject({ exit: 0, out: 'now\n' });
  });

  const workOf = (kind: BackupKind) => ({
    ...{ kind, name: null, by: 'x', startedAt: Date.now(), phase: 'fetch', bytes: 1, total: 2, setback: '' },
    cancelling: false,
  });

  it('it fails, or something beside it: exit 1 and what to do', async () => {
    for (const [how, exit, err, out] of [
      [{ ok: false, sentence: 'It broke.', todo: 'mend it' }, 1, 'It broke.\nMend it.\n', ''],
      [{ ok: true, sentence: 'Good, but.', todo: 'look at it' }, 1, '', 'Good, but.\nlook at it\n'],
    ] as const) {
      const started = startEstepe(['backup', 'run', '--data', engine.data]);
      await until('it is followed', () => held().work !== null && engine.desk.subscribers === 1);
      ends('backup', how);
      expect(await started.ended).toEqual({ exit, err, out });
      await until('it has left', () => engine.desk.subscribers === 0);
    }
  });

  it('its refusal is the answer', async () => {
    change({ refusals: { ...held().refusals, restore: 'This node is the active one.' } });
    const refused = await estepe('restore', 'run', '--json', '--data', engine.data);
    expect(refused.exit).toBe(1);
    expect(documentOf(refused)).toMatchObject({ error: { code: 'refused', message: 'This node is the active one.' } });
  });

  it('Ctrl-C cancels it there and waits for its end; a second one leaves it', async () => {
    const first = startEstepe(['restore', 'run', '--data', engine.data]);
    await until('it is followed', () => held().work !== null && engine.desk.subscribers === 1);
    first.signal('SIGINT');
    await until('it was asked', () => last()?.call === 'backups.cancel');
    ends('restore', { ok: false, cancelled: true, sentence: 'The restore was cancelled.', todo: 'again, when wanted' });
    expect(await first.ended).toMatchObject({ exit: 1, err: 'The restore was cancelled.\nAgain, when wanted.\n' });

    const second = startEstepe(['backup', 'run', '--data', engine.data]);
    await until('it is followed', () => held().work !== null && last()?.call === 'backups.run');
    await until('it is followed', () => engine.desk.subscribers === 1);
    second.signal('SIGINT');
    await until('it was asked', () => last()?.call === 'backups.cancel');
    second.signal('SIGINT');
    expect(await second.ended).toMatchObject({ exit: 1, err: expect.stringContaining('goes on in the engine') });
    expect(held().work).not.toBeNull();
  });

  it('--dry-run and list only look: nothing is ordered', async () => {
    const { asked } = engine.desk;
    const before = asked.length;
    const listed = documentOf(await estepe('restore', 'list', '--json', '--data', engine.data));
    expect(listed).toEqual({ now: null, restores: [] });
    expect(asked).toHaveLength(before);
  });
});
