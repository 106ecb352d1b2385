/** `search_logs` and `search_build_log`: one search in two kinds of logs. @module */
import { array, boolean, defineTool, integer, object, optional, string } from "../../mcp/mod.ts";
import { selectionText } from "../log_search.ts";
import { orToolError, processName, type ToolMaker } from "./tool.ts";

const INPUT = object({
  process: processName,
  pattern: optional(string({ description: "Regular expression, case-sensitive; all lines without it" })),
  context_lines: optional(integer({ description: "Lines before and after each match", minimum: 0 })),
  head: optional(integer({ description: "Only the first lines of what was found", minimum: 0 })),
  tail: optional(
    integer({ description: "Only the last lines of what was found; wins over head", minimum: 0 }),
  ),
  index: optional(integer({
    description:
      "Which instance: -1 is the newest (the default), -2 the one before; 0 the oldest that is kept",
  })),
});

const OUTPUT = object({
  found: boolean({ description: "Whether there is any line" }),
  lines: array(string(), {
    description: "With a pattern, lines that match begin with ' * ' and those around them with three blanks",
  }),
  note: optional(string({ description: "That there were more than an answer takes" })),
});

export const searchLogs: ToolMaker = searcher("run", "search_logs", "Searches the output of a process");
export const searchBuildLog: ToolMaker = searcher(
  "build",
  "search_build_log",
  "Searches the output of a process's builds",
);

function searcher(kind: "run" | "build", name: string, description: string): ToolMaker {
  return (host) =>
    defineTool({
      name,
      description,
      annotations: { readOnlyHint: true, openWorldHint: false },
      input: INPUT,
      output: OUTPUT,
      async run({ process, context_lines: contextLines, ...query }, { signal }) {
        const asked = contextLines === undefined ? query : { ...query, contextLines };
        const selection = await orToolError(() => host.search(process, kind, asked, signal));
        const { none, lines, note } = selection;
        const structured = {
          found: none === undefined,
          lines: [...lines],
          ...note === undefined ? {} : { note },
        };
        return { text: selectionText(selection), structured };
      },
    });
}
