/** How processes ended, as each surface tells it. */
import { deepStrictEqual, match, rejects } from "node:assert/strict";
import { Site } from "./_site.ts";

Deno.test("what failed is the same to the dashboard, to lists and to tools", async () => {
  await using site = await Site.open();
  const { world } = site;
  const assistant = world.assistant();
  await assistant.run("good", "exit 0");
  await assistant.run("bad", "exit 3");
  await assistant.run("killed", "kill -9 $$");
  for (const process of ["good", "bad", "killed"]) await assistant.call("wait", { process, exit: true });
  await assistant.call("create_process", { id: "nowhere", command: "/nowhere/program" });
  await rejects(assistant.call("start_process", { id: "nowhere" }), /Failed to start/);
  const failed = ["bad", "killed", "nowhere"];
  const { stats } = await site.get("/dashboard");
  deepStrictEqual([stats.failed, stats.stopped, stats.running], [3, 1, 0]);
  const listed = await site.get("/processes?outcome=not_clean");
  deepStrictEqual(listed.map(({ id }: { readonly id: string }) => id), failed);
  const told = JSON.parse(await assistant.call("list_processes", { filter: { outcome: "not_clean" } }));
  deepStrictEqual(told.map(({ id }: { readonly id: string }) => id), failed);
  const only = await site.get("/processes?outcome=spawn_error");
  deepStrictEqual(only.map(({ id }: { readonly id: string }) => id), ["nowhere"]);
  match(await assistant.call("explain", { process: "killed" }), / ended at \S+ with SIGKILL$/m);
});
