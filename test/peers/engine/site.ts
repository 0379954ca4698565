/** A data folder of the test's own: configuration, scripts, and what they left behind. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { stringify } from 'yaml';
import { newFolder } from '../fixtures/peer-process.ts';
import { endProcessesOf } from './standby-pbx.ts';

export const fqdn = 'pbx.example.com';

type Section = Readonly<Record<string, unknown>>;

/** Sections of estepe.yaml; what is left out is filled in by `yamlOf`. */
export interface Wish {
  active: string;
  passive: string;
  tests: Section;
  fqdn?: string;
  /** over the usual short intervals */
  heartbeat?: Section;
  promotion?: Section;
  services?: Section;
  more?: Section;
}

/**
 * Short intervals, yet none so short that a busy machine looks like a dead one: an answer may take 400 ms. The usual
 * reference is a port of this machine that refuses, and so lives.
 */
export function yamlOf(wish: Wish): string {
  const tests = Object.entries(wish.tests).map(([id, test]) => [id, { timeout: '400ms', ...(test as Section) }]);
  return stringify({
    role: 'passive',
    lab: true,
    pair: {
      name: 'head-office',
      fqdn: wish.fqdn ?? fqdn,
      active: wish.active,
      passive: wish.passive,
      profile: 'generic',
    },
    heartbeat: {
      interval: '500ms',
      confirm: { times: 2, every: '200ms' },
      tests: Object.fromEntries(tests),
      references: ['tcp:127.0.0.1:9'],
      referenceTimeout: '400ms',
      ...wish.heartbeat,
    },
    services: { timeout: '20s', proveWithin: '20s', ...wish.services },
    promotion: { mode: 'automatic', cooldown: '0s', fence: { silenceWithin: '1s' }, ...wish.promotion },
    ...wish.more,
  });
}

let pairs = 0;

/** Two loopback addresses that no other test, and no other test run on this machine, uses. */
export function newPair(): { active: string; passive: string } {
  pairs += 1;
  const net = `127.${64 + (process.pid % 128)}.${pairs}`;
  return { active: `${net}.1`, passive: `${net}.2` };
}

export class Site {
  readonly folder = newFolder('data');

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** Writes estepe.yaml as an editor does, in place. */
  configure(text: string): void {
    writeFileSync(this.path('estepe.yaml'), text);
  }

  secret(name: string, text: string): void {
    mkdirSync(this.path('secrets'), { recursive: true, mode: 0o700 });
    writeFileSync(this.path('secrets', name), text, { mode: 0o600 });
  }

  /** A shell script in the scripts folder, executable. */
  script(name: string, body: string): string {
    mkdirSync(this.path('scripts'), { recursive: true, mode: 0o700 });
    writeFileSync(this.path('scripts', name), `#!/bin/sh\n${body}\n`);
    chmodSync(this.path('scripts', name), 0o755);
    return name;
  }

  /** Lines of a file that scripts append to; none when it is not there. */
  lines(...names: string[]): string[] {
    const path = this.path(...names);
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
  }

  has(...names: string[]): boolean {
    return existsSync(this.path(...names));
  }

  /** Takes it away, and what its scripts left running; after the engine's end. */
  async remove(): Promise<void> {
    await endProcessesOf(this.folder);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The test cannot start the machine again; the engine is made to believe it. */
export function forgetTheMachine(site: Site): void {
  const db = new Database(site.path('estepe.db'));
  try {
    db.prepare("DELETE FROM fact WHERE key = 'letOn'").run();
  } finally {
    db.close();
  }
}
