/** Saving over what was seen: changed meanwhile, wrong, a folder that takes nothing, a writer that died. On a real file system. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src-main/config/load.ts';
import { keptFileName, saveConfig, standingFile } from '../../../src-main/config/save.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { minimal, site } from './texts.ts';

describe('saving estepe.yaml', () => {
  it('a first one, then the next over it; the one of before is kept', () => {
    using folder = temporaryFolder();
    const first = saveConfig(folder.path, minimal, '');
    expect(first).toMatchObject({ saved: true, kept: null });
    const { mark } = standingFile(folder.path);
    expect(saveConfig(folder.path, site, mark)).toMatchObject({ saved: true, kept: folder.at(keptFileName) });
    expect(folder.read('estepe.yaml')).toBe(site);
    expect(folder.read(keptFileName)).toBe(minimal);
  });

  it.each([
    ['changed', (folder: ReturnType<typeof temporaryFolder>) => folder.write('estepe.yaml', `${minimal}# by hand\n`)],
    ['written anew with other line ends', (folder) => folder.write('estepe.yaml', minimal.replaceAll('\n', '\r\n'))],
  ])('%s meanwhile: nothing is written', (_, meanwhile) => {
    using folder = temporaryFolder();
    folder.write('estepe.yaml', minimal);
    const { mark } = standingFile(folder.path);
    meanwhile(folder);
    const now = folder.read('estepe.yaml');
    expect(saveConfig(folder.path, site, mark)).toMatchObject({ saved: false, refusedBy: 'changed' });
    expect(folder.read('estepe.yaml')).toBe(now);
    expect(existsSync(folder.at(keptFileName))).toBe(false);
  });

  it('there is one where none was seen, and none where one was: both refused', () => {
    using folder = temporaryFolder();
    expect(saveConfig(folder.path, site, 'of another')).toMatchObject({ saved: false, refusedBy: 'changed' });
    folder.write('estepe.yaml', minimal);
    expect(saveConfig(folder.path, site, '')).toMatchObject({ saved: false, refusedBy: 'changed' });
    expect(folder.read('estepe.yaml')).toBe(minimal);
  });

  it('G7 what cannot be used is refused with its line', () => {
    using folder = temporaryFolder();
    const end = saveConfig(folder.path, minimal.replace('passive', 'nobody'), '');
    expect(end).toMatchObject({ saved: false, refusedBy: 'problems' });
    expect(!end.saved && end.refusedBy === 'problems' && end.problems[0]).toMatchObject({ path: 'role', line: 1 });
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('where the one of before cannot be kept, nothing is written', () => {
    using folder = temporaryFolder();
    folder.write('estepe.yaml', minimal);
    folder.make(keptFileName);
    const { mark } = standingFile(folder.path);
    expect(() => saveConfig(folder.path, site, mark)).toThrow(
      expect.objectContaining({ code: 'data-folder', message: expect.stringContaining('so nothing was written') }),
    );
    expect(folder.read('estepe.yaml')).toBe(minimal);
  });

  it.runIf(process.getuid?.() === 0)('a folder that may only be read: said, and the old one stands', async () => {
    using folder = temporaryFolder();
    folder.write('estepe.yaml', minimal);
    chmodSync(folder.path, 0o555);
    chmodSync(folder.at('estepe.yaml'), 0o644);
    const script = `process.setgid(65534); process.setuid(65534);
      const { saveConfig, standingFile } = await import(${JSON.stringify(new URL('../../../src-main/config/save.ts', import.meta.url).href)});
      try { saveConfig(${JSON.stringify(folder.path)}, 'role: passive\\npair: { fqdn: a.example, active: 192.0.2.1, passive: 192.0.2.3, profile: generic }\\n', standingFile(${JSON.stringify(folder.path)}).mark); console.log('saved'); }
      catch (error) { console.log(error.code, error.message); }`;
    const said = await outputOf(script);
    chmodSync(folder.path, 0o700);
    expect(said).toMatch(/^data-folder .*so nothing was written: EACCES/);
    expect(folder.read('estepe.yaml')).toBe(minimal);
  });

  it('F4 killed between the write and the rename: the old one stands, and the next save goes through', async () => {
    using folder = temporaryFolder();
    folder.write('estepe.yaml', minimal);
    // The rename of the new file is the second one; the first keeps the old.
    const script = `import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module';
      let left = 1; const rename = fs.renameSync;
      fs.renameSync = (...names) => { if (left-- === 0) process.kill(process.pid, 'SIGKILL'); rename(...names); };
      syncBuiltinESMExports();
      const { saveConfig, standingFile } = await import(${JSON.stringify(new URL('../../../src-main/config/save.ts', import.meta.url).href)});
      saveConfig(${JSON.stringify(folder.path)}, ${JSON.stringify(site)}, standingFile(${JSON.stringify(folder.path)}).mark);
      console.log('saved');`;
    expect(await outputOf(script)).toBe('');
    expect(folder.read('estepe.yaml')).toBe(minimal);
    expect(readdirSync(folder.path).filter((name) => name.endsWith('.tmp'))).toHaveLength(1);
    expect(loadConfig(folder.path).text).toBe(minimal);
    expect(saveConfig(folder.path, site, standingFile(folder.path).mark)).toMatchObject({ saved: true });
    expect(readdirSync(folder.path).sort()).toEqual([keptFileName, 'estepe.yaml'].sort());
  });
});

/** What a process of its own printed, however it ended. */
function outputOf(script: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.once('close', () => resolve(said.trim()));
  });
}
