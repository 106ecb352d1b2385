/** `echo`, `ping` and `get_status`. @module */
import { array, defineTool, integer, object, string } from "../../mcp/mod.ts";
import { VERSION } from "../../version/mod.ts";
import type { ToolMaker } from "./tool.ts";

const LOOKS = { readOnlyHint: true, openWorldHint: false };

export const echo: ToolMaker = () =>
  defineTool({
    name: "echo",
    description: "Echo the input message back",
    annotations: LOOKS,
    input: object({ message: string() }),
    output: object({ message: string() }),
    run: ({ message }) => ({ text: `Echo: ${message}`, structured: { message } }),
  });

export const ping: ToolMaker = () =>
  defineTool({
    name: "ping",
    description: "Simple ping/pong health check",
    annotations: LOOKS,
    output: object({ answer: string() }),
    run: () => ({ text: "pong", structured: { answer: "pong" } }),
  });

/** @param names All tools of this server. */
export function getStatus(names: () => readonly string[]): ToolMaker {
  return ({ host }) =>
    defineTool({
      name: "get_status",
      description: "Get the current server status",
      annotations: LOOKS,
      output: object({
        status: string(),
        version: string(),
        uptime_seconds: integer(),
        processes: integer(),
        tools: array(string()),
      }),
      run() {
        const tools = [...names()];
        const uptime = host.uptimeSeconds;
        const lines = [
          "Status: running",
          `Version: ${VERSION}`,
          `Uptime: ${uptime} seconds`,
          `Tools: ${tools.join(", ")}`,
        ];
        return {
          text: lines.join("\n"),
          structured: {
            status: "running",
            version: VERSION,
            uptime_seconds: uptime,
            processes: host.records.length,
            tools,
          },
        };
      },
    });
}
