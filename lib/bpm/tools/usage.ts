/** `usage`: CPU and memory of processes with all that they have started. @module */
import { array, defineTool, integer, nullable, number, object, string } from "../../mcp/mod.ts";
import { treeUsage } from "../usage.ts";
import type { ToolMaker } from "./tool.ts";

const MIB = 2 ** 20;

export const usage: ToolMaker = (manager) => {
  /** What was used by then, for the ratio since. */
  const before = new Map<
    string,
    { readonly pid: number; readonly cpuSeconds: number; readonly atMs: number }
  >();
  return defineTool({
    name: "usage",
    description:
      "Tells CPU and memory of each process with all that it has started; CPU since the call before",
    annotations: { readOnlyHint: true, openWorldHint: false },
    output: object({
      services: array(object({
        name: string(),
        processes: integer(),
        cpuSeconds: number({ description: "Since they were started" }),
        cpuRatio: nullable(number({ description: "Of one core, since the call before" })),
        memoryBytes: integer(),
      })),
    }),
    run() {
      const services = [...manager.supervisor.services.values()].flatMap(({ spec: { name }, current }) => {
        const status = current?.status();
        if (status?.kind !== "running") return [];
        const { pid } = status;
        const used = treeUsage(pid);
        const atMs = performance.now();
        const last = before.get(name);
        before.set(name, { pid, cpuSeconds: used.cpuSeconds, atMs });
        const cpuRatio = last?.pid === pid
          ? Math.max(0, 1_000 * (used.cpuSeconds - last.cpuSeconds) / (atMs - last.atMs))
          : null;
        return [{ name, ...used, cpuRatio }];
      });
      const lines = services.map(({ name, processes, cpuSeconds, cpuRatio, memoryBytes }) => {
        const cpu = cpuRatio === null
          ? `${cpuSeconds.toFixed(1)} s CPU`
          : `${(100 * cpuRatio).toFixed(1)} % CPU`;
        return `${name}: ${cpu}, ${(memoryBytes / MIB).toFixed(1)} MiB, ${processes} processes`;
      });
      return { text: lines.join("\n") || "(nothing runs)", structured: { services } };
    },
  });
};
