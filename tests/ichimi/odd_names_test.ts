/** Ids, folders and commands that nobody expects, and ids that come again. */
import { deepStrictEqual, doesNotMatch, match, rejects, strictEqual } from "node:assert/strict";
import type { ToolResult } from "../../lib/mcp/mod.ts";
import { Store } from "../../lib/ichimi/store.ts";
import { World } from "./_world.ts";

interface Read {
  readonly cursor: string;
  readonly lines: readonly { readonly process: string; readonly text: string }[];
}

const read = ({ structured }: ToolResult) => structured as Read;

Deno.test("logs of processes of any name are read, and on from the cursor", async () => {
  await using world = new World();
  const assistant = world.assistant();
  for (const id of ["constructor", "toString", "__proto__", "日本語", "😀", "../x", "é"]) {
    await assistant.run(id, "echo one; read line; echo two", { input: "pipe" });
    await assistant.call("wait", { process: id, pattern: "one" });
    const first = read(await assistant.ask("read_logs", { processes: [id] }));
    deepStrictEqual(first.lines.map(({ process, text }) => [process, text]), [[id, "one"]]);
    await assistant.call("send", { process: id, text: "\n" });
    await assistant.call("wait", { process: id, exit: true });
    const { cursor } = first;
    const second = read(await assistant.ask("read_logs", { processes: [id], cursor }));
    deepStrictEqual(second.lines.map(({ text }) => text), ["two"]);
  }
});

Deno.test("a process that was removed and made again is read from its beginning", async () => {
  await using world = new World();
  const assistant = world.assistant();
  const end = async (script: string) => {
    await assistant.run("web", script);
    await assistant.call("wait", { process: "web", exit: true });
  };
  await end("echo before");
  await assistant.call("start_process", { id: "web" });
  await assistant.call("wait", { process: "web", exit: true });
  const { cursor: ofSecondRun } = read(await assistant.ask("read_logs"));
  await assistant.call("remove_process", { id: "web" });
  deepStrictEqual(read(await assistant.ask("read_logs", { cursor: ofSecondRun })).cursor, btoa("{}"));
  await end("echo after; echo all of it");
  const since = async (cursor: string) =>
    read(await assistant.ask("read_logs", { cursor })).lines.map(({ text }) => text);
  deepStrictEqual(await since(ofSecondRun), ["after", "all of it"]);
  // Of a daemon that did not note when a run was begun, and read further than this log reaches.
  deepStrictEqual(await since(btoa('{"web":[1,"1000000"]}')), ["after", "all of it"]);
  const { cursor: ofFirstRun } = read(await assistant.ask("read_logs"));
  await assistant.call("remove_process", { id: "web" });
  await end("echo a; echo b; echo c; echo d; echo e; echo f");
  deepStrictEqual(await since(ofFirstRun), ["a", "b", "c", "d", "e", "f"]);
});

Deno.test("who waits for something of a process that is removed is told at once", async () => {
  await using world = new World();
  const assistant = world.assistant();
  await assistant.run("web", "exec sleep 100");
  const waits = [{ pattern: "never" }, { state: "backoff" }, { port: 1 }].map((asked) =>
    rejects(assistant.call("wait", { process: "web", timeout_seconds: 600, ...asked }), {
      message: "Cannot wait: process 'web' was removed meanwhile",
    })
  );
  await assistant.call("remove_process", { id: "web" });
  await Promise.all(waits);
});

Deno.test("half a character is no id, and nothing is left of it", async () => {
  await using world = new World();
  const assistant = world.assistant();
  await rejects(
    assistant.call("create_process", { id: "a\ud800", command: "true" }),
    /has halves of characters/,
  );
  strictEqual(await assistant.call("list_processes"), "[]");
});

Deno.test("an id that no address can name is refused, and what has it from before runs, changes and is removed", async () => {
  await using world = new World();
  const assistant = world.assistant();
  const before = `${world.folder}/before.json`;
  for (const id of [".", ".."]) {
    await rejects(
      assistant.call("create_process", { id, command: "true" }),
      new RegExp(`Cannot create process '${id.replaceAll(".", "\\.")}': its id is a step in a path`),
    );
    Deno.writeTextFileSync(before, JSON.stringify([{ id, command: "true" }]));
    await rejects(assistant.call("import_processes", { file_path: before }), /its id is a step in a path/);
  }
  strictEqual(await assistant.call("list_processes"), "[]");
  for (const id of ["...", ".x", "..%2f"]) await assistant.call("create_process", { id, command: "true" });

  await using old = new World();
  Deno.mkdirSync(`${old.folder}/state`);
  {
    using store = Store.open(`${old.folder}/state/ichimi.sqlite`);
    const record = { ...world.host.record("..."), project: old.folder };
    for (const id of [".", ".."]) store.putProcess({ ...record, id });
  }
  await old.host.start(new AbortController().signal);
  const other = old.assistant();
  for (const id of [".", ".."]) {
    await other.call("update_process", { id, command: "sh", args: ["-c", "echo it runs"] });
    await other.call("start_process", { id });
    await other.call("wait", { process: id, exit: true });
    match(await other.call("get_process_output", { id, stream: "Both" }), /it runs/);
    await other.call("remove_process", { id });
  }
  strictEqual(await other.call("list_processes"), "[]");
});

Deno.test("what was said of a process is not said of the one that has its id later, nor when it runs", async () => {
  await using world = new World();
  const assistant = world.assistant();
  const failing = { id: "web", command: "/nowhere/program" };
  const fail = async () => {
    await assistant.call("create_process", failing);
    await rejects(assistant.call("start_process", { id: "web" }), /nowhere/);
    match(await assistant.call("explain", { process: "web" }), /nowhere/);
  };
  await fail();
  await assistant.call("remove_process", { id: "web" });
  await assistant.call("create_process", { id: "web", command: "true" });
  doesNotMatch(await assistant.call("explain", { process: "web" }), /nowhere/);
  await assistant.call("remove_process", { id: "web" });
  await fail();
  await assistant.call("update_process", { id: "web", command: "sleep", args: ["100"] });
  await assistant.call("start_process", { id: "web" });
  doesNotMatch(await assistant.call("explain", { process: "web" }), /^ichimi: /m);
});

Deno.test("folders that cannot be looked at and commands with NUL are refused in words", async () => {
  await using world = new World();
  const assistant = world.assistant();
  await Deno.symlink("loop", `${world.folder}/loop`);
  const refused = (more: Record<string, unknown>, message: RegExp) =>
    rejects(assistant.call("create_process", { id: "x", command: "true", ...more }), message);
  for (const cwd of ["/tmp/\0", "a".repeat(300), "loop", "/".repeat(9) + "a/".repeat(3_000), "/dev/null/x"]) {
    await refused(
      { cwd },
      /^HostError: Working directory does not exist|ToolError: Working directory does not exist/,
    );
  }
  await refused({ command: "true\0" }, /Command contains control characters/);
});
