import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type BootPlan,
  bootBeforeKey,
  bootChanges,
  bootCommand,
  setBoot,
} from '../../../src-main/runbook/boot-services.ts';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';
import { readStates, type ServiceState, serviceStates, stateQuery } from '../../../src-main/runbook/service-states.ts';
import { newHistory } from '../history/workbench.ts';
import { bench, plan } from './promotion-bench.ts';
import { realSystemctl, systemctlDouble } from './systemctl-double.ts';
import { exit } from './workbench.ts';

const here = { platform: 'linux', timeoutMs: 20_000, cwd: '/', runToken: 'boot-test' } as const;
const run = { cwd: '/', timeoutMs: 20_000, runToken: 'boot-test', signal: new AbortController().signal };
const plans = (names: readonly string[], change: Partial<BootPlan> = {}): BootPlan => ({
  names,
  on: [],
  off: [],
  platform: 'linux',
  ...change,
});
const service = (name: string, boot: ServiceState['boot']): ServiceState => ({ name, state: 'stopped', boot });

describe.skipIf(realSystemctl === null)('services over systemctl', () => {
  const pair = () => {
    const system = systemctlDouble();
    for (const name of ['3CXa.service', '3CXb.service', 'other.service']) system.unit(name);
    system.unit('3CXstatic.service', false);
    system.unit('3CXmany@.service');
    const proc = new RealProc();
    const store = newHistory();
    const systemctl = (...words: string[]) => execFileSync('systemctl', words, { encoding: 'utf8', stdio: 'pipe' });
    systemctl('enable', '3CXa.service');
    system.runs('3CXa.service');
    const states = async () => (await serviceStates(proc, { ...here, names: ['3CX*'] })).services;
    return { system, proc, store, systemctl, states };
  };

  it('a pattern is what its unit files are, stopped ones too, and no template', async () => {
    const { states } = pair();
    expect(await states()).toEqual([
      { name: '3CXa.service', state: 'running', boot: 'automatic' },
      { name: '3CXb.service', state: 'stopped', boot: 'manual' },
      { name: '3CXstatic.service', state: 'stopped', boot: 'fixed' },
    ]);
  });

  it('names in their order, each once; what is not there is named', async () => {
    const { proc } = pair();
    const asked = await serviceStates(proc, { ...here, names: ['other', '3CX*', '3CXa', 'nothing'] });
    expect(asked.services.map(({ name }) => name)).toEqual([
      'other.service',
      '3CXa.service',
      '3CXb.service',
      '3CXstatic.service',
    ]);
    expect([asked.missing, asked.faults]).toEqual([['nothing'], []]);
  });

  it('a machine without systemctl is a fault in words, not a service that stands still', async () => {
    const { proc, system } = pair();
    process.env.PATH = join(system.folder, 'active');
    const { services, faults } = await serviceStates(proc, { ...here, names: ['3CXa'] });
    expect(services).toEqual([]);
    expect(faults).toEqual([expect.stringMatching(/^services named 3CXa could not be asked after: /)]);
  });

  it('off, and on again: only what started with the machine before does so again', async () => {
    const { proc, store, states } = pair();
    const off = await setBoot({ proc, store }, plans(['3CX*']), 'off', run);
    expect(off).toMatchObject({ sentence: '3CXa.service do not start with the machine any more', faults: [] });
    expect((await states()).map(({ boot }) => boot)).toEqual(['manual', 'manual', 'fixed']);
    expect(store.recall(bootBeforeKey)).toEqual({ '3CXa.service': 'automatic' });
    const on = await setBoot({ proc, store }, plans(['3CX*']), 'on', run);
    expect(on).toMatchObject({ sentence: '3CXa.service start with the machine', faults: [] });
    expect((await states()).map(({ boot }) => boot)).toEqual(['automatic', 'manual', 'fixed']);
  });

  it('off twice remembers how it was before the first time', async () => {
    const { proc, store, systemctl } = pair();
    await setBoot({ proc, store }, plans(['3CX*']), 'off', run);
    expect(await setBoot({ proc, store }, plans(['3CX*']), 'off', run)).toEqual({
      sentence: '',
      faults: [],
      output: '',
    });
    systemctl('enable', '3CXb.service');
    await setBoot({ proc, store }, plans(['3CX*']), 'off', run);
    expect(store.recall(bootBeforeKey)).toEqual({ '3CXa.service': 'automatic', '3CXb.service': 'automatic' });
  });

  it('a spare whose services never started by themselves: all of them do once it is active', async () => {
    const { proc, store, systemctl, states } = pair();
    systemctl('disable', '3CXa.service');
    await setBoot({ proc, store }, plans(['3CX*']), 'on', run);
    expect((await states()).map(({ boot }) => boot)).toEqual(['automatic', 'automatic', 'fixed']);
  });

  it('a masked one was meant so, in either direction', async () => {
    const { proc, store, systemctl, system } = pair();
    system.unit('3CXa.service');
    systemctl('disable', '3CXa.service');
    execFileSync('rm', [join(system.folder, 'root/etc/systemd/system/3CXb.service')]);
    systemctl('mask', '3CXb.service');
    await setBoot({ proc, store }, plans(['3CXb']), 'on', run);
    const { services } = await serviceStates(proc, { ...here, names: ['3CXb'] });
    expect(services).toEqual([{ name: '3CXb.service', state: 'stopped', boot: 'disabled' }]);
  });

  it('what could not be set is said, and what holds is looked at, not believed', async () => {
    const { proc, store, system } = pair();
    writeFileSync(join(system.folder, 'refuses'), '');
    const { faults, output } = await setBoot({ proc, store }, plans(['3CX*']), 'off', run);
    expect(faults).toEqual(['`systemctl disable 3CXa.service` failed', '3CXa.service still starts with the machine']);
    expect(output).toContain('Access denied');
  });

  it('the site’s own commands stand for the names', async () => {
    const { proc, store, states } = pair();
    const own = plans(['3CX*'], { off: [['sh', '-c', 'echo off']], on: [['false']] });
    expect(await setBoot({ proc, store }, own, 'off', run)).toMatchObject({ output: 'off\n', faults: [] });
    expect((await setBoot({ proc, store }, own, 'on', run)).faults).toEqual(['`false` (services.boot.on) failed']);
    expect((await states())[0]?.boot).toBe('automatic');
  });
});

describe('what is to be set', () => {
  const all = (['automatic', 'delayed', 'manual', 'disabled', 'fixed', 'unknown'] as const).map((b) => service(b, b));

  it('off: whatever starts by itself, nothing else', () => {
    expect(bootChanges(all, 'off', {})).toEqual([
      { name: 'automatic', to: 'manual' },
      { name: 'delayed', to: 'manual' },
    ]);
  });

  it('on: as it was before, or all that may', () => {
    expect(bootChanges(all, 'on', {})).toEqual([{ name: 'manual', to: 'automatic' }]);
    expect(bootChanges(all, 'on', { manual: 'delayed' })).toEqual([{ name: 'manual', to: 'delayed' }]);
    expect(bootChanges(all, 'on', { another: 'automatic' })).toEqual([]);
  });
});

describe('services over Windows', () => {
  it('their lines are read, the delayed start and a status on its way too', () => {
    const lines = [
      '3CXA|Running|Automatic|0',
      '3CX B|Stopped|Automatic|1',
      'C|StartPending|Manual|0',
      'D|Stopped|Disabled|0',
      'x',
    ];
    expect(readStates(lines.join('\r\n'), 'win32')).toEqual([
      { name: '3CXA', state: 'running', boot: 'automatic' },
      { name: '3CX B', state: 'stopped', boot: 'delayed' },
      { name: 'C', state: 'unknown', boot: 'manual' },
      { name: 'D', state: 'stopped', boot: 'disabled' },
    ]);
  });

  it('a name can never become a command', () => {
    const nasty = "it's'; Remove-Item x; '";
    const quoted = "'it''s''; Remove-Item x; '''";
    expect(stateQuery(nasty, 'win32').at(-1)).toContain(quoted);
    for (const to of ['manual', 'automatic', 'delayed'] as const)
      expect(bootCommand({ name: nasty, to }, 'win32').at(-1)).toContain(quoted);
  });

  it('are set to manual, automatic, and delayed by the program that knows it', () => {
    const said = (to: 'manual' | 'automatic' | 'delayed') => bootCommand({ name: 'A', to }, 'win32').at(-1);
    expect(said('manual')).toContain("Set-Service -Name 'A' -StartupType Manual");
    expect(said('automatic')).toContain("Set-Service -Name 'A' -StartupType Automatic");
    expect(said('delayed')).toContain("sc.exe config 'A' start= delayed-auto");
  });
});

describe('in the runbook', () => {
  const boot = plans([], { on: [['boot-on']], off: [['boot-off']] });
  const services = { ...plan.services, boot };

  it('set after the start, before it is proven alive; a failure is told and does not stop the takeover', async () => {
    const b = bench({ services });
    b.proc.fate = (name) => exit(name === 'boot-on' ? 1 : 0);
    b.begin();
    await b.end();
    expect(b.proc.names.slice(1, 4)).toEqual(['start a', 'start b', 'boot-on']);
    expect(b.status()).toMatch(/^done/);
    expect(b.told).toEqual([
      {
        key: 'start-services.1',
        text: 'After a reboot the PBX may not start here: `boot-on` (services.boot.on) failed. Set it by hand.',
      },
    ]);
  });

  it('set off once it is stopped, and not where stopping failed', async () => {
    const b = bench({ services });
    b.begin(['stop-services', 'flip-standing'], 'stand-down', 2);
    await b.end();
    expect(b.proc.names).toEqual(['stop', 'boot-off']);
    expect(b.said('stop-services')).toBe('stopped; services.boot.off done');
    const failing = bench({ services });
    failing.proc.fate = () => exit(1);
    failing.begin(['stop-services', 'flip-standing'], 'stand-down', 2);
    await failing.end();
    expect(failing.proc.names).toEqual(['stop']);
  });

  it('F1 cut off between start and setting: the resumed one finds it running, and sets it', async () => {
    const b = bench({ services });
    b.proc.fate = (name, nth) => (name === 'boot-on' && nth === 1 ? { ms: 1e9, end: exit(0) } : exit(0));
    b.begin();
    await b.work.until('boot-on', () => b.proc.names.includes('boot-on'));
    await b.end(await b.reborn());
    expect(b.proc.names.filter((name) => name === 'start a')).toHaveLength(1);
    expect(b.proc.names.filter((name) => name === 'boot-on')).toHaveLength(2);
  });
});
