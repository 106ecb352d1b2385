/** Headers that go with a message over Streamable HTTP, in both eras (revisions 2025-06-18 and 2026-07-28). Pure. @module */
import { isRecord } from "./json_rpc.ts";

/** A session of the era of sessions. */
export interface HttpSession {
  readonly id: string;
  /** The version that was agreed on. */
  readonly version: string;
}

/** What stands in the headers beside what the message tells. */
export interface HeaderOptions {
  readonly session?: HttpSession | undefined;
  readonly token?: string | undefined;
  /** Schema of the input of the tool that is called: some of its arguments stand in headers, too. */
  readonly inputSchema?: unknown;
}

/** Headers of a POST with this message, or of the GET of a session's stream when it is an empty one. */
export function requestHeaders(
  message: Readonly<Record<string, unknown>>,
  { session, token, inputSchema }: HeaderOptions = {},
): Record<string, string> {
  const params = isRecord(message.params) ? message.params : {};
  const meta = isRecord(params._meta) ? params._meta : {};
  const version = meta["io.modelcontextprotocol/protocolVersion"];
  const isMessage = "method" in message || "id" in message;
  return {
    "content-type": "application/json",
    accept: isMessage ? "application/json, text/event-stream" : "text/event-stream",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(session === undefined || message.method === "initialize"
      ? {}
      : { "mcp-session-id": session.id, "mcp-protocol-version": session.version }),
    ...(typeof version === "string" ? statelessHeaders(message, params, version, inputSchema) : {}),
  };
}

function statelessHeaders(
  { method }: Readonly<Record<string, unknown>>,
  params: Record<string, unknown>,
  version: string,
  inputSchema: unknown,
): Record<string, string> {
  const name = params.name ?? params.uri ?? params.taskId;
  return {
    "mcp-protocol-version": version,
    "mcp-method": String(method),
    ...(typeof name === "string" ? { "mcp-name": headerValue(name) } : {}),
    ...(method === "tools/call" ? argumentHeaders(inputSchema, params.arguments, 0) : {}),
  };
}

/** Deeper nested properties are not looked at. */
const MOST_LEVELS = 16;

/** Arguments whose property names a header with `x-mcp-header`. */
function argumentHeaders(schema: unknown, value: unknown, level: number): Record<string, string> {
  if (!isRecord(schema) || !isRecord(schema.properties) || !isRecord(value) || level > MOST_LEVELS) return {};
  const headers: Record<string, string> = {};
  for (const [key, property] of Object.entries(schema.properties)) {
    const argument = Object.hasOwn(value, key) ? value[key] : undefined;
    const name = isRecord(property) ? property["x-mcp-header"] : undefined;
    if (typeof name !== "string") Object.assign(headers, argumentHeaders(property, argument, level + 1));
    else if (["string", "number", "boolean"].includes(typeof argument)) {
      headers[`mcp-param-${name}`] = headerValue(String(argument));
    }
  }
  return headers;
}

/** Text as a header can hold it: what is no printable ASCII is wrapped in Base64. */
function headerValue(text: string): string {
  const isPlain = /^[!-~](?:[ -~\t]*[!-~])?$/.test(text) && !/^=\?base64\?.*\?=$/.test(text);
  return isPlain ? text : `=?base64?${new TextEncoder().encode(text).toBase64()}?=`;
}
