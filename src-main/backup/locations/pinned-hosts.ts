/** Fingerprints of SFTP servers, kept from the first meeting on, in a file for its owner alone. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeAtomically } from '../../config/atomic-file.ts';
import { EstepeError, sentenceOf } from '../../contract/errors.ts';
import type { HostKeys } from './ssh-session.ts';

export const pinnedHostsFile = 'known-hosts.json';

const pins = z.record(z.string(), z.string());

/** @throws EstepeError `data-folder`, in each call, when the file cannot be used: a server is never met anew by accident */
export function pinnedHosts(file: string): HostKeys {
  const read = (): Record<string, string> => {
    try {
      return pins.parse(JSON.parse(readFileSync(file, 'utf8')));
    } catch (error) {
      if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return {};
      throw trouble(file, 'cannot be read', error);
    }
  };
  return {
    pinned: (host) => {
      const known = read();
      return Object.hasOwn(known, host) ? (known[host] ?? null) : null;
    },
    pin(host, fingerprint) {
      const known = { ...read(), [host]: fingerprint };
      try {
        writeAtomically(file, `${JSON.stringify(known, null, 2)}\n`);
      } catch (error) {
        throw trouble(file, `cannot be written: ${sentenceOf(error)}`, error);
      }
    },
  };
}

const trouble = (file: string, what: string, error: unknown): EstepeError =>
  new EstepeError(
    'data-folder',
    `The known servers in ${file}: the file ${what}.`,
    'check the rights of that file; when it is damaged, remove it and compare the fingerprint at the next connection',
    { file },
    error,
  );
