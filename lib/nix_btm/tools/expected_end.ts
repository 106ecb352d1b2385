/** `expected_end`: when commands will be done, and what holds them up. @module */
import { array, defineTool, integer, number, object, string } from "../../mcp/mod.ts";
import { nameOf } from "../../nix/mod.ts";
import { durationWord } from "../../tui/format.ts";
import { commandText } from "../summary.ts";
import { HOST, placed, type ToolMaker } from "./tool.ts";

export const expectedEnd: ToolMaker = (view) =>
  defineTool({
    name: "expected_end",
    description:
      "Tells when running Nix commands will be done by what their builds took before, and the critical path",
    annotations: { readOnlyHint: true, openWorldHint: false },
    input: object({ host: HOST }),
    output: object({
      commands: array(object({
        host: string(),
        id: integer(),
        command: string(),
        seconds_median: number(),
        seconds_p90: number(),
        builds_left: integer(),
        unknown: integer({ description: "Builds of which history knows nothing" }),
        critical_path: array(string()),
      })),
    }),
    run({ host }) {
      const commands = placed(view, host, ({ estimates }) => estimates.values()).flatMap(
        ({ host, world, row }) => {
          const command = world.commands.get(row.command);
          if (row.estimate === undefined || command?.state !== "running") return [];
          const passedMs = view.now() - row.atMs;
          const { medianMs, p90Ms, left, unknown, criticalPath } = row.estimate;
          return [{
            host,
            id: command.id,
            command: `#${command.id} ${commandText(command)}`.trimEnd(),
            seconds_median: Math.max(0, medianMs - passedMs) / 1_000,
            seconds_p90: Math.max(0, p90Ms - passedMs) / 1_000,
            builds_left: left,
            unknown,
            critical_path: criticalPath.map(nameOf),
          }];
        },
      );
      const lines = commands.map((
        { command, seconds_median, seconds_p90, builds_left, unknown, critical_path },
      ) =>
        `${command}: about ${durationWord(seconds_median * 1_000)}, nine times of ten within ` +
        `${durationWord(seconds_p90 * 1_000)}; ${builds_left} builds left${
          unknown === 0 ? "" : `, ${unknown} of them unknown`
        }; ` +
        `it waits for ${critical_path.join(" → ")}`
      );
      return { text: lines.join("\n") || "nothing runs", structured: { commands } };
    },
  });
