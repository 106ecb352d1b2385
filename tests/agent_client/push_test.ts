/** Pushing to an agent's socket: values, what is over, events; and agents that are not there. */
import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { AgentPush, type PushedRow, tellAgent } from "../../lib/agent_client/mod.ts";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import type { LoggedEvent } from "../../lib/events/mod.ts";
import { Log } from "../../lib/log/mod.ts";
import { ExternalServer, ExternalStore } from "../../lib/telemetry/mod.ts";
import { until } from "../keeper/_log.ts";

const LIMITS = { maxMetrics: 100, ttlMs: 60_000, reserved: new Set<string>() };
const EVENT = { timeMs: Date.now(), name: "build", severity: "info" } as const;

function serve(path: string, store: ExternalStore): Promise<ExternalServer> {
  const log = new Log({ level: "error", format: "text", colour: false, now: () => 0, write: () => {} });
  return ExternalServer.start({
    path,
    protocol: "auto",
    maxConnections: 10,
    maxMetricsPerConnection: 10,
    mode: 0o600,
    store,
    log,
    now: () => 0,
  });
}

function names(store: ExternalStore): string[] {
  const [group] = store.groups(0);
  return [...group!.schema.counters, ...group!.schema.gauges].map(({ name }) => name).filter((name) =>
    name.startsWith("ext_")
  );
}

Deno.test("values arrive with their help, what is over goes at once, and events keep their words", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const store = new ExternalStore(LIMITS);
    await using _server = await serve(`${folder}/agent.sock`, store);
    let rows: PushedRow[] = [
      { name: "jobs", type: "counter", value: 7.9 },
      { name: "load", type: "gauge", labels: { of: 'a "b"\\\n{c}' }, value: -2 },
    ];
    await using push = new AgentPush({
      path: `${folder}/agent.sock`,
      source: "test",
      help: { jobs: "What was done" },
      rows: () => rows,
    });
    await until("the values", () => store.counts().metrics === 2);
    strictEqual(push.isConnected, true);
    deepStrictEqual(names(store), ["ext_jobs", 'ext_load/of=a "b"\\\n{c}']);
    strictEqual(store.metrics.find(({ name }) => name === "jobs")?.help, "What was done");
    rows = rows.slice(0, 1);
    push.tell({ ...EVENT, text: "two\nlines" });
    push.tell({ ...EVENT, text: "x".repeat(600), severity: "error", durationMs: 5 });
    await until("the events", () => store.events.counts.taken === 2);
    deepStrictEqual(names(store), ["ext_jobs"]);
    const [first, second] = store.events.since(0, EVENT.timeMs).events;
    deepStrictEqual([first!.source, first!.text, second!.text.length, second!.durationMs], [
      "test",
      "two\nlines",
      500,
      5,
    ]);
    strictEqual(store.counts().invalid, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("without an agent the newest events wait for one, which hears of them when it comes", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using push = new AgentPush({ path: `${folder}/agent.sock`, source: "test" });
    for (let at = 0; at < 300; at++) push.tell({ ...EVENT, text: `event ${at}` });
    strictEqual(push.droppedEvents, 44);
    // The second is an agent that takes the place of the first one.
    for (const text of ["event 299", "event 300"]) {
      if (text === "event 300") push.tell({ ...EVENT, text });
      const store = new ExternalStore(LIMITS);
      await using _server = await serve(`${folder}/agent.sock`, store);
      await until("an agent that came", () => store.events.counts.taken > 0);
      strictEqual(store.events.since(0, EVENT.timeMs).events.at(-1)!.text, text);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("rezolus mark tells an agent of an event, or why nobody heard of it", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/agent.sock`;
  const [program, ...words] = toolCommand("rezolus");
  const run = async (...more: string[]) => {
    const args = [...words, "mark", "--socket", path, ...more];
    const { code, stderr } = await new Deno.Command(program, { args }).output();
    return [code, new TextDecoder().decode(stderr)] as const;
  };
  try {
    const [code, told] = await run("web deployed");
    strictEqual(code, 1);
    match(told, /Cannot tell the agent at \S+agent\.sock of "web deployed": .*No such file/);
    const store = new ExternalStore(LIMITS);
    await using _server = await serve(path, store);
    strictEqual(
      (await run("web deployed", "--source", "deploy", "--severity", "warning", "--took", "90s"))[0],
      0,
    );
    await until("the event", () => store.events.counts.taken === 1);
    const [{ id: _id, timeMs: _time, ...event }] = store.events.since(0, Date.now()).events as [LoggedEvent];
    deepStrictEqual(event, {
      source: "deploy",
      name: "mark",
      text: "web deployed",
      severity: "warning",
      durationMs: 90_000,
    });
    await rejects(tellAgent(path, { ...EVENT, source: "x", text: "" }), /it has no text/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("an agent that takes the connection and reads nothing keeps nobody waiting", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/agent.sock`;
    using listener = Deno.listen({ transport: "unix", path });
    const accepted = listener.accept();
    let asked = 0;
    const rows = Array.from({ length: 50_000 }, (_, at): PushedRow => ({
      name: "a_metric_with_a_long_name",
      type: "counter",
      labels: { at: `${at}` },
      value: at,
    }));
    {
      await using push = new AgentPush({
        path,
        source: "test",
        rows() {
          asked++;
          return rows;
        },
      });
      using _connection = await accepted;
      await until("the first values", () => asked === 1);
      for (let at = 0; at < 300; at++) push.tell({ ...EVENT, text: `event ${at}` });
      strictEqual(push.droppedEvents, 44, "those that wait are bounded too");
    }
    strictEqual(asked, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
