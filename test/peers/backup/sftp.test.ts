/** SFTP against OpenSSH's sshd: the contract, then keys of hosts and users. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { LocationError } from '../../../src-main/backup/location.ts';
import { openLocation } from '../../../src-main/backup/locations/open.ts';
import { pinnedHosts, pinnedHostsFile } from '../../../src-main/backup/locations/pinned-hosts.ts';
import type { HostKeys } from '../../../src-main/backup/locations/ssh-session.ts';
import { user } from '../fixtures/file-server.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { type Sshd, type SshdOptions, startSshd } from '../fixtures/sshd.ts';
import { describeLocation } from './contract.ts';
import { faultOf, never, noise, put, serverRig, usualNeeds } from './rig.ts';

const peers = ['sshd', 'ssh-keygen'];

describeLocation('sftp', peers, async () =>
  serverRig(await startSshd(), (at) => ({ kind: 'sftp', ...at, password: 'location' })),
);

function keeping(kept = new Map<string, string>()): HostKeys & { kept: Map<string, string> } {
  return { kept, pinned: (host) => kept.get(host) ?? null, pin: (host, fingerprint) => kept.set(host, fingerprint) };
}

describeWithPeers('keys over SFTP', ['mounts', 'openssl', ...peers], () => {
  let server: Sshd | null = null;
  afterEach(async () => {
    await server?.stop();
    server = null;
  });
  const start = async (options: SshdOptions = {}): Promise<Sshd> => {
    server = await startSshd(options);
    return server;
  };
  const base = ({ port }: Sshd) => ({ kind: 'sftp', host: '127.0.0.1', port, user: user.name, folder: 'x' }) as const;

  it('pins the first key before anything secret is sent, and refuses another one', async () => {
    const first = await start();
    const hostKeys = keeping();
    const wrong = openLocation(
      { ...base(first), password: 'p' },
      { ...usualNeeds({ password: 'wrong-one' }), hostKeys },
    );
    expect((await faultOf(wrong.list('', never), ['wrong-one'])).fault).toBe('credentials');
    const host = `[127.0.0.1]:${first.port}`;
    expect([...hostKeys.kept]).toEqual([[host, `ssh-ed25519 ${first.fingerprint('ed25519')}`]]);
    const good = openLocation({ ...base(first), password: 'p' }, { ...usualNeeds({}), hostKeys });
    await put(good, 'a.zip', noise(10));
    await good.close();
    const { port } = first;
    await first.stop();

    const second = await start({ port });
    const error = await faultOf(put(good, 'b.zip', noise(10)));
    expect(error.fault).toBe('host-key');
    expect(error.message).toContain(second.fingerprint('ed25519'));
    expect(error.message).toContain(first.fingerprint('ed25519'));
    expect(hostKeys.kept.get(host)).toContain(first.fingerprint('ed25519'));
  });

  it('a key that cannot be kept: said as it is, not as a broken line', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'estepe-known-'));
    try {
      const hostKeys = pinnedHosts(join(folder, 'gone', pinnedHostsFile));
      const location = openLocation({ ...base(await start()), password: 'p' }, { ...usualNeeds({}), hostKeys });
      const error: unknown = await location.list('', never).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'data-folder', message: expect.stringContaining('cannot be written') });
      expect(error).not.toBeInstanceOf(LocationError);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('takes the fingerprint from the configuration, of whichever of the keys it is, and no other', async () => {
    const one = await start();
    for (const kind of ['ed25519', 'rsa'] as const) {
      const config = { ...base(one), password: 'p', hostKey: one.fingerprint(kind) };
      await put(openLocation(config, usualNeeds({})), 'a.zip', noise(10));
    }
    const config = { ...base(one), password: 'p', hostKey: `SHA256:${'A'.repeat(43)}` };
    expect((await faultOf(openLocation(config, usualNeeds({})).list('', never))).fault).toBe('host-key');
  });

  it('stays with the kind of key that it knows', async () => {
    const one = await start();
    const hostKeys = keeping(new Map([[`[127.0.0.1]:${one.port}`, `ssh-rsa ${one.fingerprint('rsa')}`]]));
    await put(openLocation({ ...base(one), password: 'p' }, { ...usualNeeds({}), hostKeys }), 'a.zip', noise(10));
  });

  it('logs in by key, with a passphrase where the key has one, and says when a key cannot be used', async () => {
    const one = await start();
    const secrets: Record<string, string> = {
      key: one.key,
      locked: one.lockedKey,
      passphrase: one.passphrase,
      broken: 'no key at all',
      wrong: 'not-this-one',
    };
    const needs = { ...usualNeeds({}), secretOf: (name: string) => secrets[name] ?? '' };
    await put(openLocation({ ...base(one), key: 'key' }, needs), 'a.zip', noise(10));
    await put(openLocation({ ...base(one), key: 'locked', password: 'passphrase' }, needs), 'b.zip', noise(10));
    const bad = [{ key: 'broken' }, { key: 'locked', password: 'wrong' }, { key: 'locked' }];
    for (const how of bad) {
      const error = await faultOf(
        openLocation({ ...base(one), ...how }, needs).list('', never),
        Object.values(secrets),
      );
      expect(error.fault).toBe('credentials');
    }
  });

  it('says what a server without SFTP lacks', async () => {
    const one = await start({ noSftp: true });
    const error = await faultOf(openLocation({ ...base(one), password: 'p' }, usualNeeds({})).list('', never));
    expect(error.fault).toBe('unsupported');
  });
});
