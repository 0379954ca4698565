/**
 * A double of the little of Electron that the window touches. Keeps the real one's rules as far as they matter here: handlers are
 * kept and can be asked, a destroyed window throws, a prevented event goes nowhere. Decides nothing.
 */
import { EventEmitter } from 'node:events';

type OpenHandler = (details: { url: string }) => { action: 'allow' | 'deny' };

export class ContentsDouble extends EventEmitter {
  openHandler: OpenHandler = () => ({ action: 'allow' });

  setWindowOpenHandler(handler: OpenHandler): void {
    this.openHandler = handler;
  }

  /** Emits a navigation as Electron does; answers whether it would happen. */
  navigates(kind: 'will-navigate' | 'will-redirect' | 'will-frame-navigate', url: string): boolean {
    let prevented = false;
    this.emit(kind, {
      url,
      preventDefault: () => {
        prevented = true;
      },
    });
    return !prevented;
  }
}

export interface SessionDouble {
  partition: string;
  request: ((contents: unknown, permission: string, answer: (granted: boolean) => void) => void) | null;
  check: (() => boolean) | null;
  device: (() => boolean) | null;
}

export const sessions: SessionDouble[] = [];
export const windows: BrowserWindow[] = [];

export const session = {
  fromPartition(partition: string) {
    const made: SessionDouble = { partition, request: null, check: null, device: null };
    sessions.push(made);
    return Object.assign(made, {
      setPermissionRequestHandler(handler: SessionDouble['request']) {
        made.request = handler;
      },
      setPermissionCheckHandler(handler: SessionDouble['check']) {
        made.check = handler;
      },
      setDevicePermissionHandler(handler: SessionDouble['device']) {
        made.device = handler;
      },
    });
  },
};

export class BrowserWindow extends EventEmitter {
  readonly options: Record<string, unknown>;
  readonly webContents = new ContentsDouble();
  loaded: string[] = [];
  shown = false;
  #destroyed = false;

  constructor(options: Record<string, unknown>) {
    super();
    this.options = options;
    windows.push(this);
  }

  async loadURL(url: string): Promise<void> {
    this.#alive();
    this.loaded.push(url);
  }

  show(): void {
    this.#alive();
    this.shown = true;
  }

  destroy(): void {
    this.#destroyed = true;
    this.emit('closed');
  }

  #alive(): void {
    if (this.#destroyed) throw new TypeError('Object has been destroyed');
  }
}
