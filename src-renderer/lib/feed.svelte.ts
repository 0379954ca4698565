/**
 * The live link to the engine: one feed, kept open, merged into one snapshot; orders go through it too. While the tab is
 * hidden it keeps listening but does not make the page work. Decides nothing and shows nothing.
 */
import { createORPCClient, ORPCError } from '@orpc/client';
import { RPCLink } from '@orpc/client/fetch';
import type { ContractRouterClient } from '@orpc/contract';
import type { contract } from '../../src-main/contract/contract.ts';
import type { FeedFrame, Snapshot } from '../../src-main/contract/snapshot.ts';
import { afterFrame } from '../../src-main/contract/view.ts';
import { lastStepKept } from './last-steps.ts';
import { whenShown } from './while-shown.ts';

export type Client = ContractRouterClient<typeof contract>;

/** `refused`: the token is wrong; trying again with it is no use. */
export type Link = 'connecting' | 'live' | 'lost' | 'refused';

/** A feed without slice or pulse (one each 5 s) for this long is dead, even if its connection looks open (a hung engine). */
const silenceMs = 15_000;
const orderTimeoutMs = 15_000;
const firstRetryMs = 500;
/** The engine is on this machine: asking costs nothing, and somebody waits for it to come back. */
const longestRetryMs = 3_000;
/** Between two looks whether the first configuration stands there now. */
const askAgainMs = 1_000;

/** Why an order did not go well, in a form that the page can put into words. */
export class OrderFailed extends Error {
  readonly kind: 'not-sent' | 'no-answer' | 'failed';
  readonly todo: string;
  constructor(kind: OrderFailed['kind'], message = '', todo = '') {
    super(message);
    this.kind = kind;
    this.todo = todo;
  }
}

export class Feed {
  /** what the page shows; stands still while the tab is hidden */
  snapshot = $state.raw<Snapshot | null>(null);
  /** the same, always current: for the title */
  headline = $state.raw<Pick<Snapshot, 'core' | 'pair'> | null>(null);
  /** as the page shows it: like the snapshot it stands still while the tab is hidden, so that nothing is fetched for nobody */
  link = $state<Link>('connecting');
  /** the first run is under way: there is no configuration yet, or its last steps are being taken; ended by whoever takes them */
  firstRun = $state(lastStepKept() !== null);
  /** browser's wall clock at which the link was lost */
  lostAt = $state<number | null>(null);
  /** the engine's wall clock, moving on between frames while the link lives */
  now = $state(Date.now());

  readonly #client: Client;
  #held: Snapshot | null = null;
  #standing: { link: Link; lostAt: number | null } = { link: 'connecting', lostAt: null };
  #frameAt = 0;
  #receivedAt = 0;
  #lastHeard = 0;
  #stop = new AbortController();
  /** an engine answers that has no configuration yet: it has no state to follow, and takes settings */
  #unconfigured = false;

  constructor(token: string, base = new URL('.', location.href).href) {
    this.#client = createORPCClient(new RPCLink({ url: `${base}rpc`, headers: { authorization: `Bearer ${token}` } }));
  }

  /** Connects and keeps connecting; the answer ends it all. */
  start(): () => void {
    this.#stop = new AbortController();
    void this.#keepFollowing(this.#stop.signal);
    const tick = setInterval(() => this.#tick(), 500);
    const shown = () => this.#show();
    document.addEventListener('visibilitychange', shown);
    return () => {
      this.#stop.abort();
      clearInterval(tick);
      document.removeEventListener('visibilitychange', shown);
    };
  }

  /**
   * Sends an order. Throws OrderFailed: `not-sent` when the link is lost (loudly, at once), `no-answer` when it is not
   * known whether it arrived, `failed` with the engine's own sentence.
   */
  async order<T>(call: (client: Client, signal: AbortSignal) => Promise<T>): Promise<T> {
    const { link, lostAt } = this.#standing;
    const answers = link === 'live' || (this.#unconfigured && lostAt === null);
    if (!answers) throw new OrderFailed('not-sent');
    try {
      return await call(this.#client, AbortSignal.timeout(orderTimeoutMs));
    } catch (error) {
      const { message, todo } = callErrorOf(error);
      if (message === null) throw new OrderFailed('no-answer');
      throw new OrderFailed('failed', message, todo);
    }
  }

  async #keepFollowing(signal: AbortSignal): Promise<void> {
    let wait = firstRetryMs;
    while (!signal.aborted) {
      const before = this.#receivedAt;
      const end = await this.#followOnce(signal);
      if (signal.aborted) return;
      if (end === 'refused') {
        this.#stand('refused', this.#standing.lostAt);
        return;
      }
      if (end === 'first-run') {
        this.firstRun = true;
        this.#unconfigured = true;
        this.#stand('connecting', null);
        await pause(askAgainMs, signal);
        // nothing is told of it in the title of a hidden tab
        await whenShown(signal);
        continue;
      }
      if (this.#receivedAt !== before) wait = firstRetryMs;
      this.#stand('lost', this.#standing.lostAt ?? Date.now());
      await pause(wait, signal);
      wait = Math.min(wait * 2, longestRetryMs);
    }
  }

  /** One feed from its beginning to its end: broken, or why there is none. */
  async #followOnce(signal: AbortSignal): Promise<'broken' | 'refused' | 'first-run'> {
    const own = new AbortController();
    const abort = () => own.abort();
    signal.addEventListener('abort', abort);
    this.#lastHeardNow();
    const watchdog = setInterval(() => {
      if (performance.now() - this.#lastHeard > silenceMs) own.abort();
    }, 1000);
    try {
      for await (const frame of await this.#client.feed(undefined, { signal: own.signal })) this.#take(frame);
      return 'broken';
    } catch (error) {
      if (!(error instanceof ORPCError)) return 'broken';
      if (error.status === 401 || error.status === 429) return 'refused';
      return codeOf(error) === 'first-run' ? 'first-run' : 'broken';
    } finally {
      clearInterval(watchdog);
      signal.removeEventListener('abort', abort);
    }
  }

  #lastHeardNow(): void {
    this.#lastHeard = performance.now();
  }

  #take(frame: FeedFrame): void {
    this.#lastHeardNow();
    this.#receivedAt = this.#lastHeard;
    this.#frameAt = frame.kind === 'snapshot' ? frame.snapshot.at : frame.at;
    this.#held = afterFrame(this.#held, frame);
    this.#unconfigured = false;
    this.#standing = { link: 'live', lostAt: null };
    if (frame.kind !== 'pulse' && this.#held !== null) {
      const { core, pair } = this.#held;
      if (this.headline?.core !== core || this.headline.pair !== pair) this.headline = { core, pair };
    }
    this.#show();
  }

  #stand(link: Link, lostAt: number | null): void {
    this.#standing = { link, lostAt };
    this.#show();
  }

  #show(): void {
    if (document.hidden) return;
    const { link, lostAt } = this.#standing;
    this.link = link;
    this.lostAt = lostAt;
    this.snapshot = this.#held;
    this.#tick();
  }

  /** A lost engine's clock is not known: it stands still, so that no countdown runs on by itself. */
  #tick(): void {
    if (document.hidden || this.#standing.link !== 'live') return;
    this.now = this.#frameAt + (performance.now() - this.#receivedAt);
  }
}

/** The engine's own word for what went wrong. */
function codeOf({ data }: { data: unknown }): unknown {
  return typeof data === 'object' && data !== null && 'code' in data ? data.code : null;
}

function callErrorOf(error: unknown): { message: string | null; todo: string } {
  if (!(error instanceof ORPCError)) return { message: null, todo: '' };
  const data: unknown = error.data;
  const todo =
    typeof data === 'object' && data !== null && 'todo' in data && typeof data.todo === 'string' ? data.todo : '';
  return { message: error.message, todo };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
