/** The tools beyond upstream's four, on real processes. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import type { ToolResult } from "../../lib/mcp/mod.ts";
import { Project, shell } from "./_project.ts";

Deno.test("wait: a state, a line that was said or comes, a port, an end, and not in time", async () => {
  await using project = await Project.started([
    shell("api", "echo ready; read line; echo got $line; exit 4", "stdin = true"),
    shell("off", "exec sleep 60", "autostart = false"),
  ].join(""));
  const wait = async (args: Record<string, unknown>) =>
    (await project.ask("wait", { process: "api", ...args })).text;
  strictEqual(await wait({ pattern: "^rea" }), " * ready");
  strictEqual(await wait({}), "Process 'api' is running");
  strictEqual(await wait({ state: "running" }), "Process 'api' is running");
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  strictEqual(await wait({ port: listener.addr.port }), `Port ${listener.addr.port} takes connections`);
  const said = wait({ pattern: "got x" });
  const ended = wait({ exit: true });
  await project.ask("send", { process: "api", text: "x\n" });
  deepStrictEqual(await Promise.all([said, ended]), [" * got x", "Process 'api' is backoff"]);
  strictEqual(
    await wait({ process: "off", state: "running", timeout_seconds: 0.05 }),
    "Not within 0.05 s; process 'off' is idle",
  );
  await rejects(wait({ exit: true, state: "idle" }), /give at most one of state, pattern, port and exit/);
  await rejects(wait({ pattern: "(" }), /Invalid regex pattern/);
  await rejects(wait({ process: "no", exit: true }), /Process 'no' not found/);
  const hangUp = AbortSignal.timeout(20);
  await rejects(project.ask("wait", { process: "off", state: "running" }, hangUp), { name: "TimeoutError" });
});

Deno.test("send: a line, the size of the terminal, and the end of the input", async () => {
  await using project = await Project.started([
    shell("term", "read x; stty size; exec cat", "tty = true\nrestart = 'never'"),
    shell("deaf", "exec sleep 60"),
  ].join(""));
  const { structured } = await project.ask("send", {
    process: "term",
    text: "go\n",
    end: true,
    window: { rows: 33, columns: 101 },
  });
  deepStrictEqual(structured, { process: "term", characters: 3, ended: true });
  match((await project.ask("wait", { process: "term", pattern: "33 101" })).text, /33 101/);
  await project.ask("wait", { process: "term", exit: true });
  await rejects(
    project.ask("send", { process: "term", text: "" }),
    /Process 'term' does not run: it is finished/,
  );
  await rejects(project.ask("send", { process: "deaf", text: "x" }), /takes no input: set "stdin" or "tty"/);
});

Deno.test("read_logs: all processes in order of time, and on from the cursor, also into the next instance", async () => {
  await using project = await Project.started([
    shell("a", "echo a1; sleep 0.2; echo a2; exec sleep 60"),
    shell("b", "sleep 0.1; echo b1; echo b1; read x; echo b2; exec sleep 60", "stdin = true"),
  ].join(""));
  await project.ask("wait", { process: "a", pattern: "a2" });
  const first = await project.ask("read_logs");
  const lines = (result: ToolResult) =>
    (result.structured as { lines: { process: string; text: string; repeated: number }[] }).lines
      .map(({ process, text, repeated }) => `${process} ${text} ${repeated}`);
  const cursor = (result: ToolResult) => (result.structured as { cursor: string }).cursor;
  deepStrictEqual(lines(first), ["a a1 1", "b b1 2", "a a2 1"]);
  strictEqual(lines(await project.ask("read_logs", { cursor: cursor(first) })).length, 0);
  await project.ask("send", { process: "b", text: "\n" });
  await project.ask("wait", { process: "b", pattern: "b2" });
  await project.ask("restart", { process: "a" });
  await project.ask("wait", { process: "a", pattern: "a2" });
  const second = await project.ask("read_logs", { cursor: cursor(first) });
  deepStrictEqual(lines(second), ["b b2 1", "a a1 1", "a a2 1"]);
  match(second.text, /^\d\d:\d\d:\d\d\.\d{3} b b2$/m);
  deepStrictEqual(lines(await project.ask("read_logs", { cursor: cursor(second), processes: ["b"] })), []);
  await rejects(project.ask("read_logs", { cursor: "garbage" }), /"garbage" is no cursor/);
  await rejects(project.ask("read_logs", { processes: ["no"] }), /Process 'no' not found/);
});

Deno.test("usage counts descendants, and CPU since the call before", async () => {
  await using project = await Project.started(
    shell("busy", "sh -c 'while :; do :; done' & exec sh -c 'while :; do :; done'") +
      shell("off", "true", "autostart = false"),
  );
  interface Used {
    readonly services: readonly {
      name: string;
      processes: number;
      cpuRatio: number | null;
      memoryBytes: number;
    }[];
  }
  const used = async () => (await project.ask("usage")).structured as Used;
  const [first] = (await used()).services;
  deepStrictEqual([first?.name, first?.cpuRatio], ["busy", null]);
  // Both come, and get their share of the CPUs, sooner or later.
  await project.until("CPU and memory of two processes", async () => {
    const { services } = await used();
    strictEqual(services.length, 1);
    const { processes, memoryBytes, cpuRatio } = services[0]!;
    ok(processes <= 2);
    return processes === 2 && memoryBytes > 100_000 && cpuRatio! > 0.1;
  });
});

Deno.test("usage counts also children that have ended", async () => {
  const work = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
  await using project = await Project.started(shell("parent", `sh -c '${work}'; echo worked; exec sleep 60`));
  await project.ask("wait", { process: "parent", pattern: "worked" });
  const { services: [parent] } = (await project.ask("usage")).structured as {
    services: { processes: number; cpuSeconds: number }[];
  };
  strictEqual(parent?.processes, 1);
  ok(parent.cpuSeconds > 0.02, `${parent.cpuSeconds} s`);
});

Deno.test("graph and list tell what waits for what; explain tells how it failed", async () => {
  await using project = await Project.started([
    shell("db", "exec sleep 60", 'url = "http://127.0.0.1:1"'),
    shell(
      "api",
      "echo starting; echo 'no database' >&2; exit 9",
      "depends_on = { db = 'ready' }\nrestart = 'never'",
    ),
    shell("lint", "true", "build = ['sh', '-c', 'echo bad code; exit 2']\nrestart = 'never'"),
    shell("later", "exit 4", "backoff = { first = '100s' }"),
    '[process.lost]\ncommand = ["no-such-program"]\nrestart = "never"\n',
  ].join(""));
  await project.ask("wait", { process: "api", state: "finished" });
  for (const process of ["lint", "lost"]) await project.ask("wait", { process, state: "finished" });
  strictEqual((await project.ask("graph")).text, "api needs db ready: yes");
  await project.ask("wait", { process: "later", state: "backoff" });
  const listed = await project.ask("list");
  match(listed.text, /^api: finished \(exit 9\)\n/m);
  match(listed.text, /^later: backoff \(exit 4, starts in 1m \d\ds\)$/m);
  match(
    (await project.ask("explain", { process: "later" })).text,
    /^Process 'later' is backoff; it starts in 1m \d\ds\nIts run .* exit code 4/,
  );
  const { services } = listed.structured as { services: Record<string, unknown>[] };
  deepStrictEqual(services.map(({ name, state, exit, url }) => [name, state, exit, url]), [
    ["db", "running", null, "http://127.0.0.1:1"],
    ["api", "finished", "9", null],
    ["lint", "finished", "2", null],
    ["later", "backoff", "4", null],
    ["lost", "finished", "127", null],
  ]);
  match(
    (await project.ask("explain", { process: "api" })).text,
    /^Process 'api' is finished\nIts run with log index 0 ended at \S+ with exit code 9\n\n(starting\n)?\[stderr\] no database/,
  );
  match(
    (await project.ask("explain", { process: "lint" })).text,
    /Its build with log index 0 .* exit code 2\n\nbad code$/,
  );
  match((await project.ask("explain", { process: "db" })).text, /is running\nNo failure is kept/);
  await project.ask("wait", { process: "lost", state: "finished" });
  const lost = await project.ask("explain", { process: "lost" });
  match(lost.text, /^Process 'lost' is finished\n(Its run .*\n)?bpm: .*no-such-program/);
  match(JSON.stringify(lost.structured), /no-such-program|exit code 127/);
});
