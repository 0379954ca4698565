/** A folder of this machine, on disks of its own. */
import { join } from 'node:path';
import { openLocation } from '../../../src-main/backup/locations/open.ts';
import { begin, startFileServer } from '../fixtures/file-server.ts';
import { describeLocation } from './contract.ts';
import { newName, usualNeeds } from './rig.ts';

describeLocation(
  'local',
  [],
  async () => {
    // no server: only the disks
    const disksOnly = await startFileServer({
      name: 'disks',
      ports: [0],
      folder: begin('disks'),
      server: 'sleep infinity',
    });
    return {
      server: null,
      wire: null,
      home: disksOnly.home,
      open: (reach = {}) =>
        openLocation({ kind: 'local', folder: join(disksOnly.home, reach.folder ?? newName()) }, usualNeeds(reach)),
      stop: () => disksOnly.stop(),
    };
  },
  { hasLine: false },
);
