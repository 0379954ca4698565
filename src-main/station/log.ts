/**
 * The engine's log: `<data>/logs/estepe.log`, rotated, one line per event and per fault. Secrets are taken out of every line.
 */
import { join } from 'node:path';
import electronLog from 'electron-log/node';
import { redact } from '../config/secrets.ts';
import type { Severity } from '../contract/words.ts';

/** One file and one older one of this size. */
const fileBytes = 8 * 1024 * 1024;

export interface Log {
  info(line: string): void;
  warn(line: string): void;
  error(line: string): void;
  /** an event of history, by its severity */
  event(severity: Severity, line: string): void;
}

/**
 * @param logs the folder for logs
 * @param secrets what must never be written, in any disguise; asked anew for every line
 */
export function openLog(logs: string, secrets: () => readonly string[]): Log {
  const log = electronLog.create({ logId: logs });
  log.transports.console.level = false;
  const { file } = log.transports;
  file.resolvePathFn = () => join(logs, 'estepe.log');
  file.maxSize = fileBytes;
  file.format = '{y}-{m}-{d} {h}:{i}:{s}.{ms} {level} {text}';
  // Asynchronous writes would be lost with the process that dies of what it just logged.
  file.sync = true;
  const clean = (line: string): string => redact(line, secrets()).replace(/\s*\n\s*/g, ' | ');
  const write = (level: 'info' | 'warn' | 'error', line: string): void => {
    try {
      log[level](clean(line));
    } catch {
      // a full disk costs the log, not the watch
    }
  };
  return {
    info: (line) => write('info', line),
    warn: (line) => write('warn', line),
    error: (line) => write('error', line),
    event: (severity, line) => write(severity === 'alert' ? 'error' : severity === 'warning' ? 'warn' : 'info', line),
  };
}
