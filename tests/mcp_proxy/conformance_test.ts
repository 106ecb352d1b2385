/** The official conformance suite against the fixture behind a proxy: nothing is changed by it that the suite sees. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { ServerSpec } from "../../lib/mcp_proxy/mod.ts";
import { FIXTURE_COMMAND, runPackage, startFixture } from "../mcp/outside_tools.ts";
import { openDoor } from "./door.ts";

const STDIO: ServerSpec = {
  kind: "stdio",
  command: { argv: [Deno.execPath(), ...FIXTURE_COMMAND, "stdio"] },
};

for (const transport of ["stdio", "HTTP"] as const) {
  for (const [revision, checks] of [["2026-07-28", 194], ["2025-11-25", 81]] as const) {
    Deno.test(`proxy: the official suite finds no fault for ${revision} with a server over ${transport}`, async () => {
      await using stack = new AsyncDisposableStack();
      const fixture = transport === "HTTP" ? stack.use(await startFixture()) : undefined;
      const spec: ServerSpec = fixture === undefined
        ? STDIO
        : { kind: "http", url: `http://127.0.0.1:${fixture.port}/mcp` };
      const door = stack.use(await openDoor(spec));
      const { stdout, stderr } = await runPackage("conformance", [
        ...["server", "--url", `http://localhost:${door.port}/mcp`, "--requirements", revision],
      ]);
      ok(stdout.includes("=== SUMMARY ==="), `the suite did not run: ${stderr.slice(-1000)}`);
      const summary = stdout.slice(stdout.indexOf("=== SUMMARY ==="));
      const failing = [...summary.matchAll(/^✗ ([\w-]+)/gm)].map(([, scenario]) => scenario);
      deepStrictEqual(failing, [], summary);
      const [, passed, failed] = /^Total: (\d+) passed, (\d+) failed$/m.exec(summary) ?? [];
      strictEqual(failed, "0");
      ok(Number(passed) >= checks, `${passed} checks passed, ${checks} are known`);
    });
  }
}
