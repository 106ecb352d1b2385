/**
 * Records endpoints: at every multiple of the interval one snapshot of each goes into the journal; at the end the journal
 * becomes what was asked for.
 * @module
 */
import { checkInterval, sleepUntil } from "../agent_client/mod.ts";
import { TaskGroup } from "../async/mod.ts";
import { type Endpoint, type NamedEndpoint, nameEndpoints, separateOutput } from "./endpoint.ts";
import {
  EndpointRecorder,
  type EndpointResult,
  type RecordClock,
  type RecordLogLevel,
  type RecordRun,
} from "./endpoint_recorder.ts";
import { formatOf, prepareOutput, type RecordFormat, type RecordOutput } from "./record_output.ts";
import { RecordSource, type SnapshotSource } from "./record_source.ts";
import { RunEvents } from "./run_events.ts";
import { type Sealer, workerSealer } from "./sealer.ts";
import { CAPPED_CODE, startCommand, type WrappedCommand } from "./wrapped_command.ts";

/** What to record, how and whereto. */
export interface RecordOptions {
  readonly endpoints: readonly Endpoint[];
  readonly output: string;
  /** By default told from the output's name: `.rez`, `.raw` or `.msgpack`, else parquet. */
  readonly format?: RecordFormat;
  /** A file for each endpoint, `<stem>_<name><extension>`. Raw recordings of several endpoints are so in any case. */
  readonly separate?: boolean;
  /** Replaces a `.rez` that is there; parquet and raw files are replaced without it. */
  readonly force?: boolean;
  readonly intervalMs?: number;
  /** Ends the recording after this time; without it (and without a command) the signal does. */
  readonly durationMs?: number;
  /** Records for as long as this command runs, at most for the duration. */
  readonly command?: readonly string[];
  /** Keeps the command's arguments, too. */
  readonly commandLine?: boolean;
  /** File-level keys beside what the endpoints tell of themselves; they win. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Labels of each recording; they win. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Takes one line for people. */
  readonly log?: (line: string, level: RecordLogLevel) => void;
  /** Takes the state behind each tick. */
  readonly onProgress?: (endpoints: readonly EndpointResult[], elapsedMs: number) => void;
  readonly clock?: RecordClock;
  readonly connect?: (endpoint: NamedEndpoint) => SnapshotSource;
  readonly sealer?: Sealer;
}

/** How a recording went. */
export interface RecordResult {
  readonly endpoints: readonly EndpointResult[];
  /** Files that were written. */
  readonly files: readonly string[];
  /**
   * 0; the command's, when it failed; 124 when the duration was over before the command; 1 when an endpoint gave nothing
   * or was away at the end.
   */
  readonly exitCode: number;
}

/** One a second. */
const DEFAULT_INTERVAL_MS = 1_000;

/**
 * Records until the duration is over, the command ends or the signal fires.
 * @throws {RangeError} For an interval that cannot be kept, an endpoint given twice, or two endpoints' files of one name.
 * @throws {Error} When the output cannot be written; a journal beside it keeps what was recorded.
 */
export async function runRecord(options: RecordOptions, signal: AbortSignal): Promise<RecordResult> {
  const { intervalMs = DEFAULT_INTERVAL_MS, clock = systemClock } = options;
  checkInterval(intervalMs, "record");
  const endpoints = nameEndpoints(options.endpoints);
  const log = (line: string, level: RecordLogLevel = "info") => options.log?.(line, level);
  await using stack = new AsyncDisposableStack();
  const sealer = stack.use(options.sealer ?? workerSealer(log));
  const nowNs = () => BigInt(Math.round(clock.nowMs() * 1e6));
  const sources = endpoints.map((each) => stack.use(new RecordSource(each, nowNs, options.connect)));
  const { outputs, outputOf, separate } = prepareOutputs(options, endpoints, sealer, log);
  for (const output of outputs) stack.use(output);

  const [startNs, startedNs] = [nowNs(), clock.monotonicNs()];
  const elapsedNs = () => clock.monotonicNs() - startedNs;
  const events = new RunEvents();
  const recorders: EndpointRecorder[] = [];
  let isOver = false;
  const accounts = (name: string) =>
    Object.fromEntries(
      recorders.filter(({ result }) => !separate || result.name === name)
        .map((each) => [each.result.name, each.account(isOver)]),
    );
  const run: RecordRun = {
    intervalMs,
    clock,
    endNs: options.durationMs === undefined
      ? undefined
      : startedNs + BigInt(Math.round(options.durationMs * 1e6)),
    given: { metadata: options.metadata ?? {}, labels: options.labels ?? {} },
    several: endpoints.length > 1,
    log,
    onEvent: (event) => events.add(event),
    onTick: () => options.onProgress?.(recorders.map(({ result }) => result), Number(elapsedNs()) / 1e6),
    runMetadata(name) {
      const happened = events.toMetadata(separate ? name : undefined);
      return {
        per_source_metadata: JSON.stringify(accounts(name)),
        ...(happened === undefined ? {} : { events: happened }),
      };
    },
  };
  for (const source of sources) {
    recorders.push(new EndpointRecorder(source, outputOf(source.endpoint).endpoint(), run));
    log(`recording ${source.endpoint.name} (${source.endpoint.url}) every ${intervalMs} ms`, "debug");
  }

  const mark = (kind: "run_start" | "run_end", description: string, details?: string) =>
    events.add({
      timestampNs: startNs + elapsedNs(),
      kind,
      description,
      ...(details === undefined ? {} : { details }),
    });
  const code = await whileCommandRuns(options, signal, mark, (stopped) =>
    TaskGroup.run(stopped, (group) => {
      for (const recorder of recorders) group.start((over) => recorder.run(over));
      return Promise.resolve();
    }));
  isOver = true;
  for (const recorder of recorders) recorder.finish();
  const files = await finishAll(outputs);

  const results = recorders.map(({ result }) => result);
  const failed = tellMissing(results, log);
  return { endpoints: results, files, exitCode: code !== 0 ? code : failed ? 1 : 0 };
}

/** Finishes each output, also behind one that fails; returns the paths of those that are there. @throws {Error} */
async function finishAll(outputs: readonly RecordOutput[]): Promise<string[]> {
  const files: string[] = [];
  const failures: Error[] = [];
  for (const output of outputs) {
    try {
      if (await output.finish()) files.push(output.path);
    } catch (error) {
      failures.push(error instanceof Error ? error : new Error(String(error)));
    }
  }
  if (failures.length < 2) {
    if (failures[0] !== undefined) throw failures[0];
    return files;
  }
  throw new AggregateError(failures, failures.map(({ message }) => message).join("; "));
}

/** Records until it is over by itself, and ends with the command where there is one. Returns the exit code. */
async function whileCommandRuns(
  { command: words, commandLine = false }: RecordOptions,
  signal: AbortSignal,
  mark: (kind: "run_start" | "run_end", description: string, details?: string) => void,
  record: (stopped: AbortSignal) => Promise<void>,
): Promise<number> {
  if (words === undefined) {
    await record(signal);
    return 0;
  }
  const command: WrappedCommand = startCommand(words);
  mark("run_start", command.name, commandLine ? words.join(" ") : undefined);
  const ended = new AbortController();
  const code = command.ended.finally(() => ended.abort());
  const stop = () => command.stop();
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    await record(AbortSignal.any([signal, ended.signal]));
    const capped = !ended.signal.aborted && !signal.aborted;
    if (capped) stop();
    const result = await code;
    mark(
      "run_end",
      `${command.name} ${capped ? "capped" : signal.aborted ? "interrupted" : `exited ${result}`}`,
    );
    return capped ? CAPPED_CODE : result;
  } finally {
    stop(); // Nothing outlives a recording that failed.
    await code;
    signal.removeEventListener("abort", stop);
  }
}

interface Outputs {
  readonly outputs: readonly RecordOutput[];
  readonly outputOf: (endpoint: NamedEndpoint) => RecordOutput;
  readonly separate: boolean;
}

function prepareOutputs(
  options: RecordOptions,
  endpoints: readonly NamedEndpoint[],
  sealer: Sealer,
  log: (line: string) => void,
): Outputs {
  const format = options.format ?? formatOf(options.output);
  const separate = options.separate === true || (format === "raw" && endpoints.length > 1);
  const prepare = (path: string) =>
    prepareOutput(path, { format, sealer, force: options.force === true, log });
  if (!separate) {
    const output = prepare(options.output);
    return { outputs: [output], outputOf: () => output, separate };
  }
  const paths = endpoints.map(({ name }) => separateOutput(options.output, name));
  const twice = paths.find((path, at) => paths.indexOf(path) !== at);
  if (twice !== undefined) {
    throw new RangeError(`Cannot record two endpoints into one file: both are ${twice}`);
  }
  const byName = new Map(endpoints.map(({ name }, at) => [name, prepare(paths[at]!)]));
  return { outputs: [...byName.values()], outputOf: ({ name }) => byName.get(name)!, separate };
}

/** Tells which endpoints gave nothing, and whether there are any. */
function tellMissing(results: readonly EndpointResult[], log: (line: string) => void): boolean {
  const silent = results.filter(({ ticks }) => ticks === 0);
  const away = results.filter(({ ticks, away }) => ticks > 0 && away);
  for (const { url } of silent) {
    log(results.length === 1 ? `Nothing was recorded: ${url} never answered` : `${url} never answered`);
  }
  for (const { url } of away) log(`${url} was away when the recording ended`);
  return silent.length + away.length > 0;
}

const systemClock: RecordClock = {
  nowMs: () => Date.now(),
  monotonicNs: () => BigInt(Math.round(performance.now() * 1e6)),
  sleepUntil,
};
