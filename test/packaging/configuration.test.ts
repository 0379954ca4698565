/** The builder's configuration, as its environment makes it. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Configuration } from 'electron-builder';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { appId } from '../../src-main/shell/app-id.ts';
import { repository } from './fixtures/packed.ts';

const require = createRequire(import.meta.url);
const { validateConfiguration } = require('app-builder-lib/out/util/config/config') as {
  validateConfiguration(config: Configuration, debugLogger: { isEnabled: boolean; add(): void }): Promise<void>;
};

const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
beforeEach(() => {
  warn.mockClear();
  for (const name of Object.keys(process.env)) {
    if (/^(ESTEPE_(SIGN|UPDATES|HOMEPAGE|MAINTAINER)|(WIN_)?CSC_)/.test(name)) vi.stubEnv(name, undefined);
  }
});
afterEach(() => vi.unstubAllEnvs());

async function configured(env: Record<string, string> = {}): Promise<Configuration> {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  vi.resetModules();
  const { default: configuration } = (await import('../../electron-builder.config.ts')) as { default: Configuration };
  return configuration;
}
const valid = (configuration: Configuration) =>
  validateConfiguration(structuredClone(configuration), { isEnabled: false, add() {} });

const azure = {
  ESTEPE_SIGN_ENDPOINT: 'https://signing.example.com',
  ESTEPE_SIGN_ACCOUNT: 'account',
  ESTEPE_SIGN_PROFILE: 'profile',
  ESTEPE_SIGN_PUBLISHER: 'Example',
};

describe('the configuration of the builder', () => {
  test.each([
    ['as it is', {}],
    ['with a certificate', { WIN_CSC_LINK: 'certificate.pfx', ESTEPE_SIGN_PUBLISHER: 'Example' }],
    ["with Azure's signing service", azure],
    ['with updates', { ESTEPE_UPDATES_URL: 'https://updates.example.com' }],
  ])("passes the builder's own schema %s", async (_how, env) => {
    await expect(valid(await configured(env as Record<string, string>))).resolves.toBeUndefined();
  });

  test("that schema does refuse what it doesn't know", async () => {
    const wrong = { ...(await configured()), nsis: { oneClik: false } } as Configuration;
    await expect(valid(wrong)).rejects.toThrow('configuration.nsis should be');
  });

  test('signs by what the environment names, and says so where it names nothing', async () => {
    expect((await configured(azure)).win?.azureSignOptions).toMatchObject({ certificateProfileName: 'profile' });
    expect(warn).not.toHaveBeenCalled();
    vi.unstubAllEnvs();
    const { win, forceCodeSigning } = await configured();
    expect(win).not.toHaveProperty('azureSignOptions');
    expect(win).not.toHaveProperty('signtoolOptions');
    expect(forceCodeSigning).toBe(false);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('Signing: skipped'));
    expect((await configured({ ESTEPE_SIGN: 'required' })).forceCodeSigning).toBe(true);
  });

  test('names a place of updates only where the build was given one', async () => {
    expect((await configured()).publish).toBeNull();
    expect((await configured({ ESTEPE_UPDATES_URL: 'https://updates.example.com' })).publish).toMatchObject({
      provider: 'generic',
      url: 'https://updates.example.com',
    });
  });

  test('every file that it names is there', async () => {
    const { appId: id, win, nsis, linux, deb } = await configured();
    expect(id).toBe(appId);
    const resources = [win?.extraResources, linux?.extraResources].flat() as { from: string }[];
    const fpm = (deb?.fpm ?? []).map((option) => option.split('=')[1]);
    const named = [
      ...resources.map(({ from }) => from),
      ...[win?.icon, linux?.icon, nsis?.include, nsis?.installerIcon, deb?.afterInstall, deb?.afterRemove, ...fpm],
    ];
    expect(named.length).toBeGreaterThan(10);
    for (const path of named)
      expect(existsSync(join(repository, String(path).replace(repository, ''))), `${path}`).toBe(true);
  });
});
