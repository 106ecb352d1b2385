/** `history_statistics`: what builds cost, by package. @module */
import { array, defineTool, integer, nullable, number, object, string } from "../../mcp/mod.ts";
import { durationWord } from "../../tui/format.ts";
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
        seconds_median: nullable(number({ description: "Of those that succeeded" })),
        seconds_p90: nullable(number()),
      })),
    }),
    async run({ limit = PACKAGES_DEFAULT }, { signal }) {
      const found = await view.statistics(limit, signal);
      const packages = found.map((each) => ({
        package: each.package,
        builds: each.builds,
        failed: each.failed,
        seconds: each.totalMs / 1_000,
        seconds_median: secondsOf(each.medianMs),
        seconds_p90: secondsOf(each.p90Ms),
      }));
      const lines = found.map(({ package: name, builds, failed, totalMs, medianMs, p90Ms }) => {
        const took = medianMs === null || p90Ms === null
          ? "none succeeded"
          : `median ${durationWord(medianMs)}, p90 ${durationWord(p90Ms)}`;
        return `${name}: ${builds} ${builds === 1 ? "build" : "builds"}, ${failed} failed, ${
          durationWord(totalMs)
        } in all, ${took}`;
      });
      return { text: lines.join("\n") || "nothing was built yet", structured: { packages } };
    },
  });

function secondsOf(ms: number | null): number | null {
  return ms === null ? null : ms / 1_000;
}
