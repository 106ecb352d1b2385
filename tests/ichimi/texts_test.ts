/** What the tools of upstream say, byte by byte, by the facts on process managers (2.1, 2.2). */
import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { VERSION } from "../../lib/version/mod.ts";
import { World } from "./_world.ts";

/** Calls one after the other, each with all that it says; `!` is a failure, `#` stands for a number. */
const TABLE: readonly [tool: string, args: Record<string, unknown>, text: string][] = [
  ["echo", { message: "hello 世界" }, "Echo: hello 世界"],
  ["ping", {}, "pong"],
  ["list_processes", {}, "[]"],
  ["create_process", { id: "a", command: "sleep", args: ["100"] }, "Process 'a' created successfully"],
  ["create_process", { id: "a", command: "true" }, "!Process with id 'a' already exists"],
  ["get_process_output", { id: "a", stream: "Both" }, ""],
  ["stop_process", { id: "a" }, "!Process 'a' is not running"],
  ["start_process", { id: "a" }, "Process 'a' started with PID #"],
  ["start_process", { id: "a" }, "!Process 'a' is already running"],
  ["stop_process", { id: "a", grace_period_ms: 5000 }, "Process 'a' stopped successfully"],
  ["stop_process", { id: "a" }, "!Process 'a' is not running"],
  ["start_process", { id: "a" }, "Process 'a' started with PID #"],
  ["remove_process", { id: "a" }, "Process 'a' removed successfully"],
  ["remove_process", { id: "a" }, "!Process 'a' not found"],
  ["start_process", { id: "a" }, "!Process 'a' not found"],
  ["stop_process", { id: "a" }, "!Process 'a' not found"],
  ["get_process_status", { id: "a" }, "!Process 'a' not found"],
  ["get_process_output", { id: "a", stream: "Stdout" }, "!Process 'a' not found"],
  ["create_process", { id: "b", command: "/no/such" }, "Process 'b' created successfully"],
  [
    "start_process",
    { id: "b" },
    '!Failed to start process: "/no/such" cannot be run: No such file or directory',
  ],
  ["update_process", { id: "b", command: "sleep", args: ["9"] }, "Process 'b' updated: command, args"],
  ["update_process", { id: "b" }, "Process 'b' - no attributes updated"],
  ["update_process", { id: "a", command: "true" }, "!Process 'a' not found"],
  ["update_process_config", { id: "b" }, "Process 'b' configuration updated"],
  [
    "update_process_config",
    { id: "b", auto_start_on_restore: true },
    "Process 'b' configuration updated - auto_start_on_restore set to true",
  ],
];

Deno.test("every answer of upstream's tools is upstream's, in words and punctuation", async () => {
  await using world = new World();
  const assistant = world.assistant();
  for (const [tool, args, text] of TABLE) {
    const answer = await assistant.call(tool, args).catch((error: Error) => `!${error.message}`);
    strictEqual(answer.replace(/PID [1-9]\d*$/, "PID #"), text, `${tool} ${JSON.stringify(args)}`);
  }
});

Deno.test("get_status tells version, uptime and the tools that there are", async () => {
  await using world = new World();
  const assistant = world.assistant();
  const names = assistant.tools.map(({ name }) => name);
  strictEqual(
    (await assistant.call("get_status")).replace(/\d+ seconds/, "N seconds"),
    `Status: running\nVersion: ${VERSION}\nUptime: N seconds\nTools: ${names.join(", ")}`,
  );
});

Deno.test("processes are told as upstream's serializer tells them, with what is ours behind", async () => {
  await using world = new World();
  const assistant = world.assistant();
  const described = { id: "p", command: "sh", args: ["-c", "exit 3"], env: { A: "b" }, cwd: "/tmp" };
  await assistant.call("create_process", { ...described, tags: ["x"] });
  const info = async () => JSON.parse(await assistant.call("get_process_status", { id: "p" }));
  deepStrictEqual(await info(), {
    info: {
      ...described,
      state: "NotStarted",
      auto_start_on_restore: false,
      outcome: null,
      lifetime: "project",
      project: world.folder,
      tags: ["x"],
    },
    cpu_usage: null,
    memory_usage: null,
    uptime_seconds: null,
  });
  await assistant.call("start_process", { id: "p" });
  await assistant.call("wait", { process: "p", state: "finished" });
  const { state, outcome } = (await info()).info;
  deepStrictEqual([Object.keys(state), Object.keys(state.Stopped)], [["Stopped"], [
    "exit_code",
    "stopped_at",
  ]]);
  deepStrictEqual([state.Stopped.exit_code, outcome], [3, "failed"]);
  match(state.Stopped.stopped_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

  await assistant.run("q", "sleep 100");
  const text = await assistant.call("get_process_status", { id: "q" });
  const status = JSON.parse(text);
  strictEqual(text, JSON.stringify(status, null, 2));
  deepStrictEqual(Object.keys(status), ["info", "cpu_usage", "memory_usage", "uptime_seconds"]);
  deepStrictEqual(Object.keys(status.info).slice(0, 6), ["id", "command", "args", "env", "cwd", "state"]);
  deepStrictEqual(Object.keys(status.info.state.Running), ["pid", "started_at"]);
});

Deno.test("the outcome tells a clean end, a failure, a kill and a program that is not there apart", async () => {
  await using world = new World();
  const assistant = world.assistant();
  const outcome = async (id: string) => {
    const { info } = JSON.parse(await assistant.call("get_process_status", { id }));
    return [info.outcome, info.state.Stopped?.exit_code, info.detail];
  };
  const ends = async (id: string, script: string) => {
    await assistant.run(id, script);
    await assistant.call("wait", { process: id, state: "finished" });
    return await outcome(id);
  };
  deepStrictEqual(await ends("clean", "exit 0"), ["clean", 0, undefined]);
  deepStrictEqual(await ends("failed", "exit 127"), ["failed", 127, undefined]);
  deepStrictEqual(await ends("killed", "kill -KILL $$"), ["killed", null, "SIGKILL"]);
  await assistant.run("asked", "exec sleep 100");
  await assistant.call("stop_process", { id: "asked" });
  deepStrictEqual(await outcome("asked"), ["clean", null, "SIGTERM"]);
  await assistant.run("stubborn", `trap "" TERM; echo up; while :; do sleep 0.1; done`);
  await assistant.call("wait", { process: "stubborn", pattern: "up" });
  await assistant.call("stop_process", { id: "stubborn", grace_period_ms: 50 });
  deepStrictEqual(await outcome("stubborn"), ["killed", null, "SIGKILL"]);
  await assistant.call("create_process", { id: "missing", command: "/no/such" });
  await rejects(assistant.call("start_process", { id: "missing" }));
  deepStrictEqual(await outcome("missing"), [
    "spawn_error",
    undefined,
    '"/no/such" cannot be run: No such file or directory',
  ]);
});
