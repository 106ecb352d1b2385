/** The store of one machine: a file of SQLite, which one process has. @module */
import { DatabaseSync } from "node:sqlite";
import { type Chance, MACHINE_CHANCE } from "../chance.ts";
import { type Clock, MACHINE_CLOCK } from "../clock.ts";
import {
  type Change,
  type Changes,
  checkTransaction,
  type Committed,
  type Condition,
  endOf,
  type Entry,
  type Lease,
  type Page,
  PAGE_LIMIT,
  type PageOptions,
  type Store,
  StoreError,
  type Transaction,
} from "./store.ts";

/** Of the tables; a newer one is refused. */
export const SQLITE_STORE_FORMAT = 1;

/**
 * `history` has each change of each key, a deletion without a value; of those before the compacted revision only what a
 * list at it needs. `entries` is its last row of each key.
 */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS entries (
  key TEXT PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL, created INTEGER NOT NULL, lease TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_lease ON entries (lease) WHERE lease IS NOT NULL;
CREATE TABLE IF NOT EXISTS history (
  key TEXT NOT NULL, revision INTEGER NOT NULL, value TEXT, created INTEGER NOT NULL, lease TEXT,
  PRIMARY KEY (key, revision)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_revision ON history (revision);
CREATE TABLE IF NOT EXISTS leases (id TEXT PRIMARY KEY, ttl_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** How it is opened. */
export interface SqliteStoreOptions {
  /** Of leases. */
  readonly clock?: Clock;
  readonly chance?: Chance;
}

interface Row {
  readonly key: string;
  readonly value: string | null;
  readonly revision: number;
  readonly created: number;
  readonly lease: string | null;
}

export class SqliteStore implements Store {
  readonly #db: DatabaseSync;
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  /** When each runs out; a new number for each renewal. */
  readonly #leases = new Map<string, AbortController>();
  #revision: number;
  #compacted: number;
  /** Resolves with the next change. */
  #changed = Promise.withResolvers<void>();

  /**
   * Opens a file, or begins one; `:memory:` keeps nothing. Leases that were there run from now on anew.
   * @throws {StoreError} When another process has it, it is none, or of a newer format; the message names it.
   */
  static open(path: string, options: SqliteStoreOptions = {}): SqliteStore {
    try {
      return new SqliteStore(path, options);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const why = /locked|busy/.test(reason) ? "another process has it" : reason;
      throw new StoreError(`Cannot open store ${path}: ${why}`, "refused", { cause });
    }
  }

  private constructor(path: string, { clock = MACHINE_CLOCK, chance = MACHINE_CHANCE }: SqliteStoreOptions) {
    this.#db = new DatabaseSync(path);
    this.#clock = clock;
    this.#chance = chance;
    try {
      this.#db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
      const { user_version: format } = this.#db.prepare("PRAGMA user_version").get() as {
        user_version: number;
      };
      if (format > SQLITE_STORE_FORMAT) {
        throw new SyntaxError(`its format is ${format}, this build reads ${SQLITE_STORE_FORMAT}`);
      }
      this.#db.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version = ${SQLITE_STORE_FORMAT}; COMMIT;`);
    } catch (error) {
      this.#db.close();
      throw error;
    }
    this.#revision = this.#fact("revision");
    this.#compacted = this.#fact("compacted");
    for (const { id, ttl_ms: ttlMs } of this.#all("SELECT id, ttl_ms FROM leases") as unknown as LeaseRow[]) {
      this.#run({ id, ttlMs });
    }
  }

  // deno-lint-ignore require-await -- what fails must be a rejection
  async get(key: string): Promise<Entry | undefined> {
    return this.#entry(key);
  }

  // deno-lint-ignore require-await
  async list(prefix: string, { after, limit = PAGE_LIMIT, revision }: PageOptions = {}): Promise<Page> {
    const at = revision ?? this.#revision;
    if (at < this.#compacted) throw compacted(`list "${prefix}"`, at, this.#compacted);
    if (at > this.#revision) {
      throw new StoreError(`Cannot list "${prefix}" at revision ${at}: it is ${this.#revision}`, "refused");
    }
    const [from, to] = [after === undefined ? prefix : `${after}\0`, endOf(prefix)];
    const rows = at === this.#revision
      ? this.#all(
        "SELECT * FROM entries WHERE key >= ? AND key < ? ORDER BY key LIMIT ?",
        from,
        to,
        limit + 1,
      )
      : this.#all(
        `SELECT * FROM history h WHERE key >= ? AND key < ? AND value IS NOT NULL AND revision =
           (SELECT max(revision) FROM history WHERE key = h.key AND revision <= ?) ORDER BY key LIMIT ?`,
        from,
        to,
        at,
        limit + 1,
      );
    const entries = rows.slice(0, limit).map((row) => entryOf(row as unknown as Row));
    return { entries, revision: at, more: rows.length > limit };
  }

  // deno-lint-ignore require-await
  async commit(transaction: Transaction): Promise<Committed> {
    checkTransaction(transaction);
    const { when = [], then } = transaction;
    if (when.some((condition) => !this.#holds(condition))) {
      const found = new Map(when.map(({ key }) => [key, this.#entry(key)]));
      return { ok: false, revision: this.#revision, found };
    }
    for (const write of then) {
      if ("put" in write && write.lease !== undefined && !this.#leases.has(write.lease)) {
        throw new StoreError(`Cannot put "${write.put}": there is no lease ${write.lease}`, "no lease");
      }
    }
    const isChange = then.some((write) => "put" in write || this.#entry(write.delete) !== undefined);
    if (isChange) {
      this.#change((revision) => {
        for (const write of then) {
          if ("put" in write) this.#put(write, revision);
          else this.#delete(write.delete, revision);
        }
      });
    }
    return { ok: true, revision: this.#revision };
  }

  async *watch(
    prefix: string,
    { after, signal }: { readonly after: number; readonly signal: AbortSignal },
  ): AsyncGenerator<Changes> {
    const gone = Promise.withResolvers<void>();
    const leave = () => gone.resolve();
    signal.addEventListener("abort", leave, { once: true });
    try {
      for (let seen = after; !signal.aborted;) {
        if (seen < this.#compacted) throw compacted(`watch "${prefix}"`, seen, this.#compacted);
        const [changed, upTo] = [this.#changed.promise, this.#revision];
        for (const changes of this.#changesBetween(prefix, seen, upTo)) {
          if (signal.aborted) return;
          yield changes;
        }
        seen = upTo;
        if (upTo === this.#revision) await Promise.race([changed, gone.promise]);
      }
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  // deno-lint-ignore require-await
  async grant(ttlMs: number): Promise<Lease> {
    const lease = { id: this.#chance.id(), ttlMs };
    this.#sql("INSERT INTO leases (id, ttl_ms) VALUES (?, ?)").run(lease.id, ttlMs);
    this.#run(lease);
    return lease;
  }

  // deno-lint-ignore require-await
  async renew(lease: Lease): Promise<void> {
    if (!this.#leases.has(lease.id)) {
      throw new StoreError(`Cannot renew lease ${lease.id}: it has run out`, "no lease");
    }
    this.#run(lease);
  }

  // deno-lint-ignore require-await
  async revoke({ id }: Lease): Promise<void> {
    this.#leases.get(id)?.abort();
    this.#end(id);
  }

  // deno-lint-ignore require-await
  async compact(revision: number): Promise<void> {
    const upTo = Math.min(revision, this.#revision);
    if (upTo <= this.#compacted) return;
    this.#together(() => {
      // What a list at the revision finds stays: the last of each key, unless it is a deletion.
      this.#sql(
        `DELETE FROM history AS h WHERE revision <= ?1 AND
           (value IS NULL OR revision < (SELECT max(revision) FROM history WHERE key = h.key AND revision <= ?1))`,
      ).run(upTo);
      this.#note("compacted", upTo);
    });
    this.#compacted = upTo;
    this.#tell();
  }

  // deno-lint-ignore require-await
  async [Symbol.asyncDispose](): Promise<void> {
    for (const lease of this.#leases.values()) lease.abort();
    this.#leases.clear();
    if (this.#db.isOpen) this.#db.close();
  }

  #holds(condition: Condition): boolean {
    const entry = this.#entry(condition.key);
    return "is" in condition ? entry === undefined : entry?.revision === condition.revision;
  }

  #entry(key: string): Entry | undefined {
    const row = this.#sql("SELECT * FROM entries WHERE key = ?").get(key);
    return row && entryOf(row as unknown as Row);
  }

  #put(
    { put: key, value, lease = null }: { put: string; value: string; lease?: string | null },
    revision: number,
  ) {
    const created = this.#entry(key)?.created ?? revision;
    const row = [key, value, revision, created, lease] as const;
    this.#sql("INSERT OR REPLACE INTO entries (key, value, revision, created, lease) VALUES (?, ?, ?, ?, ?)")
      .run(...row);
    this.#sql("INSERT INTO history (key, value, revision, created, lease) VALUES (?, ?, ?, ?, ?)").run(
      ...row,
    );
  }

  #delete(key: string, revision: number): void {
    const before = this.#entry(key);
    if (before === undefined) return;
    this.#sql("DELETE FROM entries WHERE key = ?").run(key);
    this.#sql("INSERT INTO history (key, value, revision, created) VALUES (?, NULL, ?, ?)")
      .run(key, revision, before.created);
  }

  /** One revision. */
  #change(body: (revision: number) => void): void {
    const revision = this.#revision + 1;
    this.#together(() => {
      body(revision);
      this.#note("revision", revision);
    });
    this.#revision = revision;
    this.#tell();
  }

  #changesBetween(prefix: string, after: number, upTo: number): Changes[] {
    const rows = this.#all(
      "SELECT * FROM history WHERE revision > ? AND revision <= ? AND key >= ? AND key < ? ORDER BY revision, key",
      after,
      upTo,
      prefix,
      endOf(prefix),
    ) as unknown as Row[];
    const found = new Map<number, Change[]>();
    for (const row of rows) {
      const changes = found.get(row.revision) ?? [];
      found.set(row.revision, changes);
      changes.push(
        row.value === null
          ? { kind: "deleted", key: row.key, revision: row.revision }
          : { kind: "put", entry: entryOf(row) },
      );
    }
    return [...found].map(([revision, changes]) => ({ revision, changes }));
  }

  #run({ id, ttlMs }: Lease): void {
    this.#leases.get(id)?.abort();
    const renewed = new AbortController();
    this.#leases.set(id, renewed);
    this.#clock.sleep(ttlMs, { signal: renewed.signal }).then(
      () => this.#end(id),
      () => "It was renewed, or is not there any more.",
    );
  }

  /** Deletes what goes with a lease. */
  #end(id: string): void {
    if (!this.#leases.delete(id)) return;
    const keys = this.#all("SELECT key FROM entries WHERE lease = ? ORDER BY key", id) as { key: string }[];
    const forget = () => this.#sql("DELETE FROM leases WHERE id = ?").run(id);
    if (keys.length === 0) return void forget();
    this.#change((revision) => {
      for (const { key } of keys) this.#delete(key, revision);
      forget();
    });
  }

  #tell(): void {
    const before = this.#changed;
    this.#changed = Promise.withResolvers();
    before.resolve();
  }

  #fact(name: "revision" | "compacted"): number {
    return Number(this.#sql("SELECT value FROM facts WHERE name = ?").get(name)?.value ?? 0);
  }

  #note(name: "revision" | "compacted", value: number): void {
    this.#sql("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)").run(name, value);
  }

  #together(body: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      body();
      this.#db.exec("COMMIT");
    } catch (cause) {
      this.#db.exec("ROLLBACK");
      const reason = cause instanceof Error ? cause.message : cause;
      throw new StoreError(`Cannot write the store: ${reason}`, "unavailable", { cause });
    }
  }

  #sql(text: string): ReturnType<DatabaseSync["prepare"]> {
    let statement = this.#statements.get(text);
    if (statement === undefined) this.#statements.set(text, statement = this.#db.prepare(text));
    return statement;
  }

  #all(text: string, ...values: readonly (string | number)[]): Record<string, unknown>[] {
    return this.#sql(text).all(...values);
  }
}

interface LeaseRow {
  readonly id: string;
  readonly ttl_ms: number;
}

function entryOf({ key, value, revision, created, lease }: Row): Entry {
  return { key, value: value ?? "", revision, created, ...lease === null ? {} : { lease } };
}

function compacted(what: string, at: number, kept: number): StoreError {
  return new StoreError(
    `Cannot ${what} from revision ${at}: what was before ${kept} is compacted, list anew`,
    "compacted",
  );
}
