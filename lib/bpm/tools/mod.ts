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
  type ServiceHost,
  start,
  stop,
  type ToolMaker,
  type ToolOptions,
  usage,
  wait,
} from "../../services/mod.ts";
import type { Manager } from "../manager.ts";
import { processStatus } from "../process_status.ts";
import { statusText } from "../status_text.ts";
import { getStatus } from "./get_status.ts";
import { reload } from "./reload.ts";

/** Of whatever host: the first ones stand before `get_status`, as upstream lists them. */
const FIRST: readonly ToolMaker[] = [searchLogs, searchBuildLog, restart];
const REST: readonly ToolMaker[] = [list, start, stop, send, wait, readLogs, usage, graph, explain];

/** All tools for a manager; a call of any of them keeps the dev mode up. */
export function bpmTools(manager: Manager, options: ToolOptions = {}): Tool[] {
  const tools = toolsOf(manager, () => manager.statusText(), options);
  return [...tools, reload(manager)].map((tool) => ({
    ...tool,
    run(input, context) {
      manager.touch();
      return tool.run(input, context);
    },
  }));
}

/** The same tools for services that are of no project: there is nothing to reload, and one mode. */
export function hostTools(host: ServiceHost, options: ToolOptions = {}): Tool[] {
  const text = () =>
    statusText("release", 0, [...host.supervisor.services.values()].map(processStatus), Date.now());
  return toolsOf(host, text, options);
}

function toolsOf(host: ServiceHost, text: () => string, options: ToolOptions): Tool[] {
  const make = (maker: ToolMaker) => maker(host, options);
  return [...FIRST.map(make), getStatus(host, text), ...REST.map(make)];
}
