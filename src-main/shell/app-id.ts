/**
 * What Windows knows the application by: the installer writes it into the shortcut, the shell says it at its start, and toasts and
 * the task bar put the two together. Never to be changed: an installed Estepe would be another one.
 */
export const appId = 'com.estepe.estepe';
