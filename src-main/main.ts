/**
 * Electron's main process in its first form: one instance, the console's window on the engine of this machine's data folder,
 * attached to where one runs, hosted here where none does. With words of the command line, or `--headless`, those instead.
 */
import { fileURLToPath } from 'node:url';
import { app, type BrowserWindow, dialog } from 'electron';
import { commandWords } from './cli/words.ts';
import { defaultDataFolder } from './config/data-folder.ts';
import { readEndpoint } from './config/endpoint.ts';
import { type Host, hostHere } from './console/engine-host.ts';
import { EstepeError, sentenceOf } from './contract/errors.ts';
import { ownWords } from './shell/own-words.ts';
import { openConsoleWindow } from './shell/window.ts';

const preload = fileURLToPath(new URL('../preload/preload.cjs', import.meta.url));

let host: Host | null = null;
let window: BrowserWindow | null = null;

/** The address of the console, with its key: of the engine that owns the data folder, or of one started here. */
async function consoleLink(): Promise<string> {
  const dataFolder = defaultDataFolder();
  const notice = readEndpoint(dataFolder);
  if (notice.state === 'live') {
    const { endpoint, token } = notice.endpoint;
    return `${endpoint}#token=${encodeURIComponent(token)}`;
  }
  host = await hostHere({ dataFolder, version: app.getVersion() });
  return host.link;
}

async function start(): Promise<void> {
  try {
    window = await openConsoleWindow(await consoleLink(), preload);
    window.once('closed', () => {
      window = null;
    });
  } catch (error) {
    const todo = error instanceof EstepeError ? error.todo : '';
    dialog.showErrorBox('Estepe cannot start', `${sentenceOf(error)}\n\n${todo}`);
    app.quit();
  }
}

/** The command line, and with `--headless` the engine: no window, and no lock of this session, in which a window may be open. */
async function runCommand(words: readonly string[]): Promise<void> {
  // Electron takes over the signals until it is ready; from then on they are ours.
  await app.whenReady();
  app.on('before-quit', (event) => {
    event.preventDefault();
    process.emit('SIGTERM', 'SIGTERM');
  });
  const { main } = await import('./cli/program.ts');
  app.exit(await main(words));
}

const words = commandWords(ownWords(process.argv, process.defaultApp === true));
if (words !== null) void runCommand(words);
else if (app.requestSingleInstanceLock()) {
  app.on('second-instance', () => {
    if (window?.isMinimized()) window.restore();
    window?.focus();
  });
  app.on('window-all-closed', () => app.quit());
  let ended = false;
  app.on('before-quit', (event) => {
    if (ended || host === null) return;
    // The running step and the history end in order before the process does.
    event.preventDefault();
    ended = true;
    void host.close().finally(() => app.quit());
  });
  void app.whenReady().then(start);
} else {
  app.quit();
}
