/**
 * What the icons beside the clock are called and where they lie. `npm run icons` draws them by these names and the shell
 * shows them, so that neither can have one that the other does not know. Imports no Electron: the drawing uses it, too.
 */
import { join } from 'node:path';

/** What the icon tells at a glance, each by a shape of its own. */
export const trayStates = [
  /** the spare is good: the wheel, whole and without a sign */
  'healthy',
  /** a test failed, nothing is proven yet: a warning triangle */
  'suspect',
  /** the other node is proven dead, or a person is asked: a cross on a stop sign */
  'down',
  /** a runbook is on its way: an arrow upwards */
  'promoting',
  /** this node serves: a solid wheel */
  'active',
  /** no takeover by itself for a while: two bars */
  'maintenance',
  /** no engine answers: a wheel in dashes, struck through */
  'unreachable',
] as const;
export type TrayState = (typeof trayStates)[number];

/** The task bar that the icon lies on: dark strokes for a light one, light strokes for a dark one. */
export const trayThemes = ['light', 'dark'] as const;
export type TrayTheme = (typeof trayThemes)[number];

/**
 * `tray-<state>-<theme>.ico` for Windows (16 to 48 pixels in one file) or `.png`, beside which `@1.25x`, `@1.5x` and `@2x`
 * lie as nativeImage looks for them.
 */
export function trayIconFile(state: TrayState, theme: TrayTheme, kind: 'ico' | 'png'): string {
  return `tray-${state}-${theme}.${kind}`;
}

/**
 * The folder of the drawn icons (also `app.ico`, and `app/512x512.png` with its smaller ones).
 * @param resources `process.resourcesPath` of a packaged application, null where it runs from the repository
 * @param repository the repository's folder
 */
export function iconFolder(resources: string | null, repository: string): string {
  return resources === null ? join(repository, 'build', 'icons', 'drawn') : join(resources, 'icons');
}
