/** The built application in the real Electron, wherever its runtime is: elsewhere skipped by name. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron } from 'playwright-core';
import { describe, expect, it } from 'vitest';

/** Path of the runtime's program, or why there is none. */
function runtime(): { program: string } | { why: string } {
  const folder = process.env.ELECTRON_OVERRIDE_DIST_PATH ?? 'node_modules/electron/dist';
  const names = { win32: 'electron.exe', darwin: 'Electron.app/Contents/MacOS/Electron' } as Record<string, string>;
  const program = join(folder, names[process.platform] ?? 'electron');
  if (!existsSync(program))
    return { why: `the Electron runtime is not here (${program}); it is no part of the package` };
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY)
    return { why: 'no display' };
  if (!existsSync('out/main/main.js')) return { why: 'the application is not built (npm run build)' };
  return { program };
}

const found = runtime();
const why = 'why' in found ? found.why : null;
if (why !== null) console.warn(`SKIPPED the application in the real Electron: ${why}`);

describe('the application in the real Electron', () => {
  it('hosts an engine and shows its console', async (context) => {
    if (!('program' in found)) return context.skip(why ?? '');
    const data = mkdtempSync(join(tmpdir(), 'estepe-electron-'));
    writeFileSync(
      join(data, 'estepe.yaml'),
      'role: passive\npair: { fqdn: pbx.example.com, active: 127.0.8.1, passive: 127.0.8.2, profile: generic }\n',
    );
    const app = await _electron.launch({
      executablePath: found.program,
      args: ['out/main/main.js', '--no-sandbox'],
      env: { ...(process.env as Record<string, string>), ESTEPE_DATA: data },
    });
    try {
      const page = await app.firstWindow();
      await page.getByRole('heading', { level: 1 }).waitFor();
      const { endpoint } = JSON.parse(readFileSync(join(data, 'engine.json'), 'utf8')) as { endpoint: string };
      expect(new URL(page.url()).origin).toBe(new URL(endpoint).origin);
      expect(await page.evaluate(() => 'require' in globalThis || 'process' in globalThis)).toBe(false);
    } finally {
      await app.close();
      rmSync(data, { recursive: true, force: true });
    }
  });
});
