import { readdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import { it } from 'vitest';
import { type LocationConfig, openLocation } from '../../../src-main/backup/locations/open.ts';
import { RealClock } from '../../../src-main/heartbeat/real-clock.ts';
import { makeCertificates } from '../fixtures/certificates.ts';
import { type FileServer, user } from '../fixtures/file-server.ts';
import { startProftpd } from '../fixtures/proftpd.ts';
import { startSmbd } from '../fixtures/smbd.ts';
import { startSshd } from '../fixtures/sshd.ts';

const certs = makeCertificates('localhost');
const clock = new RealClock();
const go = async (s: FileServer, config: LocationConfig) => {
  const signal = new AbortController().signal;
  const l = openLocation(config, {
    clock,
    secretOf: () => user.password,
    hostKeys: { pinned: () => null, pin: (h, f) => console.log('pin', h, f) },
    authority: certs.ca,
    smbPort: s.port,
    silenceMs: 4000,
  });
  try {
    const t = performance.now();
    console.log(
      await l.write('a.zip', Readable.from([Buffer.alloc(3_000_000, 7)]), null, {
        signal,
        onProgress: (p) => console.log(p),
      }),
    );
    console.log(await l.write('a.zip', Readable.from([Buffer.alloc(1_000_000, 7)]), null, { signal }));
    console.log(
      await l.createExclusive('epoch-7', 'me', signal),
      await l.createExclusive('epoch-7', 'you', signal),
      await l.createExclusive('epoch-7', 'me', signal),
    );
    console.log(await l.write('e/x.zip', Readable.from([Buffer.alloc(1_000_000, 7)]), null, { signal }));
    console.log(await l.list('', signal));
    let n = 0;
    for await (const c of await l.read('a.zip', 10, { signal })) n += (c as Buffer).length;
    console.log(n);
    await l.remove('epoch-7', signal);
    await l.remove('a.zip', signal);
    await l.remove('a.zip', signal);
    console.log(await l.list('', signal), Math.round(performance.now() - t));
    console.log(readdirSync(s.home + '/3CX'));
  } catch (e) {
    console.log(e, s.output());
  } finally {
    await l.close();
    await s.stop();
  }
};
it('sftp', async () => {
  const s = await startSshd();
  await go(s, { kind: 'sftp', host: '127.0.0.1', port: s.port, user: user.name, folder: '3CX', password: 'x' });
});
it('ftps', async () => {
  const s = await startProftpd({ certificate: certs.good });
  await go(s, { kind: 'ftps', host: '127.0.0.1', port: s.port, user: user.name, folder: '3CX', password: 'x' });
});
it('smb', async () => {
  const s = await startSmbd();
  await go(s, { kind: 'smb', host: '127.0.0.1', share: 'backups', user: user.name, folder: '3CX', password: 'x' });
});
