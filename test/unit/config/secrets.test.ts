import { chmodSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSecret, redact, secretNames, writeSecret } from '../../../src-main/config/secrets.ts';
import { temporaryFolder } from './temporary-folder.ts';

describe('secrets', () => {
  it('are kept for their owner alone and read back without the last line break', () => {
    using folder = temporaryFolder();
    writeSecret(folder.path, 'nas', 'correct horse');
    expect(statSync(folder.at('nas')).mode & 0o777).toBe(0o600);
    expect(readSecret(folder.path, 'nas')).toBe('correct horse');
    folder.write('typed', 'by hand\r\n');
    chmodSync(folder.at('typed'), 0o600);
    expect(readSecret(folder.path, 'typed')).toBe('by hand');
    expect(secretNames(folder.path).sort()).toEqual(['nas', 'typed']);
  });

  it('keep line breaks within, as keys have them', () => {
    using folder = temporaryFolder();
    const key = '-----BEGIN KEY-----\nabc\n-----END KEY-----\n';
    writeSecret(folder.path, 'key', key);
    expect(readSecret(folder.path, 'key')).toBe(key.trimEnd());
  });

  it.each(['../estepe.yaml', '', '.hidden', 'a/b', 'a\\b', 'x'.repeat(65), 'two words'])(
    'the name %j is refused and not repeated',
    (name) => {
      using folder = temporaryFolder();
      expect(() => readSecret(folder.path, name)).toThrow(/^This is not the name of a secret\.$/);
      expect(() => writeSecret(folder.path, name, 'x')).toThrow(/^This is not the name of a secret\.$/);
    },
  );

  it('missing, empty, and readable by others are told apart', () => {
    using folder = temporaryFolder();
    expect(() => readSecret(folder.path, 'nas')).toThrow(/secret .*nas does not exist/);
    folder.write('nas', '\n');
    expect(() => readSecret(folder.path, 'nas')).toThrow(/can be read by others/);
    chmodSync(folder.at('nas'), 0o600);
    expect(() => readSecret(folder.path, 'nas')).toThrow(/is empty/);
  });

  it('H4 are taken out of any text, in whatever form programs pass them on', () => {
    const secret = 'Pa55/wörd "1"';
    const forms = [
      secret,
      encodeURIComponent(secret),
      JSON.stringify({ secret }),
      Buffer.from(secret).toString('base64'),
      Buffer.from(secret).toString('base64url'),
      Buffer.from(secret).toString('hex'),
    ];
    const clean = redact(forms.join(' | '), ['', 'Pa55', secret]);
    expect(clean).toBe('[secret] | [secret] | {"secret":"[secret]"} | [secret] | [secret] | [secret]');
    expect(redact('nothing here', ['', 'Pa55'])).toBe('nothing here');
  });
});
