/**
 * Starts the real console over the desk double and speaks to it as strangers do: raw HTTP with any header, any body.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/fetch';
import type { ContractRouterClient } from '@orpc/contract';
import { type ConsoleLimits, type RunningConsole, startConsole } from '../../../src-main/console/server.ts';
import type { contract } from '../../../src-main/contract/contract.ts';
import { type DeskDouble, makeDeskDouble } from './desk-double.ts';

export const token = 'f3f1c0de'.repeat(4);
export type Client = ContractRouterClient<typeof contract>;

export interface UnderTest {
  desk: DeskDouble;
  running: RunningConsole;
  /** a folder with a small page: index.html, assets/, and next to it a file that must never be served */
  folder: string;
  faults: unknown[];
  client: Client;
  end(): Promise<void>;
}

export const planted = 'planted-outside-the-folder';

export async function consoleUnderTest(limits: Partial<ConsoleLimits> = {}): Promise<UnderTest> {
  const top = mkdtempSync(join(tmpdir(), 'estepe-console-'));
  const folder = join(top, 'renderer');
  mkdirSync(join(folder, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(folder, 'assets', 'index-Ab12_x.js'), 'export {};');
  writeFileSync(join(folder, '.hidden.js'), planted);
  writeFileSync(join(top, 'outside.js'), planted);
  symlinkSync(join(top, 'outside.js'), join(folder, 'link.js'));

  const desk = makeDeskDouble();
  const faults: unknown[] = [];
  const running = await startConsole({
    desk,
    host: '127.0.0.1',
    port: 0,
    token,
    rendererFolder: folder,
    version: '9.9.9',
    limits,
    onFault: (error) => faults.push(error),
  });
  return {
    desk,
    running,
    folder,
    faults,
    client: clientOf(running.url, token),
    async end() {
      await running.close();
      rmSync(top, { recursive: true, force: true });
    },
  };
}

export function clientOf(url: string, bearer: string): Client {
  return createORPCClient(new RPCLink({ url: `${url}rpc`, headers: { authorization: `Bearer ${bearer}` } }));
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Ask {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** One request with exactly these headers. `path` goes over the wire as it is. */
export function ask(port: number, { method = 'GET', path = '/', headers = {}, body }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A call with the right token and type; `headers` replace or add. */
export function call(port: number, path: string, body: string | Buffer, headers: Record<string, string> = {}) {
  return ask(port, {
    method: 'POST',
    path: `/rpc/${path}`,
    body,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
  });
}

/** Bytes as they are; resolves with all that came back until the other side closed. */
export function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? resolve(text) : reject(error)));
    socket.on('close', () => resolve(text));
  });
}
