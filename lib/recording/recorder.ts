/**
 * Records an agent: at every multiple of the interval one snapshot goes into the journal; at the end the journal becomes
 * what was asked for. An agent that goes away leaves a gap, not an end.
 * @module
 */
import {
  AgentClient,
  checkInterval,
  nextTickMs,
  parseAgentAddress,
  sleepUntil,
} from "../agent_client/mod.ts";
import { decodeSnapshot, SchemaCache, type Snapshot } from "../metrics/mod.ts";
import { Journal } from "./journal.ts";
import { type Sealer, workerSealer } from "./sealer.ts";
import { TickClock } from "./tick_clock.ts";

/** What a recording is stored as. */
export type RecordFormat = "parquet" | "rez" | "raw";

/** Time and waiting, so that tests need not wait. */
export interface RecordClock {
  /** Unix time in milliseconds. */
  nowMs(): number;
  /** A clock that is never set, in nanoseconds. */
  monotonicNs(): bigint;
  /** Resolves at the Unix time `atMs`, or when the signal fires. */
  sleepUntil(atMs: number, signal: AbortSignal): Promise<void>;
}

/** What a recorder asks. */
export interface SnapshotSource extends Disposable {
  /** Returns the body at a path of the agent. @throws {Error} When the agent does not give it. */
  get(path: string, signal?: AbortSignal): Promise<Uint8Array>;
}

/** What to record, how and whereto. */
export interface RecordOptions {
  /** `http://HOST:PORT`, or the path of a unix socket. */
  readonly source: string;
  readonly output: string;
  /** By default told from the output's name: `.rez`, `.raw` or `.msgpack`, else parquet. */
  readonly format?: RecordFormat;
  readonly intervalMs?: number;
  /** Ends the recording after this time; without it (and without a command) the signal does. */
  readonly durationMs?: number;
  /** Records for as long as this command runs. */
  readonly command?: readonly string[];
  /** File-level keys beside what the agent tells of itself; they win. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly node?: string;
  readonly instance?: string;
  /** Takes one line for people. */
  readonly log?: (line: string) => void;
  readonly clock?: RecordClock;
  readonly agent?: SnapshotSource;
  readonly sealer?: Sealer;
}

/** How a recording went. */
export interface RecordResult {
  readonly ticks: number;
  /** Ticks at which the agent gave nothing. */
  readonly missed: number;
  /** 0; the command's, when it failed; 1 when nothing was recorded or the agent was away at the end. */
  readonly exitCode: number;
}

/** One a second. */
const DEFAULT_INTERVAL_MS = 1_000;

/**
 * Records until the duration is over, the command ends or the signal fires.
 * @throws {Error} When the output cannot be written; a journal beside it keeps what was recorded.
 */
export async function runRecord(options: RecordOptions, signal: AbortSignal): Promise<RecordResult> {
  const intervalMs = options.intervalMs ?? DEFAULT_INTERVAL_MS;
  checkInterval(intervalMs, "record");
  using agent = options.agent ?? new AgentClient(parseAgentAddress(options.source));
  const log = options.log ?? (() => {});
  using sealer = options.sealer ?? workerSealer(log);
  const format = options.format ?? formatOf(options.output);
  const output = openOutput(format, options, sealer, log);
  const over = new AbortController();
  const command = options.command === undefined ? undefined : startCommand(options.command, signal, over);
  try {
    const run = await recordTicks(options, agent, output, intervalMs, AbortSignal.any([signal, over.signal]));
    const ended = await command;
    await output.finish();
    if (run.ticks === 0) log(`Nothing was recorded: ${options.source} never answered`);
    else if (run.away) log(`${options.source} was away when the recording ended`);
    const failed = run.ticks === 0 || run.away;
    return {
      ticks: run.ticks,
      missed: run.missed,
      exitCode: ended !== undefined && ended !== 0 ? ended : failed ? 1 : 0,
    };
  } finally {
    output[Symbol.dispose]();
    over.abort();
  }
}

function formatOf(output: string): RecordFormat {
  if (output.endsWith(".rez")) return "rez";
  return output.endsWith(".raw") || output.endsWith(".msgpack") ? "raw" : "parquet";
}

/** Where ticks go. */
interface Output extends Disposable {
  /** Appends a snapshot; false when it is no newer than the one before. */
  append(bytes: Uint8Array, monotonicNs: bigint): boolean;
  describe(metadata: Readonly<Record<string, string>>): void;
  finish(): Promise<void>;
}

function openOutput(
  format: RecordFormat,
  options: RecordOptions,
  sealer: Sealer,
  log: (line: string) => void,
): Output {
  if (format === "raw") return rawOutput(options.output);
  const path = format === "rez" ? options.output : `${options.output}.rez`;
  Journal.checkFree(path);
  const clock = new TickClock();
  const cache = new SchemaCache();
  let journal: Journal | undefined;
  let last: Snapshot | undefined;
  let metadata: Readonly<Record<string, string>> = {};
  const create = (first: Snapshot): Journal => {
    metadata = { source: "rezolus", ...first.metadata, ...metadata };
    return Journal.create(path, first.timeNs, {
      metadata,
      sealer,
      onProblem: log,
      ...(options.labels && { labels: options.labels }),
    });
  };
  return {
    append(bytes, monotonicNs) {
      const snapshot = decodeSnapshot(bytes, cache, { recycle: last });
      last = snapshot;
      const time = clock.tick(snapshot.timeNs, monotonicNs);
      if (time === undefined) return false;
      journal ??= create(snapshot);
      journal.append(snapshot, time);
      return true;
    },
    describe(found) {
      metadata = { ...metadata, ...found };
      journal?.setMetadata(metadata);
    },
    async finish() {
      if (journal === undefined) return; // nothing was recorded, so there is no file
      await journal.finish();
      if (format === "rez") return;
      try {
        await sealer.run({ kind: "convert", path, output: options.output, options: {} });
      } catch (error) {
        throw new Error(`${reason(error)}; ${path} keeps what was recorded`, { cause: error });
      }
      await Deno.remove(path);
    },
    [Symbol.dispose]: () => journal?.[Symbol.dispose](),
  };
}

/** Snapshots one behind the other as they came. */
function rawOutput(path: string): Output {
  let file: Deno.FsFile | undefined;
  const cache = new SchemaCache();
  return {
    append(bytes) {
      decodeSnapshot(bytes, cache); // what is no snapshot must not go into the file
      file ??= Deno.openSync(path, { write: true, create: true, truncate: true });
      for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
      return true;
    },
    describe: () => {},
    finish: async () => await file?.sync(),
    [Symbol.dispose]: () => {
      file?.close();
      file = undefined;
    },
  };
}

interface Run {
  readonly ticks: number;
  readonly missed: number;
  readonly away: boolean;
}

async function recordTicks(
  options: RecordOptions,
  agent: SnapshotSource,
  output: Output,
  intervalMs: number,
  signal: AbortSignal,
): Promise<Run> {
  const clock = options.clock ?? systemClock;
  const log = options.log ?? (() => {});
  const endMs = options.durationMs === undefined ? Infinity : clock.nowMs() + options.durationMs;
  let [ticks, missed, awayFor] = [0, 0, 0];
  let described: Promise<void> | undefined;
  const miss = (what: string, error: unknown): void => {
    missed++;
    if (awayFor++ === 0) log(`${options.source} ${what}, recording goes on when it does: ${reason(error)}`);
  };
  try {
    for (;;) {
      // A tick that took longer than the interval skips what it missed instead of hurrying after it.
      const atMs = nextTickMs(clock.nowMs(), intervalMs);
      await clock.sleepUntil(Math.min(atMs, endMs), signal);
      if (signal.aborted || atMs > endMs) break;
      let bytes: Uint8Array;
      try {
        bytes = await agent.get("/metrics/binary", signal);
      } catch (error) {
        if (signal.aborted) break;
        miss("does not answer", error);
        continue;
      }
      const added = appendOrSkip(output, bytes, clock.monotonicNs());
      if (added instanceof SyntaxError) {
        miss("gives no snapshot", added);
        continue;
      }
      if (awayFor > 0) log(`${options.source} answers again, ${awayFor} ticks are missing`);
      awayFor = 0;
      // Beside the ticks, so that none is late for it.
      if (added && ticks++ === 0) {
        described = describeAgent(options, agent, intervalMs, signal).then(output.describe);
      }
    }
  } finally {
    await described;
  }
  return { ticks, missed, away: awayFor > 0 };
}

/** What is no snapshot is the agent's failure and a gap; what cannot be written is ours and an end. */
function appendOrSkip(output: Output, bytes: Uint8Array, monotonicNs: bigint): boolean | SyntaxError {
  try {
    return output.append(bytes, monotonicNs);
  } catch (error) {
    if (error instanceof SyntaxError) return error;
    throw error;
  }
}

/** File-level keys: what the agent tells, and what was given. An agent need not have these pages. */
async function describeAgent(
  options: RecordOptions,
  agent: SnapshotSource,
  intervalMs: number,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const metadata: Record<string, string> = { sampling_interval_ms: String(intervalMs) };
  for (
    const [key, path] of [["descriptions", "/metrics/descriptions"], ["systeminfo", "/systeminfo"]] as const
  ) {
    try {
      metadata[key] = new TextDecoder().decode(await agent.get(path, signal)).trim();
    } catch (error) {
      if (!signal.aborted) options.log?.(`${options.source} gives no ${key}: ${reason(error)}`);
    }
  }
  if (options.node !== undefined) metadata["node"] = options.node;
  if (options.instance !== undefined) metadata["instance"] = options.instance;
  return { ...metadata, ...options.metadata };
}

/** Starts a command with our own input and output; when the signal fires it is asked to end. Resolves to its code. */
function startCommand(
  command: readonly string[],
  signal: AbortSignal,
  over: AbortController,
): Promise<number> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(command[0]!, { args: command.slice(1), stdin: "inherit" }).spawn();
  } catch (error) {
    throw new Error(`Cannot run ${command[0]}: ${reason(error)}`, { cause: error });
  }
  const stop = () => {
    try {
      child.kill("SIGTERM");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // It has ended already.
    }
  };
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  return child.status.then(({ code }) => code).finally(() => {
    signal.removeEventListener("abort", stop);
    over.abort();
  });
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const systemClock: RecordClock = {
  nowMs: () => Date.now(),
  monotonicNs: () => BigInt(Math.round(performance.now() * 1e6)),
  sleepUntil,
};
