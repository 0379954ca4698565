/** Which version of the PBX is installed here. */
import type { ProfileName } from '../../config/profiles.ts';
import { versionIn } from '../archive/version.ts';
import { versionLines } from './command-lines.ts';
import { type Running, runLine } from './run-line.ts';

/** The version, such as `18.0.9.20`; null where nobody can tell. Never rejects: not to know is an answer. */
export async function pbxVersion(profile: ProfileName, running: Running): Promise<string | null> {
  const line = versionLines[profile];
  if (line === null) return null;
  try {
    return versionIn(await runLine(line, running));
  } catch {
    return null;
  }
}
