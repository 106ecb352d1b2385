/** `bpm serve` as a process, with services, clients and limits that are against it. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { processStart } from "../../ffi/ring/mod.ts";
import { freePort } from "../free_port.ts";
import { fuzzCount, mutate } from "../fuzz.ts";
import { seededRandom, testSeed } from "../metrics/seeded.ts";
import { busyRatio, descriptors, WatchedFolder } from "../supervisor/_leaks.ts";
import { Client, Served } from "./_served.ts";

const SLEEPER = `[process.api]
command = ["sh", "-c", "echo pid $$; exec sleep 1000"]
`;
const COUNTER = `[process.count]
command = ["sh", "-c", "i=0; while :; do i=$((i+1)); echo round $i; echo $i > rounds; sleep 0.01; done"]
`;

function rounds({ folder }: Served): number {
  try {
    return Number(Deno.readTextFileSync(`${folder}/rounds`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

Deno.test("500 calls at once of all kinds are all answered", async () => {
  await using served = await new Served(`dev_crash_wait_seconds = 0\n${SLEEPER}${COUNTER}
[process.echo]
command = ["cat"]
stdin = true
`).start();
  const { client } = served;
  await client.call("wait", { process: "count", state: "running" });
  const kinds: (readonly [string, Record<string, unknown>])[] = [
    ["get_status", {}],
    ["list", {}],
    ["graph", {}],
    ["usage", {}],
    ["explain", { process: "api" }],
    ["search_logs", { process: "count", pattern: "round 1", tail: 3 }],
    ["search_build_log", { process: "api" }],
    ["read_logs", { max_tokens: 100 }],
    ["wait", { process: "api", pattern: "pid" }],
    ["wait", { process: "count", state: "finished", timeout_seconds: 0.2 }],
    ["send", { process: "echo", text: "hello\n" }],
    ["search_logs", { process: "nobody" }],
    ["restart", { process: "api" }],
  ];
  const asked = Array.from({ length: 500 }, (_, at) => kinds[at % kinds.length]!);
  const answers = await Promise.all(asked.map(([name, args]) => client.call(name, args)));
  strictEqual(answers.length, 500);
  const wrong = answers.flatMap(({ isError, text }, at) => isError ? [`${asked[at]![0]}: ${text}`] : []);
  // What is refused is what has to be; a restart that another one overtakes may say so.
  const expected =
    /^search_logs: Process 'nobody' not found|^search_build_log: Log instance -1 not found|^(send|restart|explain|search_logs): /;
  deepStrictEqual(wrong.filter((text) => !expected.test(text)), []);
  const restarts = answers.filter((_, at) => asked[at]![0] === "restart");
  ok(restarts.some(({ isError }) => !isError), "a restart succeeded");
  match((await client.call("wait", { process: "api", state: "running" })).text, /is running/);
  match((await client.call("get_status")).text, /^Mode: Dev\n/);
});

const SERVER = `require("http").createServer((q, r) => r.end(String(process.pid)))
  .listen(Number(process.env.LISTEN), "127.0.0.1", () => console.log("up"))`;

/** Descriptors of the manager. */
const LIMIT = 120;

/** Connects until the manager has no descriptor left, and once more. */
async function exhaust(served: Served, port: number): Promise<Deno.Conn[]> {
  const idle: Deno.Conn[] = [];
  while (descriptors(served.pid).length < LIMIT) {
    idle.push(await Deno.connect({ port }));
    ok(idle.length < 2 * LIMIT, "it takes no connection any more");
    await served.until("its turn", looks(2));
  }
  idle.push(await Deno.connect({ port }));
  return idle;
}

Deno.test("without free descriptors services run on, a start says why it cannot, and all goes on with room", async () => {
  await using served = new Served(
    `release_crash_backoff_initial_seconds = 1
release_crash_backoff_max_seconds = 1
${COUNTER.replace("echo round $i;", "seq 3000; echo round $i;")}
[process.later]
command = ["sleep", "1000"]
autostart = false
`,
  );
  await served.start(`ulimit -n ${LIMIT};`);
  const { client } = served;
  await client.call("wait", { process: "count", state: "running" });
  // What is asked on the client's own connection still comes in when nobody else gets one.
  const idle = await exhaust(served, served.port);
  const before = rounds(served);
  const refused = await client.call("start", { process: "later" });
  ok(refused.isError);
  match(refused.text, /^Failed to start process 'later': it is backoff .*Too many open files/);
  ok(await busyRatio(served.pid) < 0.8, "it does not spin");
  // Some segments further: the manager cannot open them, and that is no end of the service.
  await served.until("more rounds", () => rounds(served) > before + 40);
  for (const each of idle) each.close();
  await served.until("room", () => descriptors(served.pid).length < LIMIT - 20);
  match((await client.call("wait", { process: "later", state: "running" })).text, /is running/);
  using other = new Client(served.port);
  const status = (await other.call("get_status")).text;
  match(status, /count: running/);
  strictEqual(/Crashed at/.test(status.slice(0, status.indexOf("later:"))), false, status);
  strictEqual((await other.call("list")).structured.services.length, 2);
  const seen = rounds(served);
  await served.until("lines of now", async () => {
    const { text } = await other.call("search_logs", { process: "count", tail: 1 });
    return Number(/round (\d+)/.exec(text)?.[1]) > seen;
  });
});

Deno.test("without free descriptors clients of a proxy wait, and are served when there is room", async () => {
  const port = freePort();
  await using served = new Served(
    `[process.web]
command = ["node", "server.js"]
listen = "127.0.0.1:${port}"
env = { LISTEN = "${port}" }
`,
    { "server.js": SERVER },
  );
  await served.start(`ulimit -n ${LIMIT};`);
  const { client } = served;
  await client.call("wait", { process: "web", state: "running" });
  const idle = await exhaust(served, port);
  using http = Deno.createHttpClient({});
  const waiting = fetch(`http://127.0.0.1:${port}/`, { client: http }).then((response) => response.text());
  ok(await busyRatio(served.pid) < 0.8, "it does not spin");
  for (const each of idle) each.close();
  match(await waiting, /^\d+$/);
  match((await client.call("get_status")).text, /web: running/);
});

Deno.test("a keeper that was killed is told as such: the exit is unknown, in status and explanation", async () => {
  await using served = await new Served(`${SLEEPER}restart = "never"\n`).start();
  const { client } = served;
  const pid = Number(
    /pid (\d+)/.exec((await client.call("wait", { process: "api", pattern: "pid" })).text)?.[1],
  );
  const parent = Number(/^PPid:\s+(\d+)$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1]);
  Deno.kill(parent, "SIGKILL");
  await client.call("wait", { process: "api", exit: true });
  match((await client.call("get_status")).text, /api: crashed\n[^]*Crashed at .* \(exit code: None\)/);
  const explained = await client.call("explain", { process: "api" });
  match(
    explained.text,
    /^Process 'api' is finished\nIts run .* ended at .* with exit unknown, its keeper was killed/,
  );
  strictEqual(processStart(pid), 0n);
});

Deno.test("a new one that ends before it is ready is told as a failed restart, and the old one serves on", async () => {
  const port = freePort();
  await using served = new Served(
    `[process.web]
command = ["sh", "-c", "if test -e broken; then echo no good >&2; exit 3; fi; exec node server.js"]
listen = "127.0.0.1:${port}"
env = { LISTEN = "${port}" }
`,
    { "server.js": SERVER },
  );
  await served.start();
  const { client } = served;
  await client.call("wait", { process: "web", state: "running" });
  const ask = async () =>
    await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } })).text();
  const first = await ask();
  Deno.writeTextFileSync(`${served.folder}/broken`, "");
  const asking = new AbortController();
  const answers = new Set<string>();
  const loop = (async () => {
    while (!asking.signal.aborted) answers.add(await ask());
  })();
  const refused = await client.call("restart", { process: "web" });
  asking.abort();
  await loop;
  ok(refused.isError);
  match(refused.text, /Process 'web' could not be replaced, the one before runs on/);
  deepStrictEqual([...answers], [first], "the old one answered all the time");
  match((await client.call("search_logs", { process: "web" })).text, /no good/);
  match((await client.call("explain", { process: "web" })).text, /ended at .* with exit code 3[^]*no good/);
  Deno.removeSync(`${served.folder}/broken`);
  strictEqual((await client.call("restart", { process: "web" })).isError, false);
  ok(await ask() !== first);
});

Deno.test("a manager that is asked again and again to become a newer one goes on, and so does all that it runs", async () => {
  await using served = await new Served(SLEEPER).start();
  const pid = async () => (await served.client.call("wait", { process: "api", pattern: "pid \\d+" })).text;
  const before = await pid();
  for (let round = 0; round < 25; round++) {
    // Also while it begins anew, and has not begun to listen for that.
    Deno.kill(served.pid, "SIGHUP");
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  // It may still be becoming yet another one, and refuse connections for a moment.
  await served.until("a newer manager of the same process", async () => {
    const now = await pid().catch(() => undefined);
    return now === before && /becoming a newer manager[^]*all processes were started/.test(served.log);
  });
});

Deno.test("a manager that is asked to end while it becomes a newer one ends all that it runs first", async () => {
  for (const pauseMs of [20, 45, 70]) {
    const served = await new Served(SLEEPER).start();
    const { text } = await served.client.call("wait", { process: "api", pattern: "pid \\d+" });
    const pid = Number(/pid (\d+)/.exec(text)![1]);
    Deno.kill(served.pid, "SIGHUP");
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const code = await served.stop();
    await served[Symbol.asyncDispose]();
    deepStrictEqual([code, processStart(pid)], [0, 0n], `after ${pauseMs} ms`);
  }
});

Deno.test("bytes that are no text are answered as U+FFFD, in every tool that shows lines", async () => {
  await using served = await new Served(String.raw`[process.bad]
command = ["printf", "a\\377b\\n\\300\\200\\n"]
restart = "never"
`).start();
  const { client } = served;
  await client.call("wait", { process: "bad", exit: true });
  strictEqual((await client.call("search_logs", { process: "bad" })).text, "a\ufffdb\n\ufffd\ufffd");
  strictEqual((await client.call("search_logs", { process: "bad", pattern: "a.b" })).text, " * a\ufffdb");
  match((await client.call("read_logs", {})).text, /a\ufffdb/);
  match((await client.call("wait", { process: "bad", pattern: "a.b" })).text, /a\ufffdb/);
});

Deno.test("after an end nothing is left, also of what forked away twice and ignores SIGTERM", async () => {
  await using state = new WatchedFolder();
  const port = freePort();
  const served = new Served(
    `[process.far]
command = ["sh", "-c", "trap '' TERM; setsid setsid sh -c 'trap \\"\\" TERM; echo far $$; while :; do sleep 1; done' & while :; do sleep 1; done"]
grace = "50ms"
[process.web]
command = ["node", "server.js"]
listen = "127.0.0.1:${port}"
env = { LISTEN = "${port}" }
`,
    { "server.js": SERVER },
  );
  await served.start(`XDG_STATE_HOME=${state.path}; export XDG_STATE_HOME;`);
  const far = Number(
    /far (\d+)/.exec((await served.client.call("wait", { process: "far", pattern: "far" })).text)?.[1],
  );
  await served.client.call("wait", { process: "web", state: "running" });
  // Somebody still waits for an answer.
  const waiting = served.client.call("wait", { process: "web", state: "finished" }).catch((error) => error);
  await served.client.call("list");
  strictEqual(await served.stop(), 0, served.log);
  await waiting;
  strictEqual(processStart(far), 0n);
  Deno.listen({ port, hostname: "127.0.0.1" }).close();
  await served[Symbol.asyncDispose]();
});

Deno.test("a pattern that backtracks without end is answered, and nothing goes on to look for it", async () => {
  await using served = await new Served(`[process.a]
command = ["sh", "-c", "echo ${"a".repeat(60)}b; exec sleep 1000"]
`).start();
  const { client } = served;
  await client.call("wait", { process: "a", pattern: "b$" });
  for (const pattern of ["(a+)+$", "(?:a|aa)+$", "(.*)*x", "(?i)(A+)+$", "(?i)([A-A]|aa)+$"]) {
    strictEqual((await client.call("search_logs", { process: "a", pattern })).text, "No matches found");
  }
  ok(await busyRatio(served.pid) < 0.5, "it rests");
});

const MESSAGES: Uint8Array[] = [
  {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2024-11-05", capabilities: {} },
  },
  { jsonrpc: "2.0", id: 2, method: "tools/list", params: {} },
  { jsonrpc: "2.0", id: 3, method: "tools/call", params: { name: "get_status", arguments: {} } },
  {
    jsonrpc: "2.0",
    id: 4,
    method: "tools/call",
    params: {
      name: "search_logs",
      arguments: { process: "api", pattern: "p.d", context_lines: 1, tail: 5, index: -1 },
    },
  },
  {
    jsonrpc: "2.0",
    id: 5,
    method: "tools/call",
    params: { name: "read_logs", arguments: { cursor: "e30=" } },
  },
  { jsonrpc: "2.0", id: 6, method: "tools/call", params: { name: "explain", arguments: { process: "api" } } },
].map((message) => new TextEncoder().encode(JSON.stringify(message)));

const BODIES = fuzzCount(20_000);
const AT_ONCE = 16;

Deno.test(`${BODIES} mutated messages to a manager at work are all answered, and it works on`, async () => {
  await using served = await new Served(SLEEPER).start();
  const { client } = served;
  await client.call("wait", { process: "api", state: "running" });
  const seed = testSeed();
  const random = seededRandom(seed);
  let sent = 0;
  const one = async () => {
    while (sent < BODIES) {
      const number = sent++;
      const bytes = mutate(MESSAGES[random.below(MESSAGES.length)]!, random);
      const headers: Record<string, string> = random.below(2) === 0
        ? {}
        : { accept: "application/json, text/event-stream" };
      const response = await client.post(bytes, headers);
      const text = await response.text();
      ok(response.status < 500, `seed ${seed}, message ${number}: ${response.status} ${text}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  match((await client.call("get_status")).text, /api: running/);
  strictEqual(served.log.includes("internal error"), false, served.log);
});

/** True at the n-th look: `until` looks every few milliseconds. */
function looks(count: number): () => boolean {
  return () => --count <= 0;
}
