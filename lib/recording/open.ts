/**
 * Opens a recording of any kind: parquet (ours, upstream's, foreign), `.rez` v3 (finished, running or cut off), and raw
 * MessagePack snapshots (also under ZSTD).
 * @module
 */
import { ParquetFile } from "./parquet/mod.ts";
import { FileSource } from "./_file_source.ts";
import { jsonObject } from "./_json.ts";
import { openRaw } from "./_open_raw.ts";
import { openRecordings } from "./_open_recordings.ts";
import { partsOf } from "./segment.ts";
import type { Opened, Recording } from "./recording.ts";
import { RecordedSeries } from "./series_source.ts";
import { RecordedTable } from "./table.ts";

/** How to open a recording. */
export interface OpenOptions {
  /** Limit of decoded series that are kept. */
  readonly cacheBytes?: number;
  /** Which recording of a `.rez` that holds several, by its number; else all of them as one. */
  readonly recordingId?: number;
}

/** A recording that could not be opened, in one line that names file and finding. */
export class RecordingError extends Error {
  constructor(path: string, found: string, options?: ErrorOptions) {
    // SQLite quotes the statements of a damaged schema as they stand, lines and all.
    super(`Cannot open recording ${path}: ${found.replaceAll(/\s+/g, " ")}`, options);
    this.name = "RecordingError";
  }
}

/** Opens the recording at `path`. Dispose of it to close the file. @throws {RecordingError} When it cannot be read. */
export function openRecording(path: string, options: OpenOptions = {}): Recording {
  let opened: Opened | undefined;
  try {
    opened = openAny(path, options);
    const series = new RecordedSeries(opened.tables, {
      name: path,
      help: helpOf(opened.metadata),
      ...intervalOf(opened.metadata),
      ...(options.cacheBytes !== undefined && { cacheBytes: options.cacheBytes }),
    });
    const close = opened;
    return {
      ...opened,
      path,
      series,
      notes: [...(opened.notes ?? []), ...series.notes],
      [Symbol.dispose]: () => close[Symbol.dispose](),
    };
  } catch (error) {
    opened?.[Symbol.dispose]();
    if (error instanceof RecordingError) throw error;
    throw new RecordingError(path, describe(error), { cause: error });
  }
}

function describe(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  return error instanceof Error ? error.message : String(error);
}

const SQLITE_MAGIC = "SQLite format 3\0";
const ZSTD_MAGIC = "\x28\xb5\x2f\xfd";
const TAR_MAGIC = "ustar";
const TAR_MAGIC_AT = 257;

function openAny(path: string, options: OpenOptions): Opened {
  const file = new FileSource(path);
  let keep = false;
  try {
    if (file.sizeBytes === 0) throw new RecordingError(path, "the file is empty");
    const head = String.fromCharCode(...file.read(0, Math.min(file.sizeBytes, 512)));
    if (head.startsWith(SQLITE_MAGIC)) return openRecordings(path, options.recordingId);
    if (head.startsWith("PAR1") || head.startsWith("PARE")) {
      const opened = openParquet(file);
      keep = true;
      return opened;
    }
    if (head.slice(TAR_MAGIC_AT).startsWith(TAR_MAGIC)) {
      throw new RecordingError(path, "it is a tar archive, .rez version 1 or 2, this build reads version 3");
    }
    const first = head.charCodeAt(0);
    if (head.startsWith(ZSTD_MAGIC) || (first >= 0x94 && first <= 0x96)) return openRaw(file);
    const hex = [...head.slice(0, 4)].map((char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join(
      " ",
    );
    throw new RecordingError(path, `it begins with ${hex}, neither parquet, .rez nor msgpack snapshots`);
  } finally {
    if (!keep) file[Symbol.dispose]();
  }
}

function openParquet(file: FileSource): Opened {
  const parquet = new ParquetFile(file);
  const metadata = Object.fromEntries(
    [...parquet.footer.keyValues].filter(([key]) => key !== "ARROW:schema"),
  );
  return {
    format: "parquet",
    complete: true,
    metadata,
    labels: {},
    tables: parquet.groupCount === 0 ? [] : [new RecordedTable("recording", partsOf(parquet))],
    durations: new Map(),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

function intervalOf(metadata: Readonly<Record<string, string>>): { intervalSeconds?: number } {
  const ms = Number(metadata["sampling_interval_ms"]);
  return ms > 0 ? { intervalSeconds: ms / 1_000 } : {};
}

/** `descriptions` maps a metric's name to its help; what is not text there is passed over. */
function helpOf(metadata: Readonly<Record<string, string>>): Record<string, string> {
  const help = jsonObject(metadata["descriptions"] ?? "") ?? {};
  return Object.fromEntries(
    Object.entries(help).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
