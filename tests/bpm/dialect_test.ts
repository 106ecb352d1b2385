/** A conversation as upstream's clients hold it: 2024-11-05, no `Accept`, one bare JSON answer to each POST. */
import { deepStrictEqual, match, ok } from "node:assert/strict";
import { bpmTools, loadBpmConfig, Manager } from "../../lib/bpm/mod.ts";
import { createRegistry, mcpRoutes } from "../../lib/mcp/mod.ts";
import { listen, type Server } from "../../lib/web/mod.ts";

const INFO = { name: "background-process-manager", version: "0.1.0" };
const CONFIG = `mcp_port = 0
release_crash_backoff_initial_seconds = 100
[process.api]
type = "npm"
# Two pipes have no order but in time.
command = ["sh", "-c", "echo one; sleep 0.1; echo two >&2; sleep 0.1; echo three; exec sleep 60"]
[process.broken]
type = "npm"
command = ["sh", "-c", "exit 3"]
build = ["sh", "-c", "echo compiling; echo oops >&2"]
`;

/** Sends bytes as they are and reads one answer; fetch would add an `Accept`. */
async function raw(server: Server, request: string): Promise<string> {
  ok(server.address.kind === "tcp");
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.address.port });
  await connection.write(new TextEncoder().encode(request));
  return await new Response(connection.readable).text();
}

async function post(server: Server, message: unknown): Promise<unknown> {
  const body = JSON.stringify(message);
  const answer = await raw(
    server,
    `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
  const [head, text] = answer.split(/\r\n\r\n(.*)/s) as [string, string];
  match(head, /^HTTP\/1.1 200 .*content-type: application\/json/si);
  return JSON.parse(text);
}

Deno.test("upstream's client is answered in upstream's words, success and failure", async () => {
  const folder = await Deno.makeTempDir({ prefix: "bpm-" });
  await Deno.writeTextFile(`${folder}/.mcp-run`, CONFIG);
  {
    const config = loadBpmConfig(`${folder}/.mcp-run`).config;
    await using manager = Manager.open({ folder, config, stateFolder: `${folder}/.state` });
    await using routes = mcpRoutes(createRegistry({ tools: bpmTools(manager) }), INFO, { plainInfo: INFO });
    await using server = await listen(
      { kind: "tcp", host: "127.0.0.1", port: 0 },
      (request) => routes.fetch(request),
    );
    await manager.start(AbortSignal.timeout(500));
    let id = 0;
    const ask = async (method: string, params?: unknown) => {
      const answer = await post(server, {
        jsonrpc: "2.0",
        id: ++id,
        method,
        ...params === undefined ? {} : { params },
      });
      const { jsonrpc, id: answered, ...rest } = answer as Record<string, unknown>;
      deepStrictEqual([jsonrpc, answered], ["2.0", id]);
      return rest;
    };
    const call = (name: string, args: unknown) => ask("tools/call", { name, arguments: args });
    const text = (text: string) => ({ result: { content: [{ type: "text", text }] } });
    const failure = (message: string) => ({
      error: { code: -32603, message: `Tool execution error: ${message}` },
    });

    const hello = {
      protocolVersion: "2024-11-05",
      capabilities: {},
      clientInfo: { name: "bpm-tui", version: "0.1.0" },
    };
    deepStrictEqual(await ask("initialize", hello), {
      result: { protocolVersion: "2024-11-05", capabilities: { tools: {} }, serverInfo: INFO },
    });
    const listed = await ask("tools/list") as {
      result: { tools: { name: string; inputSchema: { required?: string[] } }[] };
    };
    deepStrictEqual(
      listed.result.tools.slice(0, 4).map(({ name, inputSchema }) => [name, inputSchema.required ?? []]),
      [["search_logs", ["process"]], ["search_build_log", ["process"]], ["restart", ["process"]], [
        "get_status",
        [],
      ]],
    );

    while (!JSON.stringify(await call("search_logs", { process: "api" })).includes("three")) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    deepStrictEqual(await call("search_logs", { process: "api" }), text("one\n[stderr] two\nthree"));
    deepStrictEqual(
      await call("search_logs", { process: "api", pattern: "two", context_lines: 1 }),
      text("   one\n * [stderr] two\n   three"),
    );
    deepStrictEqual(await call("search_logs", { process: "api", head: 1, tail: 1 }), text("three"));
    deepStrictEqual(
      await call("search_logs", { process: "api", pattern: "nothing" }),
      text("No matches found"),
    );
    deepStrictEqual(await call("search_logs", { process: "broken" }), text("(empty)"));
    deepStrictEqual(await call("search_build_log", { process: "broken" }), text("compiling\noops"));
    deepStrictEqual(
      await call("search_logs", { process: "api", index: 7 }),
      failure("Log instance 7 not found (have 1 instances)"),
    );
    deepStrictEqual(
      await call("search_build_log", { process: "api" }),
      failure("Log instance -1 not found (have 0 instances)"),
    );
    match(
      ((await call("search_logs", { process: "api", pattern: "(" })) as { error: { message: string } }).error
        .message,
      /^Tool execution error: Invalid regex pattern: /,
    );
    deepStrictEqual(
      await call("restart", { process: "api" }),
      text("Process 'api' restarted successfully in dev mode"),
    );
    deepStrictEqual(
      await call("restart", { process: "none" }),
      failure("Process 'none' not found (there are: api, broken)"),
    );
    const status = (await call("get_status", {})) as { result: { content: { text: string }[] } };
    const lines = status.result.content[0]!.text.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "TIME")
      // The call itself was a moment ago, or in the same millisecond.
      .replace("2 hours 59 minutes", "3 hours 0 minutes").split("\n");
    deepStrictEqual(lines, [
      "Mode: Dev",
      "Time until release mode: 3 hours 0 minutes",
      "",
      "Processes:",
      "  api: running",
      "    Uptime: 0 hours 0 minutes",
      "    Recent events:",
      "      - Started at TIME UTC",
      "      - Stopped at TIME UTC",
      "      - Started at TIME UTC",
      "  broken: crashed",
      "    Recent events:",
      "      - Crashed at TIME UTC (exit code: Some(3))",
      "      - Started at TIME UTC",
      "    Crash count: 1",
    ]);
    deepStrictEqual(((await ask("nonsense")) as { error: { code: number } }).error.code, -32601);
  }
  await Deno.remove(folder, { recursive: true });
});
