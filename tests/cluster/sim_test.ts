/** Servers together in a simulation: with loss, delay, crashes and pauses, by a seed. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { type Scene, World } from "./sim/world.ts";

/** A slice of the seeds; `deno task soak` has 200. */
const SEEDS = Number(Deno.env.get("HOSTKIT_SEEDS") ?? 20);

const SCENE: Omit<Scene, "seed"> = {
  servers: 3,
  nodes: 3,
  clients: 4,
  faults: { lost: 30, unanswered: 30, broken: 20, delayMs: 200 },
  crashes: 20,
  pauses: 30,
  troubleMs: 60_000,
};

for (let seed = 1; seed <= SEEDS; seed++) {
  Deno.test(`simulation: nothing is lost, placed twice or promised twice (seed ${seed})`, async () => {
    await new World({ ...SCENE, seed }).run();
  });
}

Deno.test("simulation: a seed tells the same story each time", async () => {
  const told = [await new World({ ...SCENE, seed: 1 }).run(), await new World({ ...SCENE, seed: 1 }).run()];
  deepStrictEqual(told[0], told[1]);
  const { acknowledged, deleted, crashes } = told[0]!;
  ok(acknowledged > 10 && deleted > 5 && crashes > 0, JSON.stringify(told[0]));
});
