/**
 * The development-process manager: a project's processes from `.mcp-run`, run by `lib/supervisor`, told and steered over
 * MCP.
 *
 * Reading order: `config.ts` and `process_problem.ts` (the file), `processes.ts` with `spec_parts.ts`, `cargo.ts`,
 * `environment.ts`, `identity.ts` and `ports.ts` (what a process of it is to the supervisor), `project.ts` (what all
 * of it is now), `manager.ts` (all of them, and the two modes), `process_status.ts` and `status_text.ts` (what upstream
 * tells of them), `tools/` (the MCP surface), `state_folder.ts`; and for those that look without a manager:
 * `local_logs.ts`, `log_printer.ts`, `attach.ts`, `process_table.ts`, `graph_text.ts`. Logs and most of the tools are
 * those of `lib/services`; supervision, keepers and the protocol belong to others.
 * @module
 */
export { Board, boardLines, type Row } from "./board.ts";
export { BPM_CONFIG, type BpmConfig, CONFIG_NAME, loadBpmConfig } from "./config.ts";
export { type CargoChoice, type CargoTarget, chooseTarget } from "./cargo.ts";
export { attach, type AttachedTerminal, type AttachEnd } from "./attach.ts";
export { DetachKeys, parseKeys, type Typed } from "./detach_keys.ts";
export { type GraphEdge, type GraphNode, graphText } from "./graph_text.ts";
export {
  followLocal,
  type LocalLine,
  localPlaces,
  localProcesses,
  type LocalQuery,
  readLocal,
} from "./local_logs.ts";
export { type LineChoice, LogPrinter, type LogStyle } from "./log_printer.ts";
export { type ProcessRow, processTable } from "./process_table.ts";
export { projectMask } from "./project_mask.ts";
export { TerminalModes } from "./terminal_modes.ts";
export { Manager, type ManagerOptions } from "./manager.ts";
export { expandTexts } from "./expand.ts";
export { type ProcessEvent, type ProcessStatus, statusText } from "./status_text.ts";
export { stateFolder } from "./state_folder.ts";
export { serviceUnit, socketUnit, unitFolder, unitName, type UnitOptions } from "./unit.ts";
export { bpmTools, hostTools } from "./tools/mod.ts";
export { BPM_UPSTREAM } from "./upstream.ts";
