/** A notifier over a real estepe.db and simulated time; its channels answer as the test says, and can hang. */
import { join } from 'node:path';
import type { ChannelName } from '../../../src-main/contract/notify.ts';
import type { Severity } from '../../../src-main/contract/words.ts';
import type { Deliveries } from '../../../src-main/history/deliveries.ts';
import { type History, openHistory } from '../../../src-main/history/history.ts';
import type { Channel, Letter, SendEnd } from '../../../src-main/notify/channel.ts';
import { Notifier } from '../../../src-main/notify/notifier.ts';
import { Clockwork } from '../clockwork.ts';
import { ownFolder } from '../history/workbench.ts';

export const refusedForNow: SendEnd = { how: 'failed', said: 'the server says 451', todo: 'wait', fault: 'passing' };
export const wrongPassword: SendEnd = { how: 'failed', said: 'the server says 535', todo: 'mend it', fault: 'person' };

/** A double of the port: keeps what it was given. */
export class Box implements Channel {
  readonly name: ChannelName;
  readonly target = 'a box';
  readonly timeoutMs = 30_000;
  readonly maxAgeMs = 24 * 3600_000;
  readonly letters: Letter[] = [];
  readonly reached: (readonly string[])[] = [];
  aborted = 0;
  /** what it answers; null: it hangs, and does not even mind its signal */
  answer: SendEnd | null | ((letter: Letter) => Promise<SendEnd>) = { how: 'sent', said: '250 taken' };

  constructor(name: ChannelName) {
    this.name = name;
  }

  send(letter: Letter, { signal, reached }: { signal: AbortSignal; reached: readonly string[] }): Promise<SendEnd> {
    this.letters.push(letter);
    this.reached.push(reached);
    signal.addEventListener('abort', () => {
      this.aborted += 1;
    });
    if (typeof this.answer === 'function') return this.answer(letter);
    return this.answer === null ? new Promise(() => {}) : Promise.resolve(this.answer);
  }

  get keys(): string[] {
    return this.letters.flatMap(({ items }) => items.map(({ key }) => key));
  }
}

export class Bench {
  readonly file = join(ownFolder(), 'estepe.db');
  readonly work = new Clockwork();
  readonly email = new Box('email');
  readonly webhook = new Box('webhook');
  least: Severity = 'info';
  configured: Box[] = [this.email, this.webhook];
  readonly notes: { rule: string; sentence: string }[] = [];
  readonly faults: unknown[] = [];
  /** stands between the notifier and its journal */
  around: (journal: Deliveries) => Deliveries = (journal) => journal;
  secret = 'never-shown';
  history: History = openHistory(this.file);
  notifier: Notifier;
  #life = 0;

  constructor() {
    this.notifier = this.#started();
  }

  #started(): Notifier {
    this.#life += 1;
    const notifier = new Notifier({
      clock: this.work.clock,
      journal: {
        // looked up anew: a test may put something in between later
        add: (rows) => this.around(this.history.deliveries).add(rows),
        trying: (ids, at) => this.around(this.history.deliveries).trying(ids, at),
        ended: (ids, end) => this.around(this.history.deliveries).ended(ids, end),
        waiting: () => this.history.deliveries.waiting(),
        list: (limit) => this.history.deliveries.list(limit),
      },
      life: `life ${this.#life}`,
      sender: () => ({ pair: 'head-office', fqdn: 'pbx.example.com', address: '192.0.2.2' }),
      clean: (text) => text.replaceAll(this.secret, '[secret]'),
      note: (_severity, rule, sentence) => this.notes.push({ rule, sentence }),
      onChange: () => {},
      onFault: (error) => this.faults.push(error),
      channels: () => this.configured.map((channel) => ({ channel, least: this.least })),
    });
    notifier.start();
    return notifier;
  }

  /** kill -9, and another start so much later. */
  async killed(awayMs = 1_000): Promise<void> {
    this.work.die();
    this.history.close();
    this.work.time.now += awayMs;
    this.history = openHistory(this.file);
    this.notifier = this.#started();
    await this.work.settle();
  }

  tell(key: string, severity: Severity = 'alert', text = `Something about ${key}.`): void {
    this.notifier.tell({ key, severity, text });
  }

  view(name: ChannelName) {
    const view = this.notifier.view().channels.find((one) => one.name === name);
    if (view === undefined) throw new Error(`no channel ${name}`);
    return view;
  }

  states(name: ChannelName): string[] {
    return this.notifier
      .list(100)
      .filter(({ channel }) => channel === name)
      .map(({ key, state }) => `${key} ${state}`);
  }

  end(): void {
    this.work.die();
    this.history.close();
  }
}
