/**
 * The lab's network from outside: started, cut, mended. The process itself is network-main.ts.
 */
import { connect, type Socket } from 'node:net';
import { exitOf, freeze, isRunning, labScript, startChild, thaw } from './child.ts';
import type { NetworkOrder } from './network-main.ts';
import type { Place } from './place.ts';

export interface LabNetwork {
  readonly isCut: boolean;
  /** Pulls the spare's cable: to whatever it sends comes neither an answer nor a refusal. Not on Windows. */
  cut(): Promise<void>;
  mend(): void;
  stop(): Promise<void>;
}

/** A connection that is not accepted within this meets a full queue. */
const acceptedWithinMs = 250;
/** A queue of length 1 is full after two or three. */
const mostFillers = 8;

/**
 * Opens the active's ports and the gateway.
 * @throws EstepeError `port` (with the errno in `detail.code`) when an address or port cannot be had
 */
export async function startNetwork(place: Place): Promise<LabNetwork> {
  const { active, beyond, gateway, ports, dnsPort } = place;
  const argv = ['--near', active, '--far', beyond, '--gateway', gateway, '--dns', `${dnsPort}`];
  argv.push('--sip', `${ports.sip}`, '--web', `${ports.web}`, '--tunnel', `${ports.tunnel}`);
  const what = 'The lab’s network';
  const { child } = await startChild(what, labScript('network-main', what), argv);
  // A frozen child can't notice that its parent is gone.
  const last = (): void => void child.kill('SIGKILL');
  process.once('exit', last);
  let fillers: Socket[] = [];
  let isCut = false;
  return {
    get isCut() {
      return isCut;
    },
    async cut() {
      if (isCut || !isRunning(child)) return;
      const order: NetworkOrder = 'stand-open';
      const stands = new Promise<void>((done) => child.once('message', () => done()));
      child.send(order);
      await Promise.race([stands, exitOf(child)]);
      freeze(child);
      isCut = true;
      // The kernel accepts for a frozen process as long as its queue has room, and only then drops what comes.
      const full = [ports.sip, ports.web, ports.tunnel].map((port) => fill(active, port));
      fillers = (await Promise.all(full)).flat();
    },
    mend() {
      for (const filler of fillers.splice(0)) filler.destroy();
      isCut = false;
      thaw(child);
    },
    async stop() {
      process.removeListener('exit', last);
      for (const filler of fillers.splice(0)) filler.destroy();
      if (!isRunning(child)) return;
      child.kill('SIGKILL');
      await exitOf(child);
    },
  };
}

/** Connects until the kernel takes no more for this port; answers the connections, to be held as long as it shall stay so. */
async function fill(host: string, port: number): Promise<Socket[]> {
  const held: Socket[] = [];
  while (held.length < mostFillers) {
    const socket = connect({ host, port });
    socket.on('error', () => {});
    held.push(socket);
    const accepted = await new Promise<boolean>((resolve) => {
      const late = setTimeout(resolve, acceptedWithinMs, false);
      for (const event of ['connect', 'close'] as const) {
        socket.once(event, () => {
          clearTimeout(late);
          resolve(event === 'connect');
        });
      }
    });
    if (!accepted) break;
  }
  return held;
}
