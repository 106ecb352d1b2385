/** What processes leave that come and go, over days: nothing. */
import { ok } from "node:assert/strict";
import { RUNTIME_FLAGS } from "../../lib/build/tools.ts";

const CYCLES = new URL("cycles.ts", import.meta.url).pathname;
/** Code that is compiled meanwhile, and what is remembered of the past. */
const MAY_GROW_BYTES = 512 * 1024;

Deno.test({
  name: "processes that come and go leave no memory behind, 2,500 of them after the first 500",
  ignore: Deno.env.get("HOSTKIT_SOAK") === undefined,
  fn: async () => {
    const flags = RUNTIME_FLAGS.map((each) => each.replace("--v8-flags=", "--v8-flags=--expose-gc,"));
    const { stdout, success } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--no-check", "--quiet", ...flags, CYCLES, "500", "1500", "3000"],
      stderr: "inherit",
    }).output();
    ok(success);
    const text = new TextDecoder().decode(stdout);
    console.log(text);
    const looks = text.trim().split("\n").map((line) => JSON.parse(line));
    const [first, last] = [looks[0], looks.at(-1)];
    ok(last.heapUsed - first.heapUsed < MAY_GROW_BYTES, text);
    ok(last.descriptors <= first.descriptors, text);
  },
});
