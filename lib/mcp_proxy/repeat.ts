/** What may be asked again of another server, when nobody knows whether the first one has done it. Pure. @module */
import { isRecord } from "../mcp/json_rpc.ts";
import { type Message, paramsOf } from "./message.ts";

/** Methods that only look, or that come to the same however often they are done. */
const HARMLESS: ReadonlySet<string> = new Set([
  "completion/complete",
  "initialize",
  "logging/setLevel",
  "ping",
  "prompts/get",
  "prompts/list",
  "resources/list",
  "resources/read",
  "resources/subscribe",
  "resources/templates/list",
  "resources/unsubscribe",
  "server/discover",
  "subscriptions/listen",
  "tasks/cancel",
  "tasks/get",
  "tasks/list",
  "tasks/result",
  "tools/list",
]);

/** Whether a request may be made twice; `harmless` holds the names of tools that say so of themselves. */
export function mayRepeat(message: Message, harmless: ReadonlySet<string>): boolean {
  if (message.method !== "tools/call") return HARMLESS.has(String(message.method));
  const { name } = paramsOf(message);
  return typeof name === "string" && harmless.has(name);
}

/** Enters in `harmless` what a list of tools says of them. */
export function learnTools(tools: unknown, harmless: Set<string>): void {
  if (!Array.isArray(tools)) return;
  for (const tool of tools) {
    if (!isRecord(tool) || typeof tool.name !== "string") continue;
    const { annotations } = tool;
    const isHarmless = isRecord(annotations) &&
      (annotations.readOnlyHint === true || annotations.idempotentHint === true);
    if (isHarmless) harmless.add(tool.name);
    else harmless.delete(tool.name);
  }
}
