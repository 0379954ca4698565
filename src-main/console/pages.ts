/**
 * The built page's files over HTTP: exact names from one folder, right types, caching for names that carry a hash.
 * Holds nothing secret: everybody who reaches the port may read them. Knows nothing of calls and tokens.
 */
import type { Stats } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
};

/**
 * The only paths there are: `/name.ext` and `/assets/name.ext` of plain characters, as they came over the wire. Nothing
 * is decoded, so no `%2e`, `%2f`, backslash or NUL ever becomes one; no dot files, no `..`.
 */
const pathPattern = /^\/(?:assets\/)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+$/;

const notBuilt = 'The page is not built; run npm run build\n';

/** Answers GET and HEAD of a page's file; everything unknown is 404. Never throws on what a client sent. */
export async function servePage(folder: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return plain(request, response, 405, 'Only GET and HEAD here\n');
  }
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const name = path === '/' ? '/index.html' : path;
  const type = types[extname(name)];
  if (!pathPattern.test(name) || type === undefined) return plain(request, response, 404, 'Not found\n');

  const file = join(folder, ...name.split('/'));
  const body = await readRegular(file);
  if (body === null) {
    return name === '/index.html'
      ? plain(request, response, 503, notBuilt)
      : plain(request, response, 404, 'Not found\n');
  }
  response.setHeader('Content-Type', type);
  response.setHeader(
    'Cache-Control',
    // Vite puts a hash of the content in the names under assets/.
    name.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
  );
  send(request, response, 200, body);
}

/** The file's bytes, or null if it is not there, not a plain file (a link could lead anywhere) or not readable. */
async function readRegular(file: string): Promise<Buffer | null> {
  try {
    const stats: Stats = await lstat(file);
    return stats.isFile() ? await readFile(file) : null;
  } catch {
    return null;
  }
}

function plain(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Cache-Control', 'no-store');
  send(request, response, status, Buffer.from(text));
}

function send(request: IncomingMessage, response: ServerResponse, status: number, body: Buffer): void {
  response.writeHead(status, { 'Content-Length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
}
