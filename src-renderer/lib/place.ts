/** Which page the address asks for: its fragment, so that links, the back button and a reload work as everywhere. */
export type Place = 'overview' | 'backups' | 'doctor';

export const hrefOf: Record<Place, string> = { overview: '#overview', backups: '#backups', doctor: '#doctor' };

export function placeNow(): Place {
  if (location.hash === hrefOf.doctor) return 'doctor';
  return location.hash === hrefOf.backups ? 'backups' : 'overview';
}
