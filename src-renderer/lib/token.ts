/**
 * The key that lets this tab in. It comes in the address's fragment, which browsers send to nobody, is kept for this tab
 * only, and leaves the address bar and the history at once.
 */
const key = 'estepe-token';

/** The token from the address, else the one this tab was given before, else null. */
export function takeToken(): string | null {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given !== null && given !== '') {
    sessionStorage.setItem(key, given);
    history.replaceState(null, '', location.pathname);
    return given;
  }
  return sessionStorage.getItem(key);
}

/** Forgets a token that the engine refused. */
export function dropToken(): void {
  sessionStorage.removeItem(key);
}
