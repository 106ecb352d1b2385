/** `rezolus record`: metrics of agents and other endpoints into a file, tick by tick. @module */
import { command, option, print, UsageError } from "../../lib/cli/mod.ts";
import type { ValuesOf } from "../../lib/cli/command.ts";
import { duration, type Key, loadConfig, optionalText, text, toggle } from "../../lib/config/mod.ts";
import type { RecordConfig, RecordOptions, RecordResult } from "../../lib/recording/mod.ts";
import { ProgressOutput, tickText } from "./progress.ts";
import { DEFAULT_AGENT_URL } from "./words.ts";

const DEFAULT_OUTPUT = "rezolus.parquet";

/** Of terminals that do not tell their width. */
const DEFAULT_COLUMNS = 80;

const FORMATS = ["parquet", "rez", "raw"] as const;

const OPTIONS = {
  url: option(optionalText({ help: "Endpoint, instead of URL.", example: DEFAULT_AGENT_URL }), {
    value: "URL",
  }),
  endpoint: option(
    optionalText({
      help: "Endpoint as URL[,source=NAME][,role=WORD][,protocol=msgpack|prometheus].",
      example: "http://web1:4241,source=web1",
    }),
    { value: "ENDPOINT", multiple: true },
  ),
  config: option(
    optionalText({ help: "Endpoints and output from a TOML file; flags win.", example: "record.toml" }),
    { value: "FILE", complete: "file" },
  ),
  output: option(optionalText({ help: "File, instead of OUTPUT.", example: DEFAULT_OUTPUT }), {
    value: "FILE",
    short: "o",
    complete: "file",
  }),
  interval: option(optionalDuration("Time between two ticks [default: 1s].", "1s"), {
    value: "DURATION",
    short: "i",
  }),
  duration: option(optionalDuration("Ends the recording, and a COMMAND, after this time.", "30s"), {
    value: "DURATION",
    short: "d",
  }),
  format: option(
    text({
      help: "Format, when the output's name does not tell: parquet, rez or raw.",
      fallback: "",
      oneOf: ["", ...FORMATS],
    }),
    { value: "FORMAT", short: "f", complete: FORMATS },
  ),
  separate: option(toggle({ help: "A file for each endpoint: OUTPUT_NAME.", fallback: false })),
  force: option(toggle({ help: "Replaces a .rez that is there.", fallback: false })),
  metadata: option(pair("A key of the file's metadata."), { value: "KEY=VALUE", short: "m", multiple: true }),
  label: option(pair("A label of each recording in the file."), {
    value: "KEY=VALUE",
    short: "l",
    multiple: true,
  }),
  node: option(optionalText({ help: "Name of the host in combined files.", example: "web1" }), {
    value: "NAME",
  }),
  instance: option(optionalText({ help: "Name of the instance in combined files.", example: "a" }), {
    value: "NAME",
  }),
  recordCommandLine: option(
    toggle({ help: "Keeps COMMAND's arguments in the file, not only its name.", fallback: false }),
  ),
  json: option(toggle({ help: "Prints how it went as one line of JSON at the end.", fallback: false })),
  verbose: option(
    toggle({ help: "Tells more: -v each answer, -vv each tick that is written.", fallback: false }),
    {
      short: "v",
      multiple: true,
    },
  ),
};

export const record = command({
  name: "record",
  summary: "record agents and other endpoints into a .rez or parquet file",
  description:
    "Appends each tick to a journal that a kill leaves readable, and turns it into parquet at the end when " +
    "the output's name does not end in .rez. An agent that goes away leaves a gap, and does not stop the others; " +
    "when one gave nothing, or was away at the end, the exit code is 1.\n\n" +
    "Several endpoints go into one file, their series told apart by source, host and endpoint; an endpoint that is no " +
    "agent is read as Prometheus' text format. Raw recordings are one file for each endpoint.\n\n" +
    "With a command after -- it records while the command runs and exits with its code; a duration that is over first " +
    "ends the command, with code 124.\n\n" +
    "A .rez that is there, and the journal OUTPUT.rez that a recording which was cut off left beside its output, is " +
    "never replaced without --force. A parquet or raw file is replaced, parquet only when the new one is whole.",
  positionals: [
    {
      name: "URL",
      help: `endpoint, http://HOST:PORT or the path of a socket [default: ${DEFAULT_AGENT_URL}]`,
      optional: true,
    },
    { name: "OUTPUT", help: `file to write [default: ${DEFAULT_OUTPUT}]`, optional: true, complete: "file" },
  ],
  options: OPTIONS,
  rest: "COMMAND",
  examples: [
    ["rezolus record -d 30s -o load.rez", "Record this host for half a minute"],
    ["rezolus record http://127.0.0.1:4241 out.parquet", "Until Ctrl-C, as upstream's positional form"],
    ["rezolus record -o build.parquet -- make -j8", "While a command runs"],
    ["rezolus record --endpoint web1:4241 --endpoint web2:4241 -o fleet.rez", "Two hosts in one file"],
    [
      "rezolus record --separate --endpoint web1 --endpoint http://web1:9090/metrics,source=api -o run.parquet",
      "An agent and a service, as run_rezolus.parquet and run_api.parquet",
    ],
    ["rezolus record --config record.toml -d 5m", "What a file says, for five minutes"],
  ],
  async run({ args, options, rest, signal }) {
    const { runRecord } = await import("../../lib/recording/mod.ts");
    const { log, plan, output } = await prepare(args, options, rest);
    try {
      const result = await runRecord(plan, signal);
      output.done();
      log(summaryLine(result, plan.output));
      if (options.json) print(`${JSON.stringify(summary(result))}\n`);
      return result.exitCode;
    } finally {
      output.done();
    }
  },
});

interface Prepared {
  readonly plan: RecordOptions;
  readonly output: ProgressOutput;
  readonly log: (line: string) => void;
}

/** From the words of the command line to what is recorded. @throws {UsageError} When they contradict each other. */
async function prepare(
  [url, file]: readonly (string | undefined)[],
  options: ValuesOf<typeof OPTIONS>,
  rest: readonly string[],
): Promise<Prepared> {
  const verbosity = options.verbose.length;
  // A command's output, and lines about each tick, do not go together with a line that is written over.
  const live = Deno.stderr.isTerminal() && rest.length === 0 && verbosity === 0;
  const output = new ProgressOutput(
    (line) => Deno.stderr.writeSync(new TextEncoder().encode(line)),
    live ? () => Deno.consoleSize().columns || DEFAULT_COLUMNS : undefined,
  );
  const log = (line: string) => output.line(`rezolus: ${line}`);
  const { config, endpoints } = await readEndpoints(url, options, log);
  if (file !== undefined && options.output !== undefined) throw new UsageError("the output is given twice");
  const format = options.format !== "" ? options.format : config?.recording.format;
  const { node, instance, duration: durationMs } = options;
  const plan: RecordOptions = {
    endpoints,
    output: file ?? options.output ?? config?.recording.output ?? DEFAULT_OUTPUT,
    separate: options.separate || config?.recording.separate === true,
    force: options.force,
    metadata: {
      ...(node === undefined ? {} : { node }),
      ...(instance === undefined ? {} : { instance }),
      ...Object.fromEntries(options.metadata),
    },
    labels: Object.fromEntries(options.label),
    commandLine: options.recordCommandLine,
    log: (line, level) => LEVELS.indexOf(level) <= verbosity && log(line),
    onProgress: (found, elapsedMs) =>
      output.show({ elapsedMs, endpoints: found, ...(durationMs === undefined ? {} : { durationMs }) }),
    ...(format === undefined ? {} : { format }),
    ...intervalOf(options.interval ?? config?.recording.interval),
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(rest.length === 0 ? {} : { command: rest }),
  };
  return { plan, output, log };
}

const LEVELS = ["info", "debug", "trace"];

function intervalOf(intervalMs: number | undefined): { intervalMs?: number } {
  return intervalMs === undefined ? {} : { intervalMs };
}

/** Endpoints are told in one way: by URL, by --endpoint or by a file. */
async function readEndpoints(
  positional: string | undefined,
  { url, endpoint, config: file, metadata }: ValuesOf<typeof OPTIONS>,
  log: (line: string) => void,
): Promise<{ config?: RecordConfig; endpoints: RecordOptions["endpoints"] }> {
  const given = [positional, url, endpoint[0], file].filter((each) => each !== undefined);
  if (given.length > 1) {
    throw new UsageError(`what is recorded is told twice: "${given[0]}" and "${given[1]}"`);
  }
  const { parseEndpoint, RECORD_CONFIG } = await import("../../lib/recording/mod.ts");
  if (endpoint.length > 0) return { endpoints: endpoint.map(parseEndpoint) };
  if (file === undefined) {
    const source = metadata.find(([key]) => key === "source")?.[1];
    const only = { url: positional ?? url ?? DEFAULT_AGENT_URL };
    return { endpoints: [source === undefined ? only : { ...only, source }] };
  }
  const { config, warnings } = loadConfig(RECORD_CONFIG, file);
  for (const warning of warnings) log(warning);
  const endpoints = config.endpoints.map(({ url, source, role, protocol }) => ({
    url,
    ...(source === undefined ? {} : { source }),
    ...(role === undefined ? {} : { role }),
    ...(protocol === undefined ? {} : { protocol }),
  }));
  return { config, endpoints: endpoints.length > 0 ? endpoints : [{ url: DEFAULT_AGENT_URL }] };
}

/** `recorded 30 ticks to load.rez`. */
function summaryLine({ endpoints, files }: RecordResult, output: string): string {
  const several = endpoints.length > 1;
  const parts = endpoints.map((each) => `${tickText(each)}${several ? ` of ${each.name}` : ""}`);
  return `recorded ${parts.join("; ")} to ${files.join(", ") || `nothing: ${output} was not written`}`;
}

/** What a program wants to know. */
function summary({ endpoints, files, exitCode }: RecordResult): unknown {
  return {
    files: files.map((path) => ({ path, bytes: Deno.statSync(path).size })),
    endpoints: endpoints.map(({ name, url, ticks, missed, away }) => ({
      name,
      endpoint: url,
      ticks,
      missed_ticks: missed,
      away,
    })),
    exit_code: exitCode,
  };
}

function optionalDuration(help: string, example: string): Key<number | undefined> {
  return { ...duration({ help, fallback: example }), fallback: undefined };
}

function pair(help: string): Key<readonly [string, string] | undefined> {
  return {
    kind: "key",
    help,
    fallback: undefined,
    expected: "KEY=VALUE",
    sample: "KEY=VALUE",
    read(value) {
      const [, key, rest] = /^([^=]+)=(.*)$/s.exec(String(value)) ?? [];
      return key === undefined ? undefined : [key, rest!];
    },
  };
}
