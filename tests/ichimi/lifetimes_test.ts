/** With whom processes end: sessions, projects, nobody; and across daemons. */
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { processStart } from "../../ffi/ring/mod.ts";
import { World } from "./_world.ts";

const AWAY = { lifetime: "session" };

function state(world: World, id: string): string {
  return world.host.standing(id).state.kind;
}

Deno.test("a session's processes end with it, a project's with its last client, persistent ones stay", async () => {
  await using world = new World();
  const [first, second, other] = [world.client(), world.client(), world.client("/tmp")];
  for (const client of [first, second, other]) world.lifetimes.join(client);
  const assistant = world.assistant(first);
  await assistant.run("mine", "exec sleep 100", AWAY);
  await assistant.run("ours", "exec sleep 100");
  await assistant.run("kept", "exec sleep 100", { lifetime: "persistent" });
  world.lifetimes.leave(first);
  await world.until("the end of the session's", () => state(world, "mine") === "stopped");
  strictEqual(state(world, "ours"), "running");
  world.lifetimes.leave(second);
  await world.until("the end of the project's", () => state(world, "ours") === "stopped");
  // With it ends all that was begun.
  await world.lifetimes[Symbol.asyncDispose]();
  strictEqual(state(world, "kept"), "running");
  deepStrictEqual(world.complaints, []);
});

Deno.test("a client that comes back in time finds its processes as they were", async () => {
  await using world = new World();
  const [client, other] = [world.client(), world.client("/tmp")];
  for (const each of [client, other]) world.lifetimes.join(each);
  const assistant = world.assistant(client);
  await assistant.run("mine", "exec sleep 100", AWAY);
  await assistant.run("ours", "exec sleep 100");
  await world.assistant(other).run("theirs", "exec sleep 100", AWAY);
  world.lifetimes.leave(client);
  world.lifetimes.join(client);
  // Who leaves later and stays away is waited for as long: then what was waited for before is over, too.
  world.lifetimes.leave(other);
  await world.until("the end of the other session's", () => state(world, "theirs") === "stopped");
  await world.lifetimes[Symbol.asyncDispose]();
  deepStrictEqual([state(world, "mine"), state(world, "ours")], ["running", "running"]);
});

Deno.test("a client whose program has ended does not come back: nothing waits for it", async () => {
  await using world = new World({ limits: { sessionGraceMs: 1_000_000 } });
  const client = { ...world.client(), startTicks: 1n };
  world.lifetimes.join(client);
  await world.assistant({ ...client, startTicks: world.client().startTicks }).run(
    "mine",
    "exec sleep 100",
    AWAY,
  );
  world.lifetimes.leave(client);
  await world.until("the end of the session's", () => state(world, "mine") === "stopped");
});

Deno.test("what ends with its client has ended well, also when nobody but its keeper has asked it to", async () => {
  await using world = new World();
  const client = world.client();
  const program = new Deno.Command("sleep", { args: ["100"] }).spawn();
  const own = { ...client, pid: program.pid, startTicks: processStart(program.pid) };
  const assistant = world.assistant(own);
  await assistant.run("mine", "exec sleep 100", AWAY);
  program.kill("SIGKILL");
  await program.status;
  await assistant.call("wait", { process: "mine", exit: true });
  const { outcome, detail } = world.host.standing("mine");
  deepStrictEqual([outcome, detail], ["clean", "SIGTERM"]);
  strictEqual(
    await assistant.call("explain", { process: "mine" }),
    "Process 'mine' is finished\nichimi: the process that owns this instance has ended",
  );
});

Deno.test("a daemon that follows another one ends what its clients do not come back for", async () => {
  await using world = new World();
  const client = world.client();
  world.lifetimes.join(client);
  const assistant = world.assistant(client);
  await assistant.run("mine", "exec sleep 100", AWAY);
  await assistant.run("kept", "exec sleep 100", { lifetime: "persistent" });
  await world.reopen();
  deepStrictEqual([state(world, "mine"), state(world, "kept")], ["running", "running"]);
  world.lifetimes.begin();
  await world.until("the end of the session's", () => state(world, "mine") === "stopped");
  strictEqual(state(world, "kept"), "running");
});

Deno.test("what a session has left is forgotten after a while, what others have is not", async () => {
  await using world = new World({ limits: { keepMs: 0 } });
  const client = world.client();
  world.lifetimes.join(client);
  const assistant = world.assistant(client);
  await assistant.run("mine", "exit 0", AWAY);
  await assistant.run("ours", "exit 0");
  for (const process of ["mine", "ours"]) await assistant.call("wait", { process, exit: true });
  world.lifetimes.leave(client);
  world.lifetimes.begin();
  await world.until("its end", () => world.host.records.length === 1);
  strictEqual(world.host.records[0]!.id, "ours");
});

Deno.test("what a session has left without ever starting it, or lost, is forgotten too, since the session has gone", async () => {
  await using world = new World({ limits: { keepMs: 0 } });
  const [client, other] = [world.client(), world.client()];
  for (const each of [client, other]) world.lifetimes.join(each);
  const assistant = world.assistant(client);
  await assistant.call("create_process", { id: "never", command: "true", ...AWAY });
  await assistant.call("create_process", { id: "other", command: "true", lifetime: "project" });
  await assistant.call("create_process", { id: "chosen", command: "true", ...AWAY });
  await assistant.call("update_process", { id: "chosen", lifetime: "persistent" });
  await assistant.run("lost", "exec sleep 100", AWAY);
  const service = world.host.service("lost");
  const status = service.current!.status();
  if (status.kind === "running") Deno.kill(status.keeperPid, "SIGKILL");
  await world.until("its end", () => service.is("finished"));
  strictEqual(state(world, "lost"), "failed");
  await world.assistant(other).call("create_process", { id: "theirs", command: "true", ...AWAY });
  world.lifetimes.leave(client);
  world.lifetimes.begin();
  await world.until("the end of both", () => world.host.records.length === 3);
  deepStrictEqual(world.host.records.map(({ id }) => id), ["other", "chosen", "theirs"]);
});

Deno.test("since when a session has gone is known to the next daemon, and forgotten when it comes back", async () => {
  await using world = new World({ limits: { keepMs: 1_000_000 } });
  const client = world.client();
  world.lifetimes.join(client);
  await world.assistant(client).call("create_process", { id: "mine", command: "true", ...AWAY });
  world.lifetimes.leave(client);
  const goneMs = world.host.absences.since(client.id, Infinity);
  strictEqual(goneMs <= Date.now(), true);
  await world.reopen();
  world.lifetimes.begin();
  strictEqual(world.host.absences.since(client.id, Infinity), goneMs);
  world.lifetimes.join(client);
  strictEqual(world.host.absences.since(client.id, 7), 7);
  strictEqual(world.host.records.length, 1);
});

Deno.test("a process has the environment and the folder of who starts it, and its own before them", async () => {
  await using world = new World();
  const client = world.client(world.folder, { PATH: Deno.env.get("PATH")!, WHO: "client", OTHER: "kept" });
  const assistant = world.assistant(client);
  Deno.mkdirSync(`${world.folder}/below`);
  await assistant.run("env", "echo $WHO $OTHER; pwd", { env: { WHO: "process" } });
  await assistant.call("wait", { process: "env", exit: true });
  strictEqual(
    await assistant.call("get_process_output", { id: "env", stream: "Both" }),
    `process kept\n${world.folder}`,
  );
  await assistant.run("below", "pwd", { cwd: "below" });
  await assistant.call("wait", { process: "below", exit: true });
  strictEqual(
    await assistant.call("get_process_output", { id: "below", stream: "Both" }),
    `${world.folder}/below`,
  );
  await rejects(assistant.call("create_process", { id: "none", command: "pwd", cwd: "nowhere" }), {
    message: `Working directory does not exist: ${world.folder}/nowhere`,
  });
});

Deno.test("names of any kind are names, and those that cannot be are refused", async () => {
  await using world = new World();
  const assistant = world.assistant();
  for (const id of ["a/b", "...", "日本 語", "-x", "con:1", "x".repeat(200)]) {
    await assistant.run(id, "echo here");
    await assistant.call("wait", { process: id, exit: true });
    strictEqual(await assistant.call("get_process_output", { id, stream: "Both" }), "here");
  }
  for (const id of ["", " ", "..", ".", "a\nb", "\x1b[31m", "x".repeat(201)]) {
    await rejects(assistant.call("create_process", { id, command: "true" }), /^.*Cannot create process/);
  }
  await world.reopen();
  strictEqual(world.host.records.length, 6);
  for (const { id } of world.host.records) await world.assistant().call("remove_process", { id });
  deepStrictEqual(world.host.records, []);
});

Deno.test("who stops or removes what takes long to stop does not wait for the grace of others", async () => {
  await using world = new World();
  const assistant = world.assistant();
  for (const hurried of ["stop_process", "remove_process"]) {
    await assistant.run("stubborn", "trap '' TERM; echo ready; while :; do sleep 0.1; done");
    await assistant.call("wait", { process: "stubborn", pattern: "ready" });
    const patient = assistant.call("stop_process", { id: "stubborn", grace_period_ms: 600_000 });
    await world.until("the stop", () => world.host.service("stubborn").is("stopping"));
    await assistant.call(hurried, {
      id: "stubborn",
      ...hurried === "stop_process" ? { grace_period_ms: 0 } : {},
    });
    await patient;
    if (hurried === "stop_process") await assistant.call("remove_process", { id: "stubborn" });
  }
});
