/** SMB by smbclient against Samba's smbd: the contract, then what only shares have. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openLocation } from '../../../src-main/backup/locations/open.ts';
import { type FileServer, user } from '../fixtures/file-server.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { share, startSmbd } from '../fixtures/smbd.ts';
import { until } from '../fixtures/until.ts';
import { describeLocation } from './contract.ts';
import { faultOf, namesIn, never, noise, put, serverRig, sourceOf, usualNeeds } from './rig.ts';

const peers = ['smbd', 'smbclient', 'smbpasswd'];

describeLocation('smb', peers, async () =>
  serverRig(await startSmbd(), ({ host, user: who, folder }) => ({
    ...{ kind: 'smb', host, share, folder, user: who, password: 'location' },
  })),
);

describeWithPeers('a Windows share', ['mounts', 'openssl', ...peers], () => {
  let server: FileServer;
  beforeAll(async () => {
    server = await startSmbd({ encrypted: true });
  });
  afterAll(() => server?.stop());
  const config = {
    kind: 'smb',
    host: '127.0.0.1',
    share,
    folder: 'a folder/below',
    user: user.name,
    password: 'p',
  } as const;

  it('is reached by SMB 3 with encryption, in folders with blanks, by a user of a domain', async () => {
    const location = openLocation({ ...config, domain: 'TEST' }, { ...usualNeeds({}), smbPort: server.port });
    await put(location, 'a.zip', noise(100));
    expect(await namesIn(location)).toEqual(['a.zip']);
  });

  it('names a share that is not there', async () => {
    const location = openLocation({ ...config, share: 'nothing' }, { ...usualNeeds({}), smbPort: server.port });
    const error = await faultOf(location.list('', never));
    expect([error.fault, error.message]).toEqual(['missing', expect.stringContaining('no such share')]);
  });

  it('shows its password to no process list', async () => {
    const location = openLocation(config, { ...usualNeeds({}), smbPort: server.port });
    const stop = new AbortController();
    const writing = location.write('b.zip', sourceOf(noise(500_000)), null, { signal: stop.signal, bandwidth: 50_000 });
    const failed = faultOf(writing);
    const seen = await until('smbclient to run', () => clientsOf(process.pid).find((text) => text.includes('put -')));
    stop.abort();
    await failed;
    expect(seen).toContain(user.name);
    expect(seen).not.toContain(user.password);
  });
});

/** Arguments and environment of the smbclients that a process started. */
function clientsOf(parent: number): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      if (!stat.includes('(smbclient)') || Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== parent)
        return [];
      return [`${readFileSync(`/proc/${pid}/cmdline`, 'latin1')}\n${readFileSync(`/proc/${pid}/environ`, 'latin1')}`];
    } catch {
      return [];
    }
  });
}
