/** `restart`: builds and replaces a process, in dev mode from then on. @module */
import { defineTool, object } from "../../mcp/mod.ts";
import { tellProgress } from "./progress.ts";
import { orToolError, OUTCOME, outcomeOf, processNames, TASK_AFTER_MS, type ToolMaker } from "./tool.ts";

export const restart: ToolMaker = (host) =>
  defineTool({
    name: "restart",
    description: "Rebuilds a process and replaces it once the new one is ready; switches to dev mode. " +
      "When the build fails the old one runs on.",
    annotations: { destructiveHint: false, openWorldHint: false },
    input: object({ process: processNames }),
    output: OUTCOME,
    task: { afterMs: TASK_AFTER_MS },
    async run({ process }, context) {
      using _ = tellProgress(host, process, context);
      await orToolError(() => host.restart(process, context.signal));
      return {
        text: `Process '${process}' restarted successfully in dev mode`,
        structured: outcomeOf(host, process),
      };
    },
  });
