/**
 * The development-process manager: a project's processes from `.mcp-run`, run by `lib/supervisor`, told and steered over
 * MCP.
 *
 * Reading order: `config.ts` and `process_problem.ts` (the file), `processes.ts` with `spec_parts.ts`, `cargo.ts`,
 * `environment.ts`, `identity.ts` and `ports.ts` (what a process of it is to the supervisor), `project.ts` (what all
 * of it is now), `manager.ts` (all of them, and the two modes), `process_status.ts` and `status_text.ts` (what is told
 * of them), `process_facts.ts` (the same as data), `log_lines.ts`, `log_search.ts` and `searcher.ts` (their logs),
 * `tools/` and `resources.ts` (the MCP surface), `state_folder.ts`; and for those that look without a manager:
 * `local_logs.ts`, `log_printer.ts`, `attach.ts`, `process_table.ts`, `graph_text.ts`. Supervision, keepers and the
 * protocol belong to others.
 * @module
 */
export { Board, boardLines, type Row } from "./board.ts";
export { BPM_CONFIG, type BpmConfig, CONFIG_NAME, loadBpmConfig } from "./config.ts";
export { type CargoChoice, type CargoTarget, chooseTarget } from "./cargo.ts";
export {
  compilePattern,
  EMPTY_LOG,
  instanceAt,
  InstanceError,
  type LogQuery,
  NO_MATCH,
  PatternError,
  searchLog,
} from "./log_search.ts";
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
export { readEntries, shownLine, shownLines } from "./log_lines.ts";
export { Manager, ManagerError, type ManagerOptions } from "./manager.ts";
export { type Digest, digest, type DigestLine, digestText, isTrouble, type LogLine } from "./digest.ts";
export { expandTexts } from "./expand.ts";
export { maskerOf, parseEnvFile } from "./secrets.ts";
export { Searcher } from "./searcher.ts";
export { type Mode, type ProcessEvent, type ProcessStatus, statusText } from "./status_text.ts";
export { type ProcessFacts, processFacts, type SwapFacts } from "./process_facts.ts";
export { bpmResources } from "./resources.ts";
export { type ServiceMark, ServiceMarks } from "./service_marks.ts";
export { stateFolder } from "./state_folder.ts";
export { serviceUnit, socketUnit, unitFolder, unitName, type UnitOptions } from "./unit.ts";
export { bpmTools } from "./tools/mod.ts";
