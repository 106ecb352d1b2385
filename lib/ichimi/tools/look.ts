/** `get_process_status`, `get_process_output` and `list_processes`. @module */
import { array, defineTool, integer, number, object, oneOf, string } from "../../mcp/mod.ts";
import { orToolError } from "../../services/mod.ts";
import { OUTCOME_FILTERS, STATE_FILTERS } from "../list_filter.ts";
import { INFO, maybe, STATUS } from "./schemas.ts";
import { processId, type ToolMaker } from "./tool.ts";

const LOOKS = { readOnlyHint: true, openWorldHint: false };
const LINES = 100;
const MOST_LINES = 100_000;

const STREAMS = { Stdout: "stdout", Stderr: "stderr", Both: undefined } as const;

export const getProcessStatus: ToolMaker = ({ host }) =>
  defineTool({
    name: "get_process_status",
    description: "Get process status and metrics",
    annotations: LOOKS,
    input: object({ id: processId }),
    output: STATUS,
    async run({ id }) {
      const status = await orToolError(() => host.status(id));
      return { text: JSON.stringify(status, null, 2), structured: status };
    },
  });

export const getProcessOutput: ToolMaker = ({ host }) =>
  defineTool({
    name: "get_process_output",
    description: "Get process output (stdout/stderr)",
    annotations: LOOKS,
    input: object({
      id: processId,
      stream: oneOf(["Stdout", "Stderr", "Both"], { description: "Both is in order of time" }),
      lines: maybe(
        integer({ description: "The last so many; 100 by default", minimum: 0, maximum: MOST_LINES }),
      ),
    }),
    output: object({
      lines: array(object({ timeMs: number(), stream: oneOf(["stdout", "stderr"]), text: string() })),
    }),
    async run({ id, stream, lines: count }) {
      const lines = (await orToolError(() => host.output(id, count ?? LINES, STREAMS[stream]))).map((
        line,
      ) => ({
        ...line,
        text: host.mask(line.text),
      }));
      return { text: lines.map(({ text }) => text).join("\n"), structured: { lines } };
    },
  });

export const listProcesses: ToolMaker = ({ host }) =>
  defineTool({
    name: "list_processes",
    description: "List all managed processes",
    annotations: LOOKS,
    input: object({
      filter: maybe(object({
        state: maybe(oneOf(STATE_FILTERS, {
          description: "Failed: nobody knows how it ended; who exited with an error is Stopped, see outcome",
        })),
        outcome: maybe(oneOf(OUTCOME_FILTERS, {
          description: "How it ended last; not_clean: it failed, was killed or could not be started",
        })),
        name_pattern: maybe(string({
          description: "Part of the id or the command; with * or ? a pattern for all of it",
        })),
      })),
    }),
    output: object({ processes: array(INFO) }),
    run({ filter }) {
      const processes = host.list({
        state: filter?.state ?? "All",
        name_pattern: filter?.name_pattern ?? undefined,
        outcome: filter?.outcome ?? undefined,
      });
      return { text: JSON.stringify(processes, null, 2), structured: { processes } };
    },
  });
