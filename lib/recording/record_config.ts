/** The recorder's configuration, `record --config FILE`, with upstream's keys. Pure. @module */
import { AGENT_PORT } from "../agent_client/mod.ts";
import {
  type ConfigOf,
  duration,
  type Key,
  optionalText,
  table,
  tables,
  text,
  toggle,
} from "../config/mod.ts";
import { PROTOCOLS } from "./endpoint.ts";
import { RECORD_FORMATS } from "./record_output.ts";

/** The agent of this host. */
export const DEFAULT_ENDPOINT = `http://127.0.0.1:${AGENT_PORT}`;

/** Where a recording goes when nothing else is said. */
export const DEFAULT_OUTPUT = "rezolus.parquet";

/** One of a few words, or left out. */
function optionalWord<const T extends string>(
  options: { readonly help: string; readonly example: T; readonly oneOf: readonly T[] },
): Key<T | undefined> {
  const { help, example, oneOf } = options;
  return { ...text({ help, fallback: example, oneOf }), fallback: undefined };
}

/** All keys; flags of the command line win over them. */
export const RECORD_CONFIG = table({
  recording: table({
    interval: duration({ help: "Time between two ticks.", fallback: "1s" }),
    output: text({ help: "File to write; its extension tells the format.", fallback: DEFAULT_OUTPUT }),
    format: optionalWord({
      help: "Format, when the output's name does not tell: parquet, rez or raw.",
      example: "parquet",
      oneOf: RECORD_FORMATS,
    }),
    separate: toggle({ help: "One file for each endpoint, STEM_NAME.EXTENSION.", fallback: false }),
  }, { help: "How is recorded, and where to." }),
  endpoints: tables({
    url: text({ help: "Agent, or page of metrics in Prometheus' text format.", fallback: DEFAULT_ENDPOINT }),
    source: optionalText({ help: "What it is called; agents are rezolus by default.", example: "rezolus" }),
    role: optionalText({ help: "What part it plays, by convention service or loadgen.", example: "service" }),
    protocol: optionalWord({
      help: "How it speaks: msgpack is an agent's. By default it is found out.",
      example: "msgpack",
      oneOf: PROTOCOLS,
    }),
  }, { help: "An endpoint to record; repeat the table for more of them." }),
}, { help: "Configuration of the recorder.", foreign: ["gpu_amd_pmu"] });

/** What a configuration reads as. */
export type RecordConfig = ConfigOf<typeof RECORD_CONFIG>;
