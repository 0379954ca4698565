/** The peer link with the engine it speaks for. Wires; decides nothing. */
import { pbxVersion } from '../backup/sources/pbx-version.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { type Config, ownTarget, toPeerLink } from '../config/schema.ts';
import type { Severity } from '../contract/words.ts';
import type { Clock, Proc, Random } from '../engine/ports.ts';
import type { BackupMade, StandDownEnd } from '../peer/hooks.ts';
import { PeerLink } from '../peer/link.ts';
import { callsHere } from '../runbook/calls.ts';
import { givesWayFrom } from '../runbook/giving-way.ts';
import type { Engine } from './engine.ts';
import type { OtherNode } from './other-node.ts';
import { parityFacts } from './parity-facts.ts';

export interface PeerParts {
  ports: { clock: Clock; proc: Proc; random: Random };
  engine: Engine;
  folder: DataFolder;
  version: string;
  config(): Config;
  other: Pick<OtherNode, 'hear' | 'forget' | 'ownWord' | 'ownRound'>;
  /** the other node asks this one to stand down: answers when it has, or will not */
  askedToStandDown(epoch: number, because: string): Promise<StandDownEnd>;
  /** the other node wants a backup of this one */
  askedForBackup(because: string, onProgress: (sentence: string) => void): Promise<BackupMade>;
  note(severity: Severity, rule: string, reason: string): void;
  onFault(error: unknown): void;
  onChange(): void;
}

export interface PeerWiring {
  link: PeerLink;
  /** by the configuration as it is now */
  configure(): void;
  close(): Promise<void>;
}

/** The other node waits 4 s for all facts. */
const versionWithinMs = 3_000;

export function wirePeer(parts: PeerParts): PeerWiring {
  const { engine, other, version, folder } = parts;
  const { clock, proc, random } = parts.ports;
  const ended = new AbortController();
  const link = new PeerLink(
    {
      ...{ clock, random, life: random.hex(16), version },
      ...{ note: parts.note, onFault: parts.onFault, onChange: parts.onChange },
      self: () => {
        const { pair } = parts.config();
        return { pair: pair.name, fqdn: pair.fqdn, place: ownTarget(parts.config()).address };
      },
      intervalMs: () => engine.site.policy.intervalMs,
      ownWord: () => other.ownWord(),
      onWord: (word) => other.hear('peer-link', word),
      epochs: () => {
        const { standing, highestEpoch } = engine.interpreter.observation();
        const open = givesWayFrom(engine.runner.record);
        return { standing: standing.epoch, highest: highestEpoch, active: standing.role === 'active', open };
      },
      onStandDown: parts.askedToStandDown,
      whyNoBackup: (epoch) => engine.whyNoBackup(epoch),
      onBackup: (_epoch, because, onProgress) => parts.askedForBackup(because, onProgress),
      facts: async () => {
        const config = parts.config();
        const running = { proc, runToken: random.hex(8), timeoutMs: versionWithinMs, signal: ended.signal };
        return parityFacts({
          ...{ config, version, dataFolder: folder.root, wall: clock.wall(), round: other.ownRound() },
          pbxVersion: await pbxVersion(config.pair.profile, running),
        });
      },
      calls: () => {
        const { services } = parts.config();
        const running = { proc, cwd: folder.scripts, runToken: random.hex(8), signal: ended.signal };
        return callsHere(services.calls, running);
      },
      onUnpaired: () => other.forget('peer-link'),
    },
    { secrets: folder.secrets, pinned: folder.peer },
  );
  return {
    link,
    configure: () => {
      const ends = toPeerLink(parts.config());
      void link.configure(ends);
    },
    close: () => {
      ended.abort();
      return link.close();
    },
  };
}
