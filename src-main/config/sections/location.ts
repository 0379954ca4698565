/** Where backups are stored. */
import { z } from 'zod';
import { flag, host, line, port, secretName, webAddress } from '../scalars.ts';
import { group } from './form.ts';

const folder = (description: string) => line(description, 1000);
const user = () => line('User name.', 128);
const password = () => secretName('Secret that holds the password.');

export const location = z
  .discriminatedUnion('kind', [
    group('A folder of this machine, or mounted here.', { kind: z.literal('local'), folder: folder('Absolute path.') }),
    group('A Windows share.', {
      kind: z.literal('smb'),
      host: host('The file server.'),
      share: line('Name of the share.', 80),
      folder: folder('Folder in the share.').prefault('3CX_PBX_Backups'),
      user: user().optional(),
      domain: line('Domain of the user.', 128).optional(),
      password: password().optional(),
    }),
    group('SFTP.', {
      kind: z.literal('sftp'),
      host: host('The server.'),
      port: port('SSH port.').prefault(22),
      user: user(),
      folder: folder('Folder on the server.').prefault('3CX_PBX_Backups'),
      password: password().optional(),
      key: secretName('Secret that holds the private key.').optional(),
      hostKey: line('The expected host key as SHA256:…', 100).optional(),
    }),
    group('FTP over TLS.', {
      kind: z.literal('ftps'),
      host: host('The server.'),
      port: port('FTP port.').prefault(21),
      user: user(),
      folder: folder('Folder on the server.').prefault('3CX_PBX_Backups'),
      password: password().optional(),
    }),
    group('Google Storage.', {
      kind: z.literal('google'),
      bucket: line('Name of the bucket.', 222),
      folder: folder('Prefix in the bucket.').prefault('3CX_PBX_Backups'),
      key: secretName("Secret that holds the service account's JSON key."),
      endpoint: webAddress("Address of a private way to Google's service, or of what speaks like it.").optional(),
    }),
    group('Amazon S3 or what speaks like it.', {
      kind: z.literal('s3'),
      bucket: line('Name of the bucket.', 63),
      folder: folder('Prefix in the bucket.').prefault('3CX_PBX_Backups'),
      region: line('Region.', 64).prefault('us-east-1'),
      endpoint: webAddress("Address of another provider's service. Default: Amazon's for the region.").optional(),
      pathStyle: flag(
        "The bucket's name stands in the path, not before the host's name. Default: with an endpoint.",
      ).optional(),
      keyId: line('Access key id.', 128),
      key: secretName('Secret that holds the secret access key.'),
    }),
  ])
  .meta({ description: 'Where backups are stored.' });
