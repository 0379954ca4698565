/** Proves each right that backups and claims need in a location by using it. Leaves nothing of its own behind but the folder. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import type { Clock } from '../engine/ports.ts';
import { type Location, LocationError } from './location.ts';

export const rights = ['connect', 'write', 'list', 'read', 'replace', 'claim', 'claim-once', 'remove'] as const;
export type Right = (typeof rights)[number];

export interface RightProven {
  right: Right;
  outcome: 'ok' | 'failed' | 'skipped';
  ms: number;
  /** what was seen, or why not */
  sentence: string;
  /** what to do; empty when it works */
  todo: string;
}

/** More than one packet, less than anybody's quota. */
const trialBytes = 100_000;
const tidyingMs = 5000;

/** A name for one trial that no other one has. */
export const newTrial = (): string => `estepe-check-${randomBytes(6).toString('hex')}`;

/**
 * Never rejects: what fails is an answer, and what builds on it is skipped.
 * @param name of the trial; whoever keeps it can remove what is left of one that was cut off
 */
export async function checkLocation(
  location: Location,
  clock: Clock,
  signal: AbortSignal,
  name = newTrial(),
): Promise<RightProven[]> {
  const trial = new Trial(location, signal, name);
  const proven: RightProven[] = [];
  try {
    for (const right of rights) {
      const missing = trial.needs[right].find((need) =>
        proven.some((one) => one.right === need && one.outcome !== 'ok'),
      );
      if (missing !== undefined) {
        proven.push({ right, outcome: 'skipped', ms: 0, sentence: `needs ${missing}`, todo: '' });
        continue;
      }
      const startedAt = clock.now();
      const ms = (): number => Math.round(clock.now() - startedAt);
      try {
        proven.push({ right, outcome: 'ok', sentence: await trial[right](), todo: '', ms: ms() });
      } catch (error) {
        const todo = error instanceof EstepeError ? error.todo : 'look into the log of that server';
        proven.push({ right, outcome: 'failed', sentence: sentenceOf(error), todo, ms: ms() });
      }
    }
    return proven;
  } finally {
    const limit = new AbortController();
    const stop = clock.after(tidyingMs, () => limit.abort());
    await trial.tidy(limit.signal);
    stop();
  }
}

const namesOf = (trial: string) => ({ object: trial, claim: `${trial}-claim` });

/** Removes what a trial that was cut off may have left. @throws LocationError */
export async function removeTrial(location: Location, name: string, signal: AbortSignal): Promise<void> {
  for (const left of Object.values(namesOf(name))) await location.remove(left, signal);
}

class Trial implements Record<Right, () => Promise<string>> {
  readonly needs: Readonly<Record<Right, readonly Right[]>> = {
    connect: [],
    write: ['connect'],
    list: ['write'],
    read: ['write'],
    replace: ['read'],
    claim: ['connect'],
    'claim-once': ['claim'],
    remove: ['write'],
  };
  readonly #location: Location;
  readonly #signal: AbortSignal;
  readonly #object: string;
  readonly #claim: string;
  #bytes = randomBytes(trialBytes);
  /** names that may be there */
  readonly #begun = new Set<string>();

  constructor(location: Location, signal: AbortSignal, name: string) {
    this.#location = location;
    this.#signal = signal;
    const { object, claim } = namesOf(name);
    this.#object = object;
    this.#claim = claim;
  }

  async connect(): Promise<string> {
    try {
      await this.#location.list('', this.#signal);
      return `${this.#location.title} answers`;
    } catch (error) {
      if (!(error instanceof LocationError) || error.fault !== 'missing') throw error;
      return `${this.#location.title} answers; the folder is not there yet`;
    }
  }

  async write(): Promise<string> {
    this.#begun.add(this.#object);
    // A copy: a location gives back the memory of what it has written.
    const source = Readable.from([Buffer.from(this.#bytes)]);
    const { size } = await this.#location.write(this.#object, source, trialBytes, { signal: this.#signal });
    if (size !== trialBytes) throw this.#wrong(`${trialBytes} bytes were written, ${size} are there`);
    return `${size} bytes under a temporary name, then published`;
  }

  async list(): Promise<string> {
    const found = await this.#location.list(this.#object, this.#signal);
    const one = found.find(({ name }) => name === this.#object);
    if (one?.size !== trialBytes) throw this.#wrong('what was written is not listed with its size');
    return 'what was written is listed';
  }

  async read(): Promise<string> {
    const pieces: Buffer[] = [];
    const stream = await this.#location.read(this.#object, 0, { signal: this.#signal });
    for await (const piece of stream) pieces.push(piece as Buffer);
    if (!Buffer.concat(pieces).equals(this.#bytes)) throw this.#wrong('what was read is not what was written');
    return 'read back equal';
  }

  async replace(): Promise<string> {
    this.#bytes = randomBytes(trialBytes);
    await this.write();
    await this.read();
    return 'replaced by other bytes, read back equal';
  }

  async claim(): Promise<string> {
    this.#begun.add(this.#claim);
    if (await this.#location.createExclusive(this.#claim, 'first', this.#signal)) return 'the first one wins';
    throw this.#wrong('a claim of a new name was lost');
  }

  async 'claim-once'(): Promise<string> {
    if (!(await this.#location.createExclusive(this.#claim, 'second', this.#signal))) return 'the second one loses';
    throw this.#wrong('a second claim of the same name was won, too: two nodes could own one epoch');
  }

  async remove(): Promise<string> {
    for (const name of this.#begun) {
      await this.#location.remove(name, this.#signal);
      if ((await this.#location.stat(name, this.#signal)) !== null) throw this.#wrong(`${name} is still there`);
    }
    this.#begun.clear();
    return 'nothing of the trial is left';
  }

  /** What a failure or a cancellation left. */
  async tidy(signal: AbortSignal): Promise<void> {
    for (const name of this.#begun) {
      try {
        await this.#location.remove(name, signal);
      } catch {
        // said by the right that failed
      }
    }
  }

  #wrong(what: string): LocationError {
    return new LocationError('other', `${this.#location.title}: ${what}.`, 'use another kind of location, or server');
  }
}
