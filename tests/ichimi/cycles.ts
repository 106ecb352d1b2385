/**
 * Describes, starts and removes processes again and again, and says as JSON how much memory is in use at some of the
 * rounds, after a collection. Arguments: those rounds, the last of them the end. Run with `--expose-gc`.
 */
import { Timeline } from "../../lib/ichimi/timeline.ts";
import { UsageHistory } from "../../lib/ichimi/usage_history.ts";
import { World } from "./_world.ts";

const never = new AbortController().signal;
const rounds = Deno.args.map(Number);
const { gc } = globalThis as unknown as { readonly gc: () => void };

await using world = new World();
await world.host.start(never);
using _timeline = new Timeline(world.host);
using _usage = new UsageHistory(world.host);
const client = world.client();
for (let round = 1; round <= rounds.at(-1)!; round++) {
  const id = `process-${round}`;
  await world.host.create({ id, command: "true" });
  await world.host.startProcess(id, { client, signal: never });
  await world.host.remove(id, never);
  if (!rounds.includes(round)) continue;
  for (let again = 0; again < 3; again++) gc();
  const { heapUsed, rss } = Deno.memoryUsage();
  const descriptors = [...Deno.readDirSync("/proc/self/fd")].length;
  console.log(JSON.stringify({ round, heapUsed, rss, descriptors }));
}
