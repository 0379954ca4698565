/** The configured location, ready for use. The one place that knows all kinds. */
import { isAbsolute, win32 } from 'node:path';
import type { z } from 'zod';
import type { location as locationSection } from '../../config/sections.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Location } from '../location.ts';
import { locationFault } from './faults.ts';
import { FileLocation } from './file-location.ts';
import { FtpsDoor } from './ftps.ts';
import { GoogleBucket, googleEndpoint } from './google.ts';
import { serviceKeyOf } from './google-token.ts';
import { LocalDoor } from './local.ts';
import { ObjectLocation } from './object-location.ts';
import { S3Bucket } from './s3.ts';
import { SftpDoor } from './sftp.ts';
import { SmbDoor } from './smb.ts';
import type { HostKeys } from './ssh-session.ts';

export type LocationConfig = z.infer<typeof locationSection>;
type Kind<K extends LocationConfig['kind']> = Extract<LocationConfig, { kind: K }>;

/** No word for so long: the server hangs or the line is cut. */
const usualSilenceMs = 30_000;
const smbPort = 445;

export interface LocationNeeds {
  /** a secret by its name; throws EstepeError */
  secretOf: (name: string) => string;
  hostKeys: HostKeys;
  clock: Clock;
  /** default: 30 s */
  silenceMs?: number;
  /** PEM of an authority that TLS trusts besides the machine's own */
  authority?: string;
  /** default: 445 */
  smbPort?: number;
  /** default: this machine's */
  platform?: NodeJS.Platform;
}

/**
 * Connects to nothing yet: what is wrong with the server is told by the first call.
 * @throws LocationError for a configuration that cannot work; EstepeError of `secretOf`
 */
export function openLocation(config: LocationConfig, needs: LocationNeeds): Location {
  switch (config.kind) {
    case 'local':
      return openLocal(config, needs);
    case 'smb':
      return openSmb(config, needs);
    case 'sftp':
      return openSftp(config, needs);
    case 'ftps':
      return openFtps(config, needs);
    case 'google':
      return openGoogle(config, needs);
    case 's3':
      return openS3(config, needs);
  }
}

function openLocal({ folder }: Kind<'local'>, { clock, silenceMs = usualSilenceMs }: LocationNeeds): Location {
  const place = { title: folder, secrets: [] };
  if (!isAbsolute(folder)) {
    throw locationFault(place, 'missing', 'this is not an absolute path', 'write the whole path in backup.location');
  }
  return new FileLocation(new LocalDoor({ folder, title: folder, clock, silenceMs }), clock);
}

function openSmb(config: Kind<'smb'>, needs: LocationNeeds): Location {
  const { clock, silenceMs = usualSilenceMs, platform = process.platform } = needs;
  const { host, share, user = null, domain = null } = config;
  const folder = config.folder.replaceAll('/', '\\').replace(/^\\+|\\+$/g, '');
  const unc = `\\\\${host}\\${[share, folder].filter((part) => part !== '').join('\\')}`;
  if (platform === 'win32') {
    // Windows logs in by itself, with what it knows of that server.
    const permissionTodo = `let the account that runs Estepe use the share, or store a user for it there: \`cmdkey /add:${host} /user:…\``;
    return new FileLocation(
      new LocalDoor({ folder: win32.normalize(unc), title: unc, clock, silenceMs, permissionTodo }),
      clock,
    );
  }
  const password = config.password === undefined ? '' : needs.secretOf(config.password);
  const place = { title: unc, secrets: password === '' ? [] : [password] };
  // smbclient's command line has no way to write these, its credentials neither.
  if (/["\r\n;]/.test(`${folder}${share}${host}`) || /[%\r\n]/.test(`${user}${domain}`) || /[\r\n]/.test(password)) {
    const what = 'quotes, semicolons, line breaks, and % in a user cannot be used here';
    throw locationFault(place, 'unsupported', what, 'use another name');
  }
  const port = needs.smbPort ?? smbPort;
  const door = new SmbDoor({ host, port, share, folder, user, domain, password, place, clock, silenceMs });
  return new FileLocation(door, clock);
}

function openSftp(config: Kind<'sftp'>, needs: LocationNeeds): Location {
  const { clock, silenceMs = usualSilenceMs, hostKeys, secretOf } = needs;
  const { host, port, user, folder, hostKey = null } = config;
  const password = config.password === undefined ? null : secretOf(config.password);
  const key = config.key === undefined ? null : secretOf(config.key);
  const place = { title: addressOf('sftp', config), secrets: [password, key].filter((secret) => secret !== null) };
  if (password === null && key === null) {
    throw locationFault(
      place,
      'credentials',
      'there is neither a password nor a key',
      'name one of them in backup.location',
    );
  }
  const settings = { host, port, user, folder, hostKey, password, key, place, hostKeys, clock, silenceMs };
  return new FileLocation(new SftpDoor(settings), clock);
}

function openFtps(config: Kind<'ftps'>, needs: LocationNeeds): Location {
  const { clock, silenceMs = usualSilenceMs, secretOf, authority = null } = needs;
  const { host, port, user, folder } = config;
  const password = config.password === undefined ? '' : secretOf(config.password);
  const place = { title: addressOf('ftps', config), secrets: password === '' ? [] : [password] };
  return new FileLocation(
    new FtpsDoor({ host, port, user, folder, password, authority, place, clock, silenceMs }),
    clock,
  );
}

function openS3(config: Kind<'s3'>, needs: LocationNeeds): Location {
  const { clock, silenceMs = usualSilenceMs, secretOf, authority = null } = needs;
  const { bucket, region, endpoint = null, keyId, folder } = config;
  const { pathStyle = endpoint !== null } = config;
  const key = secretOf(config.key);
  const place = { title: bucketTitle('s3', config), secrets: [key] };
  const settings = { bucket, region, endpoint, pathStyle, keyId, key, authority, place, clock, silenceMs };
  return new ObjectLocation(new S3Bucket(settings), folder, clock);
}

function openGoogle(config: Kind<'google'>, needs: LocationNeeds): Location {
  const { clock, silenceMs = usualSilenceMs, secretOf, authority = null } = needs;
  const { bucket, folder, endpoint = googleEndpoint } = config;
  const secret = secretOf(config.key);
  const place = { title: bucketTitle('gs', config), secrets: [secret] };
  const key = serviceKeyOf(secret, place);
  const settings = { bucket, endpoint, key, authority, place, clock, silenceMs };
  return new ObjectLocation(new GoogleBucket(settings), folder, clock);
}

/** `s3://backups/3CX_PBX_Backups`, and of which service where that is not the usual one. */
function bucketTitle(scheme: string, { bucket, folder, endpoint }: Kind<'s3'> | Kind<'google'>): string {
  const path = folder.replace(/^\/+|\/+$/g, '');
  const title = `${scheme}://${bucket}${path === '' ? '' : `/${path}`}`;
  return endpoint === undefined ? title : `${title} (${new URL(endpoint).host})`;
}

function addressOf(scheme: string, { user, host, port, folder }: Kind<'sftp'> | Kind<'ftps'>): string {
  const bracketed = host.includes(':') ? `[${host}]` : host;
  return `${scheme}://${user}@${bracketed}:${port}/${folder.replace(/^\/+/, folder.startsWith('/') ? '/' : '')}`;
}
