/** Processes are named by pid and start, so that a pid that is used again is not taken for the one before. */
import { strictEqual } from "node:assert/strict";
import { processStart } from "../../ffi/ring/mod.ts";

Deno.test("the start of a process is what /proc tells, and 0 when there is none or it is a zombie", async () => {
  const fields = Deno.readTextFileSync("/proc/self/stat").replace(/^.*\) /s, "").split(" ");
  // Field 22 of proc_pid_stat(5), the third being the first behind the name.
  strictEqual(processStart(Deno.pid), BigInt(fields[22 - 3]!));
  const child = new Deno.Command("true").spawn();
  await child.status;
  strictEqual(processStart(child.pid), 0n);
});
