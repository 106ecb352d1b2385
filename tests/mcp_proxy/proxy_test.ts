/** A proxy and real servers that end, hang, print and are replaced. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { until } from "../keeper/_log.ts";
import { ENVELOPE } from "../mcp/serving.ts";
import { Behind, fragile, type Json } from "./behind.ts";

/** A file of settings that the server reads when it starts. */
class SettingsFile implements Disposable {
  readonly path = Deno.makeTempFileSync({ suffix: ".json" });

  constructor(settings: Record<string, unknown>) {
    this.write(settings);
  }

  write(settings: Record<string, unknown>): void {
    Deno.writeTextFileSync(this.path, JSON.stringify(settings));
  }

  get spec() {
    return { kind: "stdio", command: { argv: fragile(this.path) } } as const;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path);
  }
}

function lives(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("proxy: a call whose server dies of it is answered with what happened, once, and the next one works", async () => {
  await using client = new Behind();
  await client.begin();
  const id = await client.call("die", { code: 3 });
  const answer = await client.receive();
  strictEqual(answer.id, id);
  match(
    answer.error.message,
    /^tools\/call die was with ".*fragile\.ts" for [\d.]+ s when that exited with code 3; it may have been done or not, and was not repeated\. Its last lines:\nabout to die\nof a bug$/,
  );
  deepStrictEqual(
    { ...answer.error.data, server: "" },
    {
      request: "tools/call die",
      server: "",
      sends: 1,
      exitCode: 3,
      stderr: ["about to die", "of a bug"],
    },
  );
  strictEqual(await client.text("echo", { text: "again" }), "again");
  ok(client.said.join("").includes("about to die"));
});

Deno.test("proxy: what does no harm is asked again of the next server, progress does not step back", async () => {
  await using client = new Behind();
  await client.begin();
  const pid = await client.serverPid();
  const id = await client.call("progress", { ms: 300 }, { progressToken: "p" });
  strictEqual((await client.receive()).params.progress, 1);
  strictEqual((await client.receive()).params.progress, 2);
  Deno.kill(pid, "SIGKILL");
  const last = await client.receive();
  deepStrictEqual(last.params, { progressToken: "p", progress: 3 });
  const answer = await client.receive();
  deepStrictEqual([answer.id, answer.result.content[0].text], [id, "done"]);
});

Deno.test("proxy: the next server is told the session: its beginning, subscriptions, the level of the log", async () => {
  await using client = new Behind();
  const { result } = await client.begin();
  deepStrictEqual(result.capabilities, {
    tools: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    logging: {},
  });
  for (const uri of ["test://one", "test://two"]) {
    await client.ask("resources/subscribe", { uri });
    deepStrictEqual((await client.receive()).result, {});
  }
  await client.ask("resources/unsubscribe", { uri: "test://two" });
  await client.receive();
  await client.ask("logging/setLevel", { level: "debug" });
  await client.receive();
  const before = JSON.parse(await client.text("lines"));
  Deno.kill(before.pid, "SIGKILL");
  // It may have changed while nobody watched.
  deepStrictEqual(await client.receive(), {
    jsonrpc: "2.0",
    method: "notifications/resources/updated",
    params: { uri: "test://one" },
  });
  const after = JSON.parse(await client.text("lines"));
  ok(after.pid !== before.pid);
  deepStrictEqual({ ...after, pid: 0 }, {
    level: "debug",
    subscribed: ["test://one"],
    initialized: true,
    pid: 0,
  });
});

Deno.test("proxy: other tools after a restart are announced to a client of 2025, the same ones are not", async () => {
  using file = new SettingsFile({});
  await using client = new Behind({}, file.spec);
  await client.begin();
  const pid = await client.serverPid();
  // The lists are read once the session has begun; what comes then is known to be behind them.
  await client.text("echo", { text: "x" });
  Deno.kill(pid, "SIGKILL");
  strictEqual(await client.text("echo", { text: "same" }), "same");
  const next = await client.serverPid();
  file.write({ tools: ["echo", "lines", "another"] });
  Deno.kill(next, "SIGKILL");
  deepStrictEqual(await client.receive(), { jsonrpc: "2.0", method: "notifications/tools/list_changed" });
  await client.ask("tools/list");
  deepStrictEqual(
    (await client.receive()).result.tools.map(({ name }: Json) => name),
    ["echo", "lines", "another"],
  );
});

Deno.test("proxy: a client of 2026 hears of other tools where it listens, and goes on listening", async () => {
  using file = new SettingsFile({});
  await using client = new Behind({}, file.spec);
  await client.ask("server/discover", { _meta: ENVELOPE });
  strictEqual((await client.receive()).result.capabilities.tools.listChanged, true);
  const params = { _meta: ENVELOPE, notifications: { toolsListChanged: true } };
  const id = await client.ask("subscriptions/listen", params);
  const acknowledged = await client.receive();
  deepStrictEqual(acknowledged.params, {
    _meta: { "io.modelcontextprotocol/subscriptionId": id },
    notifications: { toolsListChanged: true },
  });
  const pid = JSON.parse(await client.text("lines", {}, ENVELOPE)).pid;
  await client.text("echo", { text: "x" }, ENVELOPE);
  for (const [tools, at] of [[["echo", "lines"], pid], [["echo", "lines", "new"], 0]] as const) {
    file.write({ tools });
    Deno.kill(at || JSON.parse(await client.text("lines", {}, ENVELOPE)).pid, "SIGKILL");
    const told = await client.receive();
    deepStrictEqual(
      [told.method, told.params._meta],
      ["notifications/tools/list_changed", { "io.modelcontextprotocol/subscriptionId": id }],
    );
  }
});

Deno.test("proxy: a server's question reaches the client; one of a server that has gone is taken back", async () => {
  await using client = new Behind();
  await client.begin();
  const pid = await client.serverPid();
  const id = await client.call("ask");
  const question = await client.receive();
  strictEqual(question.method, "sampling/createMessage");
  await client.send({ jsonrpc: "2.0", id: question.id, result: { said: "yes" } });
  deepStrictEqual(await client.receive(), {
    jsonrpc: "2.0",
    id,
    result: { content: [{ type: "text", text: '{"said":"yes"}' }], resultType: "complete" },
  });
  await client.call("ask");
  const second = await client.receive();
  Deno.kill(pid, "SIGKILL");
  const messages = [await client.receive(), await client.receive()];
  strictEqual(messages.find(({ error }) => error !== undefined)?.error.code, -32010);
  const taken = messages.find(({ method }) => method === "notifications/cancelled");
  strictEqual(taken?.params.requestId, second.id);
  // The next server asks with the same id of its own; the late answer is not taken for its.
  await client.call("ask");
  const third = await client.receive();
  await client.send({ jsonrpc: "2.0", id: second.id, result: { said: "late" } });
  await client.send({ jsonrpc: "2.0", id: third.id, result: { said: "in time" } });
  strictEqual((await client.receive()).result.content[0].text, '{"said":"in time"}');
});

Deno.test("proxy: a cancelled call is cancelled at the server, under the id that it has there", async () => {
  await using client = new Behind();
  await client.begin();
  const id = await client.call("wait", { ms: 50 });
  await client.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: id } });
  // It is not answered any more, and whoever ends the connection does not wait for it.
  strictEqual(await client.text("wait", { ms: 150 }), "waited, cancelled: false");
});

Deno.test("proxy: a server that hangs is noticed by its silence, killed and replaced", async () => {
  await using client = new Behind({ limits: { pingMs: 200, hangMs: 400 } });
  await client.begin();
  const id = await client.call("hang");
  const answer = await client.receive();
  strictEqual(answer.id, id);
  match(answer.error.message, /when that did not answer ping within 0\.4 s, and was killed/);
  strictEqual(await client.text("echo", { text: "x" }), "x");
});

Deno.test("proxy: a call that takes too long is given up, and the server goes on when it lives", async () => {
  await using client = new Behind({ limits: { callMs: 300 } });
  await client.begin();
  const pid = await client.serverPid();
  const id = await client.call("deaf");
  const answer = await client.receive();
  deepStrictEqual([answer.id, answer.error.code], [id, -32011]);
  match(answer.error.message, /^tools\/call deaf was given up after [\d.]+ s, the limit/);
  strictEqual(await client.serverPid(), pid);
});

Deno.test("proxy: a server that does not read is killed and replaced", async () => {
  await using client = new Behind({ limits: { pingMs: 0, hangMs: 1_000 } });
  await client.begin();
  // Once this is answered it is known which tools do no harm.
  await client.text("echo", { text: "x" });
  const hanging = await client.call("hang");
  const full = await client.call("echo", { text: "x".repeat(200_000) });
  const answers = [await client.receive(), await client.receive()];
  const of = (id: number) => answers.find((answer) => answer.id === id);
  match(of(hanging).error.message, /did not read its standard input for 1 s, and was killed/);
  strictEqual(of(full).result.content[0].text.length, 200_000);
});

Deno.test("proxy: a client that reads late gets all there is, and its server is not taken for hung", async () => {
  const limits = { pingMs: 100, hangMs: 200, unreadBytes: 400_000 };
  await using client = new Behind({ limits });
  await client.begin();
  const pid = await client.serverPid();
  const id = await client.call("flood", { count: 1_000, bytes: 1_000 });
  // Meanwhile one that hangs is found so, by the same limits and begun later.
  await using other = new Behind({ limits });
  await other.begin();
  await other.call("hang");
  match((await other.receive()).error.message, /did not answer ping within 0\.2 s/);
  for (let n = 0; n < 1_000; n++) {
    const { params } = await client.receive();
    ok(params.data.startsWith(`${n} x`), params.data);
  }
  strictEqual((await client.receive()).id, id);
  strictEqual(await client.serverPid(), pid);
});

Deno.test("proxy: what is no message on a server's output is shown on standard error, and harms nobody", async () => {
  await using client = new Behind({ limits: { messageBytes: 100_000 } });
  await client.begin();
  strictEqual(await client.text("noise"), "made noise");
  ok(client.said.join("").includes("(on standard output) this is no message\n"), client.said.join(""));
  await client.call("huge", { bytes: 200_000 });
  match((await client.receive()).error.message, /the answer of .* has more than 100000 bytes, the limit/);
  await client.call("bad");
  match((await client.receive()).error.message, /is neither a result nor an error/);
  strictEqual(await client.text("echo", { text: "x" }), "x");
});

Deno.test("proxy: a server that does not come up is told to whoever waits, with its words; then it comes up", async () => {
  using file = new SettingsFile({ broken: true });
  await using client = new Behind({ limits: { waitMs: 300 } }, file.spec);
  await client.send({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  const { error } = await client.receive();
  match(
    error.message,
    /^tools\/list waited [\d.]+ s for .*, which is not there: it exited with code 9\. Its last/,
  );
  ok(error.data.stderr.includes("a bug, on purpose"));
  file.write({});
  await until("the server", async () => {
    await client.send({ jsonrpc: "2.0", id: 2, method: "tools/list" });
    return (await client.receive()).result !== undefined;
  });
});

Deno.test("proxy: a command that is not there is told", async () => {
  const spec = { kind: "stdio", command: { argv: ["/nowhere/at/all"] } } as const;
  await using client = new Behind({ limits: { waitMs: 200 } }, spec);
  await client.send({ jsonrpc: "2.0", id: 1, method: "ping" });
  match((await client.receive()).error.message, /cannot run "\/nowhere\/at\/all": No such file or directory/);
});

Deno.test("proxy: nothing of a server is left when its client has gone, also when it does not listen", async () => {
  const pids: number[] = [];
  for (const how of ["end", "stop"] as const) {
    await using client = new Behind();
    await client.begin();
    pids.push(await client.serverPid());
    await client.call("hang");
    await client[how]();
    await client.ended;
  }
  deepStrictEqual(pids.map(lives), [false, false]);
});

Deno.test("proxy: its own tools stand beside the server's, and restart it without losing a call", async () => {
  await using client = new Behind({ ownTools: true });
  await client.begin();
  await client.ask("tools/list");
  const names = (await client.receive()).result.tools.map(({ name }: Json) => name);
  deepStrictEqual(names.slice(-3), ["proxy_status", "proxy_restart", "proxy_logs"]);
  // Whoever attaches to it means the server, not what guards it.
  const told = Number(/pid (\d+)/.exec(await client.text("proxy_status"))?.[1]);
  strictEqual(told, await client.serverPid());
  const pid = await client.serverPid();
  const slow = await client.call("wait", { ms: 500 });
  await client.text("proxy_restart");
  // The old one finishes what it has; it is not asked again of the new one.
  const answer = await client.receive();
  deepStrictEqual([answer.id, answer.result.content[0].text], [slow, "waited, cancelled: false"]);
  await until("the new server", async () => await client.serverPid() !== pid);
  match(await client.text("proxy_status"), /^server: .*\nstate: serving, pid \d+\nstarts: 2\n/);
  await client.text("noise");
  match(await client.text("proxy_logs", { lines: 1 }), /this is no message/);
});
