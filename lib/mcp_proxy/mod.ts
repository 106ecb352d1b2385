/**
 * A supervising proxy for MCP: a server that crashes, hangs or is rebuilt is replaced, and its client keeps the session.
 *
 * Reading order: `message.ts` (what passes), `repeat.ts` (what may be asked twice), `session.ts` (what is told to the
 * next server), `table.ts` (who waits for what), `lists.ts` (what the client knows of the server), `ending.ts` (what is
 * said when one ends), `shown.ts` (what the client is shown), `inquiries.ts` (what servers are asked besides),
 * `effect.ts` and `router.ts` (where each message goes), `life.ts` (which server serves), all of them pure; then
 * `limits.ts`, `child.ts`, `server.ts`, `stdio_server.ts`, `http_server.ts` and `spec.ts` (servers), `build.ts`,
 * `own_tools.ts`, `aside.ts` and `proxy.ts` (all of it at work). Processes that outlive whoever asks for them belong to
 * `lib/supervisor`.
 * @module
 */
export { Aside } from "./aside.ts";
export { DEFAULT_PROXY_LIMITS, type ProxyLimits } from "./limits.ts";
export type { ChildCommand } from "./child.ts";
export type { ServerSpec } from "./spec.ts";
export { type ProxyOptions, runProxy } from "./proxy.ts";
