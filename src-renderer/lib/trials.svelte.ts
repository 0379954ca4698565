/** What is being tried before it is saved, as a page follows it. */
import type { TrialsView } from '../../src-main/contract/settings.ts';
import type { Feed } from './feed.svelte.ts';
import { Followed } from './followed.svelte.ts';

export class Trials extends Followed<TrialsView> {
  constructor(feed: Feed) {
    super(feed, {
      ask: (client, signal) => client.config.try.view(undefined, { signal }),
      isRunning: (view) => Object.values(view).some(({ running }) => running !== null),
      ...{ runningMs: 500, idleMs: 10_000 },
    });
  }
}
