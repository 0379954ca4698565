/** Which page the address asks for: its fragment, so that links, the back button and a reload work as everywhere. */
export type Place = 'overview' | 'history' | 'backups' | 'doctor' | 'drill' | 'notifications' | 'settings';

export const hrefOf: Record<Place, string> = {
  overview: '#overview',
  history: '#history',
  backups: '#backups',
  doctor: '#doctor',
  drill: '#drill',
  notifications: '#notifications',
  settings: '#settings',
};

const places = Object.keys(hrefOf) as Place[];

export function placeNow(): Place {
  return places.find((place) => hrefOf[place] === location.hash) ?? 'overview';
}
