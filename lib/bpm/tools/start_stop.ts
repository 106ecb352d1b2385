/** `start` and `stop`. @module */
import { defineTool, object } from "../../mcp/mod.ts";
import { orToolError, processName, type ToolMaker } from "./tool.ts";

export const start: ToolMaker = (manager) =>
  defineTool({
    name: "start",
    description: "Starts a process that does not run; answers when it is ready",
    annotations: { destructiveHint: false, idempotentHint: true, openWorldHint: false },
    input: object({ process: processName }),
    task: { afterMs: 5_000 },
    async run({ process }, { signal }) {
      await orToolError(() => manager.startOne(process, signal));
      return { text: `Process '${process}' started` };
    },
  });

export const stop: ToolMaker = (manager) =>
  defineTool({
    name: "stop",
    description: "Stops a process and all that it has started; it stays stopped until it is asked for",
    annotations: { destructiveHint: true, idempotentHint: true, openWorldHint: false },
    input: object({ process: processName }),
    async run({ process }, { signal }) {
      await orToolError(() => manager.stopOne(process, signal));
      return { text: `Process '${process}' stopped` };
    },
  });
