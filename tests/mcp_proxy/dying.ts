/**
 * A server over HTTP that is dying when it is started first: it takes connections on, and breaks each one that calls a
 * tool, until it ends by itself. Arguments: its port, and the file that tells that it has died before.
 */
const [port, file] = Deno.args as [string, string];
/** Until it has ended. */
const DYING_MS = 300;

function hasDied(): boolean {
  try {
    return Deno.statSync(file).isFile;
  } catch {
    return false;
  }
}

const isWell = hasDied();
const RESULTS: Record<string, unknown> = {
  "server/discover": {
    supportedVersions: ["2026-07-28"],
    capabilities: { tools: {} },
    serverInfo: { name: "dying", version: "1" },
  },
  "tools/list": {
    ttlMs: 0,
    cacheScope: "private",
    tools: [{ name: "look", inputSchema: { type: "object" }, annotations: { readOnlyHint: true } }],
  },
  "tools/call": { content: [{ type: "text", text: "well" }] },
};

Deno.serve({ hostname: "127.0.0.1", port: Number(port), onListen: () => {} }, async (request) => {
  const { id, method } = await request.json();
  if (method === "tools/call" && !isWell) {
    console.error("breaks");
    Deno.writeTextFileSync(file, "");
    setTimeout(() => Deno.exit(3), DYING_MS);
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error("on purpose")) });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }
  return Response.json({
    jsonrpc: "2.0",
    id,
    result: { resultType: "complete", ...RESULTS[method] as object },
  });
});
