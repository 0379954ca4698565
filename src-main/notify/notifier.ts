/**
 * Who is told what happens: every message goes to each configured channel's lane. Knows which channels there are, and nothing of how
 * one sends.
 */

import { EstepeError } from '../contract/errors.ts';
import {
  type ChannelName,
  channelNames,
  type DeliveryView,
  type NotifyTest,
  type NotifyView,
} from '../contract/notify.ts';
import type { Snapshot } from '../contract/snapshot.ts';
import type { Severity } from '../contract/words.ts';
import type { Deliveries, DeliveryRow } from '../history/deliveries.ts';
import type { Channel } from './channel.ts';
import { Lane, type LaneBefore, type LaneParts, testKey } from './lane.ts';
import { afterTelling, type Message, type Told } from './policy.ts';

export interface NotifierParts extends Omit<LaneParts, 'journal' | 'onTurn'> {
  journal: Deliveries;
  /** as configured now */
  channels: () => readonly { channel: Channel; least: Severity }[];
}

/** So many of the newest deliveries tell what was said before a start. */
const lookedBack = 500;

export class Notifier {
  readonly #p: NotifierParts;
  readonly #lanes = new Map<ChannelName, Lane>();
  #changes = 0;

  constructor(parts: NotifierParts) {
    this.#p = { ...parts, onChange: () => this.#changed() };
    this.#onChange = parts.onChange;
  }

  readonly #onChange: () => void;

  #changed(): void {
    this.#changes += 1;
    this.#onChange();
  }

  /** Takes up what waits from before; to be called once, before anything is told. Never throws. */
  start(): void {
    const { journal, onFault, clock } = this.#p;
    let [newest, waiting]: [DeliveryRow[], DeliveryRow[]] = [[], []];
    try {
      newest = journal.list(lookedBack).reverse();
      waiting = journal.waiting();
    } catch (error) {
      onFault(error);
    }
    const channels = this.#p.channels();
    for (const { channel, least } of channels) {
      const own = (rows: readonly DeliveryRow[]) => rows.filter((row) => row.channel === channel.name);
      this.#open(channel, least, beforeOf(own(newest), own(waiting)));
    }
    const orphans = waiting.filter((row) => !channels.some(({ channel }) => channel.name === row.channel));
    const said = 'given up: the channel was taken out of estepe.yaml';
    try {
      if (orphans.length > 0)
        journal.ended(
          orphans.map(({ id }) => id),
          { state: 'given-up', dueAt: clock.wall(), said, reached: [] },
        );
    } catch (error) {
      onFault(error);
    }
    for (const lane of this.#lanes.values()) lane.start();
  }

  #open(channel: Channel, least: Severity, before: LaneBefore): Lane {
    const onTurn = (lane: Lane, failing: boolean, sentence: string): void => {
      const key = `notify.${lane.name}.${failing ? 'failing' : 'recovered'}`;
      // To the others: whoever reads only one of them learns that another one is broken.
      for (const other of this.#lanes.values())
        if (other !== lane) other.tell({ key, severity: failing ? 'warning' : 'info', text: sentence });
    };
    const lane = new Lane({ ...this.#p, onTurn }, channel, least, before);
    this.#lanes.set(channel.name, lane);
    return lane;
  }

  /** Never throws, never waits. */
  tell({ key, severity, text }: Message): void {
    const message = { key, severity, text: this.#p.clean(text) };
    for (const lane of this.#lanes.values()) lane.tell(message);
  }

  /** The configuration may name others now. */
  reconfigured(): void {
    const channels = this.#p.channels();
    for (const [name, lane] of this.#lanes) {
      if (channels.some(({ channel }) => channel.name === name)) continue;
      this.#lanes.delete(name);
      void lane.drop();
    }
    for (const { channel, least } of channels) {
      const lane = this.#lanes.get(channel.name);
      if (lane === undefined) this.#open(channel, least, nothingBefore).start();
      else lane.use(channel, least);
    }
    this.#changed();
  }

  /**
   * Really sends, through one channel or all of them at once; answers when each has answered or was waited for in vain. Rejects
   * EstepeError `not-found` where that channel, or any, is not configured.
   */
  async test(name: ChannelName | null): Promise<NotifyTest> {
    const lanes = [...this.#lanes.values()].filter((lane) => name === null || lane.name === name);
    if (lanes.length === 0) {
      const which = name === null ? 'No channel is' : `The channel ${name} is not`;
      throw new EstepeError('not-found', `${which} configured.`, 'write it into the section `notify` of estepe.yaml');
    }
    const results = await Promise.all(lanes.map(async (lane) => ({ channel: lane.name, ...(await lane.test()) })));
    return { results };
  }

  /** Newest first. Throws EstepeError `database`. */
  list(limit: number): DeliveryView[] {
    return this.#p.journal.list(limit).flatMap((row) => {
      const channel = channelNames.find((name) => name === row.channel);
      if (channel === undefined) return [];
      const { id, key, severity, text, toldAt, state, attempts, triedAt, said } = row;
      return [{ id, channel, key, severity, text, toldAt, state, attempts, triedAt, said }];
    });
  }

  view(): NotifyView {
    const channels = channelNames.flatMap((name) => this.#lanes.get(name)?.view() ?? []);
    return { channels, changes: this.#changes };
  }

  troubles(): Snapshot['troubles'] {
    return channelNames.flatMap((name) => this.#lanes.get(name)?.troubles() ?? []);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()));
  }
}

const nothingBefore: LaneBefore = { told: new Map(), waiting: [], lastSentAt: null, lastFailure: null, failures: 0 };

/** @param own deliveries of one channel, oldest first */
function beforeOf(own: readonly DeliveryRow[], waiting: readonly DeliveryRow[]): LaneBefore {
  const told = own
    .filter(({ key }) => key !== testKey)
    .reduce<Told>((map, row) => afterTelling(map, row, { at: row.toldAt, life: row.life }), new Map());
  const tried = own.filter(({ triedAt }) => triedAt !== null).sort((a, b) => (a.triedAt ?? 0) - (b.triedAt ?? 0));
  const sent = tried.findLast(({ state }) => state === 'sent');
  const failed = tried.findLast(({ state, said }) => state !== 'sent' && said !== '');
  const since = tried.filter((row) => row.state !== 'sent' && (row.triedAt ?? 0) > (sent?.triedAt ?? 0));
  return {
    ...{ told, waiting, lastSentAt: sent?.triedAt ?? null },
    lastFailure: failed && failed.triedAt !== null ? { at: failed.triedAt, sentence: failed.said } : null,
    failures: Math.max(0, ...since.filter(({ key }) => key !== testKey).map(({ attempts }) => attempts)),
  };
}
