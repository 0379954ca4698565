/** By what an old active can be silenced, as the fence step knows them. Types only. */
import type { StandDownAnswer } from '../../engine/ports.ts';

/** The peer link, as far as fencing needs it. */
export interface PeerFence {
  /** the other node's engine is known here: without that there is nobody to ask */
  isPaired(): boolean;
  askStandDown(epoch: number, because: string, signal: AbortSignal): Promise<StandDownAnswer>;
}

/** Where the PBX's own API of the old node is asked, and as whom. */
export interface PbxApiPlan {
  address: string;
  port: number;
  fqdn: string;
  clientId: string;
  /** name of the secret */
  secret: string;
  /** for all of it, milliseconds */
  timeoutMs: number;
}

export interface PbxApiEnd {
  /** `checked`: a dry run reached it; `unreachable`: nobody answered, nothing was asked */
  outcome: 'stopped' | 'checked' | 'not-stopped' | 'unreachable';
  sentence: string;
}

/** The PBX's own API. Never rejects; ends by its time-out or by `signal`. */
export interface PbxApi {
  stop(plan: PbxApiPlan, how: { dryRun: boolean; signal: AbortSignal }): Promise<PbxApiEnd>;
}
