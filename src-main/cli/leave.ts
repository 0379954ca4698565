/**
 * The end of the process, where something still holds it. A call to a disk or a mounted share that hangs keeps one of Node's threads, and
 * neither the end of the work nor `process.exit` goes on without that thread: both wait for it.
 */

/** Connections that are let go of close within that time, ms. */
const graceMs = 2000;

/** All is said: the process ends by itself or, where something hangs, soon. */
export function leaveSoon(exit: number): void {
  setTimeout(() => leave(exit), graceMs).unref();
}

/** Ends at once, with that exit code, and waits for no thread. */
export function leave(exit: number): never {
  // Another program in our place: the kernel ends our threads, and a call to a share can be ended so.
  if (process.platform !== 'win32') process.execve?.('/bin/sh', ['sh', '-c', `exit ${exit}`], {});
  // Windows: TerminateProcess, with 1.
  process.kill(process.pid, 'SIGKILL');
  process.exit(exit);
}
