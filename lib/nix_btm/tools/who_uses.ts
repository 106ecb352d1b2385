/** `who_uses`: whose commands keep the machine busy. @module */
import { array, defineTool, integer, object, string } from "../../mcp/mod.ts";
import { commandText } from "../summary.ts";
import { HOST, placed, type ToolMaker } from "./tool.ts";

export const whoUses: ToolMaker = (view) =>
  defineTool({
    name: "who_uses",
    description: "Tells which users run Nix commands now, with their running builds",
    annotations: { readOnlyHint: true, openWorldHint: false },
    input: object({ host: HOST }),
    output: object({
      users: array(object({ host: string(), user: string(), running: integer(), commands: array(string()) })),
    }),
    run({ host }) {
      const users = new Map<string, { host: string; user: string; running: number; commands: string[] }>();
      for (const { host: name, world, row } of placed(view, host, ({ commands }) => commands.values())) {
        if (row.state !== "running") continue;
        const user = row.requester.user ??
          (row.requester.uid === undefined ? "unknown" : String(row.requester.uid));
        const found = users.get(`${name} ${user}`) ?? { host: name, user, running: 0, commands: [] };
        found.running += [...world.jobs.values()].filter((job) =>
          job.command === row.id && job.kind === "build" && job.state.kind === "running"
        ).length;
        found.commands.push(`#${row.id} ${commandText(row)}`.trimEnd());
        users.set(`${name} ${user}`, found);
      }
      const all = [...users.values()].sort((one, other) =>
        other.running - one.running
      );
      const lines = all.map(({ host, user, running, commands }) =>
        `${user} on ${host}: ${running} ${running === 1 ? "build runs" : "builds run"}; ${
          commands.join("; ")
        }`
      );
      return { text: lines.join("\n") || "nobody runs Nix", structured: { users: all } };
    },
  });
