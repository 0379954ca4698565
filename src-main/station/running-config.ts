/**
 * The configuration that runs, and what is wrong with the file that does not: a changed estepe.yaml takes effect when it is
 * valid; else the old one goes on and the trouble is shown (G7).
 */
import type { FileChecked, Loaded } from '../config/load.ts';
import { firstProblem } from '../config/save.ts';
import type { Config } from '../config/schema.ts';
import { watchConfig } from '../config/watch.ts';
import type { Snapshot } from '../contract/snapshot.ts';
import type { Cancel } from '../engine/ports.ts';
import { blindSpots, boundMissed } from './site.ts';

type Troubles = Snapshot['troubles'];

export class RunningConfig {
  readonly #folder: string;
  readonly #file: string;
  readonly #started: Config;
  #running: Config;
  #text: string;
  #writtenRole: Config['role'];
  #refused: string | null = null;
  /** worked out once for a file: it asks for many days */
  #bound: Troubles;
  #stop: Cancel = () => {};

  constructor(folder: string, loaded: Loaded) {
    this.#folder = folder;
    this.#file = loaded.file;
    this.#started = loaded.config;
    this.#running = loaded.config;
    this.#text = loaded.text;
    this.#writtenRole = loaded.config.role;
    this.#bound = boundMissed(loaded.config, Date.now());
  }

  get running(): Config {
    return this.#running;
  }

  /** The file as it is used, and what is wrong with the newest one. */
  shown(): { path: string; text: string; trouble: string | null } {
    return { path: this.#file, text: this.#text, trouble: this.#refused };
  }

  troubles(): Troubles {
    const { address, port } = this.#started.console;
    const moved = this.#running.console.address !== address || this.#running.console.port !== port;
    const { role } = this.#started;
    return [
      ...(this.#refused === null
        ? []
        : [
            {
              key: 'config-refused',
              sentence: `estepe.yaml was changed and cannot be used; the configuration of before goes on. ${this.#refused}`,
              todo: 'Correct the file; `estepe config check` says line by line what is wrong.',
            },
          ]),
      ...(moved
        ? [
            {
              key: 'config-needs-restart',
              sentence: 'The console’s address or port was changed; it listens where it did.',
              todo: 'Start Estepe again for that.',
            },
          ]
        : []),
      ...(this.#writtenRole === role
        ? []
        : [
            {
              key: 'role-needs-restart',
              sentence: `estepe.yaml says role: ${this.#writtenRole} now; this engine goes on as the ${role} node.`,
              todo: 'Start Estepe again for that. Once something was promoted here, its standing decides, not the file.',
            },
          ]),
      ...blindSpots(this.#running),
      ...this.#bound,
    ];
  }

  watch(on: { accepted: () => void; refused: (trouble: string) => void }): void {
    const judge = (result: FileChecked): void => {
      if (result.ok && result.text !== null) {
        // The role is where a node starts: taken over while running, this node would watch itself.
        this.#running = { ...result.config, role: this.#started.role };
        this.#writtenRole = result.config.role;
        this.#text = result.text;
        this.#refused = null;
        this.#bound = boundMissed(this.#running, Date.now());
        on.accepted();
      } else if (!result.ok) {
        this.#refused = firstProblem(result.problems);
        on.refused(this.#refused);
      }
    };
    this.#stop = watchConfig(this.#folder, judge, { running: this.#text });
  }

  close(): void {
    this.#stop();
  }
}
