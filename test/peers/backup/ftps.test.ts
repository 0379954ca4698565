/** FTPS against ProFTPD: the contract, then certificates and servers that can less. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { openLocation } from '../../../src-main/backup/locations/open.ts';
import { type Certificates, makeCertificates } from '../fixtures/certificates.ts';
import { type FileServer, user } from '../fixtures/file-server.ts';
import { type ProftpdOptions, startProftpd } from '../fixtures/proftpd.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { describeLocation } from './contract.ts';
import { allOf, faultOf, namesIn, never, noise, put, serverRig, usualNeeds } from './rig.ts';

describeLocation('ftps', ['proftpd'], async () => {
  const certificates = makeCertificates('localhost');
  const server = await startProftpd({ certificate: certificates.good });
  const rig = await serverRig(server, (at) => ({ kind: 'ftps', ...at, password: 'location' }), {
    authority: certificates.ca,
  });
  return {
    ...rig,
    stop: async () => {
      await rig.stop();
      certificates.remove();
    },
  };
});

describeWithPeers('certificates and lesser servers over FTPS', ['mounts', 'openssl', 'proftpd'], () => {
  let certificates: Certificates;
  let server: FileServer | null = null;
  beforeAll(() => {
    certificates = makeCertificates('localhost');
  });
  afterAll(() => certificates?.remove());
  afterEach(async () => {
    await server?.stop();
    server = null;
  });
  const open = async (options: ProftpdOptions, authority: string | null = certificates.ca) => {
    server = await startProftpd(options);
    return openLocation(
      { kind: 'ftps', host: 'localhost', port: server.port, user: user.name, folder: 'x', password: 'p' },
      { ...usualNeeds({}), ...(authority === null ? {} : { authority }) },
    );
  };

  it('refuses a certificate that is out of date, for another name, or of an unknown authority', async () => {
    const words = {
      expired: 'out of date',
      wrongName: 'for another name',
      selfSigned: 'no authority that this machine trusts',
    } as const;
    for (const name of ['expired', 'wrongName', 'selfSigned'] as const) {
      const error = await faultOf((await open({ certificate: certificates[name] })).list('', never));
      expect([error.fault, error.message]).toEqual(['certificate', expect.stringContaining(words[name])]);
      await server?.stop();
    }
    const unknown = await faultOf((await open({ certificate: certificates.good }, null)).list('', never));
    expect(unknown.fault).toBe('certificate');
  });

  it('does not speak to a server without TLS', async () => {
    const error = await faultOf((await open({ certificate: certificates.good, plain: true })).list('', never));
    expect(error.fault).toBe('unsupported');
    expect(server?.output()).not.toContain(`USER ${user.name}`);
  });

  it('goes by names where the server has no facts, and removes first where it renames over nothing', async () => {
    const location = await open({ certificate: certificates.good, noFacts: true, noOverwrite: true });
    const bytes = noise(100_000);
    await put(location, 'a.zip', noise(10));
    await put(location, 'a.zip', bytes);
    expect((await allOf(await location.read('a.zip', 7, { signal: never }))).equals(bytes.subarray(7))).toBe(true);
    expect(await location.createExclusive('epoch-1', 'node-a', never)).toBe(true);
    expect(await location.createExclusive('epoch-1', 'node-b', never)).toBe(false);
    expect(await location.stat('b.zip', never)).toBeNull();
    expect(await namesIn(location)).toEqual(['a.zip', 'epoch-1']);
  });
});
