/** Headers of messages over HTTP, in both eras. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { requestHeaders } from "../../lib/mcp/request_headers.ts";
import { Lines } from "../../lib/mcp/lines.ts";

const META = { "io.modelcontextprotocol/protocolVersion": "2026-07-28" };
const BASE = { "content-type": "application/json", accept: "application/json, text/event-stream" };

Deno.test("headers: a session, its token and its stream", () => {
  const session = { id: "s", version: "2025-11-25" };
  const inSession = { "mcp-session-id": "s", "mcp-protocol-version": "2025-11-25" };
  const message = { method: "tools/call", params: { name: "x" } };
  deepStrictEqual(requestHeaders(message, { session, token: "t" }), {
    ...BASE,
    authorization: "Bearer t",
    ...inSession,
  });
  deepStrictEqual(requestHeaders({ method: "initialize" }, { session }), BASE);
  deepStrictEqual(requestHeaders({}, { session }), { ...BASE, accept: "text/event-stream", ...inSession });
});

Deno.test("headers: names and arguments of the era without sessions, wrapped where they are no plain text", () => {
  const inputSchema = {
    properties: {
      region: { "x-mcp-header": "Region" },
      deep: { properties: { flag: { "x-mcp-header": "Flag" } } },
      other: {},
      missing: { "x-mcp-header": "Missing" },
    },
  };
  const input = { region: "Überall ", deep: { flag: true }, other: "x" };
  const message = { method: "tools/call", params: { name: "naïve", arguments: input, _meta: META } };
  deepStrictEqual(requestHeaders(message, { inputSchema }), {
    ...BASE,
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
    "mcp-name": "=?base64?bmHDr3Zl?=",
    "mcp-param-Region": "=?base64?w5xiZXJhbGwg?=",
    "mcp-param-Flag": "true",
  });
  const read = { method: "resources/read", params: { uri: "test://x", _meta: META } };
  deepStrictEqual(requestHeaders(read, { inputSchema })["mcp-name"], "test://x");
});

const LONG = "x".repeat(3_000);
const DROPPED: [string, number | undefined][] = [
  [`{"jsonrpc":"2.0","id":7,"result":{"text":"${LONG}"}}`, 7],
  [`{"id": 8, "result":{"text":"${LONG}"}}`, 8],
  [`{"result":{"text":"${LONG}"},"jsonrpc":"2.0","id":9}`, 9],
  [`{"result":{"text":"${LONG}"},"id":10,"jsonrpc":"2.0"}`, 10],
  [`{"jsonrpc":"2.0","result":{"text":"${LONG}","id":11}}`, undefined],
  [LONG, undefined],
];

Deno.test("the id of a line that was too long is found at its beginning or its end", () => {
  for (const [line, id] of DROPPED) {
    for (const size of [1, 7, 1_000, 10_000]) {
      const lines = new Lines(1_000);
      const bytes = new TextEncoder().encode(`${line}\n`);
      for (let at = 0; at < bytes.length; at += size) lines.push(bytes.subarray(at, at + size));
      strictEqual(lines.droppedId, id, `${line.slice(0, 40)} in pieces of ${size}`);
    }
  }
});
