/** The tools of the process manager: upstream's four first, under upstream's names. @module */
import type { Tool } from "../../mcp/mod.ts";
import type { Manager } from "../manager.ts";
import { explain } from "./explain.ts";
import { getStatus } from "./get_status.ts";
import { graph } from "./graph.ts";
import { list } from "./list.ts";
import { readLogs } from "./read_logs.ts";
import { reload } from "./reload.ts";
import { restart } from "./restart.ts";
import { searchBuildLog, searchLogs } from "./search_logs.ts";
import { send } from "./send.ts";
import { start, stop } from "./start_stop.ts";
import type { ToolMaker, ToolOptions } from "./tool.ts";
import { usage } from "./usage.ts";
import { wait } from "./wait.ts";

const MAKERS: readonly ToolMaker[] = [
  searchLogs,
  searchBuildLog,
  restart,
  getStatus,
  list,
  start,
  stop,
  send,
  wait,
  readLogs,
  usage,
  graph,
  explain,
  reload,
];

/** All tools for a manager; a call of any of them keeps the dev mode up. */
export function bpmTools(manager: Manager, options: ToolOptions = {}): Tool[] {
  return MAKERS.map((make) => make(manager, options)).map((tool) => ({
    ...tool,
    run(input, context) {
      manager.touch();
      return tool.run(input, context);
    },
  }));
}
