/** The doctor as a page follows it: what it found last, and the look under way. */
import type { DoctorView } from '../../src-main/contract/doctor.ts';
import type { Feed } from './feed.svelte.ts';
import { Followed } from './followed.svelte.ts';

export class DoctorLook extends Followed<DoctorView> {
  constructor(feed: Feed) {
    super(feed, {
      ask: (client, signal) => client.doctor.view(undefined, { signal }),
      isRunning: ({ running }) => Boolean(running),
      ...{ runningMs: 700, idleMs: 5_000 },
    });
  }
}
