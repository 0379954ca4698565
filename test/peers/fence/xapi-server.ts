/**
 * A small server of our own that keeps the rules of 3CX's API (v20): token by client credentials, one alive at a time; services
 * listed and stopped by name; the API goes with its own service. TLS by the certificate that a test gives.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Leaf } from '../fixtures/certificates.ts';

export const client = { id: 'estepe', secret: 'kT9-x/secret+of=the&api' } as const;

export interface XapiServer {
  port: number;
  services: Map<string, 'Running' | 'Stopped'>;
  /** `POST /connect/token`, `GET /xapi/v1/Services` … with SNI and Host, in order */
  asked: { line: string; sni: unknown; host: string }[];
  stopped: string[][];
  /** how it misbehaves */
  moods: { sticks?: boolean; hangs?: boolean; forbids?: boolean; garbage?: boolean };
  stop(): Promise<void>;
}

export async function startXapi(leaf: Leaf, address = '127.0.0.1'): Promise<XapiServer> {
  const services: XapiServer['services'] = new Map([
    ['postgresql@15-main', 'Running'],
    ['3CXPhoneSystem01', 'Running'],
    ['3CXIVR01', 'Running'],
    ['3CXQueueManager01', 'Stopped'],
    ['3CXSystemService01', 'Running'],
  ]);
  const asked: XapiServer['asked'] = [];
  const stopped: string[][] = [];
  const moods: XapiServer['moods'] = {};
  let token = '';
  type Reply = { status: number; json?: unknown } | 'nothing' | 'gone';
  const logIn = (body: string): Reply => {
    const form = new URLSearchParams(body);
    const given = [form.get('client_id'), form.get('client_secret'), form.get('grant_type')].join(' ');
    if (given !== `${client.id} ${client.secret} client_credentials`)
      return { status: 400, json: { error: 'invalid_client', seen: body } };
    token = `token-${Math.random().toString(36).slice(2)}`;
    return { status: 200, json: { token_type: 'Bearer', expires_in: 3600, access_token: token } };
  };
  const stopServices = (body: string): Reply => {
    if (moods.forbids) return { status: 403 };
    const names = (JSON.parse(body) as { ServiceNames: string[] }).ServiceNames;
    stopped.push(names);
    if (moods.sticks) return { status: 204 };
    for (const name of names) services.set(name, 'Stopped');
    // The API's own service takes the answer with it.
    return names.includes('3CXSystemService01') ? 'gone' : { status: 204 };
  };
  const replyTo = (line: string, authorization: string | undefined, body: string): Reply => {
    if (moods.hangs) return 'nothing';
    if (line === 'POST /connect/token') return logIn(body);
    if (authorization !== `Bearer ${token}`) return { status: 401 };
    if (moods.garbage) return { status: 200, json: { token } };
    if (line === 'POST /xapi/v1/Services/Pbx.Stop') return stopServices(body);
    if (line !== 'GET /xapi/v1/Services') return { status: 404 };
    return {
      status: 200,
      json: { value: [...services].map(([Name, Status]) => ({ Name, DisplayName: Name, Status })) },
    };
  };
  const server = createServer({ key: readFileSync(leaf.key), cert: readFileSync(leaf.cert) }, (request, response) => {
    const { servername: sni } = request.socket as unknown as { servername?: unknown };
    const line = `${request.method} ${request.url}`;
    asked.push({ line, sni, host: request.headers.host ?? '' });
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const reply = replyTo(line, request.headers.authorization, Buffer.concat(chunks).toString());
      if (reply === 'nothing') return;
      if (reply === 'gone') {
        server.close();
        server.closeAllConnections();
        return;
      }
      response.writeHead(reply.status, { 'content-type': 'application/json' });
      response.end(reply.json === undefined ? '' : JSON.stringify(reply.json));
    });
  });
  await new Promise<void>((go) => server.listen(0, address, go));
  return {
    port: (server.address() as AddressInfo).port,
    services,
    asked,
    stopped,
    moods,
    stop: () =>
      new Promise((go) => {
        server.close(() => go());
        server.closeAllConnections();
      }),
  };
}
