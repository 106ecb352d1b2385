/** `start_process`, `stop_process`, `restart_process` and `remove_process`. @module */
import { defineTool, integer, object, string } from "../../mcp/mod.ts";
import { orToolError, TASK_AFTER_MS } from "../../services/mod.ts";
import { permission } from "./allowed.ts";
import { maybe } from "./schemas.ts";
import { processId, type ToolMaker } from "./tool.ts";

const GRACE_MS = 5_000;
/** A call that takes longer helps nobody. */
const MOST_GRACE_MS = 600_000;
const GRACE = maybe(integer({
  description: "After SIGTERM, until all of it is killed; 5000 by default",
  minimum: 0,
  maximum: MOST_GRACE_MS,
}));

export const startProcess: ToolMaker = ({ host, client }) =>
  defineTool({
    name: "start_process",
    description: "Start a registered process",
    annotations: { destructiveHint: false, openWorldHint: false },
    input: object({ id: processId }),
    output: object({ id: string(), pid: integer() }),
    async run({ id }, context) {
      const pid = await orToolError(async () => {
        const permitted = await permission(host, context, host.record(id));
        return await host.startProcess(id, { client, signal: context.signal, permitted });
      });
      return { text: `Process '${id}' started with PID ${pid}`, structured: { id, pid } };
    },
  });

export const stopProcess: ToolMaker = ({ host }) =>
  defineTool({
    name: "stop_process",
    description: "Stop a running process",
    annotations: { destructiveHint: true, openWorldHint: false },
    task: { afterMs: TASK_AFTER_MS },
    input: object({
      id: processId,
      grace_period_ms: GRACE,
    }),
    output: object({ id: string() }),
    async run({ id, grace_period_ms: graceMs }, { signal }) {
      await orToolError(() => host.stopProcess(id, graceMs ?? GRACE_MS, signal));
      return { text: `Process '${id}' stopped successfully`, structured: { id } };
    },
  });

export const restartProcess: ToolMaker = ({ host, client }) =>
  defineTool({
    name: "restart_process",
    description: "Stop a process if it runs, and start it",
    annotations: { destructiveHint: true, openWorldHint: false },
    input: object({ id: processId, grace_period_ms: GRACE }),
    output: object({ id: string(), pid: integer() }),
    async run({ id, grace_period_ms: graceMs }, context) {
      const pid = await orToolError(async () => {
        const permitted = await permission(host, context, host.record(id));
        const options = { client, signal: context.signal, permitted };
        return await host.restartProcess(id, graceMs ?? GRACE_MS, options);
      });
      return { text: `Process '${id}' restarted with PID ${pid}`, structured: { id, pid } };
    },
  });

export const removeProcess: ToolMaker = ({ host }) =>
  defineTool({
    name: "remove_process",
    description: "Remove a process from management",
    annotations: { destructiveHint: true, openWorldHint: false },
    input: object({ id: processId }),
    output: object({ id: string() }),
    async run({ id }, { signal }) {
      await orToolError(() => host.remove(id, signal));
      return { text: `Process '${id}' removed successfully`, structured: { id } };
    },
  });
