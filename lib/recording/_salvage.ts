/**
 * What can still be read of a damaged `.rez`, copied into a container of its own: rows that SQLite gives, whose content
 * is what it should be. The damaged file stays as it is; a byte that was changed within a value is not noticed, for
 * neither SQLite nor the rows have check sums.
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { encodeArrowSchema, memorySource, ParquetFile } from "./parquet/mod.ts";
import { GroupRows } from "./group_rows.ts";
import { jsonObject } from "./_json.ts";
import { createTemporaryRez, insertSegment, openRezToSalvage, prepareTick, transaction } from "./rez_db.ts";
import { encodeSegment } from "./segment.ts";
import type { TablePart } from "./table.ts";
import { type Row, RowWalk } from "./_row_walk.ts";

/** What was read, and what was not. */
export interface Salvaged {
  /** A temporary container; it goes away when it is closed. */
  readonly db: DatabaseSync;
  readonly ticks: number;
  /** What is wrong, one line each. */
  readonly notes: readonly string[];
}

/** Copies what can be read; `undefined` when that is nothing. @param found What opening it has said. */
export function salvageRez(path: string, found: string): Salvaged | undefined {
  let source: DatabaseSync | undefined;
  const db = createTemporaryRez();
  let done = false;
  try {
    source = openRezToSalvage(path);
    const copy = new Copy(source, db);
    copy.recordings();
    copy.segments();
    copy.rows();
    copy.durations();
    const { ticks, notes } = copy;
    if (ticks === 0) return undefined;
    done = true;
    return { db, ticks, notes: [`it is damaged (${found}): ${ticksText(ticks, copy.lastNs)}`, ...notes] };
  } catch (error) {
    if (isDamage(error)) return undefined; // The caller has a better word for it: what opening it has said.
    throw error;
  } finally {
    source?.close();
    if (!done) db.close();
  }
}

/** A file that is not as it was written, found before SQLite could. */
export class DamageError extends Error {
  override readonly name = "DamageError";
}

/** Whether an error is SQLite's word for a file that is not as it was written. */
export function isDamage(error: unknown): boolean {
  return error instanceof DamageError || error instanceof Error &&
      /malformed|not a database|disk I\/O error|unsupported file format|no such (table|column)/.test(
        error.message,
      );
}

function ticksText(ticks: number, lastNs: bigint): string {
  const last = new Date(Number(lastNs / 1_000_000n));
  const when = Number.isNaN(last.getTime()) ? "" : `, the last of ${last.toISOString()}`;
  return `${ticks} ${ticks === 1 ? "tick was" : "ticks were"} read${when}`;
}

/** From a damaged container to a whole one. */
class Copy {
  readonly notes: string[] = [];
  readonly #times = new Set<bigint>();
  readonly #walk: RowWalk;
  readonly #recordings = new Set<number>();
  #lost = { segments: 0, columns: 0, rows: 0 };

  constructor(source: DatabaseSync, readonly target: DatabaseSync) {
    this.#walk = new RowWalk(source);
  }

  /** Ticks of which something was read. */
  get ticks(): number {
    return this.#times.size;
  }

  get lastNs(): bigint {
    return [...this.#times].reduce((last, time) => time > last ? time : last, 0n);
  }

  recordings(): void {
    const columns = "labels, metadata, clock_anchor_wall_ns";
    for (const row of this.#walk.rows("recordings", columns)) {
      this.#addRecording(Number(row["row_id"]), jsonText(row["labels"]), jsonText(row["metadata"]));
    }
  }

  /** Rows of a recording whose own row is lost are kept all the same. */
  #addRecording(id: number, labels = "{}", metadata = "{}"): void {
    if (this.#recordings.has(id)) return;
    this.#recordings.add(id);
    this.target.prepare(
      "INSERT INTO recordings(id, labels, metadata, complete, clock_anchor_wall_ns) VALUES (?, ?, ?, 0, 0)",
    ).run(id, labels, metadata);
  }

  segments(): void {
    const found = [...this.#walk.rows("segments", "recording_id, sampler, seq, first_ts")]
      .filter((row) => isTable(row) && typeof row["first_ts"] === "bigint")
      .sort((left, right) => left["first_ts"] as bigint < (right["first_ts"] as bigint) ? -1 : 1);
    for (const row of found) {
      const bytes = this.#walk.blob("segments", "bytes", row["row_id"] as bigint);
      const good = bytes && this.#goodSegment(bytes);
      if (good === undefined) this.#lost.segments++;
      else {
        const id = Number(row["recording_id"]);
        this.#addRecording(id);
        insertSegment(this.target, id, { ...good, table: row["sampler"] as string, wallOffsetNs: 0n });
      }
    }
    const { segments, columns } = this.#lost;
    if (segments > 0) this.notes.push(`${segments} segments could not be read and are left out`);
    if (columns > 0) {
      this.notes.push(`${columns} columns of segments could not be read and are left out there`);
    }
  }

  /** A segment with the columns that can be decoded; `undefined` when its times cannot. */
  #goodSegment(bytes: Uint8Array) {
    try {
      const file = new ParquetFile(memorySource(bytes));
      const good = file.fields.map((_, column) => decodes(() => file.read(column)));
      this.#lost.columns += good.filter((each) => !each).length;
      const timestamp = file.fields.findIndex(({ name }) => name === "timestamp");
      if (timestamp < 0 || good[timestamp] !== true) return undefined;
      const words = file.read(timestamp).words;
      const times = new BigUint64Array(Uint32Array.from(words).buffer);
      if (times.length === 0) return undefined;
      for (const time of times) this.#times.add(time);
      const columns = file.fields.flatMap((_, column) => good[column] === true ? [column] : []);
      const part: TablePart = {
        rowCount: file.rowCount,
        fields: columns.map((column) => file.fields[column]!),
        read: (at) => file.read(columns[at]!),
      };
      return {
        rowCount: file.rowCount,
        firstNs: times[0]!,
        lastNs: times.at(-1)!,
        bytes: columns.length === file.fields.length ? bytes : encodeSegment(part),
        arrowSchema: encodeArrowSchema(part.fields),
      };
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof RangeError) return undefined; // counted by the caller
      throw error;
    }
  }

  rows(): void {
    const { wal } = prepareTick(this.target);
    const found = [...this.#walk.rows("wal", "recording_id, sampler, ts, wall_offset")]
      .filter((row) =>
        isTable(row) && typeof row["ts"] === "bigint" && typeof row["wall_offset"] === "bigint"
      )
      .sort((left, right) => left["ts"] as bigint < (right["ts"] as bigint) ? -1 : 1);
    const seen = new Set<string>();
    transaction(this.target, () => {
      for (const [key, rows] of Map.groupBy(found, (row) => `${row["recording_id"]} ${row["sampler"]}`)) {
        const decoded = new GroupRows();
        for (const row of rows) {
          const [ts, offset, table] = [
            row["ts"] as bigint,
            row["wall_offset"] as bigint,
            row["sampler"] as string,
          ];
          const bytes = this.#walk.blob("wal", "row", row["row_id"] as bigint);
          // Rows of the older form, of tables without a slash, are checked when they are read.
          const isGood = bytes !== undefined && !seen.has(`${key} ${ts}`) &&
            (!table.includes("/") || decodes(() => decoded.add(ts, offset, bytes)));
          if (!isGood) {
            this.#lost.rows++;
            continue;
          }
          seen.add(`${key} ${ts}`);
          const id = Number(row["recording_id"]);
          this.#addRecording(id);
          wal.run(id, table, ts, offset, bytes);
          this.#times.add(ts);
        }
      }
    });
    if (this.#lost.rows > 0) this.notes.push(`${this.#lost.rows} rows could not be read and are left out`);
  }

  durations(): void {
    const { tick } = prepareTick(this.target);
    transaction(this.target, () => {
      for (const id of this.#recordings) {
        for (const [ts, durationNs] of this.#walk.durations(id)) {
          if (this.#times.has(ts)) tick.run(id, ts, durationNs);
        }
      }
    });
  }
}

function isTable(row: Row): boolean {
  return typeof row["recording_id"] === "bigint" && row["recording_id"] > 0n &&
    row["recording_id"] < 1n << 31n &&
    typeof row["sampler"] === "string" && row["sampler"] !== "";
}

/** Text that is a JSON object; of what is not nothing is kept. */
function jsonText(value: unknown): string {
  return typeof value === "string" && jsonObject(value) !== undefined ? value : "{}";
}

function decodes(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError || error instanceof TypeError) {
      return false;
    }
    throw error;
  }
}
