/** `get_status`: mode and processes, in upstream's lines. @module */
import { defineTool } from "../../mcp/mod.ts";
import type { ToolMaker } from "./tool.ts";

export const getStatus: ToolMaker = (manager) =>
  defineTool({
    name: "get_status",
    description: "Tells the mode, and of each process its state, uptime, recent events and crashes",
    annotations: { readOnlyHint: true, openWorldHint: false },
    run: () => ({ text: manager.statusText() }),
  });
