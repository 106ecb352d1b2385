/** A daemon whose files are taken away from under it: no process is left that nobody sees. */
import { match, ok, strictEqual } from "node:assert/strict";
import { existsSync } from "node:fs";
import { processStart } from "../../ffi/ring/mod.ts";
import { managerOf } from "../../lib/supervisor/mod.ts";
import { until } from "../keeper/_log.ts";
import { type Assistant, Home } from "./_front.ts";

/** The client's own child is its business. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

async function pidOf(assistant: Assistant, id: string): Promise<number> {
  const { info } = JSON.parse(await assistant.call("get_process_status", { id }));
  return info.state.Running.pid;
}

const TAKEN: readonly (readonly [string, (state: string) => void])[] = [
  ["removed", (state) => Deno.removeSync(state, { recursive: true })],
  ["moved away", (state) => Deno.renameSync(state, `${state}.old`)],
  [
    "emptied",
    (state) =>
      [...Deno.readDirSync(state)].forEach(({ name }) =>
        Deno.removeSync(`${state}/${name}`, { recursive: true })
      ),
  ],
];

for (const [how, take] of TAKEN) {
  test(`a daemon whose folder is ${how} ends, with all that it runs, and its assistants have another one`, async () => {
    await using home = new Home();
    await using assistant = await home.assistant();
    await assistant.run("kept", "exec sleep 1000", { lifetime: "persistent" });
    await assistant.run("ours", "exec sleep 1000");
    const pids = [home.pid, await pidOf(assistant, "kept"), await pidOf(assistant, "ours")];
    take(home.state);
    await until("the end of all", () => pids.every((pid) => processStart(pid) === 0n));
    strictEqual(await assistant.call("list_processes"), "[]");
    ok(![0, pids[0]].includes(home.pid));
    await assistant.run("new", "exec sleep 1000");
    strictEqual(await assistant.state("new"), "Running");
  });
}

test("a daemon whose processes' folders are removed ends, with all that runs in them, and the next one can start them", async () => {
  await using home = new Home();
  await using assistant = await home.assistant();
  await assistant.run("kept", "exec sleep 1000", { lifetime: "persistent" });
  const pids = [home.pid, await pidOf(assistant, "kept")];
  Deno.removeSync(`${home.state}/services`, { recursive: true });
  await until("the end of all", () => pids.every((pid) => processStart(pid) === 0n));
  strictEqual(await assistant.state("kept"), "NotStarted");
  await assistant.call("start_process", { id: "kept" });
  strictEqual(await assistant.state("kept"), "Running");
  await assistant.call("remove_process", { id: "kept" });
});

test("a daemon whose socket is removed makes it again, and nothing else changes", async () => {
  await using home = new Home();
  {
    await using first = await home.assistant();
    await first.run("kept", "exec sleep 1000");
    const { pid } = home;
    Deno.removeSync(`${home.state}/daemon.sock`);
    await using second = await home.assistant();
    strictEqual(await second.state("kept"), "Running");
    strictEqual(await first.state("kept"), "Running");
    strictEqual(home.pid, pid);
    match(home.log, /daemon\.sock was removed, and is there again/);
  }
  await home.end();
  ok(!existsSync(`${home.state}/daemon.sock`), "what it removes itself it does not make again");
});

test("a daemon whose lock is removed ends, and the next one has its processes", async () => {
  await using home = new Home();
  await using assistant = await home.assistant();
  await assistant.run("kept", "exec sleep 1000");
  const [daemon, kept] = [home.pid, await pidOf(assistant, "kept")];
  Deno.removeSync(`${home.state}/manager.lock`);
  await until("the end of the first", () => processStart(daemon) === 0n);
  strictEqual(await assistant.state("kept"), "Running");
  strictEqual(await pidOf(assistant, "kept"), kept);
  ok(managerOf(home.state) !== undefined);
});
