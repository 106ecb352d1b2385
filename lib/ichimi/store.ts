/** What outlives the daemon beside processes and their logs: how they were described. In SQLite. @module */
import { chmodSync, closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { type ProcessRecord, RECORD_DEFAULTS } from "./record.ts";

/** Its file in the state folder. */
export const STORE = "ichimi.sqlite";
/** Of the tables; a newer one is refused. */
export const STORE_FORMAT = 1;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS processes (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, record TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS items (
  number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, item TEXT NOT NULL, UNIQUE (kind, id)
) STRICT;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
`;

/** For its user alone. */
const OWN = 0o600;
/** Instead of a file. */
const MEMORY = ":memory:";
/** Somebody else has the file for a moment. */
const BUSY_MS = 2_000;

export class Store implements Disposable {
  /** Told of what nobody asked for and went wrong. */
  readonly trouble: (text: string) => void;
  readonly #path: string;
  /** Why what was attempted last could not be done. */
  #attempt = "";
  readonly #db: DatabaseSync;
  readonly #put: ReturnType<DatabaseSync["prepare"]>;
  readonly #drop: ReturnType<DatabaseSync["prepare"]>;

  /**
   * Opens a file, or begins one; `:memory:` keeps nothing. `trouble` is told of what nobody asked for and went wrong.
   * @throws {Error} When the file is none, is of a newer format, or cannot be written; the message names it.
   */
  static open(path: string, trouble?: (text: string) => void): Store {
    try {
      return new Store(path, trouble);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : cause;
      const advice = /not a database|malformed/.test(`${reason}`)
        ? "; move it away to begin with nothing"
        : "";
      throw new Error(`Cannot open store ${path}: ${reason}${advice}`, { cause });
    }
  }

  private constructor(path: string, trouble: (text: string) => void = () => {}) {
    this.#path = path;
    this.trouble = trouble;
    // What stands beside it takes its mode: environments have secrets.
    if (path !== MEMORY) makePrivate(path);
    this.#db = new DatabaseSync(path);
    try {
      this.#db.exec(
        `PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;`,
      );
      const { user_version: format } = this.#db.prepare("PRAGMA user_version").get() as {
        user_version: number;
      };
      if (format > STORE_FORMAT) {
        throw new SyntaxError(`its format is ${format}, this build reads ${STORE_FORMAT}`);
      }
      // On a full disk one that is there already can be opened as it is.
      if (format < STORE_FORMAT) this.#db.exec(`${SCHEMA} PRAGMA user_version = ${STORE_FORMAT};`);
      this.#put = this.#db.prepare(
        "INSERT INTO processes (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record",
      );
      this.#drop = this.#db.prepare("DELETE FROM processes WHERE id = ?");
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** All that are kept, in the order in which they were made. */
  processes(): ProcessRecord[] {
    const rows = this.#db.prepare("SELECT id, record FROM processes ORDER BY number").all() as {
      id: string;
      record: string;
    }[];
    return rows.map(({ id, record }) => ({ ...RECORD_DEFAULTS, ...this.#parsed(`process '${id}'`, record) }));
  }

  putProcess(record: ProcessRecord): void {
    this.#put.run(record.id, JSON.stringify(record));
  }

  dropProcess(id: string): void {
    this.#drop.run(id);
  }

  /** All of a kind, in the order in which they were made. */
  items(kind: string): unknown[] {
    const rows = this.#db.prepare("SELECT item FROM items WHERE kind = ? ORDER BY number").all(kind) as {
      item: string;
    }[];
    return rows.map(({ item }) => JSON.parse(item));
  }

  item(kind: string, id: string): unknown {
    const row = this.#db.prepare("SELECT item FROM items WHERE kind = ? AND id = ?").get(kind, id);
    return row === undefined ? undefined : JSON.parse(row.item as string);
  }

  /** The newest of a kind, newest first; read one after the other, so that not all are in memory. */
  *newest(kind: string, count = Infinity): Generator<unknown, void, void> {
    const rows = this.#db.prepare("SELECT item FROM items WHERE kind = ? ORDER BY number DESC LIMIT ?");
    for (const { item } of rows.iterate(kind, Number.isFinite(count) ? count : -1)) {
      yield JSON.parse(item as string);
    }
  }

  countItems(kind: string): number {
    return Number(this.#db.prepare("SELECT count(*) AS count FROM items WHERE kind = ?").get(kind)!.count);
  }

  /** Leaves the newest of a kind: so many, and so many bytes of them. Reads none. */
  trimItems(kind: string, count: number, bytes = Infinity): void {
    this.#db.prepare(
      "DELETE FROM items WHERE kind = ?1 AND number NOT IN (SELECT number FROM (SELECT number, " +
        "row_number() OVER newest_first AS nth, sum(octet_length(item)) OVER newest_first AS bytes " +
        "FROM items WHERE kind = ?1 WINDOW newest_first AS (ORDER BY number DESC)) WHERE nth <= ?2 AND bytes <= ?3)",
    ).run(kind, count, bytes);
  }

  putItem(kind: string, id: string, item: object): void {
    this.#db.prepare(
      "INSERT INTO items (kind, id, item) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET item = excluded.item",
    ).run(kind, id, JSON.stringify(item));
  }

  dropItem(kind: string, id: string): void {
    this.#db.prepare("DELETE FROM items WHERE kind = ? AND id = ?").run(kind, id);
  }

  /** What was noted under a name; undefined when nothing was. */
  fact(name: string): string | undefined {
    const row = this.#db.prepare("SELECT value FROM facts WHERE name = ?").get(name);
    return row?.value as string | undefined;
  }

  /** Notes a value, or that there is none any more. */
  note(name: string, value: string | undefined): void {
    if (value === undefined) this.#db.prepare("DELETE FROM facts WHERE name = ?").run(name);
    else this.#db.prepare("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)").run(name, value);
  }

  /** @throws {SyntaxError} Whose message says where to look. */
  #parsed(what: string, text: string) {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new SyntaxError(`Cannot read ${what} in store ${this.#path}: it is no JSON`, { cause });
    }
  }

  /** Nothing is left of what was dropped or replaced so far, neither in the file nor beside it. */
  scrub(): void {
    this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  get isOpen(): boolean {
    return this.#db.isOpen;
  }

  /** All or nothing of what is done in `body`. */
  together<T>(body: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = body();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      // On a full disk it was rolled back already.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  /** Writes what may be lost where the disk is full or somebody else has the file; told once for each reason. */
  attempt(what: string, write: () => void): void {
    try {
      write();
      this.#attempt = "";
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (this.#attempt !== error.message) this.trouble(`Cannot ${what} in ${this.#path}: ${error.message}`);
      this.#attempt = error.message;
    }
  }

  [Symbol.dispose](): void {
    if (this.isOpen) this.#db.close();
  }
}

function makePrivate(path: string): void {
  closeSync(openSync(path, "a", OWN));
  chmodSync(path, OWN);
}
