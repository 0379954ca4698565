/** Which backup is restored when nobody names one, and why that one. Pure. */
import { EstepeError } from '../contract/errors.ts';
import { isFuture } from '../contract/view.ts';
import { type Backup, epochOf } from './shelf.ts';

export interface Choice {
  backup: Backup;
  /** as a sentence without its full stop */
  why: string;
}

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/**
 * A backup by its name; or of those read back the newest of the highest epoch (who has the lower one is no longer the active), and
 * where none was read back, the same among those with a proof. What is dated in the future comes last: it would be the newest for ever.
 * @param backups newest first
 * @param now wall clock
 * @throws EstepeError `not-found`
 */
export function chooseBackup(backups: readonly Backup[], name: string | null, now: number, where: string): Choice {
  const none = (what: string): EstepeError =>
    new EstepeError('not-found', `There is ${what} in ${where}.`, '`estepe backup list` shows those there are');
  if (name !== null) {
    const backup = backups.find((one) => one.name === name);
    if (backup === undefined) throw none(`no backup ${name}`);
    return { backup, why: 'it was asked for by its name' };
  }
  const verified = backups.filter((one) => one.verified);
  const proven = backups.filter((one) => one.proof !== null);
  const [all, kind] =
    verified.length > 0 ? [verified, 'that was read back'] : [proven, 'with a proof: none was read back'];
  const present = all.filter(({ createdAt }) => !isFuture(createdAt, now));
  const from = present.length > 0 ? present : all;
  const highest = Math.max(...from.map(epochOf));
  const backup = from.find((one) => epochOf(one) === highest);
  if (backup === undefined) {
    throw backups.length === 0 ? none('no backup of this pair') : none('no backup of this pair with a proof beside it');
  }
  const passed = backups.slice(0, backups.indexOf(backup));
  const future = passed.filter(({ createdAt }) => isFuture(createdAt, now)).length;
  const lower = passed.filter((one) => one.proof !== null && epochOf(one) < highest).length;
  const rest = passed.length - future - lower;
  const notes = [
    future > 0 ? `${count(future, 'backup')} dated in the future passed over` : '',
    lower > 0 ? `${count(lower, 'newer one')} of a lower epoch passed over` : '',
    rest > 0 ? `${count(rest, 'newer one')} not read back passed over` : '',
  ].filter((note) => note !== '');
  return { backup, why: [`it is the newest ${kind}`, ...notes].join('; ') };
}
