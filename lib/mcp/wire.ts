/** How tools and their results look on the wire, in every dialect. @module */
import type { ContentBlock, Tool, ToolResult } from "./tool.ts";

/** A tool as `tools/list` shows it. Old dialects know only the first three fields. */
export function toolListing(tool: Tool, dialect: "plain" | "full"): Record<string, unknown> {
  const base = { name: tool.name, description: tool.description, inputSchema: tool.input.json };
  if (dialect === "plain") return base;
  return {
    ...base,
    ...(tool.title === undefined ? {} : { title: tool.title }),
    ...(tool.output === undefined ? {} : { outputSchema: tool.output.json }),
    annotations: { ...tool.annotations },
  };
}

/** A result of `tools/call`. */
export interface CallResult {
  readonly [field: string]: unknown;
  readonly content: ContentBlock[];
}

/** A result as `tools/call` answers it. */
export function callResult(result: ToolResult): CallResult {
  const text: ContentBlock[] = result.text === "" && (result.content?.length ?? 0) > 0
    ? []
    : [{ type: "text", text: result.text }];
  return {
    content: [...text, ...(result.content ?? [])],
    ...(result.structured === undefined ? {} : { structuredContent: result.structured }),
    ...(result.isError === true ? { isError: true } : {}),
  };
}
