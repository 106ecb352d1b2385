/** The log of a process as it grows, over all of its runs. @module */
import { type Line, LineAssembler, type LogEntry } from "../../keeper/mod.ts";
import { flushPlaced, type LogPlace, startsOf, takePlaced } from "../../services/mod.ts";
import { RingError, SegmentReader } from "../../ring/mod.ts";
import type { Service } from "../../supervisor/mod.ts";

/** What a log tells: a line with its place, or the beginning of a run. */
export type Told = { readonly kind: "line"; readonly line: Line; readonly place: RunPlace } | {
  readonly kind: "run";
  readonly run: number;
} | {
  readonly kind: "lost";
  readonly bytes: number;
};

/** Where a line stands in all that a process has said. */
export interface RunPlace extends LogPlace {
  readonly run: number;
}

interface OpenLog {
  readonly reader: SegmentReader;
  readonly lines: LineAssembler;
}

/** Reads what is there, never waits, and goes on where it was. */
export class LogTail implements Disposable {
  readonly #service: Service;
  #run = 0;
  #log: OpenLog | undefined;

  constructor(service: Service) {
    this.#service = service;
  }

  /** The last lines of the newest run that has a log; what follows them is told by `read`. */
  begin(count: number): Told[] {
    const place = this.#service.ledger.places("run").at(-1);
    if (place === undefined) return [];
    this.#run = place.number;
    const starts = startsOf(place.folder);
    for (let segments = 1; starts.length > 0; segments *= 2) {
      const at = Math.max(0, starts.length - segments);
      this.#close();
      this.#log = openLog(place.folder, at === 0 ? "oldest" : starts[at]!);
      const told: Told[] = [];
      this.#drain((each) => told.push(each), Infinity);
      // The first line of a segment may have begun in the one before.
      if (at === 0 || told.length > count) return told.slice(count === 0 ? told.length : -count);
    }
    return [];
  }

  /** Tells what has come since, at most about so many lines at once; true when there may be more. */
  read(tell: (told: Told) => void, most: number): boolean {
    if (this.#drain(tell, most)) return true;
    const next = this.#service.ledger.places("run").find(({ number }) => number > this.#run);
    if (next === undefined) return false;
    const log = openLog(next.folder, "oldest");
    // Its keeper has not come yet.
    if (log === undefined) return false;
    if (this.#log !== undefined) flushPlaced(this.#log.reader, this.#log.lines, this.#teller(tell));
    this.#close();
    this.#log = log;
    this.#run = next.number;
    tell({ kind: "run", run: next.number });
    return this.#drain(tell, most);
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #close(): void {
    this.#log?.reader[Symbol.dispose]();
    this.#log = undefined;
  }

  #drain(tell: (told: Told) => void, most: number): boolean {
    if (this.#log === undefined) return false;
    const { reader, lines } = this.#log;
    let count = 0;
    const tellLine = this.#teller(tell);
    const take = (entry: LogEntry, place: LogPlace) => {
      count++;
      tellLine(entry, place);
    };
    for (let result = reader.read(); result.kind !== "empty"; result = reader.read()) {
      if (result.kind === "ended") {
        flushPlaced(reader, lines, take);
        return false;
      }
      if (result.kind === "lapped") {
        tell({ kind: "lost", bytes: Number(result.lostBytes) + lines.reset() });
      }
      if (result.kind === "records") takePlaced(reader, result.records, lines, take);
      if (count >= most) return true;
    }
    return false;
  }

  #teller(tell: (told: Told) => void): (entry: LogEntry, place: LogPlace) => void {
    const run = this.#run;
    return (entry, place) => {
      if (entry.kind === "line") tell({ kind: "line", line: entry.line, place: { ...place, run } });
    };
  }
}

function openLog(folder: string, from: "oldest" | bigint): OpenLog | undefined {
  try {
    return { reader: SegmentReader.open(folder, { from }), lines: new LineAssembler() };
  } catch (error) {
    // Not written yet, or damaged: what a follower of it says stands in the timeline.
    if (error instanceof Deno.errors.NotFound || error instanceof RingError) return undefined;
    throw error;
  }
}
