/**
 * The one window: shows the console's page that the engine serves on loopback, and lets it do nothing else. Knows the
 * engine only by its address.
 */
import { BrowserWindow, type Session, session } from 'electron';

/**
 * @param link the console's address with its token in the fragment; secret, so it is shown in no title and no log
 * @param preload absolute path of the CommonJS preload bundle
 */
export async function openConsoleWindow(link: string, preload: string): Promise<BrowserWindow> {
  const origin = new URL(link).origin;
  // In memory: no cookie, cache or token of the console is left on the disk.
  const own = session.fromPartition('console');
  denyPermissions(own);
  const window = new BrowserWindow({
    width: 1180,
    height: 820,
    minWidth: 480,
    show: false,
    title: 'Estepe',
    autoHideMenuBar: true,
    webPreferences: {
      session: own,
      preload,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
      spellcheck: false,
    },
  });
  window.once('ready-to-show', () => window.show());
  const contents = window.webContents;
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  contents.on('will-attach-webview', (event) => event.preventDefault());
  const stay = (event: { preventDefault(): void; url: string }): void => {
    if (!URL.canParse(event.url) || new URL(event.url).origin !== origin) event.preventDefault();
  };
  contents.on('will-navigate', stay);
  contents.on('will-redirect', stay);
  contents.on('will-frame-navigate', stay);
  await window.loadURL(link);
  return window;
}

/** A page of ours asks for no camera, no place, no device: whoever asks is not ours. */
function denyPermissions(own: Session): void {
  own.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  own.setPermissionCheckHandler(() => false);
  own.setDevicePermissionHandler(() => false);
}
