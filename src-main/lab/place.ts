/**
 * Where a lab lives: loopback addresses and ports that no other lab and no PBX of this machine uses. Chosen anew for each try; who
 * opens the active's ports first has the place. Opens nothing itself but to look.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { EstepeError } from '../contract/errors.ts';
import type { PbxPorts } from './embedded-pbx-servers.ts';

export interface Place {
  /** the active as the spare sees it, across the lab's network */
  active: string;
  /** where the active's PBX really listens, beyond that network */
  beyond: string;
  spare: string;
  gateway: string;
  ports: PbxPorts;
  dnsPort: number;
}

/** Tries before it is given up; ports that a PBX of this machine holds on every address are left from the third try on. */
export const mostTries = 6;

/** Linux and Windows have all of 127.0.0.0/8. Elsewhere an admin has to add addresses, so there they are always the same. */
function networkFor(platform: NodeJS.Platform, random: () => number): string {
  if (platform !== 'linux' && platform !== 'win32') return '127.0.77';
  const between = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));
  return `127.${between(16, 250)}.${between(1, 250)}`;
}

/** @param attempt 0 for the first */
export function placeFor(attempt: number, platform = process.platform, random: () => number = Math.random): Place {
  const network = networkFor(platform, random);
  // Below the range from which systems take ports for their own connections, which may hold one on every address.
  const shift = Math.floor(attempt / 2) * 5_000;
  return {
    active: `${network}.1`,
    spare: `${network}.2`,
    beyond: `${network}.11`,
    gateway: `${network}.254`,
    ports: { sip: 5060 + shift, web: 5001 + shift, tunnel: 5090 + shift },
    dnsPort: 1053 + shift,
  };
}

/** What a missing address comes to, in words an admin can act on. */
export function noSuchAddress(place: Place, platform = process.platform): EstepeError {
  const wanted = [place.active, place.spare, place.beyond, place.gateway];
  const todo =
    platform === 'darwin'
      ? `Add them for as long as the machine runs: ${wanted.map((ip) => `sudo ifconfig lo0 alias ${ip}`).join(' && ')}`
      : 'Give the loopback interface these addresses, or run the lab on Linux, which has them all.';
  return new EstepeError(
    'runtime',
    `The lab puts each node on a loopback address of its own (${wanted.join(', ')}), and this system does not have them.`,
    todo,
    { addresses: wanted },
  );
}

/** Whether a PBX could be started on this address now: every port is opened once and closed again. */
export async function portsFree(address: string, { sip, web, tunnel }: PbxPorts): Promise<boolean> {
  const free = await Promise.all([udpFree(address, sip), ...[sip, web, tunnel].map((port) => tcpFree(address, port))]);
  return free.every((each) => each);
}

function tcpFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function udpFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(true)));
  });
}
