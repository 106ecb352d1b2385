/** Tools of the proxy's own, beside those of its server. Pure. @module */
import type { Ending } from "./ending.ts";
import { type Message, paramsOf } from "./message.ts";

/** How things stand with the server. */
export interface Standing {
  readonly server: string;
  readonly state: string;
  readonly pid: number | undefined;
  /** How often it was started. */
  readonly starts: number;
  /** Requests of the client without an answer. */
  readonly requests: number;
  readonly lastEnding: Ending | undefined;
  /** What became of the last build. */
  readonly lastBuild: string;
  /** What it said last beside the protocol. */
  readonly lines: readonly string[];
}

const EMPTY = { type: "object", properties: {}, additionalProperties: false } as const;

/** As `tools/list` shows them. */
export const OWN_TOOLS: readonly Message[] = [
  {
    name: "proxy_status",
    description:
      "Tells how the MCP server behind this connection is: whether it runs, how often it was started, " +
      "how it ended last.",
    inputSchema: EMPTY,
    annotations: { readOnlyHint: true },
  },
  {
    name: "proxy_restart",
    description:
      "Builds the MCP server behind this connection anew, where there is something to build, and " +
      "replaces it. The old one goes on until the new one answers.",
    inputSchema: EMPTY,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true },
  },
  {
    name: "proxy_logs",
    description: "Returns the last lines that the MCP server behind this connection wrote to standard error.",
    inputSchema: {
      type: "object",
      properties: { lines: { type: "integer", minimum: 1, maximum: 1_000, default: 50 } },
      additionalProperties: false,
    },
    annotations: { readOnlyHint: true },
  },
];

const LINES = 50;

/** The result of a call. `restart` is called when it is asked for. */
export function callOwnTool(message: Message, standing: Standing, restart: () => void): Message {
  const { name, arguments: input } = paramsOf(message);
  if (name === "proxy_restart") {
    restart();
    return text(`${standing.server} is being replaced`);
  }
  if (name === "proxy_status") return text(statusText(standing));
  const { lines } = (input ?? {}) as { readonly lines?: unknown };
  const count = typeof lines === "number" && lines >= 1 ? Math.floor(lines) : LINES;
  return text(standing.lines.slice(-count).join("\n") || "It has said nothing.");
}

function statusText(standing: Standing): string {
  const { server, state, pid, starts, requests, lastEnding, lastBuild } = standing;
  return [
    `server: ${server}`,
    `state: ${state}${pid === undefined ? "" : `, pid ${pid}`}`,
    `starts: ${starts}`,
    `requests without an answer: ${requests}`,
    `last end: ${lastEnding?.what ?? "none"}`,
    `last build: ${lastBuild}`,
  ].join("\n");
}

function text(text: string): Message {
  return { content: [{ type: "text", text }] };
}
