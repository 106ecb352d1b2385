/**
 * The file of the history: what is in it, and what becomes of one that is broken, or that somebody has tidied away.
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { makeFolder } from "../cli/make_folder.ts";
import { STATE_FOLDER } from "./folders.ts";

/** Of the tables; a newer one is refused. */
export const HISTORY_FORMAT = 1;

/** Whoever is asked for history waits so long for another process that has the file, in milliseconds; at the end longer. */
const BUSY_MS = 20;
const LAST_BUSY_MS = 2_000;

/** Result code of SQLite, whose higher bits would tell more. */
const SQLITE_BUSY = 5;
const PRIMARY_CODE = 0xff;
/** SQLITE_CORRUPT and SQLITE_NOTADB in SQLite's words (`sqlite3ErrStr`): of `exec` the runtime tells no codes. */
const BROKEN: ReadonlySet<string> = new Set(["database disk image is malformed", "file is not a database"]);

const SCHEMA = `
CREATE TABLE IF NOT EXISTS builds (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL, package TEXT NOT NULL, derivation TEXT NOT NULL, host TEXT NOT NULL,
  started_ms INTEGER, ended_ms INTEGER NOT NULL,
  outcome TEXT NOT NULL, failure TEXT, phase TEXT, phases TEXT NOT NULL, tail TEXT,
  requester TEXT, command TEXT, log TEXT,
  cpu_seconds REAL, peak_bytes INTEGER
);
CREATE INDEX IF NOT EXISTS builds_by_name ON builds (name, host, outcome, id);
CREATE INDEX IF NOT EXISTS builds_by_package ON builds (package, host, outcome, id);
CREATE INDEX IF NOT EXISTS builds_by_derivation ON builds (derivation, id);
`;

/** Files that somebody has taken away, open until the process ends: forgotten ones would be closed. */
const LEFT = new Set<DatabaseSync>();

export class HistoryFile implements Disposable {
  readonly db: DatabaseSync;
  readonly #path: string;
  readonly #inode: number | null | undefined;

  /**
   * Opens the file, or begins one; `:memory:` keeps nothing. One that is broken is kept beside, and begun anew.
   * @throws {Error} When it is of a newer format or another program's, or cannot be written; the message names it.
   */
  static open(path: string, onBroken: (text: string) => void): HistoryFile {
    try {
      return new HistoryFile(path);
    } catch (error) {
      if (!isBroken(error)) throw named(path, error);
      onBroken(setAside(path, error));
    }
    try {
      return new HistoryFile(path);
    } catch (error) {
      throw named(path, error);
    }
  }

  private constructor(path: string) {
    this.#path = path;
    this.db = new DatabaseSync(path);
    try {
      this.db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
      this.waitLonger();
      const { user_version: format } = this.db.prepare("PRAGMA user_version").get() as {
        user_version: number;
      };
      if (format > HISTORY_FORMAT) {
        throw new RangeError(`format is ${format}, this build reads ${HISTORY_FORMAT}`);
      }
      this.db.exec(`${SCHEMA} PRAGMA user_version = ${HISTORY_FORMAT}; PRAGMA busy_timeout = ${BUSY_MS};`);
      this.#inode = inodeOf(path);
    } catch (error) {
      this.db.close();
      throw error;
    }
  }

  /** Whether it still lies where others look for it. */
  get isThere(): boolean {
    return this.#inode === inodeOf(this.#path);
  }

  /** For the last words: nobody waits for us any more. */
  waitLonger(): void {
    this.db.exec(`PRAGMA busy_timeout = ${LAST_BUSY_MS}`);
  }

  /** Opens what lies at the path now; this one is over. @throws {Error} As `open` does. */
  renewed(onBroken: (text: string) => void, broken?: unknown): HistoryFile {
    const isOurs = this.isThere;
    this[Symbol.dispose]();
    if (isOurs && broken !== undefined) onBroken(setAside(this.#path, broken));
    makeFolder(this.#path.slice(0, this.#path.lastIndexOf("/")), STATE_FOLDER);
    return HistoryFile.open(this.#path, onBroken);
  }

  /** Who closes a file last takes away what lies beside its path: where another one lies there now, that is not ours. */
  [Symbol.dispose](): void {
    if (!this.db.isOpen) return;
    if (this.isThere) this.db.close();
    else LEFT.add(this.db);
  }
}

/** Whether another process has the file. */
export function isBusy(error: unknown): boolean {
  const { errcode } = error as { readonly errcode?: number };
  return errcode !== undefined && (errcode & PRIMARY_CODE) === SQLITE_BUSY;
}

/** Whether what is in the file is none of SQLite's. */
export function isBroken(error: unknown): boolean {
  return error instanceof Error && BROKEN.has(error.message);
}

/** Renames it, with what SQLite has beside it; returns what is to be told. */
function setAside(path: string, error: unknown): string {
  const kept = `${path}.broken`;
  for (const suffix of ["", "-wal", "-shm"]) {
    try {
      Deno.renameSync(path + suffix, kept + suffix);
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    }
  }
  return `history ${path} is broken, it is kept as ${kept} and begun anew: ${reasonOf(error)}`;
}

function named(path: string, cause: unknown): Error {
  return new Error(`Cannot open history ${path}: ${reasonOf(cause)}`, { cause });
}

/** In one line: of a statement that failed SQLite repeats all. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/ in \n.*/s, "") : String(error);
}

function inodeOf(path: string): number | null | undefined {
  try {
    return path === ":memory:" ? undefined : Deno.lstatSync(path).ino;
  } catch (error) {
    if (error instanceof Error) return null;
    throw error;
  }
}
