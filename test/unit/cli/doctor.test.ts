/** `estepe doctor`: through a running engine, and what its exit says. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../peers/fixtures/until.ts';
import { reportOf, someChecks } from '../console/doctor-double.ts';
import {
  documentOf,
  type EngineUnderTest,
  engineUnderTest,
  estepe,
  startEstepe,
  temporaryFolder,
} from './estepe-process.ts';

describe('estepe doctor', () => {
  let engine: EngineUnderTest;
  beforeEach(async () => {
    engine = await engineUnderTest();
  });
  afterEach(() => engine.end());

  /** Asked through the engine; the look ends when it was begun. */
  async function asked(checks: typeof someChecks, ...more: string[]) {
    const started = startEstepe(['doctor', '--data', engine.data, ...more]);
    await until('a look to be begun', () => engine.desk.asked.some(({ call }) => call === 'doctor.start'));
    engine.desk.doctor.show({ running: null, report: reportOf(checks, 1_000) });
    return started.ended;
  }

  it('follows the look in the engine; a problem is exit 1, what is wrong comes first', async () => {
    const { exit, out, err } = await asked(someChecks);
    expect(err).toBe('');
    expect(exit).toBe(1);
    expect(out.split('\n')[0]).toBe('DNS');
    expect(out).toContain('✗ problem pbx.example.com points at the passive node (192.0.2.2)');
    expect(out).toContain('→ Restart the 3CX System service on the active node (192.0.2.1)');
    expect(out.trimEnd().split('\n').at(-1)).toBe('1 problem, 1 warning, 2 OK, 1 not looked at');
  });

  it('without a problem exit 0; --json is one document', async () => {
    const well = someChecks.filter(({ state }) => state !== 'problem');
    const ended = await asked(well, '--json');
    expect(ended.exit).toBe(0);
    expect(documentOf(ended)).toMatchObject({ node: 'head-office@192.0.2.2', counts: { problem: 0, warning: 1 } });
  });
});

describe('estepe doctor without an engine', () => {
  it('a folder without a configuration is wrong usage, in words', async () => {
    const folder = temporaryFolder();
    try {
      const { exit, err } = await estepe('doctor', '--data', folder.path);
      expect(exit).toBe(2);
      expect(err).toContain('estepe.yaml');
    } finally {
      folder.remove();
    }
  });
});
