/** The monitor's tools for assistants. @module */
import type { Tool } from "../../mcp/mod.ts";
import { expectedEnd } from "./expected_end.ts";
import { failedBuilds } from "./failed_builds.ts";
import { historyStatistics } from "./history_statistics.ts";
import { listBuilds } from "./list_builds.ts";
import { searchLog } from "./search_log.ts";
import type { NixView, ToolMaker } from "./tool.ts";
import { whoUses } from "./who_uses.ts";
import { whyRebuiltTool } from "./why_rebuilt.ts";
import { whyWaitingTool } from "./why_waiting.ts";

const MAKERS: readonly ToolMaker[] = [
  listBuilds,
  whyWaitingTool,
  failedBuilds,
  searchLog,
  expectedEnd,
  historyStatistics,
  whoUses,
  whyRebuiltTool,
];

/** All of them, on one view. */
export function nixTools(view: NixView): Tool[] {
  return MAKERS.map((make) => make(view));
}

export type { NixView } from "./tool.ts";
