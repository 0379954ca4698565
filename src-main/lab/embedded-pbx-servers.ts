/**
 * The sockets of the lab's PBX: SIP on UDP and TCP, HTTPS, the tunnel port. Really answers, keeps no state but counters.
 * Knows nothing of the engine or of how its process is started.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, isIPv6, type Server, type Socket } from 'node:net';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import type { PbxCertificate } from './embedded-pbx-certificate.ts';
import { answerSip, takeMessages } from './embedded-pbx-sip.ts';

export interface PbxPorts {
  sip: number;
  web: number;
  tunnel: number;
}

export interface PbxServersOptions {
  address: string;
  /** 0: a free one */
  ports: PbxPorts;
  fqdn: string;
  certificate: Pick<PbxCertificate, 'cert' | 'key'>;
}

/**
 * Opens all four sockets or none.
 * @throws EstepeError `port`: one of them is taken or not allowed
 */
export async function openPbxServers(options: PbxServersOptions): Promise<{ ports: PbxPorts; close(): Promise<void> }> {
  const opened: (Server | UdpSocket)[] = [];
  const streams = new Set<Socket>();
  const close = async (): Promise<void> => {
    for (const stream of streams) stream.destroy();
    await Promise.all(opened.map((server) => new Promise<void>((done) => server.close(() => done()))));
  };
  const own = { address: options.address, port: 0, fqdn: options.fqdn };
  const counts = { sip: 0, since: new Date() };
  const keep = (stream: Socket): void => {
    streams.add(stream);
    stream.on('error', () => stream.destroy());
    stream.once('close', () => streams.delete(stream));
  };
  try {
    const { sip, port } = await openSip(options, own, keep, () => counts.sip++);
    opened.push(...sip);
    own.port = port;
    const web = createHttps({ cert: options.certificate.cert, key: options.certificate.key }, (request, response) => {
      const found = request.url === '/' || request.url?.startsWith('/?') === true;
      response.writeHead(found ? 200 : 404, { 'content-type': 'text/html; charset=utf-8', server: 'Estepe-Lab-PBX' });
      response.end(found ? statusPage(options, counts) : '<!doctype html><title>Not found</title><p>Not found');
    });
    web.on('connection', keep);
    web.on('tlsClientError', (_error, stream) => stream.destroy());
    opened.push(web);
    await listen(web, options.ports.web, options.address, 'web');
    const tunnel = createTcp((stream) => {
      keep(stream);
      stream.resume();
    });
    opened.push(tunnel);
    await listen(tunnel, options.ports.tunnel, options.address, 'tunnel');
    return { ports: { sip: port, web: portOf(web), tunnel: portOf(tunnel) }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Own = { address: string; port: number; fqdn: string };

/** UDP and TCP on one number; a free one is tried again when its other half is taken. */
async function openSip(
  options: PbxServersOptions,
  own: Own,
  keep: (stream: Socket) => void,
  count: () => void,
): Promise<{ sip: (Server | UdpSocket)[]; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const tcp = createTcp((stream) => {
      keep(stream);
      serveSipStream(stream, own, count);
    });
    await listen(tcp, options.ports.sip, options.address, 'SIP');
    const port = portOf(tcp);
    const udp = sipDatagrams(options.address, own, count);
    try {
      await bind(udp, port, options.address);
      return { sip: [tcp, udp], port };
    } catch (error) {
      tcp.close();
      udp.close();
      if (options.ports.sip !== 0 || attempt === 20) throw error;
    }
  }
}

function sipDatagrams(address: string, own: Own, count: () => void): UdpSocket {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  socket.on('message', (message, from) => {
    const answer = answerSip(message.toString('utf8'), { transport: 'udp', from, own });
    if (answer === null) return;
    count();
    // An answer that can't be delivered is the asker's to notice.
    socket.send(answer.text, answer.to.port, answer.to.address, () => {});
  });
  return socket;
}

function serveSipStream(stream: Socket, own: Own, count: () => void): void {
  let rest: Buffer = Buffer.alloc(0);
  const from = { address: stream.remoteAddress ?? '', port: stream.remotePort ?? 0 };
  stream.on('data', (chunk) => {
    const taken = takeMessages(Buffer.concat([rest, chunk]));
    rest = taken.rest;
    for (let i = 0; i < taken.keepAlives; i++) stream.write('\r\n');
    for (const message of taken.messages) {
      const answer = answerSip(message, { transport: 'tcp', from, own });
      if (answer === null) continue;
      count();
      stream.write(answer.text);
    }
    if (taken.broken) stream.destroy();
  });
}

function statusPage(options: PbxServersOptions, counts: { sip: number; since: Date }): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Lab PBX ${options.fqdn}</title>
<h1>Lab PBX</h1><p>${options.fqdn} on ${options.address}, up since ${counts.since.toISOString()}, ${counts.sip} SIP answers.</p>`;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function listen(server: Server, port: number, address: string, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(portError(error, `${what} (TCP)`, address, port)));
    server.listen({ port, host: address, exclusive: true }, resolve);
  });
}

function bind(socket: UdpSocket, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => reject(portError(error, 'SIP (UDP)', address, port)));
    socket.bind({ port, address, exclusive: true }, resolve);
  });
}

function portError(error: Error, what: string, address: string, port: number): EstepeError {
  return new EstepeError(
    'port',
    `The lab's PBX cannot open ${what} on ${address} port ${port}: ${sentenceOf(error)}`,
    'Free the port or choose another one; 0 takes any free port.',
    { address, port },
    error,
  );
}
