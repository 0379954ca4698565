/** Whether the engine starts with the machine, in a table: what is said, and what to do. */
import { describe, expect, it } from 'vitest';
import { type BootState, notInstalled } from '../../../../src-main/station/boot/boot.ts';
import { type AccountFacts, judgeAtBoot } from '../../../../src-main/station/doctor/at-boot.ts';
import { unsaid } from './rig.ts';

const installed: BootState = {
  ...{ by: 'systemd', where: '/etc/systemd/system/estepe.service', installed: true, ours: true, atBoot: true },
  ...{ account: 'pbx', logon: null, dataFolder: '/var/lib/estepe', argv: [], fault: '' },
};
const same: AccountFacts = { looked: 'same', by: 'root', dnscmdServer: null };
const judged = (state: Partial<BootState>, account: Partial<AccountFacts> = {}) => {
  const checks = judgeAtBoot({ ...installed, ...state }, '/var/lib/estepe', { ...same, ...account });
  expect(unsaid(checks)).toEqual([]);
  return checks.map(({ id, state: how }) => `${id} ${how}`);
};

describe('the engine at boot', () => {
  it('installed, on this folder, under the account that was looked at', () => {
    expect(judged({})).toEqual(['rights.at-boot ok']);
  });

  it('not at all: a warning with the command to run', () => {
    const [said] = judgeAtBoot(notInstalled('systemd', '/etc/systemd/system/estepe.service'), '/d', same);
    expect(said).toMatchObject({
      ...{ state: 'warning', sentence: 'This machine does not start the engine: after a reboot nobody watches.' },
      ...{
        evidence: 'there is no /etc/systemd/system/estepe.service',
        todo: expect.stringContaining('service install'),
      },
    });
  });

  it.each([
    [{ atBoot: false }, ['rights.at-boot warning']],
    [{ atBoot: null, fault: 'nobody answers' }, ['rights.at-boot skipped']],
    [{ dataFolder: '/elsewhere' }, ['rights.at-boot warning']],
  ] as const)('%j', (state, said) => expect(judged(state)).toEqual(said));

  it.each([
    [{}, { looked: 'other' as const, by: 'user 1000' }, ['rights.at-boot ok', 'rights.boot-account warning']],
    [{}, { looked: 'gone' as const }, ['rights.at-boot ok', 'rights.boot-account problem']],
    [{ logon: 's4u' as const }, {}, ['rights.at-boot ok']],
    [{ logon: 's4u' as const }, { dnscmdServer: 'dc1' }, ['rights.at-boot ok', 'rights.boot-dns problem']],
    [{ logon: 'password' as const }, { dnscmdServer: 'dc1' }, ['rights.at-boot ok']],
  ])('%j, looked at %j', (state, account, said) => expect(judged(state, account)).toEqual(said));
});
