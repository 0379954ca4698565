/**
 * One port of the active as the spare sees it across the lab's network: what comes in is carried to the host beyond, and a port that is
 * refused there is shut here too, so that a killed PBX looks killed and not merely mute. Knows no protocol above UDP and TCP.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface DoorEnd {
  address: string;
  port: number;
}

export interface Door {
  /** Rejects when the port is taken or the address is not this machine's. */
  open(): Promise<void>;
  close(): void;
}

/** Between two looks at whether a port that was refused is there again. */
const lookEveryMs = 100;
/** A closed UDP port of this machine refuses at once; what is silent for so long is open. */
const refusedWithinMs = 60;
/** A way nobody used for so long is given up. */
const idleMs = 30_000;

/** Opens and shuts a door as the port beyond does. */
abstract class Mirror implements Door {
  protected readonly near: DoorEnd;
  protected readonly far: DoorEnd;
  #looking: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(near: DoorEnd, far: DoorEnd) {
    this.near = near;
    this.far = far;
  }

  protected abstract listen(): Promise<void>;
  protected abstract deafen(): void;
  protected abstract isOpenBeyond(): Promise<boolean>;

  async open(): Promise<void> {
    this.#stopLooking();
    await this.listen();
  }

  close(): void {
    this.#closed = true;
    this.#stopLooking();
    this.deafen();
  }

  /** The port beyond refused: so does this one, until that one is back. */
  protected refused(): void {
    if (this.#looking !== null || this.#closed) return;
    this.deafen();
    const look = async (): Promise<void> => {
      const back = await this.isOpenBeyond();
      if (this.#looking === null) return;
      // taken by somebody meanwhile: tried again
      if (back && (await this.listen().then(...settled))) return this.#stopLooking();
      this.#looking = setTimeout(look, lookEveryMs);
    };
    this.#looking = setTimeout(look, lookEveryMs);
  }

  #stopLooking(): void {
    if (this.#looking !== null) clearTimeout(this.#looking);
    this.#looking = null;
  }
}

const settled = [() => true, () => false] as const;

export class TcpDoor extends Mirror {
  #server: Server | null = null;
  readonly #streams = new Set<Socket>();

  protected listen(): Promise<void> {
    if (this.#server !== null) return Promise.resolve();
    const server = createServer((near) => this.#carry(near));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        this.#server = null;
        reject(error);
      });
      // A short queue: once this process is frozen and the queue is full, even the first packet of a connection is dropped.
      server.listen({ port: this.near.port, host: this.near.address, exclusive: true, backlog: 1 }, resolve);
    });
  }

  protected deafen(): void {
    this.#server?.close();
    this.#server = null;
  }

  override close(): void {
    super.close();
    for (const stream of this.#streams) stream.destroy();
  }

  protected isOpenBeyond(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect({ host: this.far.address, port: this.far.port });
      const end = (open: boolean) => () => {
        socket.destroy();
        resolve(open);
      };
      socket.once('connect', end(true));
      socket.once('error', end(false));
    });
  }

  #carry(near: Socket): void {
    const far = connect({ host: this.far.address, port: this.far.port });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#streams.add(one);
      one.pipe(other);
      one.on('error', (error: NodeJS.ErrnoException) => {
        if (one === far && error.code === 'ECONNREFUSED') this.refused();
        // what broke on one side breaks on the other, rather than end in good order
        other.resetAndDestroy();
      });
      one.once('close', () => {
        this.#streams.delete(one);
        other.destroySoon();
      });
    }
  }
}

export class UdpDoor extends Mirror {
  #near: UdpSocket | null = null;
  readonly #ways = new Map<string, { send: (bytes: Buffer) => void; end: () => void }>();

  protected listen(): Promise<void> {
    if (this.#near !== null) return Promise.resolve();
    const near = createSocket('udp4');
    this.#near = near;
    near.on('message', (bytes, from) => this.#wayFor(near, from).send(bytes));
    return new Promise((resolve, reject) => {
      near.once('error', (error) => {
        this.#near = null;
        reject(error);
      });
      near.bind({ port: this.near.port, address: this.near.address, exclusive: true }, () => {
        near.removeAllListeners('error');
        // an answer that cannot be delivered is the asker's to notice
        near.on('error', () => {});
        resolve();
      });
    });
  }

  protected deafen(): void {
    for (const way of this.#ways.values()) way.end();
    this.#near?.close();
    this.#near = null;
  }

  protected async isOpenBeyond(): Promise<boolean> {
    const socket = createSocket('udp4');
    const refused = new Promise<boolean>((resolve) => socket.once('error', () => resolve(false)));
    socket.connect(this.far.port, this.far.address, () => socket.send('\r\n\r\n', () => {}));
    const silent = new Promise<boolean>((resolve) => setTimeout(resolve, refusedWithinMs, true));
    const open = await Promise.race([refused, silent]);
    socket.on('error', () => {});
    socket.close();
    return open;
  }

  /** A connected socket for each asker: it hears of a refusal, and answers find their way back. */
  #wayFor(near: UdpSocket, from: DoorEnd): { send: (bytes: Buffer) => void } {
    const key = `${from.address}:${from.port}`;
    const known = this.#ways.get(key);
    if (known) return known;
    const far = createSocket('udp4');
    const waiting: Buffer[] = [];
    let connected = false;
    const end = (): void => {
      clearTimeout(idle);
      if (this.#ways.delete(key)) far.close();
    };
    const idle = setTimeout(end, idleMs);
    const post = (bytes: Buffer): void => far.send(bytes, (error) => error && this.refused());
    const way = {
      end,
      send: (bytes: Buffer): void => {
        idle.refresh();
        if (connected) post(bytes);
        else waiting.push(bytes);
      },
    };
    this.#ways.set(key, way);
    far.on('error', () => this.refused());
    far.on('message', (bytes) => near.send(bytes, from.port, from.address, () => {}));
    far.connect(this.far.port, this.far.address, () => {
      connected = true;
      for (const bytes of waiting.splice(0)) post(bytes);
    });
    return way;
  }
}
