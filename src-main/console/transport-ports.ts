/**
 * The same router over a message port: Electron's for the tray's window, Node's own in tests. A port is handed over by
 * whoever made it, so there is no token here.
 */
import type { SupportedMessagePort } from '@orpc/client/message-port';
import { RPCHandler } from '@orpc/server/message-port';
import { makeRouter, type RouterOptions } from './router.ts';

export type { SupportedMessagePort };

/** Makes a function that serves the desk on any number of ports; each is served until its other end closes it. */
export function makePortServer(options: RouterOptions): (port: SupportedMessagePort) => void {
  const rpc = new RPCHandler(makeRouter(options));
  return (port) => {
    rpc.upgrade(port, { context: {} });
    // A port holds its messages back until it is started; `onmessage` would do it, listeners do not.
    if ('start' in port && typeof port.start === 'function') port.start();
  };
}
