/** `who_uses`: whose commands keep the machine busy. @module */
import { array, defineTool, integer, nullable, number, object, string } from "../../mcp/mod.ts";
import type { BuilderBuild } from "../processes/mod.ts";
import { cpuText, sizeText } from "../../tui/format.ts";
import { commandText } from "../summary.ts";
import { processesOf } from "../build_processes.ts";
import type { World } from "../world.ts";
import { HOST, placed, type ToolMaker } from "./tool.ts";

interface User {
  readonly host: string;
  readonly user: string;
  running: number;
  cpus: number | null;
  memory_bytes: number | null;
  readonly commands: string[];
}

export const whoUses: ToolMaker = (view) =>
  defineTool({
    name: "who_uses",
    description:
      "Tells which users run Nix commands now, with their running builds and what these use of the machine",
    annotations: { readOnlyHint: true, openWorldHint: false },
    input: object({ host: HOST }),
    output: object({
      users: array(object({
        host: string(),
        user: string(),
        running: integer(),
        cpus: nullable(number({ description: "CPUs that the builds keep busy; null when nobody looked" })),
        memory_bytes: nullable(number()),
        commands: array(
          string({ description: "None where only processes are known, of a Nix without a log" }),
        ),
      })),
    }),
    run({ host }) {
      const users = placed(view, host, (world) => [world])
        .flatMap(({ host, row }) => usersOf(host, row))
        .sort((one, other) => (other.cpus ?? 0) - (one.cpus ?? 0) || other.running - one.running);
      return { text: users.map(userText).join("\n") || "nobody runs Nix", structured: { users } };
    },
  });

function usersOf(host: string, world: World): User[] {
  const users = new Map<string, User>();
  const userOf = (user: string): User => {
    const found = users.get(user) ?? { host, user, running: 0, cpus: null, memory_bytes: null, commands: [] };
    users.set(user, found);
    return found;
  };
  const processes = processesOf(world);
  for (const { id, state, requester, targets } of world.commands.values()) {
    if (state !== "running") continue;
    const found = userOf(requester.user ?? String(requester.uid ?? "unknown"));
    found.commands.push(`#${id} ${commandText({ requester, targets })}`.trimEnd());
    for (const job of world.jobs.values()) {
      if (job.command !== id || job.kind !== "build" || job.state.kind !== "running") continue;
      found.running++;
      addUsage(found, processes.get(job.id));
    }
  }
  const known = new Set([...processes.values()].map(({ id }) => id));
  for (const build of world.builders?.builds ?? []) {
    if (known.has(build.id)) continue;
    const found = userOf(build.user);
    found.running++;
    addUsage(found, build);
  }
  return [...users.values()];
}

function addUsage(user: User, build: BuilderBuild | undefined): void {
  if (build === undefined) return;
  user.cpus = (user.cpus ?? 0) + (build.usage.cpuRatio ?? 0);
  user.memory_bytes = (user.memory_bytes ?? 0) + build.usage.memoryBytes;
}

function userText({ host, user, running, cpus, memory_bytes, commands }: User): string {
  const usage = cpus === null ? "" : `, ${cpuText(cpus)} CPU, ${sizeText(memory_bytes ?? 0)}`;
  const builds = `${running} ${running === 1 ? "build runs" : "builds run"}${usage}`;
  return [`${user} on ${host}: ${builds}`, ...commands].join("; ");
}
