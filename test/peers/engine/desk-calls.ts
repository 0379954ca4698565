/** What tests ask a running engine, as data: asked over HTTP from here or from a child inside a network namespace. */
import type { EngineClient } from '../../../src-main/console/engine-client.ts';
import type { GuardName } from '../../../src-main/contract/words.ts';

export type DeskAsk =
  | { call: 'snapshot' }
  | { call: 'events'; before: number | null }
  | { call: 'beats'; test: string; from: number; to: number }
  | {
      call: 'promote';
      reason: string;
      overrides: { guard: GuardName; reason: string }[];
      dryRun: boolean;
      skipStep: boolean;
    }
  | { call: 'cancel'; reason: string }
  | { call: 'maintenance-on'; forMs: number }
  | { call: 'maintenance-off' }
  | { call: 'config' };

export type DeskAnswer<K extends DeskAsk['call']> = Awaited<ReturnType<(typeof calls)[K]>>;

type Of<K extends DeskAsk['call']> = Extract<DeskAsk, { call: K }>;
const by = 'the test';

const calls = {
  snapshot: (client: EngineClient, _ask: Of<'snapshot'>) => client.snapshot(),
  events: (client: EngineClient, { before }: Of<'events'>) =>
    client.history.events({ limit: 1000, ...(before === null ? {} : { before }) }),
  beats: (client: EngineClient, { test, from, to }: Of<'beats'>) =>
    client.history.beats({ test, from, to, limit: 5000 }),
  promote: (client: EngineClient, { call: _call, ...ask }: Of<'promote'>) => client.promote({ by, ...ask }),
  cancel: (client: EngineClient, { reason }: Of<'cancel'>) => client.cancel({ by, reason }),
  'maintenance-on': (client: EngineClient, { forMs }: Of<'maintenance-on'>) =>
    client.maintenance.on({ by, reason: 'an update', forMs }),
  'maintenance-off': (client: EngineClient, _ask: Of<'maintenance-off'>) => client.maintenance.off({ by }),
  config: (client: EngineClient, _ask: Of<'config'>) => client.config.show(),
};

/** Makes one call; rejects with what the engine or the connection said. */
export function callDesk<K extends DeskAsk['call']>(client: EngineClient, ask: Of<K>): Promise<DeskAnswer<K>> {
  // TypeScript does not follow that the function found by `ask.call` takes just this kind of ask.
  const call: unknown = calls[ask.call];
  return (call as (client: EngineClient, ask: Of<K>) => Promise<DeskAnswer<K>>)(client, ask);
}
