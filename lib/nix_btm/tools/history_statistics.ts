/** `history_statistics`: what builds cost, by package. @module */
import { array, defineTool, integer, number, object, string } from "../../mcp/mod.ts";
import { durationText } from "../summary.ts";
import { LIMIT, type ToolMaker } from "./tool.ts";

const PACKAGES_DEFAULT = 20;

export const historyStatistics: ToolMaker = (view) =>
  defineTool({
    name: "history_statistics",
    description: "Tells by package how often it was built, how often that failed, and how long it took",
    annotations: { readOnlyHint: true, openWorldHint: false },
    input: object({ limit: LIMIT }),
    output: object({
      packages: array(object({
        package: string(),
        builds: integer(),
        failed: integer(),
        seconds: number(),
        seconds_median: number(),
        seconds_p90: number(),
      })),
    }),
    async run({ limit = PACKAGES_DEFAULT }, { signal }) {
      const found = await view.statistics(limit, signal);
      const packages = found.map((each) => ({
        package: each.package,
        builds: each.builds,
        failed: each.failed,
        seconds: each.totalMs / 1_000,
        seconds_median: each.medianMs / 1_000,
        seconds_p90: each.p90Ms / 1_000,
      }));
      const lines = found.map((each) =>
        `${each.package}: ${each.builds} builds, ${each.failed} failed, ${
          durationText(each.totalMs)
        } in all, ` +
        `median ${durationText(each.medianMs)}, p90 ${durationText(each.p90Ms)}`
      );
      return { text: lines.join("\n") || "nothing was built yet", structured: { packages } };
    },
  });
