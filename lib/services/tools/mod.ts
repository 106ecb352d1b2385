/** Tools for the services of a host; a surface picks those that it has. @module */
export { explain } from "./explain.ts";
export { graph } from "./graph.ts";
export { list } from "./list.ts";
export { readLogs } from "./read_logs.ts";
export { restart } from "./restart.ts";
export { searchBuildLog, searchLogs } from "./search_logs.ts";
export { send } from "./send.ts";
export { start, stop } from "./start_stop.ts";
export { orToolError, TASK_AFTER_MS, type ToolMaker, type ToolOptions } from "./tool.ts";
export { usage } from "./usage.ts";
export { wait } from "./wait.ts";
