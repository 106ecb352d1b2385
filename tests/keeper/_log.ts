/** Logs of instances, for tests. @module */
import { LineAssembler, type LogEntry } from "../../lib/keeper/mod.ts";
import { SegmentReader } from "../../lib/ring/mod.ts";

/** A folder that goes away with the test. */
export class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "keeper-" });
  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Looks every few milliseconds, since nobody tells when a process's state changes. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const limit = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > limit) throw new Error(`${what} does not come`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Reads a log that makes its child wait, and makes room by removing what was read. */
export class Consumer implements Disposable {
  readonly entries: LogEntry[] = [];
  ended = false;
  readonly #folder: string;
  readonly #segmentBytes: bigint;
  readonly #reader: SegmentReader;
  readonly #lines = new LineAssembler();

  constructor(folder: string, segmentBytes: number) {
    this.#folder = folder;
    this.#segmentBytes = BigInt(segmentBytes);
    this.#reader = SegmentReader.open(folder);
  }

  /** Takes what is there. */
  take(): void {
    const tell = (entry: LogEntry) => void this.entries.push(entry);
    for (;;) {
      const result = this.#reader.read();
      if (result.kind === "records") { while (result.records.next()) this.#lines.take(result.records, tell); }
      else if (result.kind === "ended") return void (this.ended = true);
      else if (result.kind === "empty") break;
      else throw new Error(`the log was ${result.kind}`);
    }
    const files = [...Deno.readDirSync(this.#folder)].map(({ name }) => name).filter((name) =>
      name.endsWith(".seg")
    );
    for (const name of files.sort().slice(0, -1)) {
      const end = BigInt(`0x${name.slice(0, 16)}`) + this.#segmentBytes;
      if (end <= this.#reader.position) Deno.removeSync(`${this.#folder}/${name}`);
    }
  }

  /** Names of the notifications' variables, and the keeper's words, in order. */
  words(): string[] {
    return this.entries.flatMap((entry) =>
      entry.kind === "notify" ? Object.keys(entry.values) : entry.kind === "event" ? [entry.text] : []
    );
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
  }
}
