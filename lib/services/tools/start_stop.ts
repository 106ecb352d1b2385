/** `start` and `stop`. @module */
import { defineTool, object } from "../../mcp/mod.ts";
import { tellProgress } from "./progress.ts";
import { orToolError, OUTCOME, outcomeOf, processNames, TASK_AFTER_MS, type ToolMaker } from "./tool.ts";

export const start: ToolMaker = (host) =>
  defineTool({
    name: "start",
    description: "Starts a process that does not run; answers when it is ready",
    annotations: { destructiveHint: false, idempotentHint: true, openWorldHint: false },
    input: object({ process: processNames }),
    output: OUTCOME,
    task: { afterMs: TASK_AFTER_MS },
    async run({ process }, context) {
      using _ = tellProgress(host, process, context);
      await orToolError(() => host.startOne(process, context.signal));
      return { text: `Process '${process}' started`, structured: outcomeOf(host, process) };
    },
  });

export const stop: ToolMaker = (host) =>
  defineTool({
    name: "stop",
    description: "Stops a process and all that it has started; it stays stopped until it is asked for",
    annotations: { destructiveHint: true, idempotentHint: true, openWorldHint: false },
    input: object({ process: processNames }),
    output: OUTCOME,
    async run({ process }, context) {
      using _ = tellProgress(host, process, context);
      await orToolError(() => host.stopOne(process, context.signal));
      return { text: `Process '${process}' stopped`, structured: outcomeOf(host, process) };
    },
  });
