/**
 * What the page may know of the shell around it. Runs sandboxed; gives the page no way to reach Electron or Node.
 */
import { contextBridge } from 'electron';

contextBridge.exposeInMainWorld('estepeShell', Object.freeze({ kind: 'window', platform: process.platform }));
