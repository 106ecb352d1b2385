/** A daemon whose disk is full: what runs goes on, and whoever wants to make room can. Needs root, for a small disk. */
import { match, rejects, strictEqual } from "node:assert/strict";
import { CAN_MOUNT, fill, smallDisk } from "../recording/small_disk.ts";
import { Home } from "./_front.ts";

const DISK_KIB = 8_192;

/** The client's own child is its business. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, ignore: !CAN_MOUNT, sanitizeOps: false, sanitizeResources: false });
}

for (const signal of ["SIGKILL", "SIGHUP", "SIGTERM"] as const) {
  test(`on a full disk a daemon comes after ${signal}, shows what there is, stops and removes it`, async () => {
    using disk = smallDisk(DISK_KIB);
    await using home = new Home();
    Deno.symlinkSync(disk.path(""), `${home.folder}/state`);
    await using assistant = await home.assistant();
    const said = "head -c 2000000 /dev/zero; echo said; exec sleep 1000";
    await assistant.run("kept", said, { lifetime: "persistent" });
    await assistant.call("wait", { process: "kept", pattern: "said" });
    const before = home.pid;
    fill(disk.path("filler"));
    Deno.kill(before, signal);
    if (signal !== "SIGHUP") {
      while (home.pid === before) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    strictEqual(await assistant.state("kept"), "Running");
    await rejects(assistant.call("create_process", { id: "other", command: "true" }), /full/);
    match(await assistant.call("stop_process", { id: "kept" }), /stopped/);
    match(await assistant.call("remove_process", { id: "kept" }), /removed/);
    strictEqual(home.pid === before, signal === "SIGHUP");
    // There is room again.
    await assistant.call("create_process", { id: "other", command: "true" });
  });
}
