/** Upstream's defects of the facts on process managers (2.1, 2.3), each as what holds here instead. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { sleep } from "../../lib/async/mod.ts";
import { World } from "./_world.ts";

/** Whether a process is there. */
function lives(pid: number): boolean {
  try {
    return !Deno.readTextFileSync(`/proc/${pid}/stat`).includes(") Z ");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A script that starts another process, which starts a third in a session of its own, and says their pids. */
const FAMILY = `sh -c 'setsid sleep 100 & echo third $!; exec sleep 100' & echo second $!; exec sleep 100`;

async function family(world: World, id: string): Promise<number[]> {
  const assistant = world.assistant();
  await assistant.run(id, FAMILY);
  await assistant.call("wait", { process: id, pattern: "third" });
  await assistant.call("wait", { process: id, pattern: "second" });
  const output = await assistant.call("get_process_output", { id, stream: "Stdout" });
  const { info } = JSON.parse(await assistant.call("get_process_status", { id }));
  const pids = [info.state.Running.pid, ...[...output.matchAll(/\d+/g)].map(Number)];
  strictEqual(pids.filter(lives).length, 3);
  return pids;
}

Deno.test("stop_process ends the process and all that it has started, also who has left its session", async () => {
  await using world = new World();
  const pids = await family(world, "tree");
  await world.assistant().call("stop_process", { id: "tree" });
  await world.until("the end of all", () => !pids.some(lives));
});

Deno.test("remove_process leaves nothing that runs, and nothing on disk", async () => {
  await using world = new World();
  const pids = await family(world, "tree");
  const { folder } = world.host.service("tree").ledger;
  await world.assistant().call("remove_process", { id: "tree" });
  await world.until("the end of all", () => !pids.some(lives));
  deepStrictEqual(
    [...Deno.readDirSync(folder.slice(0, folder.lastIndexOf("/")))].map(({ name }) => name),
    [],
  );
});

Deno.test("all that runs ends with the host that is asked to end", async () => {
  const world = new World();
  const pids = await family(world, "tree");
  await world[Symbol.asyncDispose]();
  strictEqual(pids.some(lives), false);
});

Deno.test("who lists processes does not wait for one that takes long to stop", async () => {
  await using world = new World();
  const assistant = world.assistant();
  await assistant.run("slow", `trap "" TERM; echo up; while :; do sleep 0.1; done`);
  await assistant.call("wait", { process: "slow", pattern: "up" });
  let stopped = false;
  const stopping = assistant.call("stop_process", { id: "slow", grace_period_ms: 1_000 }).then(() => {
    stopped = true;
  });
  ok((await assistant.call("list_processes")).includes('"slow"'));
  await assistant.call("get_process_status", { id: "slow" });
  await assistant.call("get_process_output", { id: "slow", stream: "Both" });
  strictEqual(stopped, false);
  await stopping;
});

Deno.test("CPU and memory are those of the whole tree", async () => {
  await using world = new World();
  const assistant = world.assistant();
  await assistant.run("busy", `sh -c 'while :; do :; done' & sleep 100`);
  const status = async () => JSON.parse(await assistant.call("get_process_status", { id: "busy" }));
  await status();
  await sleep(300);
  const { cpu_usage: cpu, memory_usage: memory, uptime_seconds: uptime } = await status();
  ok(cpu > 5 && cpu <= 250, `${cpu} %`);
  ok(memory > 500_000, `${memory} bytes`);
  strictEqual(uptime, 0);
});

Deno.test("output of Both is in the order in which it was said, over restarts, and of what has ended too", async () => {
  await using world = new World();
  const assistant = world.assistant();
  // Of two pipes only their reader knows an order: each line waits until the one before has arrived.
  const script = `for n in 1 2 3; do read _; echo out $n; read _; echo err $n >&2; done; read _`;
  const said = ["out 1", "err 1", "out 2", "err 2", "out 3", "err 3"];
  const talk = async () => {
    for (const line of said) {
      await assistant.call("send", { process: "talk", text: "\n" });
      await assistant.call("wait", { process: "talk", pattern: `${line}$` });
    }
    await assistant.call("send", { process: "talk", text: "\n" });
    await assistant.call("wait", { process: "talk", exit: true });
  };
  await assistant.run("talk", script, { input: "pipe" });
  await talk();
  const round = said.join("\n");
  const output = (stream: string, lines?: number | null) =>
    assistant.call("get_process_output", { id: "talk", stream, ...(lines === undefined ? {} : { lines }) });
  strictEqual(await output("Both"), round);
  await assistant.call("start_process", { id: "talk" });
  await talk();
  strictEqual(await output("Both", null), `${round}\n${round}`);
  strictEqual(await output("Both", 7), `err 3\n${round}`);
  strictEqual(await output("Stderr", 2), "err 2\nerr 3");
  strictEqual(await output("Stdout", 4), "out 3\nout 1\nout 2\nout 3");
  strictEqual(await output("Stdout", 0), "");
});

Deno.test("lists are filtered by state, by a part of a name and by wildcards", async () => {
  await using world = new World();
  const assistant = world.assistant();
  await assistant.run("web-1", "exec sleep 100");
  await assistant.run("web-2", "exit 0");
  await assistant.call("wait", { process: "web-2", exit: true });
  await assistant.call("create_process", { id: "api", command: "sleep" });
  const ids = async (filter?: Record<string, unknown>) => {
    const list = JSON.parse(await assistant.call("list_processes", filter === undefined ? {} : { filter }));
    return list.map(({ id }: { id: string }) => id);
  };
  deepStrictEqual(await ids(), ["web-1", "web-2", "api"]);
  deepStrictEqual(await ids({ state: "Running" }), ["web-1"]);
  deepStrictEqual(await ids({ state: "Stopped" }), ["web-2"]);
  deepStrictEqual(await ids({ state: "Failed" }), []);
  deepStrictEqual(await ids({ state: "All", name_pattern: null }), ["web-1", "web-2", "api"]);
  deepStrictEqual(await ids({ name_pattern: "eb-" }), ["web-1", "web-2"]);
  deepStrictEqual(await ids({ name_pattern: "web-*" }), ["web-1", "web-2"]);
  deepStrictEqual(await ids({ name_pattern: "?eb-2" }), ["web-2"]);
  deepStrictEqual(await ids({ name_pattern: "sl*p" }), ["api"]);
  deepStrictEqual(await ids({ name_pattern: "*.*" }), []);
});

Deno.test("two starts at the same moment start one process", async () => {
  await using world = new World();
  const assistant = world.assistant();
  await assistant.call("create_process", { id: "one", command: "sleep", args: ["100"] });
  const starts = await Promise.allSettled(
    [1, 2, 3].map(() => assistant.call("start_process", { id: "one" })),
  );
  deepStrictEqual(starts.filter(({ status }) => status === "fulfilled").length, 1);
  strictEqual(world.host.service("one").ledger.places("run").length, 1);
});

Deno.test("what starts by itself is started once with a daemon, and not by one that follows a killed one", async () => {
  await using world = new World();
  await world.host.start(new AbortController().signal);
  const assistant = world.assistant();
  await assistant.run("auto", "exit 0", { auto_start_on_restore: true });
  await assistant.call("create_process", { id: "manual", command: "sleep", args: ["100"] });
  await assistant.call("wait", { process: "auto", exit: true });
  const runs = (id: string) => world.host.service(id).ledger.places("run").length;
  await world.restart();
  await world.until("its second run", () => runs("auto") === 2);
  await world.assistant().call("wait", { process: "auto", exit: true });
  await world.reopen();
  deepStrictEqual([runs("auto"), runs("manual")], [2, 0]);
});
