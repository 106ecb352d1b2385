/** Searches of large logs, and who waits meanwhile. */
import { deepStrictEqual, match, rejects } from "node:assert/strict";
import { World } from "./_world.ts";

Deno.test("who waits for a line does not wait for somebody else's search", async () => {
  await using world = new World();
  const assistant = world.assistant();
  await assistant.run(
    "large",
    "yes aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | head -n 200000; echo said; exec sleep 100",
  );
  await assistant.call("wait", { process: "large", pattern: "^said$" });
  await assistant.run("small", "echo said; exec sleep 100");
  const order: string[] = [];
  const given = new AbortController();
  const search = world.host.search("large", "run", { pattern: "(.*)(.*)(.*)(.*)(.*)b$" }, given.signal);
  const searched = search.finally(() => order.push("searched"));
  match(await assistant.call("wait", { process: "small", pattern: "^said$" }), /said/);
  order.push("waited");
  given.abort(new Error("given up"));
  await rejects(searched, /given up/);
  deepStrictEqual(order, ["waited", "searched"]);
});
