/**
 * The TUI of process managers: of ours, and of every server that speaks as upstream's does.
 *
 * Reading order: `service.ts` and `status_text.ts` (what servers tell of services), `log_lines.ts` (logs), `model.ts`
 * (state, events, effects), `update.ts` with `input.ts`, `actions.ts`, `news.ts`, `changes.ts`, `select.ts` (what happens),
 * `keymap.ts` (what keys do), `layout.ts`, `scroll.ts`, `view.ts` and `views/` (what is seen); all of these are pure.
 * Then `reply.ts`, `mcp_client.ts`, `listen.ts`, `server.ts`, `effects.ts`, `run.ts`: the shell. The terminal is `lib/tui`'s.
 * @module
 */
export { runTui, type TuiOptions } from "./run.ts";
export { McpClient, type OfferedTool, type ServerIdentity } from "./mcp_client.ts";
export { ToolError, type ToolResult } from "./reply.ts";
export { type Overview, readServices, type ServiceInfo, toneOf } from "./service.ts";
export { parseStatusText } from "./status_text.ts";
