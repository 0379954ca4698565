/** How the start at boot stands on this machine, whatever starts it here. Changes nothing, needs no rights, never rejects. */
import { type BootParts, type BootState, notInstalled } from './boot.ts';
import { unitState } from './systemd.ts';
import { taskState } from './task-scheduler.ts';

export function bootState(platform: NodeJS.Platform, parts: BootParts): Promise<BootState> {
  if (platform === 'win32') return taskState(parts);
  if (platform === 'linux') return unitState(parts);
  const fault = `Estepe knows no way to start with the machine on this system (${platform}).`;
  return Promise.resolve(notInstalled('systemd', '', fault));
}
