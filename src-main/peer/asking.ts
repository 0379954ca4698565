/**
 * What this node asks of the paired one. One request at a time, numbered, in an envelope for the life that the other node
 * told. Must not know when something is asked.
 */
import type { z } from 'zod';
import { sentenceOf } from '../contract/errors.ts';
import { type CallsSeen, callsSeenSchema, type ParityFacts, parityFactsSchema } from '../contract/parity.ts';
import type { BackupAnswer, Clock, StandDownAnswer } from '../engine/ports.ts';
import { type Answered, type Call, CallFault, call, placeText } from './call.ts';
import type { LinkHooks } from './hooks.ts';
import {
  type BackupState,
  backupStateSchema,
  type Envelope,
  helloSchema,
  refusalSchema,
  type StandDownState,
  standDownStateSchema,
} from './messages.ts';
import { checkWord, fitWord, type NodeWord } from './word.ts';

export const callTimeoutMs = 4_000;
const standDownWithinMs = 120_000;
/** A backup may be large; that it goes on is seen by the answers. */
const backupWithinMs = 12 * 3600_000;
const askAgainMs = 1_000;
/** Silent for so long while it does what it was asked, it counts as gone. */
const silenceMs = 15_000;

/** Whom to ask, as it is paired now. */
export type Line = Pick<Call, 'identity' | 'to'> & { pin: string };

/** It answered that it will not; the sentence is its own. */
export class Refused extends CallFault {
  readonly refused: string;
  constructor(refused: string, sentence: string) {
    super('broken', sentence);
    this.refused = refused;
  }
}

/** Resolves after so long; rejects when `signal` ends it before. */
function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      cancel();
      reject(new CallFault('cancelled', 'It was cancelled.'));
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

const notYet = 'The other node is still standing down after two minutes, and does not say that it has.';
const noBackupYet = 'The other node is still making its backup after twelve hours.';
const oneLine = (text: string): string => text.replace(/\p{Cc}+/gu, ' ').slice(0, 500);

/** What was asked of the other node and takes its time. */
interface Long<T> {
  withinMs: number;
  notYet: string;
  begin: () => Promise<T>;
  /** null: that engine has started anew since and knows nothing of it */
  look: (id: string) => Promise<T | null>;
  onState?: (state: T) => void;
}

/**
 * An answer may have been lost on the way back: asked again, the same epoch is the same request there. Once it was begun, a
 * node that nobody listens on may be starting anew.
 */
function worthAnother(error: unknown, begun: boolean): boolean {
  if (error instanceof Refused || !(error instanceof CallFault)) return false;
  return error.kind === 'silent' || error.kind === 'broken' || (begun && error.kind === 'nobody');
}

export class Asking {
  readonly #hooks: LinkHooks;
  readonly #line: Line;
  readonly #nextSeq: () => number;
  #otherLife: string | null = null;
  #last: Promise<unknown> = Promise.resolve();

  /** @param nextSeq grows over all lines of one life */
  constructor(hooks: LinkHooks, line: Line, nextSeq: () => number) {
    this.#hooks = hooks;
    this.#line = line;
    this.#nextSeq = nextSeq;
  }

  /** Learns the other node's life. @throws CallFault */
  hello(signal: AbortSignal): Promise<void> {
    return this.#inTurn(() => this.#hello(signal));
  }

  /** Sends a word and answers the other node's. @throws CallFault with a sentence for people */
  async word(own: NodeWord, signal: AbortSignal): Promise<NodeWord> {
    const { data } = await this.#inTurn(() => this.#post('/word', fitWord(own), signal));
    const read = checkWord(data, this.#hooks.self());
    if ('why' in read) throw new CallFault('broken', `The other node's word is not taken: ${read.why}.`);
    return read.word;
  }

  /** Never rejects. */
  async facts(signal: AbortSignal): Promise<ParityFacts | string> {
    try {
      return this.#read(parityFactsSchema, await this.#get('/facts', signal));
    } catch (error) {
      return sentenceOf(error);
    }
  }

  /** Never rejects. */
  async calls(signal: AbortSignal): Promise<CallsSeen> {
    try {
      return this.#read(callsSeenSchema, await this.#get('/calls', signal));
    } catch (error) {
      return { count: null, sentence: sentenceOf(error) };
    }
  }

  /** Never rejects. */
  async standDown(epoch: number, because: string, signal: AbortSignal): Promise<StandDownAnswer> {
    const body = { epoch, because: oneLine(because) };
    try {
      const { state, sentence } = await this.#followed<StandDownState>(
        {
          ...{ withinMs: standDownWithinMs, notYet },
          ...this.#long('/stand-down', body, standDownStateSchema, signal),
        },
        signal,
      );
      return { outcome: state === 'stood-down' ? state : 'refused', sentence };
    } catch (error) {
      const refused = error instanceof Refused && error.refused === 'lower-epoch';
      const sentence = sentenceOf(error);
      return refused ? { outcome: 'refused', sentence, outbid: true } : { outcome: 'unreachable', sentence };
    }
  }

  /** Never rejects. */
  async backup(
    epoch: number | null,
    because: string,
    signal: AbortSignal,
    onProgress: (sentence: string) => void,
  ): Promise<BackupAnswer> {
    const body = { epoch, because: oneLine(because) };
    const onState = ({ state, sentence }: BackupState): void => {
      if (state === 'running') onProgress(sentence);
    };
    try {
      const asked = this.#long('/backup', body, backupStateSchema, signal);
      const long = { withinMs: backupWithinMs, notYet: noBackupYet, ...asked, onState };
      const { made, sentence } = await this.#followed<BackupState>(long, signal);
      return made === null ? { outcome: 'failed', sentence } : { outcome: 'made', sentence, ...made };
    } catch (error) {
      const refused = error instanceof Refused && error.refused === 'not-active';
      return { outcome: refused ? 'refused' : 'unreachable', sentence: sentenceOf(error) };
    }
  }

  /** Asks until it has ended. An answer that was lost, or an engine that is starting anew, is asked again. @throws CallFault */
  async #followed<T extends { id: string; state: string }>(long: Long<T>, signal: AbortSignal): Promise<T> {
    const { clock } = this.#hooks;
    const until = clock.now() + long.withinMs;
    let job: T | null = null;
    let heardAt = clock.now();
    for (;;) {
      try {
        job = job === null ? await long.begin() : await long.look(job.id);
        heardAt = clock.now();
      } catch (error) {
        if (!worthAnother(error, job !== null) || clock.now() - heardAt > silenceMs) throw error;
      }
      if (job !== null) long.onState?.(job);
      if (job !== null && job.state !== 'running') return job;
      if (clock.now() >= until) throw new CallFault('silent', long.notYet);
      await pause(clock, askAgainMs, signal);
    }
  }

  #long<T>(path: string, body: unknown, schema: z.ZodType<T>, signal: AbortSignal): Pick<Long<T>, 'begin' | 'look'> {
    return {
      begin: async () => this.#read(schema, await this.#inTurn(() => this.#post(path, body, signal))),
      look: (id) => this.#look(`${path}/${id}`, schema, signal),
    };
  }

  /** How far it is; null: that engine has started anew since and knows nothing of it. */
  async #look<T>(path: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<T | null> {
    try {
      return this.#read(schema, await this.#get(path, signal));
    } catch (error) {
      if (error instanceof Refused && error.refused === 'unknown') return null;
      throw error;
    }
  }

  async #hello(signal: AbortSignal): Promise<void> {
    const { life } = this.#read(helloSchema, await this.#get('/hello', signal));
    this.#otherLife = life;
  }

  /** Posts for the life that is known; told that it is another one by now, once more for that. */
  async #post(path: string, body: unknown, signal: AbortSignal): Promise<Answered> {
    for (let again = false; ; again = true) {
      if (this.#otherLife === null) await this.#hello(signal);
      try {
        const { life } = this.#hooks;
        const toLife = this.#otherLife ?? '';
        const envelope: Envelope = { id: this.#hooks.random.hex(16), seq: this.#nextSeq(), life, toLife, body };
        return await this.#ask({ path, body: envelope, signal });
      } catch (error) {
        if (!(error instanceof Refused) || error.refused !== 'other-life' || again) throw error;
        this.#otherLife = null;
      }
    }
  }

  #get(path: string, signal: AbortSignal): Promise<Answered> {
    return this.#ask({ path, signal });
  }

  /** @throws CallFault; Refused when it says no in words */
  async #ask(asked: Pick<Call, 'path' | 'body' | 'signal'>): Promise<Answered> {
    const answer = await call({ clock: this.#hooks.clock, ...this.#line, timeoutMs: callTimeoutMs, ...asked });
    if (answer.status >= 200 && answer.status < 300) return answer;
    const refusal = refusalSchema.safeParse(answer.data).data;
    if (refusal) throw new Refused(refusal.refused, refusal.sentence);
    const place = placeText(this.#line.to);
    if (answer.status === 401)
      throw new Refused('unpaired', `The node on ${place} does not know this one, or not any more: pair again.`);
    throw new CallFault('broken', `The node on ${place} answers with status ${answer.status}: see its log.`);
  }

  #read<T>(schema: z.ZodType<T>, { data }: Answered): T {
    const read = schema.safeParse(data);
    if (read.success) return read.data;
    const place = placeText(this.#line.to);
    throw new CallFault(
      'broken',
      `The node on ${place} answers what this Estepe does not understand; are both of one version?`,
    );
  }

  /** Numbers must arrive in their order: one request after the other. Each has its own time-out, so the turn comes. */
  #inTurn<T>(make: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(make, make);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
