/** Hooks that misbehave. What they are told is tried with the daemon. */
import { deepStrictEqual } from "node:assert/strict";
import { newJob } from "../../lib/nix/model.ts";
import { BuildHook } from "../../lib/nix_btm/mod.ts";

Deno.test("a hook that does not end is ended, and makes room for the next one", async () => {
  const told: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const hook = new BuildHook("exec sleep 600", (text) => {
    if (told.push(text) === 9) resolve();
  }, 20);
  for (let id = 1; id <= 9; id++) {
    hook.run({ ...newJob({ id, command: 1, kind: "build", subject: "/x.drv", name: "x" }, 1), endedMs: 2 });
  }
  await promise;
  deepStrictEqual(told, Array(9).fill("The hook of x took over 20 ms, and was ended"));
});
