/** Starting, restarting and removing: with whose environment, and what is left when it does not come to an end. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import type { AllowRule } from "../../lib/ichimi/mod.ts";
import { World } from "./_world.ts";

const never = new AbortController().signal;

Deno.test("a removal that its client has given up goes on, and its id can be used again", async () => {
  await using world = new World();
  const assistant = world.assistant();
  await assistant.run("stubborn", "trap '' TERM; echo up; while :; do sleep 100; done");
  await assistant.call("wait", { process: "stubborn", pattern: "up" });
  const client = new AbortController();
  const removal = world.host.remove("stubborn", client.signal);
  client.abort(new Error("it has gone"));
  await rejects(removal, /it has gone/);
  // Whoever asks now waits for the same end.
  await world.host.remove("stubborn", never);
  await assistant.run("stubborn", "exec sleep 100");
  strictEqual(world.host.standing("stubborn").state.kind, "running");
});

Deno.test("a process is started again with the environment of who started it, also by the next daemon", async () => {
  await using world = new World();
  const starter = world.client(world.folder, { PATH: Deno.env.get("PATH")!, WHO: "somebody" });
  const assistant = world.assistant(starter);
  const script = 'echo "of $WHO"; read line; exit 1';
  const more = { input: "pipe", restart: "on_failure", lifetime: "persistent" };
  await assistant.run("web", script, more);
  await assistant.call("wait", { process: "web", pattern: "of somebody" });
  await world.reopen();
  const other = world.assistant(world.client(world.folder, { PATH: Deno.env.get("PATH")! }));
  const runs = () => world.host.logs("web", "run").length;
  await other.call("send", { process: "web", text: "\n" });
  await world.until("the next run", () => runs() === 2);
  await other.call("wait", { process: "web", pattern: "of somebody" });
  await other.call("stop_process", { id: "web" });
  await world.host.startProcess("web", { client: undefined, signal: never });
  await other.call("wait", { process: "web", pattern: "of somebody" });
  await other.call("stop_process", { id: "web" });
  await other.call("start_process", { id: "web" });
  const met = await other.ask("wait", { process: "web", pattern: "of $" });
  ok((met.structured as { met: boolean }).met);
});

Deno.test("what could not be started as it was created is not there, and can be corrected", async () => {
  await using world = new World();
  const assistant = world.assistant();
  const create = (command: string) =>
    assistant.call("create_process", { id: "web", command, auto_start_on_create: true });
  await rejects(create("/nowhere/program"), /^.*Failed to start process: .*\/nowhere\/program/);
  deepStrictEqual(world.host.list(), []);
  await create("true");
  await assistant.call("create_template", { name: "bad", command: "/nowhere/program" });
  const made = { template_name: "bad", process_id: "made", auto_start: true };
  await rejects(assistant.call("create_process_from_template", made), /Failed to start process/);
  deepStrictEqual(world.host.list().map(({ id }) => id), ["web"]);
});

Deno.test("what the list of its project is against is not run by the next restart either", async () => {
  const allow: AllowRule[] = [];
  await using world = new World({ allow });
  allow.push({ folder: world.folder, commands: ["sleep *"], unlisted: "refuse" });
  const assistant = world.assistant();
  const web = { id: "web", command: "sleep", args: ["100"], restart: "always" };
  await assistant.call("create_process", web);
  await assistant.call("start_process", { id: "web" });
  await rejects(assistant.call("update_process", { id: "web", command: "tail" }), /may not be started/);
  strictEqual(world.host.record("web").command, "sleep");
  await assistant.call("update_process", { id: "web", args: ["200"] });
  // What does not run is asked about when it starts.
  await assistant.call("stop_process", { id: "web" });
  await assistant.call("update_process", { id: "web", command: "tail" });
  await rejects(assistant.call("start_process", { id: "web" }), /may not be started/);
});

Deno.test("a restart that is refused leaves what runs alone", async () => {
  const allow: AllowRule[] = [];
  await using world = new World({ allow });
  const assistant = world.assistant();
  await assistant.run("web", "exec sleep 100");
  allow.push({ folder: world.folder, commands: [], unlisted: "ask" });
  const options = { client: undefined, signal: never };
  const { state } = world.host.standing("web");
  await rejects(world.host.restartProcess("web", 1_000, options), /may not be started/);
  deepStrictEqual(world.host.standing("web").state, state);
  const permitted = world.host.allowed.refusal(world.host.record("web"))?.question;
  await world.host.restartProcess("web", 1_000, { ...options, permitted });
  strictEqual(world.host.standing("web").state.kind, "running");
});

Deno.test("why something of a snapshot was not started is said", async () => {
  const allow: AllowRule[] = [];
  await using world = new World({ allow });
  const assistant = world.assistant();
  for (const [id, command] of [["good", "true"], ["bad", "false"]] as const) {
    await assistant.call("create_process", { id, command, auto_start_on_restore: true });
  }
  await assistant.call("create_snapshot");
  for (const id of ["good", "bad"]) await assistant.call("remove_process", { id });
  allow.push({ folder: world.folder, commands: ["true"], unlisted: "refuse" });
  const { text, structured } = await assistant.ask("restore_snapshot");
  const { started, not_started } = structured as {
    readonly started: unknown;
    readonly not_started: readonly { readonly id: string }[];
  };
  deepStrictEqual([started, not_started.map(({ id }) => id)], [["good"], ["bad"]]);
  match(text, /\nNot started: 'bad': Process 'bad' may not be started: 'false' is not among/);
});
