/** `restart`: builds and replaces a process, in dev mode from then on. @module */
import { defineTool, object } from "../../mcp/mod.ts";
import { orToolError, processName, type ToolMaker } from "./tool.ts";

/** A build that takes longer becomes a task, for clients that know tasks. */
const TASK_AFTER_MS = 5_000;

export const restart: ToolMaker = (manager) =>
  defineTool({
    name: "restart",
    description: "Rebuilds a process and replaces it once the new one is ready; switches to dev mode. " +
      "When the build fails the old one runs on.",
    annotations: { destructiveHint: false, openWorldHint: false },
    input: object({ process: processName }),
    task: { afterMs: TASK_AFTER_MS },
    async run({ process }, { signal }) {
      await orToolError(() => manager.restart(process, signal));
      return { text: `Process '${process}' restarted successfully in dev mode` };
    },
  });
