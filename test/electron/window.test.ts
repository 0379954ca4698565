/** The window's locks, on a double of Electron: it shows the console and nothing else. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openConsoleWindow } from '../../src-main/shell/window.ts';
import { type BrowserWindow, sessions, windows } from './electron-double.ts';

vi.mock('electron', () => import('./electron-double.ts'));

const link = 'http://127.0.0.1:40123/#token=abc';

afterEach(() => {
  sessions.length = 0;
  windows.length = 0;
});

async function opened(): Promise<BrowserWindow> {
  await openConsoleWindow(link, '/opt/estepe/preload.cjs');
  return windows[0] as BrowserWindow;
}

describe('console window', () => {
  it('runs its page sandboxed, isolated, without Node, in a session that leaves nothing on the disk', async () => {
    const window = await opened();
    expect(window.options.webPreferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
      preload: '/opt/estepe/preload.cjs',
    });
    // only names with `persist:` are written to the disk
    expect(sessions.map(({ partition }) => partition)).toEqual(['console']);
    expect(window.loaded).toEqual([link]);
  });

  it('is shown when there is something to see, and its title never holds the key', async () => {
    const window = await opened();
    expect(window.shown).toBe(false);
    window.emit('ready-to-show');
    expect(window.shown).toBe(true);
    expect(JSON.stringify(window.options)).not.toContain('token');
  });

  it.each(['will-navigate', 'will-redirect', 'will-frame-navigate'] as const)(
    '%s stays on the console’s own origin',
    async (kind) => {
      const { webContents } = await opened();
      expect(webContents.navigates(kind, 'http://127.0.0.1:40123/other')).toBe(true);
      for (const url of [
        'http://127.0.0.1:40124/',
        'https://127.0.0.1:40123/',
        'http://127.0.0.1:40123@evil.example/',
        'file:///etc/passwd',
        'javascript:alert(1)',
        'not a url',
      ])
        expect(webContents.navigates(kind, url), url).toBe(false);
    },
  );

  it('opens no other window and attaches no webview', async () => {
    const { webContents } = await opened();
    expect(webContents.openHandler({ url: link })).toEqual({ action: 'deny' });
    let prevented = false;
    webContents.emit('will-attach-webview', {
      preventDefault: () => {
        prevented = true;
      },
    });
    expect(prevented).toBe(true);
  });

  it('grants no permission, asked or checked', async () => {
    await opened();
    const granted: boolean[] = [];
    for (const permission of ['media', 'geolocation', 'notifications', 'clipboard-read'])
      sessions[0]?.request?.(null, permission, (answer) => granted.push(answer));
    expect(granted).toEqual([false, false, false, false]);
    expect([sessions[0]?.check?.(), sessions[0]?.device?.()]).toEqual([false, false]);
  });
});
