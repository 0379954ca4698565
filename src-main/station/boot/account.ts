/** The account that the engine runs under at boot: whether there is one, and how a question is asked in its place. */
import { EstepeError } from '../../contract/errors.ts';
import { ask, type BootParts, whyFailed } from './boot.ts';

export interface PosixAccount {
  name: string;
  uid: number;
  gid: number;
}

/** @throws EstepeError `usage` when this machine knows no such account */
export async function posixAccountNamed(parts: BootParts, name: string): Promise<PosixAccount> {
  if (name === 'root') return { name, uid: 0, gid: 0 };
  const [user, group] = [
    ['id', '-u', '--', name],
    ['id', '-g', '--', name],
  ] as const;
  const [uid, gid] = [await ask(parts, user), await ask(parts, group)];
  const why = whyFailed(user, uid) ?? whyFailed(group, gid);
  if (why !== null) {
    const todo = `make it (\`adduser --system --group ${name}\`), or name another one`;
    throw new EstepeError('usage', `There is no account ${name} on this machine (${why}).`, todo);
  }
  return { name, uid: Number(uid.output.trim()), gid: Number(gid.output.trim()) };
}

/** The command line that runs another one with that account's rights, groups included; for root alone. */
export function asAccount({ uid, gid }: PosixAccount, argv: readonly string[]): readonly string[] {
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--init-groups', '--', ...argv];
}
