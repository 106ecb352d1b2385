/**
 * The Model Context Protocol for every tool of the toolkit: what a tool, a resource and a prompt are, and servers of
 * them over HTTP and stdio in both eras of the protocol and in the dialect of bpm's old clients.
 *
 * Reading order: `schema.ts` and `tool.ts` (what a feature writes), `resource.ts`, `prompt.ts`, `registry.ts` (all of
 * it together), `calls.ts`, `tasks.ts` and `task_id.ts` (how tools run), `http.ts` and `stdio.ts` (servers), `bridge.ts` (stdio in
 * front of a server that runs), `call_tool.ts` and `sse.ts` (clients), `install.ts` (entries in the files of clients). The
 * protocol's library costs 85 ms to load and is loaded when it is needed first; declaring tools costs nothing. What the
 * tools do belongs to the features.
 * @module
 */
export {
  type About,
  array,
  boolean,
  integer,
  type JsonSchema,
  jsonSchema,
  nullable,
  number,
  object,
  oneOf,
  optional,
  record,
  type Schema,
  string,
  type TypeOf,
  withDefault,
} from "./schema.ts";
export {
  type ContentBlock,
  defineTool,
  type Era,
  type LogLevel,
  type Tool,
  type ToolAnnotations,
  type ToolContext,
  type ToolDefinition,
  ToolError,
  type ToolResult,
  type TypedResult,
} from "./tool.ts";
export type {
  Resource,
  ResourceChange,
  ResourceContent,
  ResourceProvider,
  ResourceTemplate,
} from "./resource.ts";
export { type Answer, type Answers, type Question, type Questions } from "./ask.ts";
export { type Checked, checkValue } from "./schema_check.ts";
export { DEFAULT_LIMITS, type McpLimits } from "./limits.ts";
export type { PlainInfo } from "./plain.ts";
export type { ServerOptions } from "./_engine.ts";
export { type HttpOptions, type McpRoutes, mcpRoutes } from "./http.ts";
export { serveStdio, type StdioOptions } from "./stdio.ts";
export { type BridgeOptions, bridgeStdio } from "./bridge.ts";
export { callTool, type ToolAnswer, type ToolCall } from "./call_tool.ts";
export { readEvents } from "./sse.ts";
export { CLIENT_APPS, type ClientApp, type Places, type ServerEntry } from "./clients.ts";
export { mcpCommand, type McpCommandSpec } from "./command.ts";
export { type InstallResult, installServer, serverSnippet, uninstallServer } from "./install.ts";
export type { Prompt, PromptArgument, PromptMessage } from "./prompt.ts";
export { createRegistry, type McpServerInfo, type Registry } from "./registry.ts";
