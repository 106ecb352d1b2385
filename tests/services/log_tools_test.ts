/** What tools answer about logs, of bpm's processes and of assistants'. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Project, shell } from "../bpm/_project.ts";
import { serviceResources } from "../../lib/services/mod.ts";
import { World } from "../ichimi/_world.ts";

const never = new AbortController().signal;

Deno.test("a log that says that nothing was found has said something", async () => {
  for (const words of ["(empty)", "No matches found"]) {
    await using world = new World();
    await world.host.start(never);
    const assistant = world.assistant();
    await assistant.run("p", `echo '${words}'`);
    await assistant.call("wait", { process: "p", exit: true });
    const { text, structured } = await assistant.ask("search_logs", { process: "p" });
    deepStrictEqual([text, structured], [words, { found: true, lines: [words] }]);
    const [log] = await serviceResources(world.host).read("ichimi://process/p/log", never) ?? [];
    deepStrictEqual(log, { uri: "ichimi://process/p/log", mimeType: "text/plain", text: words });
    const none = await assistant.ask("search_logs", { process: "p", pattern: "other" });
    deepStrictEqual([none.text, none.structured], ["No matches found", { found: false, lines: [] }]);
  }
});

Deno.test("wait: a line's own text is tested, and it is shown as search_logs does", async () => {
  await using world = new World();
  await world.host.start(never);
  const assistant = world.assistant();
  const script = "echo Listening >&2; exec sleep 100";
  await assistant.run("p", script);
  strictEqual(
    await assistant.call("wait", { process: "p", pattern: "^Listening$" }),
    " * [stderr] Listening",
  );
  await using project = await Project.started(shell("p", script));
  strictEqual(await project.call("wait", { process: "p", pattern: "^Listening$" }), " * [stderr] Listening");
  const asUpstream = await project.call("search_logs", { process: "p", pattern: "^.stderr. Listening$" });
  strictEqual(asUpstream, " * [stderr] Listening");
});

Deno.test("wait: a line that has not ended is found, and again when it is longer", async () => {
  await using world = new World();
  await world.host.start(never);
  const assistant = world.assistant();
  await assistant.run("p", "read x; printf 'name? '; read x; printf 'sure? '; read x; echo end", {
    input: "pipe",
  });
  const wait = (pattern: string) => assistant.call("wait", { process: "p", pattern });
  const type = () => assistant.call("send", { process: "p", text: "\n" });
  const [asked, sure, over] = [wait("^name.{2}$"), wait("^name.{2}sure.{2}$"), wait("^name.{2}sure.{2}end$")];
  await type();
  strictEqual(await asked, " * name? ");
  await type();
  strictEqual(await sure, " * name? sure? ");
  await type();
  strictEqual(await over, " * name? sure? end");
});

Deno.test("wait: all is looked at once, and then what is new, also of the next run", async () => {
  await using world = new World();
  const { host } = world;
  await host.start(never);
  const assistant = world.assistant();
  await assistant.run("p", "echo old; read x; echo new; read x; printf last", { input: "pipe" });
  const looks: { readonly isOn: boolean; readonly line: string | undefined }[] = [];
  let before: string | undefined;
  const look = host.look.bind(host);
  host.look = async (id, asked, signal) => {
    const answer = await look(id, asked, signal);
    looks.push({ isOn: asked.cursor === before, line: answer.line });
    before = answer.cursor;
    return answer;
  };
  const found = assistant.call("wait", { process: "p", pattern: "^(second|third)$" });
  await world.until("a look", () => looks.length === 1);
  await assistant.call("send", { process: "p", text: "\n" });
  await world.until("another one", () => looks.length === 2);
  const { cursor } = await look("p", { pattern: "x" });
  strictEqual((await look("p", { pattern: "^(old|new)$", cursor })).line, undefined);
  await assistant.call("send", { process: "p", text: "\n" });
  await assistant.call("wait", { process: "p", exit: true });
  strictEqual((await look("p", { pattern: "^last$", cursor })).line, " * last");
  await assistant.call("update_process", { id: "p", args: ["-c", "echo second; exec sleep 100"] });
  await assistant.call("start_process", { id: "p" });
  strictEqual(await found, " * second");
  deepStrictEqual(new Set(looks.map(({ isOn }) => isOn)), new Set([true]));
});
