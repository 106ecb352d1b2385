/** An instance that is followed: its lines as they come, and its end. @module */
import { sleep } from "../async/mod.ts";
import { type Doorbell, type ReadResult, SegmentReader } from "../ring/mod.ts";
import { type ExitStatus, inspectLog, type InstanceStatus } from "./instance.ts";
import { LineAssembler, type LogEntry, STREAMS } from "./lines.ts";

/** How an instance ended: with the child's own status, or without anybody knowing it. */
export type InstanceEnd =
  | { readonly kind: "exited"; readonly exit: ExitStatus }
  /** Its keeper was killed; `orphan` is the child's pid when it still runs. */
  | { readonly kind: "lost"; readonly orphan?: number }
  /** Its keeper has ended, and the log that would tell how is not there any more, or damaged. */
  | { readonly kind: "unreadable" };

/** What is heard of an instance: what its log tells, and that more of a line has come that has not ended. */
export type Heard = LogEntry | { readonly kind: "part" };

/** Until it is looked again whether a log can be read on. */
const RETRY_MS = 250;

/** How an instance is to be followed. */
export interface FollowOptions {
  readonly doorbell: Doorbell;
  /** Where to begin to tell; the beginning by default. */
  readonly from?: "oldest" | "end";
  /** Shared by many; see `RingReaderOptions`. */
  readonly buffer?: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
}

/** Follows the log of an instance whose keeper has begun. */
export class InstanceFollower implements Disposable {
  readonly #reader: SegmentReader;
  readonly #options: FollowOptions;
  readonly #lines = new LineAssembler();

  /** @throws {Deno.errors.NotFound} When no keeper has come yet. @throws {RingError} When the log is damaged. */
  constructor(folder: string, options: FollowOptions) {
    const { from = "oldest", buffer } = options;
    this.#reader = SegmentReader.open(folder, buffer === undefined ? { from } : { from, buffer });
    this.#options = options;
  }

  /** What is known now. */
  status(): InstanceStatus {
    return inspectLog(this.#reader.status());
  }

  /** Whether its keeper has ended as it should: nothing of the instance is left. */
  isClosed(): boolean {
    return this.#reader.status().state === "closed";
  }

  /**
   * Tells all entries, and where none has come that a line goes on; resolves with the end of the instance and its descendants. A log that cannot be read on is told,
   * and tried again as long as its keeper lives: an instance whose log was removed runs on. @throws The signal's reason.
   */
  async run(tell: (heard: Heard) => void): Promise<InstanceEnd> {
    const { doorbell, signal } = this.#options;
    for (let told = "";;) {
      try {
        await this.#reader.each(doorbell, signal, (result) => take(result, this.#lines, tell));
        break;
      } catch (error) {
        if (signal.aborted || !(error instanceof Error)) throw error;
        if (error.message !== told) tell({ kind: "event", timeMs: Date.now(), text: told = error.message });
        if (!this.#reader.status().writer.alive && !isPassing(error)) return { kind: "unreadable" };
        await sleep(RETRY_MS, { signal });
      }
    }
    this.#lines.flush(tell);
    const status = this.status();
    if (status.kind === "exited") return { kind: "exited", exit: status.exit };
    return status.kind === "lost" ? status : { kind: "lost" };
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
  }
}

function take(result: ReadResult, lines: LineAssembler, tell: (heard: Heard) => void): void {
  if (result.kind === "records") {
    let isTold = false;
    const tellEntry = (entry: LogEntry) => {
      isTold = true;
      tell(entry);
    };
    while (result.records.next()) lines.take(result.records, tellEntry);
    if (!isTold && STREAMS.some((stream) => lines.partBytes(stream) > 0)) tell({ kind: "part" });
  } else if (result.kind === "lapped") {
    const text = `${
      result.lostBytes + BigInt(lines.reset())
    } bytes of output were overwritten before they were read`;
    tell({ kind: "event", timeMs: Date.now(), text });
  }
}

/** Whether an error says nothing of the log: there was no descriptor or no memory to look at it. */
export function isPassing(error: Error): boolean {
  return /Too many open files|Cannot allocate memory/.test(error.message);
}
