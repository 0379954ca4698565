/** Estepe's own version, from the package.json that lies above the sources as well as above the build. */
import { readFileSync } from 'node:fs';

/** `0.1.0`, or `unknown` where the package.json was left out. */
export function estepeVersion(): string {
  for (const above of ['../..', '../../..', '..']) {
    try {
      const text = readFileSync(new URL(`${above}/package.json`, import.meta.url), 'utf8');
      const { name, version } = JSON.parse(text) as { name?: unknown; version?: unknown };
      if (name === 'estepe' && typeof version === 'string') return version;
    } catch {
      // not there: one floor up
    }
  }
  return 'unknown';
}
