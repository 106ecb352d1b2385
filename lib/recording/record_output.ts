/** Where the ticks of a recording go: a journal, which may become parquet at the end, or snapshots as they came. @module */
import { existsSync } from "node:fs";
import type { Snapshot } from "../metrics/mod.ts";
import type { JournalRecording, RecordingInfo, TickTime } from "./_journal_recording.ts";
import { Journal, removeJournal } from "./journal.ts";
import { describeFailure, JournalError } from "./journal_error.ts";
import type { Look } from "./record_source.ts";
import type { Sealer } from "./sealer.ts";

/** What a recording is stored as. */
export const RECORD_FORMATS = ["parquet", "rez", "raw"] as const;
export type RecordFormat = typeof RECORD_FORMATS[number];

/** Returns the format that a file's name means. */
export function formatOf(output: string): RecordFormat {
  if (output.endsWith(".rez")) return "rez";
  return output.endsWith(".raw") || output.endsWith(".msgpack") ? "raw" : "parquet";
}

/** A file that is recorded into. Disposing of it without `finish` leaves what a kill would. */
export interface RecordOutput extends Disposable {
  readonly path: string;
  /** Returns a place for the ticks of one endpoint. */
  endpoint(): EndpointOutput;
  /** Makes the file whole; false when nothing was recorded, so that there is none. @throws {Error} Nothing is lost. */
  finish(): Promise<boolean>;
}

/** Where one endpoint's ticks go. */
export interface EndpointOutput {
  /** @throws {JournalError} */
  append(look: Look, time: TickTime): void;
  /** Replaces what is said of the endpoint; known before the first tick, too. @throws {JournalError} */
  describe(info: Required<RecordingInfo>): void;
}

/** How outputs are made. */
export interface OutputOptions {
  readonly format: RecordFormat;
  readonly sealer: Sealer;
  /** Replaces a `.rez` that is there. */
  readonly force: boolean;
  readonly log: (line: string) => void;
}

/**
 * Prepares an output: nothing is written before the first tick.
 * @throws {JournalError} When the file cannot be written there, or is a recording that must not be lost.
 */
export function prepareOutput(path: string, options: OutputOptions): RecordOutput {
  checkFolder(path);
  const { force, format, log } = options;
  const journal = format === "raw" ? undefined : format === "rez" ? path : `${path}.rez`;
  if (journal !== undefined && !force) checkNoJournal(journal, format);
  if (format !== "rez" && existsSync(path)) log(`${path} exists and will be replaced`);
  return journal === undefined ? new RawOutput(path) : new JournalOutput(path, journal, options);
}

/** @throws {JournalError} When a recording would be lost. */
function checkNoJournal(journal: string, format: RecordFormat): void {
  if (!existsSync(journal)) return;
  const found = format === "rez"
    ? "the file exists already; use --force to replace it"
    : "an earlier recording left its journal there; view it, or use --force to replace it";
  throw new JournalError("create", journal, new Error(found));
}

function checkFolder(path: string): void {
  try {
    const slash = path.lastIndexOf("/");
    const folder = slash < 0 ? "." : path.slice(0, slash + 1);
    if (!Deno.statSync(folder).isDirectory) throw new TypeError(`${folder} is no folder`);
    if (existsSync(path) && Deno.statSync(path).isDirectory) throw new TypeError("it is a folder");
  } catch (error) {
    throw new JournalError("create", path, error);
  }
}

/** A journal, which is the recording or becomes it. */
class JournalOutput implements RecordOutput {
  #journal: Journal | undefined;

  constructor(
    readonly path: string,
    readonly journalPath: string,
    readonly options: OutputOptions,
  ) {}

  endpoint(): EndpointOutput {
    let recording: JournalRecording | undefined;
    let info: Required<RecordingInfo> = { labels: {}, metadata: {} };
    return {
      append: ({ snapshot }, time) => {
        recording ??= this.#begin(snapshot, info);
        recording.append(snapshot, time);
      },
      describe: (found) => {
        info = found;
        recording?.setLabels(info.labels);
        recording?.setMetadata(info.metadata);
      },
    };
  }

  #begin(first: Snapshot, info: RecordingInfo): JournalRecording {
    if (this.#journal !== undefined) return this.#journal.addRecording(first.timeNs, info);
    const { sealer, log, force } = this.options;
    if (force) removeJournal(this.journalPath);
    this.#journal = Journal.create(this.journalPath, first.timeNs, { ...info, sealer, onProblem: log });
    return this.#journal.first;
  }

  async finish(): Promise<boolean> {
    if (this.#journal === undefined) return false;
    await this.#journal.finish();
    if (this.journalPath === this.path) return true;
    try {
      await this.options.sealer.run({
        kind: "convert",
        path: this.journalPath,
        output: this.path,
        options: {},
      });
    } catch (error) {
      const found = error instanceof Error ? error.message : String(error);
      throw new Error(`${found}; ${this.journalPath} keeps what was recorded`, { cause: error });
    }
    removeJournal(this.journalPath);
    return true;
  }

  [Symbol.dispose](): void {
    this.#journal?.[Symbol.dispose]();
  }
}

/** Snapshots one behind the other as they came, with the agent's own times. */
class RawOutput implements RecordOutput {
  #file: Deno.FsFile | undefined;

  constructor(readonly path: string) {}

  endpoint(): EndpointOutput {
    return {
      append: (look) => {
        const bytes = look.bytes();
        try {
          this.#file ??= Deno.openSync(this.path, { write: true, create: true, truncate: true });
          for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
        } catch (error) {
          throw new JournalError("append to", this.path, error);
        }
      },
      describe: () => {}, // the format has no place for it
    };
  }

  async finish(): Promise<boolean> {
    try {
      await this.#file?.sync();
    } catch (error) {
      throw new Error(`Cannot sync recording ${this.path}: ${describeFailure(error)}`, { cause: error });
    }
    return this.#file !== undefined;
  }

  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
