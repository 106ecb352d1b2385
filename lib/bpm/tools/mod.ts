/** The tools of the process manager: upstream's four first, under upstream's names. @module */
import type { Tool } from "../../mcp/mod.ts";
import {
  explain,
  graph,
  list,
  readLogs,
  restart,
  searchBuildLog,
  searchLogs,
  send,
  start,
  stop,
  type ToolOptions,
  usage,
  wait,
} from "../../services/mod.ts";
import type { Manager } from "../manager.ts";
import { getStatus } from "./get_status.ts";
import { reload } from "./reload.ts";

const MAKERS: readonly ((manager: Manager, options: ToolOptions) => Tool)[] = [
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
