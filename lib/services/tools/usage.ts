/** `usage`: CPU and memory of processes with all that they have started. @module */
import {
  countedRatio,
  type CountedUsage,
  isOfThisHost,
  type KernelView,
  kernelView,
} from "../../agent_client/mod.ts";
import {
  array,
  defineTool,
  integer,
  nullable,
  number,
  object,
  oneOf,
  record,
  string,
} from "../../mcp/mod.ts";
import { treeUsage } from "../../procfs/mod.ts";
import { ownCgroup, UsageRates } from "../usage.ts";
import type { ToolMaker } from "./tool.ts";

const MIB = 2 ** 20;
const SHOWN_CALLS = 3;

const KERNEL = object({
  contextSwitches: number(),
  migrations: number({ description: "Moves to another CPU" }),
  offCpu: number({ description: "Seconds of waiting for something else than a CPU, of all its threads" }),
  syscalls: record(number(), { description: "System calls by kind" }),
}, {
  description:
    "What the kernel did for it, each second since the call before; told by the agent of a process with a CPU cgroup of its own",
});

export const usage: ToolMaker = (host, { agent }) => {
  const rates = new UsageRates();
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
        waitRatio: nullable(
          number({
            description: "Time in which it could have run and had no CPU; told by the agent of a cgroup",
          }),
        ),
        memoryBytes: integer(),
        kernel: nullable(KERNEL),
      })),
    }),
    async run() {
      const counted = await countedHere(agent);
      const services = [...host.supervisor.services.values()].flatMap(({ spec: { name }, current }) => {
        const status = current?.status();
        if (status?.kind !== "running") return [];
        const { pid } = status;
        const tree = treeUsage(pid);
        const { processes, pids, cpuSeconds, memoryBytes } = tree;
        const since = rates.ratio(name, pid, tree);
        const cgroup = counted === undefined ? undefined : ownCgroup(pid);
        // The agent's nanoseconds are finer than the kernel's ticks, but those add up also what has ended.
        const cpuRatio = shareOf(counted, "byCgroup", cgroup) ??
          (since.isWhole ? shareOf(counted, "byProcess", ...pids) : undefined) ?? since.ratio;
        const waitRatio = shareOf(counted, "waitedByCgroup", cgroup) ?? null;
        const kernel = counted && cgroup !== undefined ? kernelView(counted, cgroup) ?? null : null;
        return [{ name, processes, cpuSeconds, cpuRatio, waitRatio, memoryBytes, kernel }];
      });
      const lines = services.map(
        ({ name, processes, cpuSeconds, cpuRatio, waitRatio, memoryBytes, kernel }) => {
          const cpu = cpuRatio === null
            ? `${cpuSeconds.toFixed(1)} s CPU`
            : `${(100 * cpuRatio).toFixed(1)} % CPU`;
          const count = processes === 1 ? "1 process" : `${processes} processes`;
          const waited = waitRatio === null ? "" : `, waited ${(100 * waitRatio).toFixed(1)} %`;
          return `${name}: ${cpu}${waited}, ${(memoryBytes / MIB).toFixed(1)} MiB, ${count}${
            kernelText(kernel)
          }`;
        },
      );
      const source = counted === undefined ? "proc" as const : "agent" as const;
      return { text: lines.join("\n") || "(nothing runs)", structured: { source, services } };
    },
  });
};

/** The busiest kinds of system calls, and what kept it from a CPU. */
function kernelText(kernel: KernelView | null): string {
  if (kernel === null) return "";
  const calls = Object.entries(kernel.syscalls).sort(([, a], [, b]) => b - a).slice(0, SHOWN_CALLS)
    .map(([kind, rate]) => `${Math.round(rate)} ${kind}`).join(", ");
  const switches = `${Math.round(kernel.contextSwitches)} context switches/s`;
  return `; ${calls === "" ? "" : `${calls} calls/s, `}${switches}`;
}

/** What the agent has counted, if it counts the pids of this host. */
async function countedHere(
  agent: { read(): Promise<CountedUsage | undefined> } | undefined,
): Promise<CountedUsage | undefined> {
  const counted = await agent?.read();
  return counted !== undefined && isOfThisHost(counted, Deno.pid) ? counted : undefined;
}

function shareOf(
  counted: CountedUsage | undefined,
  table: Parameters<typeof countedRatio>[1],
  ...owners: readonly (string | number | undefined)[]
): number | undefined {
  return counted && countedRatio(counted, table, owners.filter((owner) => owner !== undefined));
}
