/** What a takeover needs of this machine: rights, scripts, DNS that lets itself be changed, room on the disks. Pure. */
import type { DoctorCheck } from '../../contract/doctor.ts';
import type { DnsEnd } from '../../engine/ports.ts';
import { sizeWords } from '../../engine/size.ts';
import type { Right } from '../../runbook/rights.ts';
import { check } from './check.ts';

/** @param needsAccount services are started by name: without the account's rights nothing starts */
export function judgeRights(rights: readonly Right[], needsAccount: boolean): DoctorCheck[] {
  return rights.map(({ id, ok, sentence, todo }) => {
    const say = check('rights', id);
    if (ok) return say.ok(sentence);
    return say[id === 'account' && !needsAccount ? 'warning' : 'problem'](sentence, '', todo);
  });
}

/** @param end null: a script's way, which is not run for this */
export function judgeRehearsal(id: string, name: string, end: DnsEnd | null): DoctorCheck {
  const say = check('rights', `dns.${id}`);
  if (end === null) {
    const what = `Whether ${name} can be switched was not tried: only its script knows.`;
    return say.skipped(what, '', 'Run the script once by hand, with ESTEPE_DRY_RUN=1.');
  }
  if (end.outcome === 'done') return say.ok(`${name} can be switched from here.`, end.sentence);
  return say.problem(
    `${name} could not be switched from here.`,
    end.sentence,
    'Mend what it says; nothing was changed.',
  );
}

/** One place that needs room. `freeBytes` null: nobody could tell; `missing`: the folder is not there. */
export interface Room {
  id: string;
  /** `the data folder` */
  what: string;
  path: string;
  freeBytes: number | null;
  /** less is a problem */
  needBytes: number;
  /** less is a warning */
  wishBytes: number;
  /** why so much */
  because: string;
}

export function judgeRoom({ id, what, path, freeBytes, needBytes, wishBytes, because }: Room): DoctorCheck {
  const say = check('disk', id);
  if (freeBytes === null) {
    const todo = 'See whether the folder is there and may be entered by Estepe.';
    return say.warning(`Nobody could tell how much room there is in ${what}.`, path, todo);
  }
  const seen = `${path}: ${sizeWords(freeBytes)} free`;
  if (freeBytes < needBytes) {
    const todo = `Make room for at least ${sizeWords(Math.max(needBytes, wishBytes))} (${because}).`;
    return say.problem(`There is too little room in ${what}.`, seen, todo);
  }
  if (freeBytes < wishBytes) {
    return say.warning(
      `Room is getting short in ${what}.`,
      seen,
      `Make room for ${sizeWords(wishBytes)} (${because}).`,
    );
  }
  return say.ok(
    `There is room in ${what}.`,
    `${seen}; wanted: ${sizeWords(Math.max(needBytes, wishBytes))} (${because})`,
  );
}

/** A folder or file that a restore puts in place: what holds it is there, or not. */
export function judgeTarget(target: string, holder: string | null): DoctorCheck {
  const say = check('disk', `target.${target}`);
  if (holder !== null) return say.ok(`${target} can be restored here.`, `in ${holder}`);
  const todo = 'Install the PBX here as on the active node, or say in `restore.into` where it goes here.';
  return say.problem(`The folder that is to hold ${target} is not on this machine.`, '', todo);
}
