/** Why a recording could not be written, in words. @module */

const FULL = "the disk is full";
const UNWRITABLE = "the disk cannot be written";

/** A journal that could not be written, in one line that names file and finding. */
export class JournalError extends Error {
  constructor(doing: string, path: string, cause: unknown) {
    const found = describeFailure(cause);
    const stays = found === FULL || found === UNWRITABLE ? "; what was recorded before stays readable" : "";
    super(`Cannot ${doing} recording ${path}: ${found}${stays}`, { cause });
    this.name = "JournalError";
  }
}

/** Returns what went wrong with a file, for people. */
export function describeFailure(cause: unknown): string {
  if (cause instanceof Deno.errors.AlreadyExists) return "the file exists already";
  if (cause instanceof Deno.errors.NotFound) return "there is no such folder";
  const message = cause instanceof Error ? cause.message : String(cause);
  // SQLite's own words (the error of a COMMIT carries no number), and the system's.
  if (/disk is full|No space left on device|disk quota/i.test(message)) {
    return FULL;
  }
  if (/disk I\/O error/.test(message)) {
    return UNWRITABLE;
  }
  return message;
}
