/** `usage`: CPU and memory of processes with all that they have started. @module */
import { array, defineTool, integer, nullable, number, object, oneOf, string } from "../../mcp/mod.ts";
import type { TaskUsage } from "../agent_usage.ts";
import { treeUsage } from "../usage.ts";
import type { ToolMaker } from "./tool.ts";

const MIB = 2 ** 20;

/** What was used by then, for the ratio since. */
interface Look {
  readonly pid: number;
  readonly cpuSeconds: number;
  readonly endedSeconds: number;
  readonly atMs: number;
}

export const usage: ToolMaker = (manager, { agent }) => {
  const before = new Map<string, Look>();
  return defineTool({
    name: "usage",
    description:
      "Tells CPU and memory of each process with all that it has started; CPU since the call before, by the finer " +
      "count of this host's telemetry agent where one answers.",
    annotations: { readOnlyHint: true, openWorldHint: false },
    output: object({
      source: oneOf(["agent", "proc"], { description: "Who told of CPU" }),
      services: array(object({
        name: string(),
        processes: integer(),
        cpuSeconds: number({ description: "Since they were started" }),
        cpuRatio: nullable(number({ description: "Of one core, since the call before" })),
        memoryBytes: integer(),
      })),
    }),
    async run() {
      const counted = await countedHere(agent);
      const services = [...manager.supervisor.services.values()].flatMap(({ spec: { name }, current }) => {
        const status = current?.status();
        if (status?.kind !== "running") return [];
        const { pid } = status;
        const { pids, endedSeconds, ...used } = treeUsage(pid);
        const now = { pid, cpuSeconds: used.cpuSeconds, endedSeconds, atMs: performance.now() };
        const last = before.get(name);
        // The agent's nanoseconds are finer than the kernel's ticks, but only those add up those that have ended.
        const isFiner = counted !== undefined && last?.endedSeconds === endedSeconds;
        const cpuRatio = (isFiner ? countedRatio(counted, pids) : undefined) ?? ratioSince(last, now);
        before.set(name, now);
        return [{ name, ...used, cpuRatio }];
      });
      const lines = services.map(({ name, processes, cpuSeconds, cpuRatio, memoryBytes }) => {
        const cpu = cpuRatio === null
          ? `${cpuSeconds.toFixed(1)} s CPU`
          : `${(100 * cpuRatio).toFixed(1)} % CPU`;
        return `${name}: ${cpu}, ${(memoryBytes / MIB).toFixed(1)} MiB, ${processes} processes`;
      });
      const source = counted === undefined ? "proc" as const : "agent" as const;
      return { text: lines.join("\n") || "(nothing runs)", structured: { source, services } };
    },
  });
};

/** What the agent has counted, if it counts the pids of this host: this process uses the CPU at this moment. */
async function countedHere(
  agent: { read(): Promise<TaskUsage | undefined> } | undefined,
): Promise<TaskUsage | undefined> {
  const counted = await agent?.read();
  return counted?.byProcess.has(String(Deno.pid)) === true ? counted : undefined;
}

/** Undefined when the agent knows none of them: they have not used the CPU since it came, or their table is full. */
function countedRatio({ byProcess, elapsedNs }: TaskUsage, pids: readonly number[]): number | undefined {
  const found = pids.flatMap((pid) => byProcess.get(String(pid)) ?? []);
  return found.length === 0 ? undefined : found.reduce((sum, ns) => sum + ns, 0) / elapsedNs;
}

function ratioSince(before: Look | undefined, now: Look): number | null {
  if (before?.pid !== now.pid || now.atMs === before.atMs) return null;
  return Math.max(0, 1_000 * (now.cpuSeconds - before.cpuSeconds) / (now.atMs - before.atMs));
}
