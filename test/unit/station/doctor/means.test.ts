/** Rights, room, the location, backups, references and the link, in tables; and looks that hang, fail or are cut off. */
import { describe, expect, it } from 'vitest';
import { rights } from '../../../../src-main/backup/check-location.ts';
import { byArea } from '../../../../src-main/contract/doctor.ts';
import { judgeFirewall, judgeLink, judgeReferences } from '../../../../src-main/station/doctor/around.ts';
import { examine, type Look } from '../../../../src-main/station/doctor/examine.ts';
import { judgeRehearsal, judgeRights, judgeRoom, judgeTarget } from '../../../../src-main/station/doctor/means.ts';
import { judgeLocation, judgeNewest, judgeRestored } from '../../../../src-main/station/doctor/storage.ts';
import { Clockwork } from '../../clockwork.ts';
import { peerOff, peerUnpaired, peerUp } from '../../console/peer-double.ts';
import { ends, onActive, unsaid } from './rig.ts';

const hour = 3600_000;

describe('rights', () => {
  const account = { id: 'account', ok: false, sentence: 'no root', todo: 'do' };
  it('the account counts where services are started by name', () => {
    expect(judgeRights([account], true)[0]).toMatchObject({ id: 'rights.account', state: 'problem', todo: 'do' });
    expect(judgeRights([account], false)[0]?.state).toBe('warning');
    expect(judgeRights([{ ...account, id: 'script:x' }], false)[0]?.state).toBe('problem');
    expect(judgeRights([{ ...account, ok: true }], true)[0]?.state).toBe('ok');
  });
  it('a switch is rehearsed, a script is not run', () => {
    expect(judgeRehearsal('1', 'a', { outcome: 'done', sentence: 's', output: '' }).state).toBe('ok');
    expect(judgeRehearsal('1', 'a', { outcome: 'failed', sentence: 'REFUSED', output: '' })).toMatchObject({
      ...{ state: 'problem', evidence: 'REFUSED' },
    });
    expect(judgeRehearsal('1', 'a', null).state).toBe('skipped');
  });
});

describe('room', () => {
  const room = { id: 'x', what: 'the spool', path: '/s', needBytes: 100, wishBytes: 200, because: 'b' };
  it.each([
    [null, 'warning'],
    [99, 'problem'],
    [150, 'warning'],
    [200, 'ok'],
  ] as const)('%s bytes free: %s', (freeBytes, state) => {
    const said = judgeRoom({ ...room, freeBytes });
    expect(said.state).toBe(state);
    expect(unsaid([said])).toEqual([]);
  });
  it('a target without its folder is named', () => {
    expect(judgeTarget('/srv/a', '/srv').state).toBe('ok');
    expect(judgeTarget('/srv/a', null)).toMatchObject({
      state: 'problem',
      sentence: expect.stringContaining('/srv/a'),
    });
  });
});

describe('the location', () => {
  const proven = (failing: string | null) =>
    rights.map((right) => ({
      ...{ right, ms: 1, sentence: 's', todo: right === failing ? 'do that' : '' },
      outcome: right === failing ? ('failed' as const) : ('ok' as const),
    }));
  it.each([
    [null, true, 'storage.location', 'ok'],
    ['write', true, 'storage.location.write', 'problem'],
    ['claim-once', true, 'storage.location.claim-once', 'problem'],
    ['claim-once', false, 'storage.location.claim-once', 'warning'],
  ] as const)('%s fails, claim needed %s', (failing, needed, id, state) => {
    const [said] = judgeLocation('sftp://x', proven(failing), needed);
    expect(said).toMatchObject({ id, state, todo: failing === null ? '' : 'Do that.' });
  });
  it('the newest backup', () => {
    const states = (newest: Parameters<typeof judgeNewest>[0]) =>
      judgeNewest(newest, 24 * hour, 100 * hour).map(({ state }) => state);
    expect(states(null)).toEqual(['problem']);
    expect(states({ name: 'b', createdAt: 90 * hour, verified: true })).toEqual(['ok', 'ok']);
    expect(states({ name: 'b', createdAt: 70 * hour, verified: false })).toEqual(['problem', 'warning']);
  });
  it('what is restored', () => {
    const at = (createdAt: number | null, bound: number | null, on = ends) =>
      judgeRestored(
        createdAt === null ? null : { name: 'b', createdAt },
        bound === null ? null : { maxOffsetMs: bound },
        100 * hour,
        on,
      ).state;
    expect(at(null, hour, onActive)).toBe('skipped');
    expect(at(null, null)).toBe('warning');
    expect(at(null, hour)).toBe('problem');
    expect(at(98 * hour, hour)).toBe('problem');
    expect(at(99.5 * hour, hour)).toBe('ok');
  });
});

describe('around the pair', () => {
  it('one silent reference is a warning, all of them a problem', () => {
    const beat = (id: string, answered: boolean | null) => ({ id, answered, ms: 1, evidence: 'e' });
    expect(judgeReferences([beat('a', true), beat('b', false)]).map(({ state }) => state)).toEqual(['ok', 'warning']);
    expect(judgeReferences([beat('a', false), beat('b', null)]).map(({ state }) => state)).toEqual([
      'problem',
      'problem',
    ]);
    expect(judgeReferences([])[0]?.state).toBe('problem');
  });
  it.each([
    ['no engine', null, ['skipped']],
    ['off', peerOff, ['warning']],
    ['unpaired', peerUnpaired, ['warning']],
    ['up', peerUp(1), ['ok']],
    ['down', { ...peerUp(1), state: 'down', trouble: 't' }, ['problem']],
    ['does not listen', { ...peerUp(1), listening: null }, ['ok', 'problem']],
  ] as const)('the link: %s', (_name, view, states) => {
    const said = judgeLink(view === null ? null : { ...view, unprotected: [...view.unprotected] });
    expect(said.map(({ state }) => state)).toEqual(states);
    expect(unsaid(said)).toEqual([]);
  });
  it('what is not seen from here is said', () => {
    expect(judgeFirewall(null, ends).map(({ state }) => state)).toEqual(['skipped', 'skipped']);
    expect(judgeFirewall(peerUp(1), ends)[0]?.state).toBe('ok');
  });
});

describe('looks', () => {
  const look = (what: string, run: Look['run']): Look => ({ area: 'disk', what, withinMs: 1_000, run });
  const well = look('a', async () => [
    { id: 'disk.a', area: 'disk', state: 'ok', sentence: 's', evidence: '', todo: '' },
  ]);
  const hangs = look('the disks', () => new Promise(() => {}));

  it('one that hangs and one that fails are said, the others count', async () => {
    const time = new Clockwork();
    const ended: string[] = [];
    const fails = look('b', () => Promise.reject(new Error('broken')));
    const signal = new AbortController().signal;
    const all = examine([well, hangs, fails], {
      clock: time.clock,
      signal,
      onEnd: ({ what }) => void ended.push(what),
    });
    await time.pass(1_000);
    const checks = await all;
    expect(checks.map(({ state }) => state)).toEqual(['ok', 'warning', 'warning']);
    expect(checks[1]).toMatchObject({
      sentence: 'The disks could not be looked at.',
      evidence: 'No answer within 1 s.',
    });
    expect(checks[2]?.evidence).toContain('broken');
    expect(ended.sort()).toEqual(['a', 'b', 'the disks']);
  });

  it('all end when they are cut off', async () => {
    const control = new AbortController();
    const all = examine([hangs], { clock: new Clockwork().clock, signal: control.signal, onEnd: () => {} });
    control.abort();
    expect((await all)[0]?.state).toBe('warning');
  });

  it('a report puts the gravest area first', () => {
    const one = (area: 'disk' | 'link' | 'names', state: 'ok' | 'problem' | 'warning', id: string) => ({
      ...{ id, area, state, sentence: '', evidence: '', todo: '' },
    });
    const order = byArea([
      one('disk', 'ok', '1'),
      one('names', 'ok', '2'),
      one('link', 'problem', '3'),
      one('disk', 'warning', '4'),
    ]);
    expect(order.map(({ area, checks }) => [area, checks.map(({ id }) => id)])).toEqual([
      ['link', ['3']],
      ['disk', ['4', '1']],
      ['names', ['2']],
    ]);
  });
});
