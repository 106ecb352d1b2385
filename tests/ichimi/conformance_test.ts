/** The official conformance suite through the front end: HTTP to its pipes, its bridge, the daemon's socket, the fixture. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { openListener } from "../../ffi/sockets/mod.ts";
import { Daemon } from "../../lib/ichimi/mod.ts";
import { mcpRoutes } from "../../lib/mcp/mod.ts";
import { listenOn } from "../../lib/web/mod.ts";
import { everything } from "../mcp/everything/mod.ts";
import { runPackage } from "../mcp/outside_tools.ts";
import { INFO } from "../mcp/serving.ts";
import { openDoor } from "../mcp_proxy/door.ts";
import { World } from "./_world.ts";

/** What is expected to fail: nothing. */
const EXPECTED_FAILURES: readonly string[] = [];

/** A daemon that serves the suite's fixture in place of processes. */
async function fixtureDaemon(world: World): Promise<AsyncDisposable> {
  const folder = `${world.folder}/home/hostkit/ichimi`;
  Deno.mkdirSync(folder, { recursive: true });
  const stack = new AsyncDisposableStack();
  const daemon = stack.use(
    new Daemon({
      host: world.host,
      lifetimes: world.lifetimes,
      doorway: world.doorway,
      ci: world.ci,
      info: { name: "fixture", version: "1" },
      routes: () => mcpRoutes(everything(), INFO),
    }),
  );
  const listener = stack.use(openListener({ path: `${folder}/daemon.sock` }));
  stack.use(await listenOn(listener, daemon.fetch));
  return stack;
}

for (const [revision, checks] of [["2026-07-28", 194], ["2025-11-25", 81]] as const) {
  Deno.test(`ichimi-server: the official suite finds no fault for ${revision} through the front end`, async () => {
    await using world = new World();
    await using _daemon = await fixtureDaemon(world);
    await using door = await openDoor({
      kind: "stdio",
      command: {
        argv: toolCommand("ichimi-server"),
        env: { ...Deno.env.toObject(), XDG_STATE_HOME: `${world.folder}/home` },
      },
    });
    const { stdout, stderr } = await runPackage("conformance", [
      ...["server", "--url", `http://localhost:${door.port}/mcp`, "--requirements", revision],
    ]);
    ok(stdout.includes("=== SUMMARY ==="), `the suite did not run: ${stderr.slice(-1000)}`);
    const summary = stdout.slice(stdout.indexOf("=== SUMMARY ==="));
    const failing = [...summary.matchAll(/^✗ ([\w-]+)/gm)].map(([, scenario]) => scenario);
    deepStrictEqual(failing, EXPECTED_FAILURES, summary);
    const [, passed, failed] = /^Total: (\d+) passed, (\d+) failed$/m.exec(summary) ?? [];
    strictEqual(failed, "0");
    ok(Number(passed) >= checks, `${passed} checks passed, ${checks} are known`);
  });
}
