/** Which page the address asks for: its fragment, so that links, the back button and a reload work as everywhere. */
export type Place = 'overview' | 'backups';

export const hrefOf: Record<Place, string> = { overview: '#overview', backups: '#backups' };

export function placeNow(): Place {
  return location.hash === hrefOf.backups ? 'backups' : 'overview';
}
