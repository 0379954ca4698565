/** What can be said of a local folder, and of opening locations, without a server. */
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LocationConfig, type LocationNeeds, openLocation } from '../../../src-main/backup/locations/open.ts';
import { Clockwork } from '../clockwork.ts';

const never = new AbortController().signal;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'estepe-location-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const needs = (): LocationNeeds => ({
  clock: new Clockwork().clock,
  secretOf: (name) => `secret-of-${name}`,
  hostKeys: { pinned: () => null, pin: () => {} },
});
const open = (config: LocationConfig, more: Partial<LocationNeeds> = {}) =>
  openLocation(config, { ...needs(), ...more });

describe('a local folder', () => {
  it('is made, but not the folder above it: a share may be missing there', async () => {
    const near = open({ kind: 'local', folder: join(folder, 'backups') });
    await near.write('a.zip', Readable.from([Buffer.from('abc')]), 3, { signal: never });
    expect(readdirSync(join(folder, 'backups'))).toEqual(['a.zip']);
    const far = open({ kind: 'local', folder: join(folder, 'mnt', 'backups') });
    const writing = far.write('a.zip', Readable.from([Buffer.from('abc')]), 3, { signal: never });
    await expect(writing).rejects.toMatchObject({ fault: 'missing', todo: expect.stringContaining('mount the share') });
    expect(readdirSync(folder)).toEqual(['backups']);
  });

  it('follows no links', async () => {
    writeFileSync(join(folder, 'real.txt'), 'x');
    symlinkSync('/etc/passwd', join(folder, 'passwd.zip'));
    const location = open({ kind: 'local', folder });
    expect((await location.list('', never)).map(({ name }) => name)).toEqual(['real.txt']);
    await expect(location.read('passwd.zip', 0, { signal: never })).rejects.toMatchObject({ fault: 'missing' });
  });

  it('keeps of two claims at the same instant one, with its content', async () => {
    const location = open({ kind: 'local', folder });
    const owners = Array.from({ length: 20 }, (_, i) => `node-${i}`);
    const won = await Promise.all(owners.map((owner) => location.createExclusive('epoch-3', owner, never)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await location.createExclusive('epoch-3', owners[won.indexOf(true)] ?? '', never)).toBe(true);
    expect(readdirSync(folder)).toEqual(['epoch-3']);
  });
});

describe('opening a location', () => {
  it('says what cannot work', () => {
    expect(() => open({ kind: 'google', bucket: 'b', folder: 'f', key: 'k' })).toThrow('JSON key');
    expect(() => open({ kind: 'local', folder: 'relative' })).toThrow('not an absolute path');
    const sftp = { kind: 'sftp', host: 'nas', port: 22, user: 'pbx', folder: 'x' } as const;
    expect(() => open(sftp)).toThrow('neither a password nor a key');
    const smb = { kind: 'smb', host: 'nas', share: 'a"; del *', folder: '' } as const;
    expect(() => open(smb)).toThrow('cannot be used here');
  });

  it('names places as people know them, without secrets', () => {
    const titles = [
      open({ kind: 'sftp', host: 'fd00::1', port: 22, user: 'pbx', folder: '/srv/x', password: 'p' }).title,
      open({ kind: 'ftps', host: 'nas', port: 21, user: 'pbx', folder: 'x', password: 'p' }).title,
      open({ kind: 'smb', host: 'nas', share: 'backups', folder: '/3CX/a/', password: 'p' }).title,
      open({ kind: 'smb', host: 'nas', share: 'backups', folder: '3CX', user: 'pbx' }, { platform: 'win32' }).title,
      open({ kind: 's3', bucket: 'b', folder: '/f/', region: 'r', keyId: 'k', key: 'k' }).title,
      open({
        kind: 's3',
        bucket: 'b',
        folder: 'f',
        region: 'r',
        endpoint: 'https://s3.example.net',
        keyId: 'k',
        key: 'k',
      }).title,
    ];
    expect(titles).toEqual([
      'sftp://pbx@[fd00::1]:22//srv/x',
      'ftps://pbx@nas:21/x',
      '\\\\nas\\backups\\3CX\\a',
      '\\\\nas\\backups\\3CX',
      's3://b/f',
      's3://b/f (s3.example.net)',
    ]);
  });
});
