/** The drill's pure parts: what rows come to, the age of the last one, its judges, its report as a file. */
import { describe, expect, it } from 'vitest';
import { type DrillReport, type DrillRow, drillStanding, hasPassed } from '../../../src-main/contract/drill.ts';
import { drillPage } from '../../../src-main/contract/drill-page.ts';
import { EstepeError } from '../../../src-main/contract/errors.ts';
import type { GuardView } from '../../../src-main/contract/snapshot.ts';
import { syntaxCheck } from '../../../src-main/station/drill/command-looks.ts';
import { drillTroubles, type Rehearsed } from '../../../src-main/station/drill/due.ts';
import { judgeClaim, judgeFence, judgeGuards } from '../../../src-main/station/drill/promotion-rows.ts';
import { sentenceOfReport } from '../../../src-main/station/drill/rehearse.ts';
import { judgeFailed, judgeRehearsed } from '../../../src-main/station/drill/restore-rows.ts';
import { drillAfter, drillReportOf, someRows } from '../console/drill-double.ts';

const day = 24 * 3600_000;
const now = Date.UTC(2026, 5, 1);
const rows = (...states: DrillRow['state'][]) => states.map((state) => ({ state }));

describe('rows and their verdict', () => {
  it.each([
    [['ok', 'warning', 'skipped'], true],
    [['ok', 'problem'], false],
    [['ok'], true],
    // nothing was looked at: that proves nothing
    [['skipped', 'warning'], false],
    [[], false],
  ] as const)('%j: passed is %s', (states, passed) => {
    expect(hasPassed(rows(...states))).toBe(passed);
  });

  it('one sentence tells the first problem, and how many more there are', () => {
    const one = someRows.filter(({ state }) => state === 'problem');
    expect(sentenceOfReport(drillReportOf(one, now))).toBe(
      'The drill with head-office-20260101.zip found what would hinder a promotion: stop-old-active.sh would fail: it cannot be read as a script.',
    );
    expect(sentenceOfReport(drillReportOf([...one, ...one, ...one], now))).toMatch(/And 2 more problems\.$/);
    const well = someRows.filter(({ state }) => state !== 'problem');
    expect(sentenceOfReport(drillReportOf(well, now))).toBe(
      'The drill with head-office-20260101.zip passed. 1 warning.',
    );
  });

  it('how the last one looks: never, failed, passed, old', () => {
    const good = drillReportOf(rows('ok') as DrillRow[], now);
    const view = drillAfter(good, now);
    expect(drillStanding({ ...view, last: null }, now)).toBe('never');
    expect(drillStanding(view, now + 90 * day)).toBe('passed');
    expect(drillStanding(view, now + 90 * day + 1)).toBe('old');
    expect(drillStanding(drillAfter(drillReportOf(rows('problem') as DrillRow[], now), now - day), now)).toBe('failed');
  });
});

describe('the age of the last passed drill, mode automatic', () => {
  const asked: Rehearsed = {
    ...{ lab: false, maxAgeMs: 90 * day, lastPassedAt: now - 91 * day },
    mode: 'automatic',
    role: 'passive',
  };

  it('is a trouble beyond drill.maxAge, and when none passed yet', () => {
    const [old] = drillTroubles(asked, now);
    expect(old?.sentence).toBe('The last drill that passed here was 91 d ago; `drill.maxAge` is 90 d.');
    expect(old?.todo).toContain('estepe drill');
    expect(drillTroubles({ ...asked, lastPassedAt: null }, now)[0]?.sentence).toContain('No drill has passed here yet');
    // dated by a clock that was wrong, it would count for ever
    expect(drillTroubles({ ...asked, lastPassedAt: now + 400 * day }, now)).toHaveLength(1);
  });

  it('is the same sentence for an hour: no news every second', () => {
    const at = (ms: number) => drillTroubles(asked, now + ms)[0]?.sentence;
    expect(at(59 * 60_000)).toBe(at(0));
  });

  it.each([
    ['within the bound', { lastPassedAt: now - 90 * day }],
    ['another mode', { mode: 'confirm' }],
    ['manual', { mode: 'manual' }],
    ['the active node', { role: 'active' }],
    ['a laboratory', { lab: true, lastPassedAt: null }],
  ] as const)('is none: %s', (_what, change) => {
    expect(drillTroubles({ ...asked, ...change }, now)).toEqual([]);
  });
});

const guard = (name: GuardView['name'], ok: boolean, bindsPerson: boolean): GuardView => ({
  ...{ name, ok, bindsPerson, evidence: 'seen' },
});

describe('guards, claim, fence', () => {
  const alive = [guard('proven-down', false, true), guard('no-contradiction', false, true)];

  it('that the other node lives is what a drill expects', () => {
    expect(judgeGuards(alive, 'refused', 'automatic')).toMatchObject([{ id: 'promotion.guards', state: 'ok' }]);
  });

  it.each([
    ['restored-data', true, 'confirm', 'problem'],
    ['seen-healthy', false, 'confirm', 'warning'],
    ['seen-healthy', false, 'automatic', 'problem'],
    ['no-maintenance', true, 'automatic', 'warning'],
  ] as const)('%s (binds a person: %s) in mode %s is a %s', (name, binds, mode, state) => {
    expect(judgeGuards([...alive, guard(name, false, binds)], '', mode)).toMatchObject([
      { id: `promotion.guard.${name}`, state },
    ]);
  });

  it('a claim nobody could see is as grave as the configuration says', () => {
    const seen = (state: 'alone' | 'reachable' | 'unreachable') => ({ state, evidence: 'seen', foreign: 0 });
    expect(judgeClaim(seen('reachable'), 'required').state).toBe('ok');
    expect(judgeClaim(seen('unreachable'), 'required').state).toBe('problem');
    expect(judgeClaim(seen('unreachable'), 'best-effort').state).toBe('warning');
    expect(judgeClaim(seen('alone'), 'required').state).toBe('warning');
  });

  it('a fence without means is a warning; an API that refuses is a problem where proof is required', () => {
    const silence = {
      target: { address: '', fqdn: '' },
      tests: [],
      failWhen: 'all',
      withinMs: 0,
      pauseMs: 0,
      rounds: 2,
    };
    const plan = { need: 'required', api: null, script: null, silence } as const;
    expect(judgeFence(plan as never, false, null)).toMatchObject([{ id: 'promotion.fence', state: 'warning' }]);
    expect(judgeFence(plan as never, true, null)).toMatchObject([{ state: 'ok', evidence: 'the link' }]);
    const refused = { outcome: 'unreachable', sentence: '401' } as const;
    expect(judgeFence(plan as never, true, refused)[0]).toMatchObject({ id: 'promotion.fence.api', state: 'problem' });
    const lax = { ...plan, need: 'best-effort' };
    expect(judgeFence(lax as never, true, refused)[0]).toMatchObject({ state: 'warning', evidence: '401' });
  });
});

describe('scripts and the restore', () => {
  it.each([
    ['#!/bin/sh', ['/bin/sh', '-n', '/s']],
    ['#!/usr/bin/env bash', ['bash', '-n', '/s']],
    ['#! /bin/bash -e', ['/bin/bash', '-n', '/s']],
    ['#!/usr/bin/python3', null],
    ['#!', null],
    ['@echo off', null],
    ['', null],
  ] as const)('%j is read through by %j', (line, argv) => {
    expect(syntaxCheck(line, '/s')).toEqual(argv);
  });

  const backup = { name: 'b.zip', createdAt: 0, size: 1, verified: true, proof: null };
  const done = {
    ...{ choice: { backup, why: 'it is the newest' }, files: 2, bytes: 1000, changed: 0, notHeld: [] },
    ...{ byCommand: false, versionCompared: false },
  };

  it('what was proven, and what of it is not as it should be', () => {
    expect(judgeRehearsed(done)).toMatchObject([{ state: 'ok', evidence: 'It is the newest; 2 files, 1.0 kB' }]);
    const odd = { ...done, choice: { backup: { ...backup, verified: false }, why: 'x' }, notHeld: ['/a', '/b'] };
    expect(judgeRehearsed(odd).map(({ id, state }) => `${id} ${state}`)).toEqual([
      'restore.proven ok',
      'restore.verified warning',
      'restore.held warning',
    ]);
    expect(judgeRehearsed({ ...done, byCommand: true }).at(-1)).toMatchObject({
      id: 'restore.command',
      state: 'skipped',
    });
  });

  it('why it could not be restored, and what to do', () => {
    const error = new EstepeError('backup', 'Its bytes differ.', 'make another backup', { fault: 'damaged' });
    expect(judgeFailed('b.zip', error)).toMatchObject({
      ...{ state: 'problem', evidence: 'Its bytes differ. (damaged)', todo: 'Make another backup.' },
    });
    expect(judgeFailed(null, new Error('x')).sentence).toBe('No backup could be restored into the sandbox.');
  });
});

describe('the report as an HTML file', () => {
  const sign = `<script>alert("1")</script>&'`;
  const words = {
    ...{
      lang: 'en',
      title: sign,
      passed: sign,
      failed: sign,
      todo: sign,
      node: sign,
      at: sign,
      by: sign,
      backup: sign,
    },
    none: 'none',
    time: () => sign,
    states: { problem: sign, warning: sign, ok: sign, skipped: sign },
    counts: { problem: () => sign, warning: () => sign, ok: () => sign, skipped: () => sign },
    areas: new Proxy({}, { get: () => sign }) as never,
  };
  const hostile = (report: DrillReport): DrillReport => ({
    ...report,
    ...{ node: sign, fqdn: sign, by: sign, backup: sign },
    rows: report.rows.map((row) => ({ ...row, sentence: sign, evidence: sign, todo: sign })),
  });

  it('everything in it is escaped; it holds no script and fetches nothing', () => {
    const html = drillPage(hostile(drillReportOf(someRows, now)), words);
    expect(html).not.toMatch(/<script|alert\("|&'/);
    expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;');
    expect(html).not.toMatch(/\b(?:src|href)=|url\(|@import|https?:/);
    expect(html).toContain("default-src 'none'");
  });

  it('problems come first, and each row has its state as a word', () => {
    const html = drillPage(drillReportOf(someRows, now), { ...words, states: { ...words.states, problem: 'problem' } });
    expect(html.indexOf('<tr class="problem">')).toBeLessThan(html.indexOf('<tr class="ok">'));
    expect(html).toContain('✗ problem');
    expect(html).toContain('line 3: syntax error: unexpected &lt;end of file&gt;');
  });
});
