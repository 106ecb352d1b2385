/** Upstream's later tools: templates, clipboard and suggestions. */
import { deepStrictEqual, match, rejects, strictEqual, throws } from "node:assert/strict";
import { filled, Store, type Template, TemplateError } from "../../lib/ichimi/mod.ts";
import { Memory } from "../../lib/ichimi/memory.ts";
import { World } from "./_world.ts";

const TEMPLATE: Template = {
  template_id: "t",
  name: "server",
  description: null,
  category: null,
  command: "{{program}}",
  args: ["--port", "{{ port }}", "{{port}}{{port}}"],
  env: { MODE: "{{mode}}" },
  default_cwd: "/srv/{{program}}",
  default_auto_start: false,
  variables: [
    { name: "port", description: null, default_value: "80", required: true },
    { name: "mode", description: null, default_value: null, required: false },
    { name: "program", description: null, default_value: null, required: true },
  ],
  tags: [],
  created_at: "",
  updated_at: "",
};

Deno.test("gaps are filled with what is given, defaults, or nothing, and never twice", () => {
  deepStrictEqual(filled(TEMPLATE, { program: "web", port: "{{mode}}" }), {
    command: "web",
    args: ["--port", "{{mode}}", "{{mode}}{{mode}}"],
    env: { MODE: "" },
    cwd: "/srv/web",
  });
  strictEqual(filled(TEMPLATE, { program: "web" }).args[1], "80");
  const refused = (values: Record<string, string>, message: string, template = TEMPLATE) =>
    throws(() => filled(template, values), (error) => {
      strictEqual(error instanceof TemplateError && error.message, message);
      return true;
    });
  refused({}, "Required variable 'program' is missing");
  refused(
    { program: "x", prot: "1" },
    "Template 'server' has no variable 'prot' (there are: port, mode, program)",
  );
  refused({}, "Required variable 'nobody' is missing", { ...TEMPLATE, command: "{{nobody}}", variables: [] });
  refused({}, "Required variable '__proto__' is missing", {
    ...TEMPLATE,
    command: "{{__proto__}}",
    variables: [],
  });
});

Deno.test("templates are made, found, changed, used and deleted", async () => {
  await using world = new World();
  const assistant = world.assistant();
  const made = JSON.parse(
    await assistant.call("create_template", {
      name: "sleeper",
      command: "sleep",
      args: ["{{seconds}}"],
      category: "test",
      tags: ["nap"],
      variables: [{ name: "seconds", default_value: "100" }],
    }),
  );
  await rejects(assistant.call("create_template", { name: "sleeper", command: "x" }), {
    message: "Template with name 'sleeper' already exists",
  });
  const names = async (filter = {}) =>
    JSON.parse(await assistant.call("list_templates", filter)).map(({ name }: { name: string }) => name);
  deepStrictEqual(
    [await names(), await names({ category: "test", tag: "nap" }), await names({ tag: "no" })],
    [
      ["sleeper"],
      ["sleeper"],
      [],
    ],
  );
  match(
    await assistant.call("create_process_from_template", {
      template_name: "sleeper",
      process_id: "nap",
      auto_start: true,
      variables: { seconds: "50" },
      override_env: { A: "b" },
    }),
    /^Process 'nap' created from template 'sleeper' and started with PID \d+$/,
  );
  const { info } = JSON.parse(await assistant.call("get_process_status", { id: "nap" }));
  deepStrictEqual([info.command, info.args, info.env, info.tags], ["sleep", ["50"], { A: "b" }, ["nap"]]);
  await world.reopen();
  const later = world.assistant();
  strictEqual(JSON.parse(await later.call("get_template", { id: made.template_id })).name, "sleeper");
  const changed = JSON.parse(
    await later.call("update_template", { id: "sleeper", name: "napper", args: ["1"] }),
  );
  deepStrictEqual([changed.name, changed.args, changed.command, changed.template_id], [
    "napper",
    ["1"],
    "sleep",
    made.template_id,
  ]);
  strictEqual(JSON.parse(await later.call("get_template", { name: "napper" })).template_id, made.template_id);
  for (const tool of ["get_template", "delete_template"]) {
    await rejects(later.call(tool, {}), { message: "Give id or name" });
  }
  strictEqual(
    await later.call("delete_template", { name: "napper" }),
    "Template 'napper' deleted successfully",
  );
  await rejects(later.call("get_template", { id: "napper" }), { message: "Template 'napper' not found" });
});

Deno.test("what one assistant puts into the clipboard the other takes out, also from the next daemon", async () => {
  await using world = new World();
  await rejects(world.assistant().call("get_clipboard"), { message: "No clipboard item found" });
  await world.assistant().call("set_clipboard_text", { content: "first" });
  const put = JSON.parse(
    await world.assistant().call("set_clipboard_text", { content: "日本", tags: ["a"] }),
  );
  await world.reopen();
  deepStrictEqual(JSON.parse(await world.assistant().call("get_clipboard")), put);
  deepStrictEqual([put.content, put.tags, put.content_type, put.filename], ["日本", ["a"], "text", null]);
  for (let at = 0; at < 120; at++) world.host.shelf.clip(`clip ${at}`);
  const { shelf } = world.host;
  deepStrictEqual([shelf.clips(1_000).items.length, shelf.clips(1).total], [100, 100]);
  const { items, total } = shelf.searchClips("CLIP 11", { most: 2 });
  deepStrictEqual([items.map(({ content }) => content), total], [["clip 119", "clip 118"], 10]);
  await rejects(
    world.assistant().call("set_clipboard_text", { content: "x".repeat(5_000_000) }),
    /at most \d+/,
  );
});

Deno.test("the clipboard takes bytes, each clip and all of them so many, and lets go of the oldest", async () => {
  await using world = new World();
  const { shelf } = world.host;
  shelf.clip("x".repeat(4 << 20));
  throws(() => shelf.clip("ü".repeat(3 << 20)), /Cannot keep 6291456 bytes: at most 4194304 are taken/);
  for (let at = 0; at < 20; at++) shelf.clip(`${at} ${"x".repeat(4_000_000)}`);
  const kept = shelf.clips(100).items.map(({ content }) => content.slice(0, 2).trim());
  deepStrictEqual(kept, Array.from({ length: 16 }, (_, at) => `${19 - at}`));
  strictEqual(shelf.newestClip!.content.slice(0, 3), "19 ");
  shelf.clearClips();
  deepStrictEqual(shelf.clips(100), { items: [], total: 0 });
});

Deno.test("what is usually started next is suggested, with how often it was", async () => {
  await using world = new World();
  const client = world.client();
  const assistant = world.assistant(client);
  strictEqual(await assistant.call("get_suggestions"), "No suggestions available at this time.");
  for (const id of ["db", "api", "docs"]) await assistant.call("create_process", { id, command: "true" });
  const start = async (id: string) => {
    await assistant.call("start_process", { id });
    await assistant.call("wait", { process: id, exit: true });
  };
  for (const round of [1, 2, 3]) {
    await start("db");
    await start(round === 3 ? "docs" : "api");
  }
  strictEqual(
    await assistant.call("get_suggestions", { current_process: "db" }),
    "Smart Suggestions:\n\n1. Start process 'api'\n   Action: start_process api\n   Confidence: 67%\n" +
      "   Reason: Started after 'db' 2 of 3 times\n\n",
  );
  strictEqual(
    await world.assistant({ ...client, folder: "/tmp" }).call("get_suggestions"),
    "No suggestions available at this time.",
  );
});

Deno.test("the last start is known of the projects in which something was started last", () => {
  using store = Store.open(":memory:");
  const memory = new Memory(store);
  for (let round = 0; round < 2; round++) {
    memory.started("db", "/first", 0);
    memory.started("api", "/first", 1);
    memory.started("db", "/first", 2);
  }
  const next = () =>
    memory.suggestions({ current: undefined, project: "/first", isWanted: () => true }).map(({ process }) =>
      process
    );
  deepStrictEqual(next(), ["api"]);
  for (let at = 0; at < 499; at++) memory.started("web", `/${at}`, 3);
  deepStrictEqual(next(), ["api"]);
  memory.started("web", "/one/more", 3);
  deepStrictEqual(next(), []);
});

Deno.test("what a program colours is found, and read without its colours", async () => {
  await using world = new World();
  const assistant = world.assistant();
  const [red, off] = ["\\033[1;31m", "\\033[0m"];
  await assistant.run(
    "vite",
    `printf 'ready at \\033[36mhttp://localhost:\\033[1m5173${off}/\\n${red}error${off}: it broke\\n'; exit 1`,
  );
  const [process, address] = ["vite", "ready at http://localhost:5173/"];
  strictEqual(await assistant.call("wait", { process, pattern: "localhost:5173/$" }), ` * ${address}`);
  await assistant.call("wait", { process, exit: true });
  match(await assistant.call("search_logs", { process, pattern: "localhost:5173" }), /5173/);
  match(
    await assistant.call("read_logs", { processes: [process] }),
    new RegExp(`^\\S+ vite ${address}\\n\\S+ vite error: it broke\\n`),
  );
  match(await assistant.call("explain", { process }), /\nerror: it broke$/);
});
