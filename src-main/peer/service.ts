/**
 * What the paired node may ask of this one: hello, words, standing down, a backup, facts, active calls. Each request counts once. Must not know
 * sockets, nor who is paired.
 */
import { sentenceOf } from '../contract/errors.ts';
import { bidsOver } from './bid.ts';
import type { Asked, Reply, Welcome } from './door.ts';
import type { LinkHooks } from './hooks.ts';
import {
  type BackupState,
  backupAskSchema,
  type Envelope,
  envelopeSchema,
  linkFormat,
  maxBodyBytes,
  Received,
  type Refusal,
  type StandDownState,
  standDownAskSchema,
} from './messages.ts';
import { checkWord, fitWord } from './word.ts';

const refuse = (status: number, refused: Refusal['refused'], sentence: string): Reply => ({
  status,
  body: { refused, sentence } satisfies Refusal,
});

/** Sentences travel in one line of bounded length. */
const oneLine = (text: string): string => text.replace(/\p{Cc}+/gu, ' ').slice(0, 1000);

interface Job {
  epoch: number;
  state: StandDownState;
}

interface BackupJob {
  epoch: number | null;
  state: BackupState;
}

/** Whoever asked for it has long been told by then. */
const jobsRemembered = 8;

export class Service {
  readonly #hooks: LinkHooks;
  readonly #heard: () => void;
  readonly #jobs = new Map<string, Job>();
  readonly #backups = new Map<string, BackupJob>();
  #received = new Received();

  /** @param heard called with each request that proves the other node alive */
  constructor(hooks: LinkHooks, heard: () => void) {
    this.#hooks = hooks;
    this.#heard = heard;
  }

  /** Another node is paired from now on. */
  reset(): void {
    this.#received = new Received();
  }

  welcome({ method, path }: Asked): Welcome {
    const hooks = this.#hooks;
    const get = (make: () => Reply | Promise<Reply>): Welcome => ({ most: 0, answer: make });
    const post = (make: (body: unknown) => Reply): Welcome => ({
      most: maxBodyBytes,
      answer: (body) => this.#opened(body, make),
    });
    switch (`${method} ${path}`) {
      case 'GET /hello':
        return get(() => ({ status: 200, body: { format: linkFormat, life: hooks.life, version: hooks.version } }));
      case 'GET /facts':
        return get(async () => ({ status: 200, body: await hooks.facts() }));
      case 'GET /calls':
        return get(async () => ({ status: 200, body: await hooks.calls() }));
      case 'POST /word':
        return post((body) => this.#word(body));
      case 'POST /stand-down':
        return post((body) => this.#standDown(body));
      case 'POST /backup':
        return post((body) => this.#backup(body));
    }
    const [, what, id] = (method === 'GET' ? /^\/(stand-down|backup)\/([0-9a-f]{32})$/.exec(path) : null) ?? [];
    if (id !== undefined) return get(() => stateOf(what === 'backup' ? this.#backups.get(id) : this.#jobs.get(id)));
    const unknown = path.startsWith('/pair/')
      ? refuse(409, 'no-pairing', 'No pairing is open here: open one first (`estepe pair open`).')
      : refuse(404, 'unknown', 'This Estepe knows no such request; are both of one version?');
    return { most: maxBodyBytes, answer: () => unknown };
  }

  /** The envelope first: what is old, or was meant for an earlier life, is not looked into. */
  #opened(data: unknown, make: (body: unknown) => Reply): Reply {
    const envelope: Envelope | undefined = envelopeSchema.safeParse(data).data;
    if (envelope === undefined)
      return refuse(400, 'unreadable', 'The request cannot be read; are both of one version?');
    if (envelope.toLife !== this.#hooks.life)
      return refuse(409, 'other-life', 'The request was meant for an engine that has ended since.');
    if (!this.#received.accept(envelope))
      return refuse(409, 'replayed', 'The request came before, or is older than one that came.');
    return make(envelope.body);
  }

  #word(body: unknown): Reply {
    const read = checkWord(body, this.#hooks.self());
    if ('why' in read)
      return refuse(409, 'not-this-pair', `The other node does not take the word: ${oneLine(read.why)}.`);
    this.#heard();
    this.#hooks.onWord(read.word);
    return { status: 200, body: fitWord(this.#hooks.ownWord()) };
  }

  #standDown(body: unknown): Reply {
    const ask = standDownAskSchema.safeParse(body).data;
    if (ask === undefined) return refuse(400, 'unreadable', 'The request to stand down cannot be read.');
    const { epoch, because } = ask;
    const epochs = this.#hooks.epochs();
    if (!bidsOver(epoch, epochs)) {
      // a takeover that is open here has an epoch of its own, which is seen nowhere else yet
      const known = Math.max(epochs.standing, epochs.highest, epochs.open - 1);
      this.#hooks.note(
        'warning',
        'peer.lower-epoch',
        `the other node asked this one to stand down for epoch ${epoch}, but epoch ${known} is known here: refused`,
      );
      return refuse(409, 'lower-epoch', `Epoch ${epoch} does not bid over this node, which knows epoch ${known}.`);
    }
    this.#heard();
    const running = [...this.#jobs.values()].find((job) => job.epoch === epoch && job.state.state === 'running');
    return { status: 202, body: (running ?? this.#begin(epoch, because)).state };
  }

  #backup(body: unknown): Reply {
    const ask = backupAskSchema.safeParse(body).data;
    if (ask === undefined) return refuse(400, 'unreadable', 'The request for a backup cannot be read.');
    const { epoch, because } = ask;
    const why = this.#hooks.whyNoBackup(epoch);
    if (why !== null) return refuse(409, 'not-active', oneLine(`The other node makes no backup: ${why}.`));
    this.#heard();
    // Its answer may have been lost on the way: asked again, it is joined.
    const running = [...this.#backups.values()].find((job) => job.epoch === epoch && job.state.state === 'running');
    return { status: 202, body: (running ?? this.#beginBackup(epoch, because)).state };
  }

  #beginBackup(epoch: number | null, because: string): BackupJob {
    const id = this.#hooks.random.hex(16);
    const job: BackupJob = { epoch, state: { id, state: 'running', sentence: 'It makes a backup.', made: null } };
    remember(this.#backups, id, job);
    const failed = (why: string): void => {
      job.state = { id, state: 'failed', sentence: oneLine(why), made: null };
    };
    const onProgress = (sentence: string): void => {
      if (job.state.state === 'running') job.state = { ...job.state, sentence: oneLine(sentence) };
    };
    this.#hooks.onBackup(epoch, because, onProgress).then(
      ({ made, sentence }) => {
        if (made === null) failed(sentence);
        else job.state = { id, state: 'made', sentence: oneLine(sentence), made };
      },
      (error: unknown) => {
        this.#hooks.onFault(error);
        failed(`It could not make a backup: ${sentenceOf(error)}`);
      },
    );
    return job;
  }

  #begin(epoch: number, because: string): Job {
    const id = this.#hooks.random.hex(16);
    const job: Job = { epoch, state: { id, state: 'running', sentence: 'It is standing down.' } };
    remember(this.#jobs, id, job);
    const ended = (state: 'stood-down' | 'refused', sentence: string): void => {
      job.state = { id, state, sentence: oneLine(sentence) };
    };
    this.#hooks.onStandDown(epoch, because).then(
      ({ accepted, sentence }) => ended(accepted ? 'stood-down' : 'refused', sentence),
      (error: unknown) => {
        this.#hooks.onFault(error);
        ended('refused', `It could not stand down: ${sentenceOf(error)}`);
      },
    );
    return job;
  }
}

/** How far it is, as it was asked for in this life. */
const stateOf = (job: Job | BackupJob | undefined): Reply =>
  job ? { status: 200, body: job.state } : refuse(404, 'unknown', 'Nothing of that kind was asked in this life.');

function remember<T>(jobs: Map<string, T>, id: string, job: T): void {
  const oldest = [...jobs.keys()][0];
  if (jobs.size >= jobsRemembered && oldest !== undefined) jobs.delete(oldest);
  jobs.set(id, job);
}
