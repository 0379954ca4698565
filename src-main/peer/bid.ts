/** Whether a node may be asked to stand down under an epoch. Pure. */
import type { LinkHooks } from './hooks.ts';

/**
 * The claim of the very epoch that is asked for may be known here already, and this node have stood down under it by itself; an
 * epoch beyond it is somebody else's.
 */
export const bidsOver = (
  epoch: number,
  { standing, highest, active, open }: ReturnType<LinkHooks['epochs']>,
): boolean => epoch >= open && epoch >= standing && !(active && epoch === standing) && epoch >= highest;
