/**
 * The `tunnel` test: the TCP port accepts and does not close at once. It says "port accepts" and never "tunnel works":
 * the kernel accepts for a process that is stopped (SIGSTOP) or hung as long as its backlog has room, so this test passes
 * on a hung server. That is why it is one test of several and a poor choice as the only one.
 */
import { connect } from 'node:net';
import { attempt } from './attempt.ts';
import { type Endpoint, type Finding, place, socketFault, span } from './evidence.ts';

export interface TunnelQuestion {
  end: Endpoint;
  timeoutMs: number;
  /** what the whole test may take, a look-up of its name included, as evidence says it; default: `timeoutMs` */
  wholeMs?: number | undefined;
  source?: string | undefined;
}

/** How long an accepted connection must stay open, milliseconds: a port that is only forwarded closes at once. */
const holdMs = 300;

/** Asks once. Never rejects; ends by its time-out or by `signal`. */
export function tunnelAccepts(
  { end, timeoutMs, wholeMs = timeoutMs, source }: TunnelQuestion,
  signal: AbortSignal,
): Promise<Finding> {
  let accepted = false;
  const accepts = (): Finding => ({ outcome: 'alive', evidence: `port accepts (${place(end)})` });
  const closed = (how: string): Finding => ({
    outcome: 'dead',
    there: true,
    evidence: `${place(end)} accepts and ${how} at once`,
  });
  return attempt(
    timeoutMs,
    signal,
    () =>
      accepted
        ? accepts()
        : { outcome: 'dead', evidence: `no connection to ${place(end)} within ${span(wholeMs)}`, silent: true },
    (a) => {
      const socket = connect({
        host: end.address,
        port: end.port,
        family: end.family,
        ...(source === undefined ? {} : { localAddress: source }),
      });
      a.onEnd(() => socket.destroy());
      socket.on(
        'error',
        a.safely((error: Error) => a.settle(accepted ? closed('resets') : socketFault(error, end))),
      );
      socket.once(
        'connect',
        a.safely(() => {
          accepted = true;
          // a FIN is seen only by reading; whatever the server says first is let go
          socket.resume();
          a.later(holdMs, () => a.settle(accepts()));
        }),
      );
      socket.on(
        'end',
        a.safely(() => a.settle(closed('closes'))),
      );
      socket.on(
        'close',
        a.safely(() => a.settle(closed('closes'))),
      );
    },
  );
}
