/** What the assistants' tools say of worlds that are played, without a daemon. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { nixTools, type NixView, type PastBuild } from "../../lib/nix_btm/mod.ts";
import type { ToolContext, ToolResult } from "../../lib/mcp/mod.ts";
import { processesOf } from "../../lib/nix_btm/build_processes.ts";
import { aBuild, Player } from "./_tui_player.ts";

const WIDE_153 = "building '/nix/store/df0ijwr8ndlwqn4lj0hyic79590186km-wide-153";

async function asked(
  player: Player,
  name: string,
  args: Record<string, unknown>,
  past: readonly PastBuild[] = [],
): Promise<ToolResult> {
  const view: NixView = {
    worlds: new Map([["", player.monitor.world]]),
    hostname: "anvil",
    now: () => player.nowMs,
    history: () => Promise.resolve(past),
    statistics: () => Promise.resolve([]),
    log: () => Promise.resolve([]),
    derivation: () => Promise.reject(new Error("there is none")),
  };
  const tool = nixTools(view).find((each) => each.name === name)!;
  return await tool.run(args, { signal: new AbortController().signal } as ToolContext) as ToolResult;
}

Deno.test("who_uses tells what the builds of each user use, also of a Nix whose log nobody gets", async () => {
  const player = new Player().replay("05-wide-200-j8", { until: WIDE_153 }).processes(
    aBuild("wide-148", { cpuRatio: 0.5 }),
    aBuild("wide-150", { pid: 6_000, cpuRatio: 1 }),
    aBuild("elsewhere", { uid: 30_002, pid: 7_000, cpuRatio: 2 }),
  );
  const { text, structured } = await asked(player, "who_uses", {});
  const users = (structured as { users: { user: string; running: number; cpus: number }[] }).users;
  deepStrictEqual(users.map(({ user, running, cpus }) => [user, running, cpus]), [
    ["nixbld2", 1, 2],
    ["alice", 7, 1.5],
  ]);
  deepStrictEqual(text!.split("\n").map((line) => line.replace(/[\d.]+ MiB.*/, "MEMORY")), [
    "nixbld2 on anvil: 1 build runs, 200% CPU, MEMORY",
    "alice on anvil: 7 builds run, 150% CPU, MEMORY",
  ]);
});

Deno.test("processes of a build of the same name with other outputs are another build's", () => {
  const player = new Player().replay("05-wide-200-j8", { until: WIDE_153 });
  const { world } = player.monitor;
  const job = [...world.jobs.values()].find(({ name }) => name === "wide-148")!;
  const tied = (out: string) => {
    player.processes({ ...aBuild("wide-148"), outputs: { out } });
    return processesOf(world).has(job.id);
  };
  ok(tied("/nix/store/else-wide-148"), "nobody knows the job's outputs");
  world.graph.add({
    path: job.subject,
    inputs: [],
    outputs: { out: "/nix/store/own-wide-148" },
    system: "x",
  });
  ok(tied("/nix/store/own-wide-148"));
  ok(!tied("/nix/store/else-wide-148"));
});

Deno.test("why_waiting says of what runs and what is over that it does not wait", async () => {
  const player = new Player().replay("05-wide-200-j8", { until: WIDE_153 });
  strictEqual(
    (await asked(player, "why_waiting", { build: "wide-148" })).text,
    "wide-148: it does not wait: it runs",
  );
  player.replay("01-single");
  strictEqual(
    (await asked(player, "why_waiting", { build: "single" })).text,
    "single-1.0: it is over: succeeded",
  );
});

Deno.test("list_builds tells of commands that are over no more than was asked for, and of all that run", async () => {
  const player = new Player().replay("05-wide-200-j8", { until: WIDE_153 })
    .replay("01-single").replay("03-diamond").replay("06-fail-chain");
  const { structured } = await asked(player, "list_builds", { over: true, limit: 2 });
  const { commands } = structured as { commands: { state: string }[] };
  deepStrictEqual(commands.map(({ state }) => state), ["running", "succeeded", "failed"]);
});

Deno.test("failed_builds tells the ends of logs without what a terminal would obey", async () => {
  const past: PastBuild = {
    id: 1,
    name: "bad",
    derivation: "/nix/store/2dgjm3r4incpk99lwvgylmjm89lh5ilw-bad.drv",
    host: "",
    startedMs: 1,
    endedMs: 2,
    outcome: "failed",
    failure: "exit code 1",
    phase: undefined,
    phases: [],
    tail: ["\x1b[31mred\x1b[0m\x1b]52;c;eA==\x07 \x9bend"],
    requester: undefined,
    command: undefined,
    log: undefined,
    cpuSeconds: undefined,
    peakBytes: undefined,
  };
  const { text, structured } = await asked(new Player(), "failed_builds", {}, [past]);
  deepStrictEqual((structured as { builds: { tail: string[] }[] }).builds.map(({ tail }) => tail), [[
    "red end",
  ]]);
  strictEqual(text, "bad: exit code 1 (1970-01-01T00:00:00.002Z)\n  red end");
});
