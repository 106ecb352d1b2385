/** One manager for a state folder. @module */

/** Keeps other managers out of a state folder while this one lives. */
export const LOCK = "manager.lock";
/** No pid has more digits. */
const PID_CHARS = 10;
const LOCK_TRIES = 10;
const LOCK_PAUSE_MS = 5;

/** Another manager has the folder. */
export class BusyError extends Error {
  override readonly name = "BusyError";
}

/** Takes a folder until the file is closed. @throws {BusyError} When another manager has it. */
export function takeLock(folder: string): Deno.FsFile {
  const file = Deno.openSync(`${folder}/${LOCK}`, { create: true, read: true, write: true, mode: 0o600 });
  // Whoever only looks whether there is a manager has it for a moment.
  for (let tries = 1; tries < LOCK_TRIES && !file.tryLockSync(true); tries++) pause(LOCK_PAUSE_MS);
  if (file.tryLockSync(true)) {
    // In the place of the one before: on a full disk there is room for it, and for no other.
    file.writeSync(new TextEncoder().encode(`${Deno.pid}`.padEnd(PID_CHARS)));
    return file;
  }
  file.close();
  const pid = managerOf(folder);
  const who = pid === undefined ? "another manager has it" : `another manager has it, process ${pid}`;
  throw new BusyError(`Cannot manage "${folder}": ${who}`);
}

/** Pid of the manager that has the folder; undefined when none has. */
export function managerOf(folder: string): number | undefined {
  try {
    using file = Deno.openSync(`${folder}/${LOCK}`, { read: true, write: true });
    if (file.tryLockSync(true)) return undefined;
    const pid = Number(Deno.readTextFileSync(`${folder}/${LOCK}`));
    return pid > 0 ? pid : undefined;
  } catch (error) {
    // No folder, or something else in its place.
    const isNone = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
    if (isNone) return undefined;
    throw error;
  }
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Has a folder's lock for what `body` makes; it is let go when that fails. @throws {BusyError} */
export function underLock<T>(folder: string, body: (lock: Deno.FsFile) => T): T {
  const lock = takeLock(folder);
  try {
    return body(lock);
  } catch (error) {
    lock.close();
    throw error;
  }
}
