/**
 * References: things outside the pair whose answer says "the fault is not ours". Any sign of life counts, a refusal too.
 * Knows numeric endpoints and gateways; names are looked up by the caller.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { Proc, ReferenceBeat } from '../engine/ports.ts';
import { attempt } from './attempt.ts';
import { blame, codeOf, type Endpoint, type Finding, oneLine, place, span, wordsOf } from './evidence.ts';
import { sipOptions } from './sip.ts';

/** What a reference said. `answered` null: the question could not be asked. */
export type Answer = Pick<ReferenceBeat, 'answered' | 'evidence'>;

/** What every reference is asked with. */
export interface Asking {
  timeoutMs: number;
  signal: AbortSignal;
  source?: string | undefined;
}

/** In an attempt `unknown` stands for "could not be asked". */
function answerOf(finding: Finding): Answer {
  const answered = finding.outcome === 'unknown' ? null : finding.outcome === 'alive';
  return { answered, evidence: finding.evidence };
}

const could = (evidence: string): Finding => ({ outcome: 'unknown', evidence });
const answers = (evidence: string): Finding => ({ outcome: 'alive', evidence });
const silent = (evidence: string): Finding => ({ outcome: 'dead', evidence });

function faultOf(error: Error, end: Endpoint): Finding {
  const words = `${codeOf(error) || wordsOf(error)} ${place(end)}`;
  return blame(error) === 'remote' ? silent(words) : could(`this machine could not ask: ${words}`);
}

/** A TCP connection that is accepted or refused by a RST: something out there lives either way. */
export async function askTcp(end: Endpoint, { timeoutMs, signal, source }: Asking): Promise<Answer> {
  const nothing = (): Finding => silent(`no answer from ${place(end)} within ${span(timeoutMs)}`);
  const finding = await attempt(timeoutMs, signal, nothing, (a) => {
    const from = source === undefined ? {} : { localAddress: source };
    const socket = connect({ host: end.address, port: end.port, family: end.family, ...from });
    a.onEnd(() => socket.destroy());
    socket.once(
      'connect',
      a.safely(() => a.settle(answers(`${place(end)} accepts`))),
    );
    socket.on(
      'error',
      a.safely((error: Error) => {
        const reset = codeOf(error) === 'ECONNREFUSED' || codeOf(error) === 'ECONNRESET';
        a.settle(reset ? answers(`${place(end)} refuses, so it lives`) : faultOf(error, end));
      }),
    );
  });
  return answerOf(finding);
}

/** RFC 1035 §4.1.1 */
const dnsCodes = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

/** "Who serves the root?": the smallest question there is, and one that every server has some answer to. */
function dnsQuestion(id: number): Buffer {
  const header = Buffer.from([id >> 8, id & 0xff, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, Buffer.from([0, 0, 2, 0, 1])]);
}

/** Any DNS answer with our id, REFUSED and NXDOMAIN included. Asked again each second, since UDP loses. */
export async function askDns(end: Endpoint, { timeoutMs, signal, source }: Asking): Promise<Answer> {
  const nothing = (): Finding => silent(`no DNS answer from ${place(end)} within ${span(timeoutMs)}`);
  const finding = await attempt(timeoutMs, signal, nothing, (a) => {
    const id = randomInt(0x1_0000);
    const socket = createSocket(end.family === 6 ? 'udp6' : 'udp4');
    a.onEnd(() => socket.close());
    const fault = a.safely((error: Error) => a.settle(faultOf(error, end)));
    socket.on('error', fault);
    socket.on(
      'message',
      a.safely((bytes: Buffer) => {
        const ours = bytes.length >= 12 && bytes.readUInt16BE(0) === id && ((bytes[2] ?? 0) & 0x80) !== 0;
        if (!ours) return;
        const code = (bytes[3] ?? 0) & 0x0f;
        a.settle(answers(`${place(end)} answers ${dnsCodes[code] ?? `code ${code}`}`));
      }),
    );
    const send = (): void => {
      socket.send(dnsQuestion(id), (error) => {
        if (error !== null) fault(error);
      });
    };
    const ask = a.safely(() => {
      socket.connect(end.port, end.address);
      socket.once('connect', () => {
        send();
        for (let at = 1000; at < timeoutMs; at += 1000) a.later(at, send);
      });
    });
    if (source === undefined) ask();
    else socket.bind({ address: source, port: 0 }, ask);
  });
  return answerOf(finding);
}

/** OPTIONS over UDP; any reply to it that parses counts, a provisional one too. */
export async function askSip(end: Endpoint, host: string, asking: Asking): Promise<Answer> {
  const { timeoutMs, signal, source } = asking;
  const finding = await sipOptions({ transport: 'udp', end, fqdn: host, timeoutMs, source }, signal);
  const replied = finding.outcome === 'alive' || finding.outcome === 'degraded' || finding.detail?.provisional === true;
  const answered = finding.outcome === 'unknown' ? null : replied;
  return { answered, evidence: finding.evidence };
}

/** The system's own `ping`, because raw sockets need rights that an engine should not have. */
export function pingArguments(platform: NodeJS.Platform, host: string, timeoutMs: number): string[] {
  const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1000)));
  // Windows: three echoes, each waited for a third of the time
  if (platform === 'win32') return ['ping', '-n', '3', '-w', String(Math.max(100, Math.floor(timeoutMs / 3))), host];
  if (platform === 'darwin') return ['ping', '-n', '-o', '-t', seconds, host];
  // iputils and busybox: with a deadline -w it sends each second until -c replies came
  return ['ping', '-n', '-c', '1', '-w', seconds, host];
}

/** One echo answered. Null where `ping` is not installed or may not be run. */
export async function askPing(host: string, proc: Proc, runToken: string, asking: Asking): Promise<Answer> {
  const { timeoutMs, signal } = asking;
  const result = await proc.run({
    argv: pingArguments(process.platform, host, timeoutMs),
    cwd: process.cwd(),
    env: { LC_ALL: 'C' },
    // ping keeps its own deadline in whole seconds
    timeoutMs: timeoutMs + 1000,
    runToken,
    signal,
  });
  const { end, output } = result;
  if (end.how === 'not-started') return { answered: null, evidence: `ping could not be run: ${oneLine(end.why, 120)}` };
  if (end.how === 'cancelled') return { answered: null, evidence: 'cancelled' };
  const nothing = { answered: false, evidence: `${oneLine(host, 80)} does not answer ping` };
  if (end.how === 'timeout') return nothing;
  if (end.how === 'signal') return { answered: null, evidence: `ping was ended by ${end.signal}` };
  // Windows exits 0 on "destination host unreachable" too; only a true IPv4 reply shows its TTL
  const truly = process.platform !== 'win32' || host.includes(':') || /TTL[=:]/i.test(output);
  if (end.code === 0 && truly) {
    const time = /(?:time|Zeit|tempo|tiempo|temps)\s*[=<]\s*[\d.,]+\s*ms/i.exec(output)?.[0] ?? '';
    return { answered: true, evidence: oneLine(`${host} answers ping ${time}`, 120) };
  }
  // iputils: 1 is silence, 2 is its own trouble ("socket: Operation not permitted", "Network is unreachable")
  if (end.code > 1 && !/unreachable/i.test(output)) {
    const first = output.split('\n').find((line) => line.trim() !== '') ?? `exit ${end.code}`;
    return { answered: null, evidence: `ping could not ask: ${oneLine(first, 120)}` };
  }
  return nothing;
}
