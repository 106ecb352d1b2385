/** What may go wrong around the daemon: assistants that die, daemons that are killed and upgraded at work, odd messages. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { sleep } from "../../lib/async/mod.ts";
import { seededRandom, testSeed } from "../metrics/seeded.ts";
import { until } from "../keeper/_log.ts";
import { type Assistant, Home } from "./_front.ts";

/** In soak more of them. */
const ROUNDS = Number(Deno.env.get("HOSTKIT_KILLS") ?? 3);

/** The client's own child is its business. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

/** Numbers that a process counts are all there, each once. */
async function checkCount(assistant: Assistant, id: string): Promise<number> {
  const text = await assistant.call("get_process_output", { id, stream: "Stdout", lines: 100_000 });
  const numbers = text.split("\n").map(Number);
  deepStrictEqual(numbers, numbers.map((_, at) => at + 1));
  return numbers.length;
}

const COUNTER = "n=0; while :; do echo $((n=n+1)); sleep 0.01; done";

test("daemons are killed and upgraded while two assistants work: nothing that was answered is lost", async () => {
  await using home = new Home();
  await using first = await home.assistant();
  await using second = await home.assistant({ mode: "legacy" });
  await first.run("counter", COUNTER, { lifetime: "persistent" });
  const created: string[] = [];
  let [made, refused] = [0, 0];
  const stop = new AbortController();
  const work = async (assistant: Assistant, name: string) => {
    for (let at = 0; !stop.signal.aborted; at++) {
      const id = `${name} ${at}`;
      try {
        await assistant.call("create_process", { id, command: "true" });
        created.push(id);
        made++;
      } catch (error) {
        // A call that was under way in a daemon that was killed: it is told, and may have been done.
        match(String(error), /Cannot ask/);
        refused++;
      }
    }
  };
  const working = Promise.all([work(first, "a"), work(second, "b")]);
  for (let round = 0; round < ROUNDS; round++) {
    for (const signal of ["SIGKILL", "SIGHUP"] as const) {
      const before = made;
      await until("work", () => made >= before + 5 && home.pid !== 0);
      const { pid } = home;
      Deno.kill(pid, signal);
      if (signal === "SIGKILL") await until("another one", () => ![0, pid].includes(home.pid));
    }
  }
  const before = made;
  await until("work", () => made >= before + 5);
  stop.abort();
  await working;
  const ids = new Set(JSON.parse(await first.call("list_processes")).map(({ id }: { id: string }) => id));
  deepStrictEqual(created.filter((id) => !ids.has(id)), []);
  // Only what was under way in a daemon that was killed.
  ok(refused <= 2 * ROUNDS, `${refused} calls were not answered`);
  ok(await checkCount(second, "counter") > 10);
  await first.call("remove_process", { id: "counter" });
});

test("assistants die at any moment: their sessions' processes end, others' go on, and the daemon stays", async () => {
  await using home = new Home();
  await using watcher = await home.assistant();
  await watcher.run("counter", COUNTER);
  const random = seededRandom(testSeed());
  const { pid } = home;
  for (let round = 0; round < ROUNDS; round++) {
    const dying = await home.assistant({ mode: round % 2 === 0 ? "auto" : "legacy" });
    const begun = dying.run(`mine ${round}`, "exec sleep 100", { lifetime: "session" })
      .then(() => dying.call("wait", { process: `mine ${round}`, exit: true }))
      .catch(() => "It is killed.");
    await sleep(random.below(150));
    dying.kill();
    await begun;
    await dying[Symbol.asyncDispose]();
  }
  await until("the end of their processes", async () => {
    const list: { id: string; state: string | object }[] = JSON.parse(await watcher.call("list_processes"));
    return !list.some(({ id, state }) =>
      id.startsWith("mine") && typeof state === "object" && "Running" in state
    );
  });
  strictEqual(home.pid, pid);
  strictEqual(await watcher.state("counter"), "Running");
  await checkCount(watcher, "counter");
});

test("messages of every kind are answered or passed over, and the connection goes on", async () => {
  await using home = new Home();
  const hello = {
    jsonrpc: "2.0",
    id: 0,
    method: "initialize",
    params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "raw", version: "1" } },
  };
  const good = (id: unknown) => ({
    jsonrpc: "2.0",
    id,
    method: "tools/call",
    params: { name: "echo", arguments: { message: "x" } },
  });
  const odd: readonly string[] = [
    ...[
      "",
      "   ",
      "{",
      "[]",
      "null",
      "3",
      '"x"',
      "[[[[",
      '{"jsonrpc":"2.0"}',
      '{"id":1}',
      "\u0000",
      "\ufeff{}",
    ],
    JSON.stringify({ ...good(1), jsonrpc: "1.0" }),
    JSON.stringify({ ...good(2), method: 3 }),
    JSON.stringify({ ...good(3), params: [] }),
    JSON.stringify({ ...good(4), params: { name: "echo", arguments: "text" } }),
    JSON.stringify({ ...good(5), params: { name: "create_process", arguments: { id: 5, command: null } } }),
    JSON.stringify({ ...good(6), params: { name: "nope", arguments: {} } }),
    JSON.stringify({ ...good(7), params: { name: "__proto__" } }),
    JSON.stringify({ ...good({ a: 1 }) }),
    JSON.stringify({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: { x: 1 } } }),
    JSON.stringify({ jsonrpc: "2.0", id: 99, result: { unasked: true } }),
    `{"jsonrpc":"2.0","id":8,"method":"tools/call","params":${"[".repeat(5_000)}${"]".repeat(5_000)}}`,
    JSON.stringify({ ...good("x".repeat(100_000)), id: "long" }),
  ];
  const lines = [
    JSON.stringify(hello),
    JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }),
    ...odd,
    JSON.stringify(good("last")),
  ];
  const answers = await home.talk(lines, [4, 5, 6, "last"]);
  const last = answers.find(({ id }) => id === "last");
  strictEqual(last?.result?.content?.[0]?.text, "Echo: x");
  strictEqual(JSON.parse((await home.run("list", "--json")).out).length, 0);
});
