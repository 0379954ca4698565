/** The engine's unit for systemd, as text; and what an installed one says. Pure: nothing is run or written here. */
import { EstepeError } from '../../contract/errors.ts';
import { type BootPlan, dataFolderIn, refuseControls } from './plan.ts';

export const unitName = 'estepe.service';

/** By this first line it is known for ours; what somebody else wrote under that name is not overwritten. */
const mark = '# Written by `estepe service install`, which also writes it anew.';

/** Over the 30 s that `estepe serve` gives what is under way. */
const stopWithinS = 45;

/**
 * A word as systemd.syntax(7) and systemd.service(5) read it back.
 * @param isProgram the first one, in which no variables are looked for
 */
export function unitWord(word: string, isProgram = false): string {
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%');
  return `"${isProgram ? escaped : escaped.replaceAll('$', '$$$$')}"`;
}

/** systemd takes that line as it stands: no quotes, and blanks at its end are lost. */
const plainPath = (path: string): string => path.replaceAll('%', '%%');

/** @throws EstepeError `usage` for an account or a path that no unit can carry */
export function unitText({ argv, dataFolder, account }: BootPlan): string {
  refuseControls([...argv, dataFolder, account]);
  if (!/^[a-z_][a-z0-9_.-]{0,30}\$?$/i.test(account)) {
    throw new EstepeError(
      'usage',
      `\`${account}\` is no name of an account here.`,
      'name one that `getent passwd` lists',
    );
  }
  const [program = '', ...words] = argv;
  if (!program.startsWith('/') || /["\\$]/.test(program) || / $/.test(dataFolder) || !dataFolder.startsWith('/')) {
    const which = !program.startsWith('/') || /["\\$]/.test(program) ? program : dataFolder;
    throw new EstepeError('usage', `systemd cannot be given the path ${which}.`, 'use an absolute one without " \\ $');
  }
  const command = [unitWord(program, true), ...words.map((word) => unitWord(word))].join(' ');
  return `${mark}
# For changes of your own that stay: systemctl edit ${unitName}
[Unit]
Description=Estepe, the warm spare for a PBX
Wants=network-online.target
After=network-online.target
RequiresMountsFor=${unitWord(dataFolder, true)}
# It is tried for ever: a disk may come back, a wrong configuration may be mended.
StartLimitIntervalSec=0

[Service]
Type=exec
User=${account}
WorkingDirectory=${plainPath(dataFolder)}
ExecStart=${command}
Restart=on-failure
RestartSec=10
KillSignal=SIGTERM
# The engine alone is told to stop and ends its own scripts. What one of them started on purpose, such as a PBX, outlives an update.
KillMode=process
TimeoutStopSec=${stopWithinS}
OOMPolicy=continue
# A memory image would hold secrets. A PBX that a script starts may still raise it.
LimitCORE=0:infinity
SyslogIdentifier=estepe
# Nothing of this is walled in further (ProtectSystem=, PrivateTmp=, NoNewPrivileges= …): scripts, the restore and a PBX started
# from here inherit the walls, and must mount, restore anywhere, use sudo and start services.

[Install]
WantedBy=multi-user.target
`;
}

/** What an installed unit says. */
export interface UnitRead {
  /** written by `estepe service install` */
  ours: boolean;
  /** `root` where it names none */
  account: string;
  argv: readonly string[];
  dataFolder: string | null;
}

/** Reads what `unitText` writes; of another's unit as much as is written in the same way. */
export function readUnit(text: string): UnitRead {
  const value = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  const argv = unitWords(value('ExecStart'));
  const account = value('User');
  return {
    ours: text.startsWith(mark),
    account: account === '' ? 'root' : account,
    argv,
    dataFolder: dataFolderIn(argv),
  };
}

function unitWords(line: string): string[] {
  const found = line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g);
  return [...found].map(([, quoted, bare = ''], i) => {
    const word = (quoted?.replace(/\\(.)/g, '$1') ?? bare).replaceAll('%%', '%');
    return i === 0 ? word : word.replaceAll('$$', '$');
  });
}
