/** Where the lab keeps its backups, as people write it. */
import { describe, expect, it } from 'vitest';
import type { EstepeError } from '../../../src-main/contract/errors.ts';
import { whereOf } from '../../../src-main/lab/where.ts';

const refused = (text: string): EstepeError => {
  try {
    whereOf(text, {});
  } catch (error) {
    return error as EstepeError;
  }
  throw new Error(`${text} was taken`);
};

describe('estepe lab --location', () => {
  it('takes folders, and servers with their secrets apart', () => {
    expect(whereOf('/srv/backups', {}).location).toEqual({ kind: 'local', folder: '/srv/backups' });
    expect(whereOf('file:///srv/backups', {}).location).toEqual({ kind: 'local', folder: '/srv/backups' });
    expect(whereOf('sftp://pbx:p%40ss@nas.example.com:2222/lab', {})).toEqual({
      location: {
        kind: 'sftp',
        host: 'nas.example.com',
        port: 2222,
        user: 'pbx',
        folder: 'lab',
        password: 'lab-location',
      },
      secrets: { 'lab-location': 'p@ss' },
    });
    expect(whereOf('sftp://pbx@[::1]//srv/lab', { ESTEPE_LAB_KEY: 'a key' })).toEqual({
      location: { kind: 'sftp', host: '::1', port: 22, user: 'pbx', folder: '/srv/lab', key: 'lab-location' },
      secrets: { 'lab-location': 'a key' },
    });
    expect(whereOf('ftps://pbx@nas/lab', { ESTEPE_LAB_PASSWORD: 'word' })).toEqual({
      location: { kind: 'ftps', host: 'nas', port: 21, user: 'pbx', folder: 'lab', password: 'lab-location' },
      secrets: { 'lab-location': 'word' },
    });
    expect(whereOf('smb://pbx@nas/share/a/b', {}).location).toEqual({
      kind: 'smb',
      host: 'nas',
      share: 'share',
      folder: 'a/b',
      user: 'pbx',
    });
  });

  it.each([
    'sftp://nas/lab',
    'sftp://pbx@nas',
    'http://pbx@nas/lab',
    'sftp://pbx:s3cret@/lab',
    'smb://pbx:s3cret@nas/',
  ])('%s is refused with what is allowed, and never repeated', (text) => {
    const { code, message, todo } = refused(text);
    expect(code).toBe('usage');
    expect(todo).toContain('sftp://user');
    expect(message + todo).not.toContain('s3cret');
  });
});
