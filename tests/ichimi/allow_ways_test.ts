/** Ways around what may be started in a project: none of them leads anywhere. */
import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import type { AllowRule } from "../../lib/ichimi/mod.ts";
import { World } from "./_world.ts";

const never = new AbortController().signal;
const refused = /may not be started: '\S+ \S+' is not among/;

/** Only `sleep` in the world's folder, or only after a person was asked. */
function ruled(unlisted: AllowRule["unlisted"] = "refuse") {
  const allow: AllowRule[] = [];
  const world = new World({ allow });
  allow.push({ folder: world.folder, commands: ["sleep *"], unlisted });
  return { world, allow };
}

Deno.test("a rule is of its folder by whatever way it is named, and by whatever way somebody came there", async () => {
  await using world = new World();
  const { folder } = world;
  Deno.mkdirSync(`${folder}/real/sub`, { recursive: true });
  Deno.mkdirSync(`${folder}/other`);
  Deno.symlinkSync("real", `${folder}/link`);
  Deno.symlinkSync("real/sub", `${folder}/deep`);
  const ways = ["link", "real", "real/", "other/../real", "./link//", "link/../real", "deep/.."];
  for (const named of ways) {
    await using inner = new World({
      allow: [{ folder: `${folder}/${named}`, commands: [], unlisted: "refuse" }],
    });
    for (const come of [...ways, "real/sub", "link/sub", "deep", "link/gone", "deep/../gone"]) {
      const { host } = inner;
      const described = { id: "a", command: "tail", args: ["x"], env: {} };
      const asked = { ...described, project: `${folder}/${come}`, cwd: null };
      match(String(host.allowed.refusal(asked)), refused, `${named} by ${come}`);
      const byRest = { ...described, project: null, cwd: `${folder}/${come}` };
      match(String(host.allowed.refusal(byRest)), refused, `${named} by ${come}`);
    }
    for (const come of ["other", "deep/../../other", "real2", ""]) {
      const asked = { id: "a", command: "x", args: [], env: {}, cwd: null, project: `${folder}/${come}` };
      strictEqual(inner.host.allowed.refusal(asked), undefined, `${named} is not ${come}`);
    }
  }
});

Deno.test("what runs in a project has its rule, also where its assistant works elsewhere", async () => {
  const { world, allow } = ruled();
  await using _ = world;
  const assistant = world.assistant(world.client("/"));
  const at = { command: "tail", args: ["-f"], cwd: world.folder };
  await assistant.call("create_process", { id: "a", ...at });
  await rejects(assistant.call("start_process", { id: "a" }), refused);
  await assistant.call("create_process", { id: "b", ...at, cwd: world.folder.slice(1) });
  await rejects(assistant.call("start_process", { id: "b" }), refused);
  allow.push({ folder: "/", commands: ["tail *"], unlisted: "refuse" });
  await rejects(assistant.call("start_process", { id: "a" }), refused);
  await assistant.call("create_process", { id: "c", ...at, command: "sleep", args: ["100"] });
  await rejects(assistant.call("start_process", { id: "c" }), refused, "here it may, there it may not");
});

Deno.test("a process that waits for its next start is not made another one, whatever its policy is then", async () => {
  const { world } = ruled();
  await using _ = world;
  const assistant = world.assistant();
  const failing = { id: "a", command: "sleep", args: ["no time"], restart: "on_failure" };
  await assistant.call("create_process", failing);
  await assistant.call("start_process", { id: "a" });
  await world.until("the first end", () => world.host.service("a").is("backoff"));
  const changed = { id: "a", command: "tail", args: ["-f"], restart: "never" };
  await rejects(assistant.call("update_process", changed), refused);
  deepStrictEqual(world.host.record("a").command, "sleep");
});

Deno.test("a process that is changed while it is restarted is not run as what it has become", async () => {
  const { world } = ruled();
  await using _ = world;
  const assistant = world.assistant();
  await assistant.call("create_process", { id: "a", command: "sleep", args: ["100"] });
  await assistant.call("start_process", { id: "a" });
  const restarted = world.host.restartProcess("a", 60_000, { client: undefined, signal: never });
  const changed = assistant.call("update_process", { id: "a", command: "tail", args: ["-f"] });
  await Promise.all([rejects(restarted, refused), changed]);
  strictEqual(world.host.service("a").is("idle", "finished"), true);
  await assistant.call("update_process", { id: "a", command: "sleep", args: ["100"] });
  await assistant.call("start_process", { id: "a" });
  const replaced = world.host.restart("a", never);
  await rejects(assistant.call("update_process", { id: "a", command: "tail", args: ["-f"] }), refused);
  await replaced;
  strictEqual(world.host.record("a").command, "sleep");
});

Deno.test("a yes is to what the person was shown: command, arguments, environment and folder", async () => {
  const { world } = ruled("ask");
  await using _ = world;
  const assistant = world.assistant();
  await assistant.call("create_process", { id: "a", command: "tail", args: ["-f"], env: { A: "b c" } });
  const questions: string[] = [];
  const keys: string[] = [];
  /** Says yes, after somebody has changed the process. */
  const hasty = (change: Record<string, unknown>) => ({
    clientCapabilities: { elicitation: {} },
    async ask(asked: Record<string, { readonly params: { readonly message: string } }>) {
      const [[key, { params }]] = Object.entries(asked) as [[string, { params: { message: string } }]];
      keys.push(key);
      questions.push(params.message);
      await assistant.call("update_process", { id: "a", ...change });
      return { [key]: { action: "accept", content: { answer: "once" } } };
    },
  });
  for (const change of [{ args: ["-x"] }, { env: { A: "d" } }, { cwd: "/tmp" }, { command: "head" }]) {
    await rejects(assistant.ask("start_process", { id: "a" }, hasty(change)), refused);
    strictEqual(world.host.service("a").state.kind, "idle");
  }
  deepStrictEqual(questions, [
    `An assistant wants to run in ${world.folder}: tail -f, with A="b c"`,
    `An assistant wants to run in ${world.folder}: tail -x, with A="b c"`,
    `An assistant wants to run in ${world.folder}: tail -x, with A="d"`,
    `An assistant wants to run in /tmp: tail -x, with A="d"`,
  ]);
  strictEqual(new Set(keys).size, 4, "an answer to one is no answer to another");
});

Deno.test("what was allowed once is started again by itself, by the next daemon too, and not once it is another one", async () => {
  const { world } = ruled("ask");
  await using _ = world;
  const assistant = world.assistant();
  await assistant.call("create_process", {
    id: "a",
    command: "sh",
    args: ["-c", "sleep 100"],
    restart: "always",
  });
  const permitted = world.host.allowed.refusal(world.host.record("a"))!.question;
  const first = await world.host.startProcess("a", { client: undefined, permitted, signal: never });
  await world.reopen();
  Deno.kill(first, "SIGKILL");
  await world.until("the next run", () => {
    const { state } = world.host.standing("a");
    return state.kind === "running" && state.pid !== first;
  });
  await world.assistant().call("stop_process", { id: "a" });
  await rejects(world.assistant().call("start_process", { id: "a" }), /may not be started/);
  await world.host.remove("a", never);
  await world.assistant().call("create_process", { id: "a", command: "sh", args: ["-c", "sleep 100"] });
  await rejects(world.assistant().call("start_process", { id: "a" }), /may not be started/);
});
