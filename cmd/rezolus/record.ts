/** `rezolus record`: an agent's metrics into a file, tick by tick. @module */
import { command, option, UsageError } from "../../lib/cli/mod.ts";
import { duration, type Key, optionalText, text } from "../../lib/config/mod.ts";
import { DEFAULT_AGENT_URL } from "./words.ts";

const DEFAULT_OUTPUT = "rezolus.parquet";

export const record = command({
  name: "record",
  summary: "record an agent into a .rez or parquet file",
  description:
    "Appends each tick to a journal that a kill leaves readable, and turns it into parquet at the end when " +
    "the output's name does not end in .rez. With a command after -- it records while the command runs and exits " +
    "with its code.",
  positionals: [
    {
      name: "URL",
      help: `agent, http://HOST:PORT or the path of its socket [default: ${DEFAULT_AGENT_URL}]`,
      optional: true,
    },
    { name: "OUTPUT", help: `file to write [default: ${DEFAULT_OUTPUT}]`, optional: true, complete: "file" },
  ],
  options: {
    url: option(optionalText({ help: "Agent, instead of URL.", example: DEFAULT_AGENT_URL }), {
      value: "URL",
    }),
    output: option(optionalText({ help: "File, instead of OUTPUT.", example: DEFAULT_OUTPUT }), {
      value: "FILE",
      short: "o",
      complete: "file",
    }),
    interval: option(duration({ help: "Time between two ticks.", fallback: "1s" }), {
      value: "DURATION",
      short: "i",
    }),
    duration: option(optionalDuration("Ends the recording after this time."), {
      value: "DURATION",
      short: "d",
    }),
    format: option(
      text({
        help: "Format, when the output's name does not tell.",
        fallback: "",
        oneOf: ["", "parquet", "rez", "raw"],
      }),
      { value: "FORMAT", short: "f", complete: ["parquet", "rez", "raw"] },
    ),
    metadata: option(pair("A key of the file's metadata."), {
      value: "KEY=VALUE",
      short: "m",
      multiple: true,
    }),
    label: option(pair("A label of the recording."), { value: "KEY=VALUE", short: "l", multiple: true }),
    node: option(optionalText({ help: "Name of the host in combined files.", example: "web1" }), {
      value: "NAME",
    }),
    instance: option(optionalText({ help: "Name of the instance in combined files.", example: "a" }), {
      value: "NAME",
    }),
  },
  rest: "COMMAND",
  examples: [
    ["rezolus record -d 30s -o load.rez", "Record this host for half a minute"],
    ["rezolus record http://127.0.0.1:4241 out.parquet", "Until Ctrl-C, as upstream's positional form"],
    ["rezolus record -o build.parquet -- make -j8", "While a command runs"],
  ],
  async run({ args: [url, output], options, rest, signal }) {
    const { runRecord } = await import("../../lib/recording/mod.ts");
    if (url !== undefined && options.url !== undefined) throw new UsageError("the agent is given twice");
    if (output !== undefined && options.output !== undefined) {
      throw new UsageError("the output is given twice");
    }
    const file = output ?? options.output ?? DEFAULT_OUTPUT;
    const { node, instance } = options;
    const result = await runRecord({
      source: url ?? options.url ?? DEFAULT_AGENT_URL,
      output: file,
      intervalMs: options.interval,
      metadata: Object.fromEntries(options.metadata),
      labels: Object.fromEntries(options.label),
      log: (line) => console.error(`rezolus: ${line}`),
      ...(options.duration === undefined ? {} : { durationMs: options.duration }),
      ...(options.format === "" ? {} : { format: options.format }),
      ...(node === undefined ? {} : { node }),
      ...(instance === undefined ? {} : { instance }),
      ...(rest.length === 0 ? {} : { command: rest }),
    }, signal);
    const missed = result.missed === 0 ? "" : `, ${result.missed} missed`;
    console.error(
      `rezolus: recorded ${result.ticks} ${result.ticks === 1 ? "tick" : "ticks"}${missed} to ${file}`,
    );
    return result.exitCode;
  },
});

function optionalDuration(help: string): Key<number | undefined> {
  return { ...duration({ help, fallback: "30s" }), fallback: undefined };
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
