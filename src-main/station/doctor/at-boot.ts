/** Whether this machine starts the engine, and whether what was looked at here is true of the account that it starts it under. Pure. */
import type { DoctorCheck } from '../../contract/doctor.ts';
import type { BootState } from '../boot/boot.ts';
import { check } from './check.ts';

/** The account at boot beside the one that looks. */
export interface AccountFacts {
  /**
   * `same`: it is that one, or the look was made in its place. `other`: the rights that were found are another's. `gone`: the machine
   * knows it no more. `unknown`: nobody could tell.
   */
  looked: 'same' | 'other' | 'gone' | 'unknown';
  /** who looked, in a word */
  by: string;
  /** DNS server that `dnscmd` changes; null: none */
  dnscmdServer: string | null;
}

const install = 'Run `estepe service install` as an administrator (root).';

/** @param dataFolder the one that this engine, or this look, works on */
export function judgeAtBoot(state: BootState, dataFolder: string, account: AccountFacts): DoctorCheck[] {
  const say = check('rights', 'at-boot');
  if (state.atBoot === null) {
    const what = 'Whether this machine starts the engine could not be seen.';
    return [say.skipped(what, state.fault, 'Look with `estepe service status` as an administrator (root).')];
  }
  if (!state.installed) {
    const what = 'This machine does not start the engine: after a reboot nobody watches.';
    return [say.warning(what, `there is no ${state.where.replace('the ', '')}`, install)];
  }
  const seen = `${state.where}, under ${state.account}`;
  if (!state.atBoot) {
    return [
      say.warning(
        'The start of the engine with this machine is switched off: after a reboot nobody watches.',
        seen,
        install,
      ),
    ];
  }
  if (state.dataFolder !== null && state.dataFolder !== dataFolder) {
    const what = `This machine starts the engine on another data folder, ${state.dataFolder}.`;
    return [
      say.warning(
        what,
        `${seen}; this one: ${dataFolder}`,
        `If that is not meant: \`estepe service install --data ${dataFolder}\`.`,
      ),
    ];
  }
  return [say.ok(`This machine starts the engine, under ${state.account}.`, seen), ...judgeAccount(state, account)];
}

function judgeAccount({ account, logon }: BootState, { looked, by, dnscmdServer }: AccountFacts): DoctorCheck[] {
  const say = check('rights', 'boot-account');
  const checks: DoctorCheck[] = [];
  if (looked === 'gone') {
    const todo = 'Make that account again, or run `estepe service install --account` with another one.';
    checks.push(say.problem(`This machine has no account ${account}: the engine does not start at boot.`, '', todo));
  }
  if (looked === 'other') {
    const todo = `Look again while the engine runs that the machine has started${by === 'root' ? '' : ', or as root'}.`;
    const what = `The rights here are those of ${by}; at boot the engine runs under ${account}.`;
    checks.push(say.warning(what, '', todo));
  }
  if (logon === 's4u' && dnscmdServer !== null) {
    const what = `${account} runs without a stored password, and the DNS server ${dnscmdServer} does not know it as itself.`;
    const todo = `Run \`estepe service install --account ${account} --password-stdin\`, or use a managed service account in DnsAdmins.`;
    checks.push(check('rights', 'boot-dns').problem(what, '', todo));
  }
  return checks;
}
