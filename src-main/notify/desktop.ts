/**
 * A notice on the desktop of this machine, by a process of its own. Nothing shows where nobody is logged in, or where Estepe runs as a
 * service outside the person's session: that is said, not hidden.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CommandResult, Proc, Random } from '../engine/ports.ts';
import type { Channel, Letter, SendEnd } from './channel.ts';
import { subjectOf } from './letter.ts';

export interface DesktopOptions {
  proc: Proc;
  random: Random;
  /** where the process is started */
  folder: string;
  platform: NodeJS.Platform;
  /** the engine's environment, of which what leads to the desktop is passed on */
  environment: Readonly<Record<string, string | undefined>>;
}

/** How programs find the desktop of the person they run for. */
const leadsToDesktop = ['DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'DBUS_SESSION_BUS_ADDRESS', 'XDG_RUNTIME_DIR'];

const maxText = 600;
/** What `desktop-child.ts` says last when the desktop took it. */
const shownWord = 'shown';

/** Beside this file in the sources, an entry of its own in the build. */
function childFile(): string | null {
  const places = ['./desktop-child.ts', './desktop-child.js', '../desktop-child.js'];
  return places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) => existsSync(path)) ?? null;
}

export class Desktop implements Channel {
  readonly name = 'desktop';
  readonly target = 'this machine';
  readonly timeoutMs = 10_000;
  /** a notice of what was an hour ago helps nobody who sits here */
  readonly maxAgeMs = 3600_000;
  readonly #o: DesktopOptions;

  constructor(options: DesktopOptions) {
    this.#o = options;
  }

  async send(letter: Letter, { signal }: { signal: AbortSignal }): Promise<SendEnd> {
    const { proc, random, folder, environment, platform } = this.#o;
    const child = childFile();
    if (child === null)
      return failed('the program that shows notices is not part of this installation', 'install Estepe again');
    const passed = leadsToDesktop.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    const words = letter.items
      .map(({ text }) => text)
      .join('\n')
      .slice(0, maxText);
    const result = await proc.run({
      argv: [process.execPath, child],
      cwd: folder,
      env: {
        ...Object.fromEntries(passed),
        ESTEPE_NOTICE_TITLE: subjectOf(letter),
        // Desktops of Linux read it as markup.
        ESTEPE_NOTICE_TEXT: platform === 'linux' ? words.replaceAll('&', '&amp;').replaceAll('<', '&lt;') : words,
        // In the packaged app the program is Electron itself.
        ELECTRON_RUN_AS_NODE: '1',
      },
      timeoutMs: this.timeoutMs,
      runToken: random.hex(8),
      signal,
    });
    return judged(result, platform);
  }
}

const failed = (said: string, todo: string): SendEnd => ({ how: 'failed', said, todo, fault: 'person' });

function judged({ end, output }: CommandResult, platform: NodeJS.Platform): SendEnd {
  const last =
    output
      .split('\n')
      .findLast((line) => line.trim() !== '')
      ?.trim()
      .slice(0, 300) ?? '';
  // Its own word, not its exit code: a packaged program may start something else in place of it, which ends well.
  if (end.how === 'exit' && end.code === 0 && last === shownWord) return { how: 'sent', said: 'the desktop took it' };
  if (end.how === 'timeout')
    return {
      how: 'failed',
      said: 'the desktop did not answer',
      todo: 'look whether somebody is logged in here',
      fault: 'passing',
    };
  if (end.how === 'not-started')
    return failed(`the program that shows notices did not start: ${end.why}`, 'install Estepe again');
  if (end.how !== 'exit') return { how: 'failed', said: 'it was cut off', todo: 'test it again', fault: 'passing' };
  if (/not found: notify-send|notify-send must be installed/.test(last))
    return failed(
      'notify-send is not installed on this machine',
      'install it (Debian: libnotify-bin), or take `notify.desktop` out',
    );
  const todo =
    platform === 'linux'
      ? 'start Estepe in the session of a person at a desktop, or take `notify.desktop` out'
      : 'start Estepe in the session of a person who is logged in, or take `notify.desktop` out';
  return failed(`the desktop did not take it: ${last === '' ? `exit code ${end.code}` : last}`, todo);
}
