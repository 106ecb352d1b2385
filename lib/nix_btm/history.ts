/**
 * What was built before, in SQLite: how long it took, and how it ended.
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import {
  type Command,
  type Durations,
  durations,
  type DurationsOf,
  type Job,
  packageOf,
} from "../nix/mod.ts";
import { HistoryFile, isBroken, isBusy } from "./history_file.ts";

/** Builds of one name that an estimate looks at. */
const LIKE_MAX = 20;
/** Builds that are kept; the oldest go. */
const BUILDS_MAX = 200_000;
/** So many are put in between two looks at how many there are. */
const RETAIN_EVERY = 1_000;
/** Builds that wait for another process to let go of the file; of more the oldest are lost. */
const WAITING_MAX = 10_000;
/** Names whose durations are known without a look. */
const KNOWN_MAX = 50_000;
/** Lines of a failed build's log that are kept. */
const FAILED_TAIL_LINES = 50;

/** A build that is over. */
export interface PastBuild {
  readonly id: number;
  readonly name: string;
  readonly derivation: string;
  readonly host: string;
  readonly startedMs: number | undefined;
  readonly endedMs: number;
  readonly outcome: string;
  /** One line, of one that failed. */
  readonly failure: string | undefined;
  /** The last one that it was in. */
  readonly phase: string | undefined;
  readonly phases: readonly { readonly name: string; readonly atMs: number }[];
  /** The last lines, of one that failed. */
  readonly tail: readonly string[];
  readonly requester: string | undefined;
  readonly command: string | undefined;
  /** File of the whole log, while it is kept. */
  readonly log: string | undefined;
  /** Of all its processes, where they could be seen. */
  readonly cpuSeconds: number | undefined;
  readonly peakBytes: number | undefined;
}

/** Which builds to look for; all that is said has to hold. */
export interface HistoryQuery {
  /** Part of the name. */
  readonly name?: string | undefined;
  readonly outcome?: string | undefined;
  readonly sinceMs?: number | undefined;
  readonly derivation?: string | undefined;
  /** Builds before this one, for the next page. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** How builds of one package went; times of a build in milliseconds, `lastMs` its end in Unix milliseconds. */
export interface PackageStatistics {
  readonly package: string;
  readonly builds: number;
  readonly failed: number;
  readonly totalMs: number;
  /** Of those that succeeded; null where none did. */
  readonly medianMs: number | null;
  readonly p90Ms: number | null;
  readonly lastMs: number;
}

/**
 * Builds that are over, of all processes that write to one file. Nobody waits for another one that writes: what is added
 * then is kept for the next time.
 */
export class History implements Disposable {
  readonly #onBroken: (text: string) => void;
  /** What was looked up, until a build like it ends. */
  readonly #known = new Map<string, Durations | undefined>();
  readonly #waiting: (string | number | null)[][] = [];
  #file: HistoryFile;
  #statements: Statements;
  #sinceRetained = 0;

  /**
   * Opens the history, or begins one; `:memory:` keeps nothing.
   * @param onBroken Hears of a file that was broken, which is kept beside the one that is begun.
   * @throws {Error} When the file is of a newer format, or cannot be written; the message names it.
   */
  static open(path: string, onBroken: (text: string) => void = () => {}): History {
    return new History(HistoryFile.open(path, onBroken), onBroken);
  }

  private constructor(file: HistoryFile, onBroken: (text: string) => void) {
    this.#file = file;
    this.#onBroken = onBroken;
    this.#statements = statementsOf(file.db);
  }

  /** A build is over; it is written at once, or by `flush()` where another process has the file. */
  add(
    job: Job,
    { command, log, used }: {
      readonly command?: Command | undefined;
      readonly log?: string | undefined;
      readonly used?: { readonly cpuSeconds: number; readonly peakBytes: number } | undefined;
    } = {},
  ): void {
    const { name, state, host, startedMs, endedMs, phases } = job;
    this.#waiting.push([
      name,
      packageOf(name),
      job.subject,
      host,
      // A clock that is set back is no reason for a build to have taken less than nothing.
      startedMs === undefined ? null : Math.min(startedMs, endedMs!),
      endedMs!,
      state.kind,
      state.kind === "failed" ? state.failure.text : null,
      phases.at(-1)?.name ?? null,
      JSON.stringify(phases),
      state.kind === "failed" ? JSON.stringify(job.tail.slice(-FAILED_TAIL_LINES)) : null,
      command?.requester.user ?? null,
      command?.requester.command?.join(" ") ?? null,
      log ?? null,
      used?.cpuSeconds ?? null,
      used?.peakBytes ?? null,
    ]);
    this.#known.delete(keyOf(job));
    if (this.#waiting.length > WAITING_MAX) this.#waiting.shift();
    // Where others wait already it is not tried for each: whoever adds is not to wait.
    if (this.#waiting.length === 1) this.flush();
  }

  /**
   * Writes what waits, as far as it can be now. A file that somebody has taken away is begun anew.
   * @throws {Error} Of a build that cannot be written at all, or when the file is gone and cannot be made.
   */
  flush(): void {
    if (this.#waiting.length > 0 && !this.#file.isThere) this.#renew();
    for (let row; (row = this.#waiting[0]) !== undefined;) {
      try {
        this.#write(row);
      } catch (error) {
        if (isBusy(error)) return;
        this.#waiting.shift();
        throw error;
      }
      this.#waiting.shift();
      if (++this.#sinceRetained >= RETAIN_EVERY) this.#retain();
    }
  }

  /** Median and p90 of the last 20 that succeeded: of this very name on this host, else of its package. */
  readonly durationsOf: DurationsOf = (build) => {
    const key = keyOf(build);
    if (this.#known.has(key)) return this.#known.get(key);
    const found = this.#lookUp(build);
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(key, found);
    return found;
  };

  /** The newest first. */
  find({ name, outcome, sinceMs, derivation, before, limit }: HistoryQuery): PastBuild[] {
    const where: [string, string | number][] = [];
    if (name !== undefined) where.push(["instr(name, ?) > 0", name]);
    if (outcome !== undefined) where.push(["outcome = ?", outcome]);
    if (sinceMs !== undefined) where.push(["ended_ms >= ?", sinceMs]);
    if (derivation !== undefined) where.push(["derivation = ?", derivation]);
    if (before !== undefined) where.push(["id < ?", before]);
    const conditions = where.length === 0 ? "" : `WHERE ${where.map(([text]) => text).join(" AND ")}`;
    const rows = this.#file.db.prepare(`SELECT * FROM builds ${conditions} ORDER BY id DESC LIMIT ?`)
      .all(...where.map(([, value]) => value), limit);
    return rows.map((row) => pastBuild(row as unknown as Row));
  }

  /** By package, those that took most time first. */
  statistics(
    { sinceMs = 0, limit }: { readonly sinceMs?: number; readonly limit: number },
  ): PackageStatistics[] {
    const rows = this.#file.db.prepare(`SELECT package, count(*) AS builds, sum(outcome = 'failed') AS failed,
      sum(ended_ms - started_ms) AS total, max(ended_ms) AS last,
      json_group_array(ended_ms - started_ms) FILTER (WHERE outcome = 'succeeded') AS took
      FROM builds WHERE started_ms IS NOT NULL AND ended_ms >= ? GROUP BY package ORDER BY total DESC LIMIT ?`)
      .all(sinceMs, limit) as unknown as StatisticsRow[];
    return rows.map(({ package: name, builds, failed, total, last, took }) => {
      const allMs = JSON.parse(took) as number[];
      const { medianMs, p90Ms } = allMs.length === 0 ? { medianMs: null, p90Ms: null } : durations(allMs);
      return { package: name, builds, failed, totalMs: total, medianMs, p90Ms, lastMs: last };
    });
  }

  /** @throws {Error} When another process did not let go of the file: what waited is lost. */
  [Symbol.dispose](): void {
    try {
      if (!this.#file.db.isOpen || this.#waiting.length === 0) return;
      this.#file.waitLonger();
      this.flush();
      if (this.#waiting.length === 0) return;
      throw new Error(`Cannot keep the last ${this.#waiting.length} builds: history is locked`);
    } finally {
      this.#file[Symbol.dispose]();
    }
  }

  /** What is broken is set aside, once for each build. */
  #write(row: readonly (string | number | null)[]): void {
    try {
      this.#statements.insert.run(...row);
    } catch (error) {
      if (!isBroken(error)) throw error;
      this.#renew(error);
      this.#statements.insert.run(...row);
    }
  }

  #renew(broken?: unknown): void {
    this.#file = this.#file.renewed(this.#onBroken, broken);
    this.#statements = statementsOf(this.#file.db);
  }

  /** A file that broke meanwhile costs the estimates, and nothing else. */
  #lookUp({ name, host }: Pick<Job, "name" | "host">): Durations | undefined {
    try {
      return this.#durations(this.#statements.byName, name, host) ??
        this.#durations(this.#statements.byPackage, packageOf(name), host);
    } catch (error) {
      if (error instanceof Error) return undefined;
      throw error;
    }
  }

  #durations(query: Statement, name: string, host: string): Durations | undefined {
    const rows = query.all(name, host) as { ms: number }[];
    return rows.length === 0 ? undefined : durations(rows.map(({ ms }) => ms));
  }

  #retain(): void {
    this.#sinceRetained = 0;
    this.#file.db.prepare("DELETE FROM builds WHERE id <= (SELECT max(id) FROM builds) - ?").run(BUILDS_MAX);
  }
}

type Statement = ReturnType<DatabaseSync["prepare"]>;
type Statements = Readonly<Record<"insert" | "byName" | "byPackage", Statement>>;

function statementsOf(db: DatabaseSync): Statements {
  const took = "SELECT ended_ms - started_ms AS ms FROM builds WHERE";
  const like =
    `AND host = ? AND outcome = 'succeeded' AND started_ms IS NOT NULL ORDER BY id DESC LIMIT ${LIKE_MAX}`;
  return {
    insert: db.prepare(
      `INSERT INTO builds (name, package, derivation, host, started_ms, ended_ms, outcome,
      failure, phase, phases, tail, requester, command, log, cpu_seconds, peak_bytes)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    byName: db.prepare(`${took} name = ? ${like}`),
    byPackage: db.prepare(`${took} package = ? ${like}`),
  };
}

interface StatisticsRow {
  readonly package: string;
  readonly builds: number;
  readonly failed: number;
  readonly total: number;
  readonly last: number;
  readonly took: string;
}

interface Row {
  readonly id: number;
  readonly name: string;
  readonly derivation: string;
  readonly host: string;
  readonly started_ms: number | null;
  readonly ended_ms: number;
  readonly outcome: string;
  readonly failure: string | null;
  readonly phase: string | null;
  readonly phases: string;
  readonly tail: string | null;
  readonly requester: string | null;
  readonly command: string | null;
  readonly log: string | null;
  readonly cpu_seconds: number | null;
  readonly peak_bytes: number | null;
}

function pastBuild(row: Row): PastBuild {
  return {
    id: row.id,
    name: row.name,
    derivation: row.derivation,
    host: row.host,
    startedMs: row.started_ms ?? undefined,
    endedMs: row.ended_ms,
    outcome: row.outcome,
    failure: row.failure ?? undefined,
    phase: row.phase ?? undefined,
    phases: listIn(row.phases),
    tail: listIn(row.tail),
    requester: row.requester ?? undefined,
    command: row.command ?? undefined,
    log: row.log ?? undefined,
    cpuSeconds: row.cpu_seconds ?? undefined,
    peakBytes: row.peak_bytes ?? undefined,
  };
}

/** Whatever somebody has written there, the other rows are still to be seen. */
function listIn<T>(json: string | null): readonly T[] {
  try {
    const list: unknown = JSON.parse(json ?? "[]");
    return Array.isArray(list) ? list : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function keyOf({ name, host }: Pick<Job, "name" | "host">): string {
  return `${host}\0${name}`;
}
