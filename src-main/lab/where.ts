/** Where the lab keeps its backups: a folder of its own, or a real location as `--location` names it. */
import { isAbsolute, resolve } from 'node:path';
import type { z } from 'zod';
import type { location as locationSection } from '../config/sections.ts';
import { EstepeError } from '../contract/errors.ts';

type LocationConfig = z.infer<typeof locationSection>;

export interface Where {
  location: LocationConfig;
  /** what opens it, by the names that `location` gives; never shown */
  secrets: Record<string, string>;
}

const secretName = 'lab-location';
const forms =
  'Allowed: a folder, sftp://user[:password]@host[:port]/folder, the same with ftps, or smb://user[:password]@host/share/folder.';

/**
 * @param text as given on the command line
 * @param env ESTEPE_LAB_PASSWORD and ESTEPE_LAB_KEY (a private key itself): so that no secret has to stand in a command line
 * @throws EstepeError `usage`
 */
export function whereOf(text: string, env: NodeJS.ProcessEnv): Where {
  if (!/^[a-z]+:\/\//i.test(text)) return { location: { kind: 'local', folder: resolve(text) }, secrets: {} };
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw wrong();
  }
  const part = (raw: string): string => decodeURIComponent(raw);
  const folder = part(url.pathname);
  if (url.protocol === 'file:' && isAbsolute(folder)) return { location: { kind: 'local', folder }, secrets: {} };
  const user = part(url.username);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? {} : { port: Number(url.port) };
  const password = part(url.password) || env.ESTEPE_LAB_PASSWORD;
  const key = env.ESTEPE_LAB_KEY;
  const opened = password === undefined ? {} : { password: secretName };
  const secrets: Record<string, string> = password === undefined ? {} : { [secretName]: password };
  if (host === '' || user === '') throw wrong();
  switch (url.protocol) {
    case 'sftp:': {
      const base = { kind: 'sftp', host, port: 22, ...port, user, folder: inHome(folder) } as const;
      if (password !== undefined || key === undefined) return { location: { ...base, ...opened }, secrets };
      return { location: { ...base, key: secretName }, secrets: { [secretName]: key } };
    }
    case 'ftps:':
      return { location: { kind: 'ftps', host, port: 21, ...port, user, folder: inHome(folder), ...opened }, secrets };
    case 'smb:': {
      const [share = '', ...rest] = folder.split('/').filter((name) => name !== '');
      if (share === '') throw wrong();
      return { location: { kind: 'smb', host, share, folder: rest.join('/') || '/', user, ...opened }, secrets };
    }
    default:
      throw wrong();
  }
}

/** `/folder` is the home's own, `//folder` the server's, as other programs read such addresses. */
function inHome(path: string): string {
  const folder = path.replace(/^\//, '');
  if (folder === '') throw wrong();
  return folder;
}

/** The text is not repeated: it may hold a password. */
const wrong = (): EstepeError => new EstepeError('usage', 'This is no location for a lab.', forms);
