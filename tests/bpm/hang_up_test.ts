/** Clients that hang up in mid-call: nothing of their calls goes on, and nobody else waits for it. */
import { match, ok, rejects, strictEqual } from "node:assert/strict";
import { bpmTools, loadBpmConfig, Manager } from "../../lib/bpm/mod.ts";
import { Searcher, selectionText } from "../../lib/services/mod.ts";
import { createRegistry, mcpRoutes } from "../../lib/mcp/mod.ts";
import { listen } from "../../lib/web/mod.ts";
import { until } from "../keeper/_log.ts";
import { WatchedFolder } from "../supervisor/_leaks.ts";
import { Client } from "./_served.ts";

const never = new AbortController().signal;
/** Longer than any test: what is answered was not waited for. */
const FOR_EVER_MS = 3_600_000;
/** A manager over real HTTP in this process, where the listeners of its supervisor can be counted. */
async function serve(processes: string, body: (served: Serving) => Promise<void>): Promise<void> {
  await using folder = new WatchedFolder();
  Deno.writeTextFileSync(`${folder.path}/.mcp-run`, `mcp_port = 0\n${processes}`);
  await using manager = Manager.open({
    folder: folder.path,
    config: loadBpmConfig(`${folder.path}/.mcp-run`).config,
    stateFolder: `${folder.path}/state`,
    searchLimitMs: FOR_EVER_MS,
  });
  const serving: Serving = { manager, folder: folder.path, listeners: 0, client: undefined as never };
  const { supervisor } = manager;
  const original = supervisor.listen.bind(supervisor);
  supervisor.listen = (listener) => {
    serving.listeners++;
    const stop = original(listener);
    return () => {
      serving.listeners--;
      stop();
    };
  };
  await manager.start(never);
  await using routes = mcpRoutes(createRegistry({ tools: bpmTools(manager) }), {
    name: "test",
    version: "1",
  });
  await using server = await listen(
    { kind: "tcp", host: "127.0.0.1", port: 0 },
    (request) => routes.fetch(request),
  );
  if (server.address.kind !== "tcp") throw new TypeError("a port was expected");
  using client = new Client(server.address.port);
  serving.client = client;
  await body(serving);
}

interface Serving {
  readonly manager: Manager;
  readonly folder: string;
  /** Of the supervisor's notices, those that calls have. */
  listeners: number;
  client: Client;
}

Deno.test("a search whose asker has gone ends, also one that waits its turn, and the next is answered", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "hang-up-" });
  using searcher = new Searcher(FOR_EVER_MS);
  const asked = { folder, kind: "run", speaker: "bpm", secrets: [] } as const;
  const search = (pattern: string, signal?: AbortSignal) =>
    searcher.search({ ...asked, query: { pattern } }, signal).then(selectionText);
  strictEqual(await search("x"), "(empty)");
  const [first, second] = [new AbortController(), new AbortController()];
  const reason = new Error("hung up");
  const slow = rejects(search("x", first.signal), reason);
  const waiting = rejects(search("x", second.signal), reason);
  const next = search("y");
  second.abort(reason);
  first.abort(reason);
  await Promise.all([slow, waiting]);
  strictEqual(await next, "(empty)");
  await rejects(search("x", first.signal), reason);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("hanging up during a wait leaves no listener, whatever it waits for", async () => {
  await serve(`[process.a]\ncommand = ["sh", "-c", "echo up; exec sleep 1000"]\n`, async (served) => {
    const kinds = [{ state: "finished" }, { pattern: "never" }, { exit: true }];
    const calls = kinds.map((each) => {
      const hangUp = new AbortController();
      const call = served.client.call("wait", { process: "a", timeout_seconds: 600, ...each }, hangUp.signal);
      return { hangUp, call: rejects(call) };
    });
    await until("all to wait", () => served.listeners >= kinds.length);
    for (const { hangUp } of calls) hangUp.abort();
    await Promise.all(calls.map(({ call }) => call));
    await until("no listener", () => served.listeners === 0);
  });
});

Deno.test("hanging up during searches of 100 MB leaves nothing of them, and the next one is answered", async () => {
  const config = `log_mib = 200
[process.big]
command = ["sh", "-c", "yes ${"line ".repeat(20)} | head -c 100000000; echo; echo needle; exec sleep 1000"]
[process.big.ready]
log = "needle"
`;
  await serve(config, async (served) => {
    await served.client.call("wait", { process: "big", state: "running" });
    const calls = Array.from({ length: 5 }, () => {
      const hangUp = new AbortController();
      const call = served.client.call("search_logs", { process: "big", pattern: "never" }, hangUp.signal);
      return { hangUp, call: rejects(call) };
    });
    const next = served.client.call("search_logs", { process: "big", pattern: "need" });
    await until("a moment in the searches", looks(20));
    for (const { hangUp } of calls) hangUp.abort();
    await Promise.all(calls.map(({ call }) => call));
    match((await next).text, /^ \* needle$/);
  });
});

Deno.test("hanging up during a restart leaves no listener, and what was asked for is done all the same", async () => {
  const config = `[process.slow]
command = ["sh", "-c", "echo run $$; exec sleep 1000"]
build = ["sh", "-c", "while test -e hold; do sleep 0.01; done"]
`;
  await serve(config, async (served) => {
    await served.client.call("wait", { process: "slow", state: "running" });
    const before = served.manager.service("slow").current!.place.number;
    Deno.writeTextFileSync(`${served.folder}/hold`, "");
    const hangUp = new AbortController();
    const call = rejects(served.client.call("restart", { process: "slow" }, hangUp.signal));
    await until("the build", () => served.manager.service("slow").is("replacing"));
    hangUp.abort();
    await call;
    await until("no listener", () => served.listeners === 0);
    Deno.removeSync(`${served.folder}/hold`);
    await until("the new one", () => {
      const service = served.manager.service("slow");
      return service.is("running") && service.current!.place.number > before;
    });
  });
});

/** Patterns that engines which go back never end with, on a line of as many letters as are in one. */
const EVIL = [
  "(a+)+$",
  "(?i:(a|aa)+)$",
  "(?i)(ä|ää)+$",
  "(([a-z&&[^x]]+)+)+$",
  "(?:a?){60}a{60}$",
  "(a{1,9}){1,9}$",
];

Deno.test("no pattern holds up a search, a wait, or a process that waits for a line; what is too large is told", async () => {
  const config = `[process.said]
command = ["sh", "-c", "head -c 50000 /dev/zero | tr '\\\\0' a; echo !; echo 99; exec sleep 1000"]
ready = { log = "^(a|aa)+$|99" }
[process.next]
command = ["sleep", "1000"]
depends_on = { said = "log: ^(a|aa)+$|99" }
`;
  await serve(config, async ({ client }) => {
    strictEqual((await client.call("wait", { process: "next", state: "running" })).structured.met, true);
    for (const pattern of EVIL) {
      const [search, wait] = await Promise.all([
        client.call("search_logs", { process: "said", pattern }),
        client.call("wait", { process: "said", pattern, timeout_seconds: 0.1 }),
      ]);
      ok(search.text === "No matches found", pattern);
      strictEqual(wait.structured.met, false, pattern);
    }
    for (const name of ["search_logs", "wait"]) {
      const { isError, text } = await client.call(name, { process: "said", pattern: "(a{1,99}){1,99}$" });
      ok(isError, name);
      match(text, /Invalid regex pattern: written out it has more than 5000 characters/);
    }
  });
});

/** True at the n-th look: `until` looks every few milliseconds. */
function looks(count: number): () => boolean {
  return () => --count <= 0;
}
