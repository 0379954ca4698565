import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, readdirSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { setInText, writeConfig } from '../../../src-main/config/edit.ts';
import { loadConfig } from '../../../src-main/config/load.ts';
import { checkText } from '../../../src-main/config/text.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { minimal, site } from './texts.ts';

const modeOf = (path: string) => statSync(path).mode & 0o777;
/** The id of a process that ran and is gone. */
const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid;

describe('changing one value', () => {
  it.each([
    ['a line with a comment', ['promotion', 'mode'], 'manual', 'mode: confirm   ', 'mode: manual    '],
    ['inside braces', ['heartbeat', 'confirm', 'times'], 5, 'times: 3', 'times: 5'],
    ['inside brackets', ['heartbeat', 'references', 1], 'tcp:192.0.2.7:53', '"tcp:9.9.9.9:53"', 'tcp:192.0.2.7:53'],
  ])('%s touches nothing else', (_, path, value, from, to) => {
    expect(site).toContain(from);
    expect(setInText(site, path, value)).toBe(site.replace(from, to));
  });

  it('a text that braces would read otherwise is quoted', () => {
    const text = setInText(site, ['pair', 'name'], 'head, office');
    const checked = checkText(text);
    expect(checked.ok && checked.config.pair.name).toBe('head, office');
    expect(text).toContain('# automatic | confirm | manual');
  });

  it('a new key, a new group, a key taken out: comments stay', () => {
    const added = setInText(site, ['promotion', 'observeOnly'], true);
    const grouped = setInText(added, ['console', 'port'], 8460);
    const gone = setInText(grouped, ['restore'], undefined);
    const checked = checkText(gone);
    expect(checked.ok && [checked.config.promotion.observeOnly, checked.config.console.port]).toEqual([true, 8460]);
    expect(checked.ok && checked.config.restore).toBeNull();
    for (const comment of [
      '# automatic | confirm | manual',
      '# confirm: nobody answers -> onSilence',
      '# promote | hold',
    ]) {
      expect(gone).toContain(comment);
    }
  });

  it('a path through a plain value is refused in words', () => {
    expect(() => setInText(site, ['role', 'x'], 1)).toThrow(/`role\.x` cannot be set/);
    expect(() => setInText('{', ['role'], 'active')).toThrow(/is not YAML/);
  });
});

describe('writing estepe.yaml', () => {
  it('writes for its owner alone, also over a file that others could read', () => {
    using folder = temporaryFolder();
    writeConfig(folder.path, minimal);
    expect(modeOf(folder.at('estepe.yaml'))).toBe(0o600);
    chmodSync(folder.at('estepe.yaml'), 0o644);
    writeConfig(folder.path, site);
    expect(modeOf(folder.at('estepe.yaml'))).toBe(0o600);
    expect(loadConfig(folder.path).text).toBe(site);
    expect(readdirSync(folder.path)).toEqual(['estepe.yaml']);
  });

  it('G7 never writes what could not be used', () => {
    using folder = temporaryFolder();
    writeConfig(folder.path, minimal);
    expect(() => writeConfig(folder.path, 'role: nobody\n')).toThrow(
      /estepe\.yaml:1:7 role: `nobody` is not known here/,
    );
    expect(folder.read('estepe.yaml')).toBe(minimal);
  });

  it('says where it cannot be written and leaves the old one', () => {
    expect(() => writeConfig('/proc/estepe', minimal)).toThrow(
      expect.objectContaining({ code: 'data-folder', message: expect.stringContaining('/proc/estepe/estepe.yaml') }),
    );
  });

  it('a link stays a link', () => {
    using folder = temporaryFolder();
    folder.write('real.yaml', minimal);
    symlinkSync('real.yaml', folder.at('estepe.yaml'));
    writeConfig(folder.path, site);
    expect(lstatSync(folder.at('estepe.yaml')).isSymbolicLink()).toBe(true);
    expect(folder.read('real.yaml')).toBe(site);
  });

  it.runIf(process.getuid?.() === 0)('root does not take the file away from its user', () => {
    using folder = temporaryFolder();
    folder.write('estepe.yaml', minimal);
    chownSync(folder.at('estepe.yaml'), 65_534, 65_534);
    writeConfig(folder.path, site);
    const { uid, gid } = statSync(folder.at('estepe.yaml'));
    expect([uid, gid]).toEqual([65_534, 65_534]);
  });

  it('F4 what a dead writer left is cleaned up by the next load, what a living one writes is not', () => {
    using folder = temporaryFolder();
    writeConfig(folder.path, minimal);
    folder.write(`.estepe.yaml.${deadPid()}.0badcafe.tmp`, 'role: pas');
    folder.write(`.estepe.yaml.${process.ppid}.0badcafe.tmp`, 'role: pas');
    folder.write(`.estepe.yaml.${process.ppid}.01dcafe0.tmp`, 'of a writer whose process id lives on in another');
    utimesSync(folder.at(`.estepe.yaml.${process.ppid}.01dcafe0.tmp`), new Date(0), new Date(0));
    folder.write('.other.tmp', 'not ours');
    loadConfig(folder.path);
    const left = ['.other.tmp', `.estepe.yaml.${process.ppid}.0badcafe.tmp`, 'estepe.yaml'].sort();
    expect(readdirSync(folder.path).sort()).toEqual(left);
  });
});
