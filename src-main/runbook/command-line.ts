/**
 * How an argv is started on each platform without a shell, and what must be refused because a shell cannot be avoided.
 * Pure: it must not look at the disk or at the environment.
 */
import { win32 } from 'node:path';

export type CommandLine =
  | {
      file: string;
      args: readonly string[];
      /** Windows: `args` is the command line as it stands, Node must not quote it again */
      verbatim: boolean;
    }
  | { refused: string };

/** What cmd.exe acts on even inside quotes (`%`, `!`, line ends, the quote itself) or after a lost quote (the rest). */
const actedOnByCmd = /["%&|<>^!]/;

function refusal(argv: readonly string[], platform: NodeJS.Platform): string | null {
  const program = argv[0];
  if (program === undefined || program === '') return 'no program is named';
  if (argv.some((word) => word.includes('\0'))) return 'an argument holds a NUL character';
  // Windows drops dots and spaces at the end of a name, so "x.cmd." would slip past the look at the extension.
  if (platform === 'win32' && /[. ]$/.test(program)) return `"${program}" ends in a dot or a space`;
  return null;
}

/** A batch file runs in cmd.exe only, and Node refuses to start one by itself (CVE-2024-27980). */
function batch(argv: readonly string[], system32: string): CommandLine {
  for (const word of argv) {
    const found = actedOnByCmd.exec(word)?.[0];
    if (found !== undefined) {
      return {
        refused: `"${word}" holds ${found}, which cmd.exe would act on; batch files cannot be given that safely`,
      };
    }
    if (/[\r\n]/.test(word)) return { refused: 'an argument holds a line end, at which cmd.exe would stop reading' };
  }
  const quoted = argv.map((word) => `"${word}"`).join(' ');
  // /d: no AutoRun from the registry; /s: exactly the outer quotes are taken off.
  return { file: win32.join(system32, 'cmd.exe'), args: ['/d', '/s', '/c', `"${quoted}"`], verbatim: true };
}

/**
 * The file to start and its arguments. Interpreters are named by absolute path: Windows would otherwise look for
 * `cmd.exe` in the current folder first.
 * @param systemRoot Windows' own folder, as in %SystemRoot%
 */
export function commandLineFor(
  argv: readonly string[],
  platform: NodeJS.Platform,
  systemRoot = 'C:\\Windows',
): CommandLine {
  const refused = refusal(argv, platform);
  if (refused !== null) return { refused };
  const [program = '', ...args] = argv;
  if (platform !== 'win32') return { file: program, args, verbatim: false };
  const system32 = win32.join(systemRoot, 'System32');
  switch (win32.extname(program).toLowerCase()) {
    case '.cmd':
    case '.bat':
      return batch(argv, system32);
    case '.ps1':
      return {
        file: win32.join(system32, 'WindowsPowerShell', 'v1.0', 'powershell.exe'),
        // No -ExecutionPolicy: what may run is the site's own rule, and RemoteSigned (the servers' default) lets it.
        args: ['-NoLogo', '-NoProfile', '-NonInteractive', '-File', program, ...args],
        verbatim: false,
      };
    default:
      return { file: program, args, verbatim: false };
  }
}
