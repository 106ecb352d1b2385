/**
 * What a project's processes have said and say, read from what lies on disk: also while no manager runs, and as it
 * comes.
 * @module
 */
import { LineAssembler, type LogEntry } from "../keeper/mod.ts";
import { type Doorbell, SegmentReader } from "../ring/mod.ts";
import { type InstanceKind, Ledger, type Place } from "../supervisor/mod.ts";
import { sleep, TaskGroup } from "../async/mod.ts";
import { HostError, instanceAt } from "../services/mod.ts";

/** How often it is looked whether there is a new instance; its lines come at once. */
const LOOK_EVERY_MS = 250;
const SERVICES = "services";

/** One line of a process or its build. */
export interface LocalLine {
  readonly process: string;
  readonly of: InstanceKind;
  /** Number of the instance. */
  readonly instance: number;
  readonly timeMs: number;
  /** `bpm`: the keeper's own words. */
  readonly stream: "stdout" | "stderr" | "bpm";
  readonly text: string;
}

/** What is asked for. */
export interface LocalQuery {
  /** All that are known when it is empty. */
  readonly processes: readonly string[];
  readonly kind: InstanceKind;
  /** The instance that is meant: −1 is the newest, 0 the oldest kept. Left out: the newest, or with `sinceMs` all. */
  readonly index?: number | undefined;
  /** Unix milliseconds; lines before are left out. */
  readonly sinceMs?: number | undefined;
  /** Keeps secrets out of lines. */
  mask(text: string): string;
}

/** Names of the processes that have ever been started. */
export function localProcesses(stateFolder: string): string[] {
  try {
    const entries = [...Deno.readDirSync(`${stateFolder}/${SERVICES}`)];
    return entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Instances of a process, oldest first. */
export function localPlaces(stateFolder: string, process: string, kind: InstanceKind): Place[] {
  return new Ledger(`${stateFolder}/${SERVICES}/${process}`).places(kind);
}

/**
 * Lines that are there, in order of time.
 * @throws {HostError} When a process is not known. @throws {InstanceError} When there is no such instance.
 */
export function readLocal(stateFolder: string, query: LocalQuery): LocalLine[] {
  const reading = new Reading(stateFolder, query);
  return reading.take({ whole: true });
}

/** The same, and then each line as it comes, until the signal fires. */
export async function followLocal(
  stateFolder: string,
  query: LocalQuery,
  options: {
    readonly doorbell: Doorbell;
    readonly signal: AbortSignal;
    /** What was there at first. */
    readonly begin: (lines: LocalLine[]) => void;
    readonly tell: (line: LocalLine) => void;
  },
): Promise<void> {
  const { doorbell, signal, begin, tell } = options;
  const reading = new Reading(stateFolder, query);
  begin(reading.take({ whole: false }));
  await using group = new TaskGroup(signal);
  while (!group.signal.aborted) {
    for (const tail of reading.open()) group.start((signal) => tail.live(doorbell, signal, tell));
    // What ends it is told by the group: nobody listens any more, or a log is damaged.
    await sleep(LOOK_EVERY_MS, { signal: group.signal }).catch(() => undefined);
  }
  signal.throwIfAborted();
}

/** The logs that are read, and how far. */
class Reading {
  readonly #folder: string;
  readonly #query: LocalQuery;
  readonly #names: readonly string[] | undefined;
  /** The newest instance of each process that was begun to be read. */
  readonly #seen = new Map<string, number>();
  #tails: Tail[] = [];

  constructor(folder: string, query: LocalQuery) {
    this.#folder = folder;
    this.#query = query;
    this.#names = query.processes.length === 0 ? undefined : query.processes;
    const known = localProcesses(folder);
    const unknown = query.processes.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      const there = known.length === 0 ? "none was ever started" : `there are: ${known.join(", ")}`;
      throw new HostError(`Process '${unknown}' not found (${there})`);
    }
  }

  /** All lines of the instances that are meant; `whole` when nothing is read on from there. */
  take({ whole }: { readonly whole: boolean }): LocalLine[] {
    const lines: LocalLine[] = [];
    const tell = (line: LocalLine) => void lines.push(line);
    for (const process of this.#names ?? localProcesses(this.#folder)) {
      const places = localPlaces(this.#folder, process, this.#query.kind);
      for (const place of this.#chosen(places)) {
        const tail = Tail.open(process, place, this.#query);
        tail?.backlog(tell);
        if (whole) tail?.end(tell);
        else if (tail !== undefined) this.#tails.push(tail);
      }
      this.#seen.set(process, places.at(-1)?.number ?? 0);
    }
    return lines.sort((a, b) => a.timeMs - b.timeMs);
  }

  /** Logs that are to be followed from now on: those that were taken, and new ones. */
  open(): Tail[] {
    const tails = this.#tails;
    this.#tails = [];
    for (const process of this.#names ?? localProcesses(this.#folder)) {
      const seen = this.#seen.get(process) ?? 0;
      for (const place of localPlaces(this.#folder, process, this.#query.kind)) {
        if (place.number <= seen) continue;
        const tail = Tail.open(process, place, this.#query);
        if (tail === undefined) break; // Its keeper has not come yet: the next look finds it.
        tails.push(tail);
        this.#seen.set(process, place.number);
      }
    }
    return tails;
  }

  #chosen(places: readonly Place[]): readonly Place[] {
    const { index, sinceMs, processes } = this.#query;
    if (index === undefined && sinceMs !== undefined) return places;
    // Of many, those without one say nothing; of one that was asked for, that is an error.
    if (places.length === 0 && (processes.length !== 1 || index === undefined)) return [];
    return [places[instanceAt(index ?? -1, places.length)]!];
  }
}

/** One instance's log. */
class Tail {
  readonly #reader: SegmentReader;
  readonly #lines = new LineAssembler();
  readonly #about: Pick<LocalLine, "process" | "of" | "instance">;
  readonly #query: LocalQuery;

  /** Undefined when its keeper has not come yet. */
  static open(process: string, place: Place, query: LocalQuery): Tail | undefined {
    try {
      const about = { process, of: place.kind, instance: place.number };
      return new Tail(SegmentReader.open(place.folder), about, query);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  private constructor(
    reader: SegmentReader,
    about: Pick<LocalLine, "process" | "of" | "instance">,
    query: LocalQuery,
  ) {
    this.#reader = reader;
    this.#about = about;
    this.#query = query;
  }

  /** Tells what is there. */
  backlog(tell: (line: LocalLine) => void): void {
    for (
      let result = this.#reader.read();
      result.kind !== "ended" && result.kind !== "empty";
      result = this.#reader.read()
    ) {
      if (result.kind === "lapped") this.#lines.reset();
      if (result.kind === "records") {
        while (result.records.next()) this.#lines.take(result.records, (entry) => this.#pass(entry, tell));
      }
    }
  }

  /** Tells what comes, until its end. @throws The signal's reason. */
  async live(doorbell: Doorbell, signal: AbortSignal, tell: (line: LocalLine) => void): Promise<void> {
    using _ = { [Symbol.dispose]: () => this.end(tell) };
    await this.#reader.each(doorbell, signal, (result) => {
      if (result.kind === "lapped") this.#lines.reset();
      if (result.kind === "records") {
        while (result.records.next()) this.#lines.take(result.records, (entry) => this.#pass(entry, tell));
      }
    });
  }

  /** Tells what was begun and not ended by a newline, and closes the log. */
  end(tell: (line: LocalLine) => void): void {
    this.#lines.flush((entry) => this.#pass(entry, tell));
    this.#reader[Symbol.dispose]();
  }

  #pass(entry: LogEntry, tell: (line: LocalLine) => void): void {
    if (entry.kind === "notify") return;
    const { timeMs, text, stream } = entry.kind === "line"
      ? entry.line
      : { timeMs: entry.timeMs, text: entry.text, stream: "bpm" as const };
    const { sinceMs = -Infinity, mask } = this.#query;
    if (timeMs >= sinceMs) tell({ ...this.#about, timeMs, stream, text: mask(text) });
  }
}
