/**
 * The lab's network between the spare and everything else, as a process of its own: the active's ports, carried to the host beyond, and
 * a gateway that answers DNS. Frozen as a whole it is a pulled cable: nothing comes back, not even a refusal.
 *
 *   node network-main.ts --near A --far F --gateway G --sip P --web P --tunnel P --dns P     (with IPC)
 */
import { createSocket } from 'node:dgram';
import { parseArgs } from 'node:util';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import type { FirstWord } from './child.ts';
import { type Door, TcpDoor, UdpDoor } from './network-doors.ts';

/** What the lab asks of this process, and is answered with the same word. */
export type NetworkOrder = 'stand-open';

const text = { type: 'string' } as const;

process.once('disconnect', () => process.exit(0));
if (process.connected) await serve();

async function serve(): Promise<void> {
  const { values } = parseArgs({
    options: { near: text, far: text, gateway: text, sip: text, web: text, tunnel: text, dns: text },
  });
  const { near = '', far = '', gateway = '', dns = '0' } = values;
  const between = (port: string | undefined) =>
    [
      { address: near, port: Number(port) },
      { address: far, port: Number(port) },
    ] as const;
  const doors: Door[] = [
    new UdpDoor(...between(values.sip)),
    new TcpDoor(...between(values.sip)),
    new TcpDoor(...between(values.web)),
    new TcpDoor(...between(values.tunnel)),
  ];
  const standOpen = (): Promise<unknown> => Promise.all(doors.map((door) => door.open()));
  try {
    await standOpen();
    await answerDns(gateway, Number(dns));
  } catch (error) {
    tell({ kind: 'failed', error: portTrouble(error).toJSON() });
    return;
  }
  process.on('message', (order: NetworkOrder) => {
    // What is refused beyond is refused here; a cut cable refuses nothing.
    void standOpen()
      .catch(() => {})
      .then(() => process.send?.(order));
  });
  tell({ kind: 'ready' });
}

function tell(word: FirstWord<object>): void {
  process.send?.(word, () => word.kind === 'failed' && process.exit(1));
}

function portTrouble(error: unknown): EstepeError {
  const code = error instanceof Error ? String(Reflect.get(error, 'code')) : '';
  return new EstepeError(
    'port',
    `The lab’s network cannot be opened: ${sentenceOf(error)}`,
    'See who uses that address and port.',
    { code },
  );
}

/** RFC 1035 §4.1.1: the question back, marked as an answer, NOERROR, no records. */
function answerDns(address: string, port: number): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (question, from) => {
    if (question.length < 12 || ((question[2] ?? 0) & 0x80) !== 0) return;
    const answer = Buffer.from(question);
    answer[2] = (answer[2] ?? 0) | 0x80;
    answer[3] = (answer[3] ?? 0) & 0xf0;
    socket.send(answer, from.port, from.address, () => {});
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ port, address, exclusive: true }, resolve);
  });
}
