/** The settings over the desk: judged, saved, tried for real on this machine; a secret goes in and never out. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { meansOf } from '../../../../src-main/backup/work-of-config.ts';
import { dataFolderAt } from '../../../../src-main/config/data-folder.ts';
import { readSecret, redact } from '../../../../src-main/config/secrets.ts';
import type { SettingsDesk } from '../../../../src-main/contract/desk.ts';
import type { TrialKind } from '../../../../src-main/contract/settings.ts';
import { RealClock } from '../../../../src-main/heartbeat/real-clock.ts';
import { RealNet } from '../../../../src-main/heartbeat/real-net.ts';
import { RealFiles } from '../../../../src-main/runbook/real-files.ts';
import { RealProc } from '../../../../src-main/runbook/real-proc.ts';
import { settingsDesk } from '../../../../src-main/station/settings/settings.ts';
import { Trials } from '../../../../src-main/station/settings/trials.ts';
import { until } from '../../../peers/fixtures/until.ts';
import { temporaryFolder } from '../../config/temporary-folder.ts';
import { minimal, site } from '../../config/texts.ts';

const secret = 'correct horse battery staple';

describe('the settings over the desk', () => {
  let made: ReturnType<typeof temporaryFolder>;
  let clock: RealClock;
  let trials: Trials;
  let desk: SettingsDesk;
  let notes: string[];
  beforeEach(() => {
    made = temporaryFolder();
    const folder = dataFolderAt(made.path);
    for (const path of [folder.secrets, folder.scripts]) mkdirSync(path, { mode: 0o700 });
    writeFileSync(folder.config, site);
    clock = new RealClock();
    notes = [];
    const known: string[] = [];
    const clean = (text: string) => redact(text, known);
    const proc = new RealProc();
    trials = new Trials({
      ...{ clock, proc, folder, clean, platform: process.platform, uid: process.getuid?.() ?? null },
      net: new RealNet({ proc, scripts: folder.scripts, dataFolder: folder.root }),
      files: new RealFiles(folder.scripts),
      random: { hex: (bytes) => randomBytes(bytes).toString('hex') },
      means: meansOf(folder, clock),
      version: '0.1.0',
      secretOf: (name) => readSecret(folder.secrets, name),
    });
    desk = settingsDesk({
      ...{ folder, clean, firstText: null, trouble: () => null, trials: trials.desk },
      onSecret: (one) => known.push(one),
      note: (rule, sentence) => notes.push(`${rule}: ${sentence}`),
      onSaved: async () => null,
    });
  });
  afterEach(async () => {
    await trials.close();
    clock.close();
    made[Symbol.dispose]();
  });

  const ended = (kind: TrialKind) => until(`${kind} tried`, () => trials.view()[kind].ended);

  it('reads the file with what it says; a change is judged and nothing is written', () => {
    const view = desk.read();
    expect(view).toMatchObject({ firstRun: false, ok: true, text: site, diff: [], written: { role: 'passive' } });
    const checked = desk.check({ text: site, changes: [{ path: ['promotion', 'countdown'], value: 'soon' }] });
    expect(checked.ok).toBe(false);
    expect(checked.problems).toEqual([expect.objectContaining({ path: 'promotion.countdown', line: 16 })]);
    expect(checked.diff.filter(({ kind }) => kind === 'new')).toHaveLength(1);
    expect(made.read('estepe.yaml')).toBe(site);
  });

  it('a text that is no YAML, a change that cannot be made: problems, never a throw', () => {
    const broken = desk.check({ text: 'role: [', changes: [{ path: ['role'], value: 'active' }] });
    expect(broken).toMatchObject({ ok: false, written: null, text: 'role: [' });
    const through = desk.check({ text: site, changes: [{ path: ['role', 'x'], value: 1 }] });
    expect(through.problems.length).toBeGreaterThan(0);
    expect(desk.check({ text: 'a: &a [*a]\n', changes: [] }).ok).toBe(false);
    expect(desk.check({ text: 'when: 2020-01-01\nx: .inf\n', changes: [] }).written).toEqual({
      when: '2020-01-01',
      x: null,
    });
  });

  it('is saved once: who saw the one of before is refused, and both are written down', async () => {
    const { base } = desk.read();
    const changed = site.replace('keep: 7', 'keep: 8');
    expect(await desk.save({ by: 'console', text: changed, base })).toMatchObject({ saved: true, refusedBy: null });
    expect(await desk.save({ by: 'console', text: minimal, base })).toMatchObject({
      saved: false,
      refusedBy: 'changed',
      sentence: expect.stringContaining('changed by somebody else'),
    });
    expect(made.read('estepe.yaml')).toBe(changed);
    expect(notes).toEqual([expect.stringContaining('config.saved: estepe.yaml was saved by console')]);
  });

  it('H4 a secret goes in for its owner alone, is named and never told', () => {
    expect(desk.setSecret({ by: 'console', name: 'nas', secret })).toEqual({ name: 'nas' });
    expect(readFileSync(join(made.path, 'secrets', 'nas'), 'utf8')).toBe(secret);
    expect(desk.read().secrets).toEqual(['nas']);
    expect(JSON.stringify([desk.read(), trials.view(), notes])).not.toContain(secret);
    expect(() => desk.setSecret({ by: 'x', name: 'console-token', secret })).toThrow(/Estepe's own/);
    expect(() => desk.setSecret({ by: 'x', name: '../estepe.yaml', secret })).toThrow(/not the name of a secret/);
    expect(() => desk.setSecret({ by: 'x', name: 'nas', secret: '' })).toThrow(/empty/);
    expect(readFileSync(join(made.path, 'secrets', 'nas'), 'utf8')).toBe(secret);
  });

  const local = (folder: string) => `${minimal}backup: { location: { kind: local, folder: ${folder} } }\n`;

  it('a location is tried by using it, also where the rest of the text is not written yet', async () => {
    const text = `role:\nbackup: { location: { kind: local, folder: ${made.at('store')} } }\n`;
    expect(trials.desk.start({ kind: 'location', text })).toEqual({ begun: true, sentence: '' });
    expect(trials.desk.start({ kind: 'location', text }).begun).toBe(false);
    const good = await ended('location');
    expect(good).toMatchObject({ how: 'good', title: made.at('store') });
    expect(good.rows.every(({ state }) => state === 'ok')).toBe(true);
    trials.desk.start({ kind: 'location', text: local('/proc/none') });
    expect(await ended('location')).toMatchObject({ how: 'bad' });
  });

  it('what is not written as it has to be is not tried, and said', () => {
    expect(trials.desk.start({ kind: 'location', text: minimal }).sentence).toContain('No location is named');
    const wrong = trials.desk.start({ kind: 'location', text: local('""') });
    expect(wrong).toMatchObject({ begun: false, sentence: expect.stringContaining('backup.location.folder') });
    expect(trials.desk.start({ kind: 'tests', text: 'role: passive\n' })).toMatchObject({ begun: false });
  });

  it('a secret that is missing is told by its name', async () => {
    const text = `${minimal}backup: { location: { kind: sftp, host: 127.0.0.1, user: x, password: nas } }\n`;
    trials.desk.start({ kind: 'location', text });
    const { how, rows } = await ended('location');
    expect(how).toBe('bad');
    expect(rows[0]?.sentence).toContain('nas does not exist');
  });

  it('is cancelled, and ends with the desk', async () => {
    // Nobody answers there (TEST-NET-1), so the tests last as long as they may.
    trials.desk.start({ kind: 'tests', text: minimal });
    expect(trials.desk.cancel({ kind: 'tests' })).toEqual({ was: true });
    expect((await ended('tests')).how).toBe('cancelled');
    expect(trials.desk.cancel({ kind: 'tests' })).toEqual({ was: false });
    trials.desk.start({ kind: 'tests', text: minimal });
    await trials.close();
    expect(trials.view().tests.running).toBeNull();
    expect(trials.desk.start({ kind: 'tests', text: minimal }).begun).toBe(false);
  });

  it('scripts and rights: a script that is not there is a problem, one that is there is none', async () => {
    const text = `${minimal}promotion: { scripts: { before: here.sh, after: gone.sh } }\n`;
    writeFileSync(join(made.path, 'scripts', 'here.sh'), '#!/bin/sh\n', { mode: 0o700 });
    trials.desk.start({ kind: 'rights', text });
    const { rows } = await ended('rights');
    expect(rows.map(({ id, state }) => [id, state])).toEqual(
      expect.arrayContaining([
        ['script:here.sh', 'ok'],
        ['script:gone.sh', 'problem'],
      ]),
    );
  });
});
