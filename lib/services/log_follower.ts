/** What the instances of a service say, one after the other, read on from a position that can be kept. @module */
import { type LogEntry, type Stream, STREAMS } from "../keeper/mod.ts";
import { RingError } from "../ring/mod.ts";
import type { Place } from "../supervisor/mod.ts";
import { lastLinesAndRest, lastPlacedLines, type LineInLog } from "./log_lines.ts";
import {
  type LinePart,
  type LogNews,
  type LogPlace,
  type LogPosition,
  LogReader,
  type ReadEnd,
} from "./log_reader.ts";

/** What is told: news of a log, or that the one of another instance begins. */
export type Told = LogNews | { readonly kind: "run"; readonly run: number };

/** Where a line stands in all that a service has said. */
export interface RunPlace extends LogPlace {
  readonly run: number;
}

/** A line with its place. */
export interface PlacedLine extends LineInLog {
  readonly place: RunPlace;
}

/** Where a service's logs are read on, as text: `NEXT_RUN.POSITION_…`. */
export type LogCursor = string;

/** Reads what is there and never waits: whoever has it listens to the supervisor and reads when something was said. */
export class LogFollower implements Disposable {
  readonly #places: () => readonly Place[];
  /** Logs that are read by number of instance, oldest first: one may end while the next one has begun. */
  readonly #open = new Map<number, LogReader>();
  /** Of instances before that none is opened any more; undefined until the first read. */
  #next: number | undefined;

  /**
   * Begins with the newest instance's first line, or at a cursor.
   * @param places Instances of one kind, oldest first, as they are when it is called.
   */
  constructor(places: () => readonly Place[], cursor?: LogCursor) {
    this.#places = places;
    const position = cursor === undefined ? undefined : parseCursor(cursor);
    if (position !== undefined) this.#goOn(position);
  }

  /** Where another one goes on: behind all that was told. */
  get cursor(): LogCursor {
    const runs = [...this.#open].map(([run, log]) => `_${run}.${positionText(log.position)}`);
    return `${this.#next ?? 0}${runs.join("")}`;
  }

  /**
   * The last lines of all instances, or of one stream of them, as far as they have ended; what comes behind them is told
   * by `read`. For the begin.
   */
  last(count: number, stream?: Stream): PlacedLine[] {
    const places = this.#places();
    this.#next = places.at(-1)?.number ?? 0;
    let lines: PlacedLine[] = [];
    for (const { number, folder } of places.toReversed()) {
      if (this.#open.size > 0) {
        if (lines.length >= count) break;
        const before = orNothing(() => lastPlacedLines(folder, count - lines.length, stream)) ?? [];
        lines = [...placedIn(number, before), ...lines];
        continue;
      }
      const found = orNothing(() => lastLinesAndRest(folder, count, stream));
      if (found === undefined) continue;
      lines = placedIn(number, found.last);
      this.#open.set(number, found.log);
      this.#next = number + 1;
    }
    return lines;
  }

  /** Tells what has come since, at most about so much at once; true when there may be more. */
  read(tell: (told: Told, place: RunPlace) => void, most = Infinity): boolean {
    const ends = new Map<number, ReadEnd>();
    const tellOf = (run: number) => (news: LogNews, place: LogPlace) => tell(news, { ...place, run });
    for (const [run, log] of this.#open) {
      ends.set(run, log.readOrEnd(tellOf(run), most));
      if (ends.get(run) === "more") return true;
    }
    const places = this.#places();
    this.#next ??= places.at(-1)?.number ?? 0;
    for (const { number, folder } of places) {
      if (number < this.#next) continue;
      const log = orNothing(() => LogReader.open(folder));
      // Its keeper has not come yet, or never does.
      if (log === undefined) continue;
      this.#open.set(number, log);
      this.#next = number + 1;
      tell({ kind: "run", run: number }, { run: number, end: 0, nth: 0 });
      ends.set(number, log.readOrEnd(tellOf(number), most));
      if (ends.get(number) === "more") return true;
    }
    this.#close(ends);
    return false;
  }

  /** Tells lines that have not ended, such as prompts; they are told again when they have. */
  peek(tell: (entry: LogEntry) => void): void {
    for (const log of this.#open.values()) log.peek(tell);
  }

  [Symbol.dispose](): void {
    for (const log of this.#open.values()) log[Symbol.dispose]();
    this.#open.clear();
  }

  #goOn({ next, runs }: Position): void {
    const places = this.#places();
    // Numbers are never used again: it is another service of the same name.
    if ((places.at(-1)?.number ?? 0) < next - 1) {
      this.#next = 0;
      return;
    }
    this.#next = next;
    for (const [run, position] of runs) {
      const folder = places.find(({ number }) => number === run)?.folder;
      const log = folder === undefined ? undefined : openAt(folder, position);
      if (log !== undefined) this.#open.set(run, log);
    }
  }

  /** Lets go of logs that have ended, but of the newest, which says where it is. */
  #close(ends: ReadonlyMap<number, ReadEnd>): void {
    const newest = [...this.#open.keys()].at(-1);
    for (const [run, log] of this.#open) {
      if (run === newest || ends.get(run) !== "never") continue;
      log[Symbol.dispose]();
      this.#open.delete(run);
    }
  }
}

function placedIn(run: number, lines: readonly LineInLog[]): PlacedLine[] {
  return lines.map(({ line, place }) => ({ line, place: { ...place, run } }));
}

/** From the begin where the log does not reach to the position: it is another one. */
function openAt(folder: string, position: LogPosition): LogReader | undefined {
  return orNothing(() => {
    try {
      return LogReader.open(folder, position);
    } catch (error) {
      if (error instanceof RangeError) return LogReader.open(folder);
      throw error;
    }
  });
}

/** Of a damaged log nothing can be told; that it is one, the supervisor tells, who follows it. */
function orNothing<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    if (error instanceof RingError) return undefined;
    throw error;
  }
}

interface Position {
  readonly next: number;
  readonly runs: readonly (readonly [run: number, position: LogPosition])[];
}

const LETTERS = { stdout: "o", stderr: "e" } as const;
const RUN = /^(\d{1,15})\.(\d{1,19})((?:\.[oe]\d{1,19}-\d{1,15})*)$/;

function positionText({ at, parts = {} }: LogPosition): string {
  const begun = STREAMS.map((stream) => {
    const part = parts[stream];
    return part === undefined ? "" : `.${LETTERS[stream]}${part.at}-${part.skip}`;
  });
  return `${at}${begun.join("")}`;
}

/** Whether a text can be one. */
export function isCursor(text: string): text is LogCursor {
  return parseCursor(text) !== undefined;
}

/** Undefined when it is none. */
function parseCursor(text: LogCursor): Position | undefined {
  const [next = "", ...rest] = text.split("_");
  const runs = rest.map((each) => RUN.exec(each));
  if (!/^\d{1,15}$/.test(next) || runs.includes(null)) return undefined;
  return {
    next: Number(next),
    runs: runs.map((found) => {
      const [, run, at, parts] = found!;
      return [Number(run), { at: BigInt(at!), parts: partsOf(parts!) }];
    }),
  };
}

function partsOf(text: string): Partial<Record<Stream, LinePart>> {
  return Object.fromEntries(
    [...text.matchAll(/([oe])(\d+)-(\d+)/g)].map(([, letter, at, skip]) => [
      STREAMS.find((stream) => LETTERS[stream] === letter)!,
      { at: BigInt(at!), skip: Number(skip) },
    ]),
  );
}
