/**
 * What the installer for Windows does beside the builder's own is compiled as the builder compiles it, warnings being errors. The
 * builder's own compiler comes with plugins from outside of the package registry: Debian's, with a host script, stands in.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeWithPeers } from '../peers/fixtures/require-peer.ts';
import { repository } from './fixtures/packed.ts';

const ours = join(repository, 'build/windows/installer.nsh');
const text = readFileSync(ours, 'utf8');
const languages = { 1033: 'English', 1046: 'Portuguese of Brazil', 3082: 'Spanish' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'estepe-nsis-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function compile(pass: 'installer' | 'uninstaller', script = ours): { ok: boolean; said: string; bytes: Buffer } {
  const out = join(folder, `${pass}.exe`);
  const defines = {
    ESTEPE_INSTALLER: script,
    TEMPLATES: join(repository, 'node_modules/app-builder-lib/templates/nsis'),
    ICON: join(repository, 'build/icons/drawn/app.ico'),
    OUT: out,
    ...(pass === 'uninstaller' ? { BUILD_UNINSTALLER: '1' } : {}),
  };
  const ran = spawnSync(
    'makensis',
    [
      ...['-WX', '-INPUTCHARSET', 'UTF8', '-V4'],
      ...Object.entries(defines).map(([name, value]) => `-D${name}=${value}`),
      join(import.meta.dirname, 'fixtures/installer-host.nsi'),
    ],
    { encoding: 'utf8', timeout: 60_000 },
  );
  const ok = ran.status === 0;
  return { ok, said: ran.stdout + ran.stderr, bytes: ok ? readFileSync(out) : Buffer.alloc(0) };
}

describeWithPeers('the installer for Windows', ['makensis'], () => {
  test('compiles in both passes, without a warning', () => {
    for (const pass of ['installer', 'uninstaller'] as const) {
      const { ok, said, bytes } = compile(pass);
      expect(ok, said).toBe(true);
      expect(bytes.subarray(0, 2).toString('latin1')).toBe('MZ');
    }
  });

  test('a slip in it would be seen', () => {
    const wrong = join(folder, 'installer.nsh');
    writeFileSync(wrong, text.replace('!insertmacro estepeRun "service start"', 'Call noSuchFunction'));
    expect(compile('installer', wrong)).toMatchObject({ ok: false, said: expect.stringContaining('noSuchFunction') });
    writeFileSync(wrong, text.replace(/LangString estepeNoTask 3082.*/, ''));
    expect(compile('installer', wrong)).toMatchObject({ ok: false, said: expect.stringContaining('estepeNoTask') });
  });

  test('the first installation sets up the engine at boot, a later one starts it again as it was', () => {
    const { said } = compile('installer');
    const commands = said.split('\n').filter((line) => line.includes('ExecToLog') || line.includes('nsExec::'));
    expect(commands.join('\n')).toMatch(/service stop/);
    const own = said.slice(said.lastIndexOf('service stop'));
    expect(own).toMatch(/service start[\s\S]*service install/);
    expect(said).not.toContain('service uninstall');
  });

  test('the uninstaller takes the start at boot back before it asks about the data, and does neither for an upgrade', () => {
    const { said } = compile('uninstaller');
    const macro = said.slice(said.indexOf('!insertmacro: customUnInstall'), said.indexOf('end of customUnInstall'));
    const order = [
      'service uninstall',
      '/Delete /F /TN "Estepe"',
      'ReadEnvStr: ProgramData',
      'MessageBox',
      'RMDir: /r',
    ];
    const at = order.map((words) => macro.indexOf(words));
    expect(at, macro).not.toContain(-1);
    expect([...at].sort((one, other) => one - other)).toEqual(at);
    const whole =
      /!macro customUnInstall\n(?: *;.*\n)* {2}\$\{IfNot\} \$\{isUpdated\}\n(?: {4}.*\n)+ {2}\$\{EndIf\}\n!macroend/;
    expect(text).toMatch(whole);
  });

  test('keeping the data is what Enter does, and what a silent uninstallation answers', () => {
    expect(text).toMatch(
      /MessageBox MB_YESNO\|MB_ICONQUESTION\|MB_DEFBUTTON2 "\$\(estepeKeepOrDelete\)" \/SD IDNO IDNO estepeKept/,
    );
  });

  test('speaks the languages of the console', () => {
    for (const name of ['estepeKeepOrDelete', 'estepeNoTask']) {
      for (const [id, language] of Object.entries(languages)) {
        expect(text, language).toMatch(new RegExp(`LangString ${name} ${id} "`));
      }
    }
  });
});
