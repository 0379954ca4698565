/** The secrets that must appear in no log, event, snapshot or error. */
import { readSecret, secretNames } from '../config/secrets.ts';

/** The secrets of the folder, read at start and with every new configuration. */
export function knownSecrets(folder: string): {
  all: () => readonly string[];
  read: () => void;
  add: (secret: string) => void;
} {
  let known: string[] = [];
  const read = (): void => {
    known = secretNames(folder).flatMap((name) => {
      try {
        return [readSecret(folder, name)];
      } catch {
        // unreadable here: then nothing here can give it away
        return [];
      }
    });
  };
  read();
  const add = (secret: string): void => {
    if (!known.includes(secret)) known.push(secret);
  };
  return { all: () => known, read, add };
}
