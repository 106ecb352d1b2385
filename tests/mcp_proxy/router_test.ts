/** Where messages go: the decisions of a proxy, one event at a time. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { Effect } from "../../lib/mcp_proxy/effect.ts";
import { DEFAULT_PROXY_LIMITS, type ProxyLimits } from "../../lib/mcp_proxy/limits.ts";
import { mayRepeat } from "../../lib/mcp_proxy/repeat.ts";
import { Router } from "../../lib/mcp_proxy/router.ts";
import { ENVELOPE } from "../mcp/serving.ts";
import { INITIALIZE, type Json } from "./behind.ts";

const KILLED = {
  ending: { what: "was killed", signal: "SIGKILL", lines: ["last words"] },
  unheard: new Set<number>(),
};
const CAPABILITIES = { tools: {} };

/** A router, and what it did last. */
class World {
  readonly router: Router;
  nowMs = 0;

  constructor(limits: Partial<ProxyLimits> = {}, ownTools: Json[] = []) {
    this.router = new Router({ server: "it", limits: { ...DEFAULT_PROXY_LIMITS, ...limits }, ownTools });
  }

  /** A client of the era of sessions and a server that has begun, with one tool that does no harm. */
  static begun(limits: Partial<ProxyLimits> = {}): World {
    const world = new World(limits);
    world.up(1);
    world.client(INITIALIZE);
    world.server(1, {
      id: 1,
      result: { protocolVersion: "2025-11-25", capabilities: CAPABILITIES, serverInfo: {} },
    });
    const [, listing] = world.client({ jsonrpc: "2.0", method: "notifications/initialized" });
    world.server(1, { id: listing.message.id, result: { tools: [tool("safe")] } });
    return world;
  }

  up(generation: number): Json[] {
    this.router.started(generation, this.nowMs);
    return this.router.serve(generation, this.nowMs) as Json[];
  }

  client(message: Json): Json[] {
    return this.router.fromClient(message, this.nowMs) as Json[];
  }

  server(generation: number, message: Json): Json[] {
    return this.router.fromServer(generation, { jsonrpc: "2.0", ...message }, this.nowMs) as Json[];
  }

  call(id: unknown, name: string): number {
    const [sent] = this.client({ jsonrpc: "2.0", id, method: "tools/call", params: { name } });
    return sent?.message.id;
  }

  gone(generation: number): Json[] {
    return this.router.gone(generation, KILLED, this.nowMs) as Json[];
  }

  tick(nowMs: number): Json[] {
    this.nowMs = nowMs;
    return this.router.tick(nowMs) as Json[];
  }
}

const tool = (name: string) => ({ name, annotations: { readOnlyHint: true } });
const kinds = (effects: readonly Effect[]) => effects.map(({ kind }) => kind);

const REPEATED: [method: string, params: Json, may: boolean][] = [
  ["tools/list", {}, true],
  ["resources/read", { uri: "x" }, true],
  ["prompts/get", { name: "x" }, true],
  ["ping", {}, true],
  ["tools/call", { name: "safe" }, true],
  ["tools/call", { name: "other" }, false],
  ["tools/call", {}, false],
  ["vendor/method", {}, false],
];

Deno.test("what only looks, and tools that say that they do no harm, may be asked again", () => {
  for (const [method, params, may] of REPEATED) {
    strictEqual(mayRepeat({ method, params }, new Set(["safe"])), may, `${method} ${JSON.stringify(params)}`);
  }
});

Deno.test("router: ids of a client are its own affair, also when it uses one twice", () => {
  const world = World.begun();
  const [one, two] = [world.call("a", "safe"), world.call("a", "safe")];
  deepStrictEqual(
    [two, one].map((id) => world.server(1, { id, result: { of: id } })).map(([{ message }]: Json) => message),
    [two, one].map((of) => ({ jsonrpc: "2.0", id: "a", result: { of } })),
  );
});

Deno.test("router: what nobody asked is answered to nobody, and nothing is answered twice", () => {
  const world = World.begun();
  const id = world.call(1, "safe");
  deepStrictEqual(kinds(world.server(1, { id, result: {} })), ["toClient"]);
  deepStrictEqual(world.server(1, { id, result: {} }), []);
  deepStrictEqual(world.server(1, { id: 999, result: {} }), []);
  deepStrictEqual(world.client({ jsonrpc: "2.0", id: 999, result: {} }), []);
});

Deno.test("router: an answer of a server that has gone is not taken for that of the next", () => {
  const world = World.begun();
  const id = world.call(1, "safe");
  world.gone(1);
  const [hello] = world.router.started(2, 0) as Json[];
  world.server(2, {
    id: hello.message.id,
    result: { protocolVersion: "2025-11-25", capabilities: CAPABILITIES },
  });
  const [again] = world.router.serve(2, 0) as Json[];
  strictEqual(again.message.params.name, "safe");
  deepStrictEqual(world.server(1, { id, result: {} }), []);
  deepStrictEqual(world.server(2, { id, result: {} }), []);
  strictEqual(world.server(2, { id: again.message.id, result: {} })[0].message.id, 1);
});

Deno.test("router: what does no harm is given to three servers at most", () => {
  const world = World.begun();
  world.call(1, "safe");
  for (const generation of [1, 2]) {
    deepStrictEqual(world.gone(generation), []);
    world.up(generation + 1);
    world.server(generation + 1, { method: "notifications/message", params: {} });
  }
  const [{ message: { id, error } }] = world.gone(3);
  deepStrictEqual([id, error.code, error.data], [1, -32010, {
    request: "tools/call safe",
    server: "it",
    sends: 3,
    signal: "SIGKILL",
    stderr: ["last words"],
  }]);
});

Deno.test("router: what a server never read is asked of the next one, whatever it is", () => {
  const world = World.begun();
  const id = world.call(1, "other");
  deepStrictEqual(world.router.gone(1, { ...KILLED, unheard: new Set([id]) }, 0), []);
  strictEqual(world.up(2).filter(({ message }) => message.params?.name === "other").length, 1);
});

Deno.test("router: who waits too long is told what is known of the server, and that only once", () => {
  const world = World.begun({ waitMs: 100 });
  world.gone(1);
  strictEqual(world.call(1, "other"), undefined);
  deepStrictEqual(world.tick(99), []);
  const [{ message }] = world.tick(100);
  strictEqual(
    message.error.message,
    "tools/call other waited 0.1 s for it, which is not there: it was killed. Its last lines:\nlast words",
  );
  deepStrictEqual(world.tick(200), []);
});

Deno.test("router: a late call is given up and cancelled, and its server has to show that it lives", () => {
  const world = World.begun({ callMs: 100, hangMs: 50, pingMs: 0 });
  const id = world.call("x", "safe");
  const [cancelled, answer, ping] = world.tick(100);
  strictEqual(cancelled.message.params.requestId, id);
  strictEqual(ping.message.method, "ping");
  deepStrictEqual([answer.message.id, answer.message.error.code], ["x", -32011]);
  deepStrictEqual(world.tick(149), []);
  deepStrictEqual(world.tick(150), [{
    kind: "unfit",
    generation: 1,
    reason: "did not answer ping within 0.05 s",
  }]);
});

Deno.test("router: a server that works in silence is asked whether it lives; one that speaks or is idle is not", () => {
  const world = World.begun({ pingMs: 100, hangMs: 100 });
  deepStrictEqual(world.tick(1_000), []);
  world.call(1, "safe");
  world.nowMs = 1_050;
  world.server(1, { method: "notifications/message", params: {} });
  deepStrictEqual(world.tick(1_149), []);
  const [ping] = world.tick(1_150);
  strictEqual(ping.message.method, "ping");
  world.server(1, { id: ping.message.id, result: {} });
  deepStrictEqual(world.tick(1_249), []);
});

Deno.test("router: one request more than the limit is refused at once", () => {
  const world = World.begun({ calls: 1 });
  world.call(1, "safe");
  const [{ message }] = world.client({ jsonrpc: "2.0", id: 2, method: "ping" });
  deepStrictEqual([message.id, message.error.code], [2, -32013]);
});

Deno.test("router: a new server that refuses the session is unfit, one that speaks another version is told", () => {
  const world = World.begun();
  const [hello] = world.router.started(2, 0) as Json[];
  deepStrictEqual(hello.message.params.protocolVersion, "2025-11-25");
  deepStrictEqual(world.server(2, { id: hello.message.id, error: { code: 1, message: "no" } }), [
    { kind: "unfit", generation: 2, reason: "refused initialize (no)" },
  ]);
  const [again] = world.router.started(3, 0) as Json[];
  const effects = world.server(3, { id: again.message.id, result: { protocolVersion: "2099-01-01" } });
  match(effects[0].text, /speaks version 2099-01-01 of the protocol, its client 2025-11-25/);
  deepStrictEqual(kinds(effects), ["told", "toServer", "ready"]);
});

Deno.test("router: a client that only tried the era without sessions is told a new server as one with sessions", () => {
  const world = new World();
  world.up(1);
  const [tried] = world.client({
    jsonrpc: "2.0",
    id: 0,
    method: "server/discover",
    params: { _meta: ENVELOPE },
  });
  deepStrictEqual(kinds(world.server(1, { id: tried.message.id, error: { code: -32601, message: "no" } })), [
    "toClient",
  ]);
  const [hello] = world.client(INITIALIZE);
  world.server(1, {
    id: hello.message.id,
    result: { protocolVersion: "2025-11-25", capabilities: CAPABILITIES },
  });
  // Lists are read once the session is open, and not before.
  const effects = world.client({ jsonrpc: "2.0", method: "notifications/initialized" });
  deepStrictEqual(effects.map(({ message }) => message.method), ["notifications/initialized", "tools/list"]);
  world.gone(1);
  strictEqual((world.router.started(2, 0) as Json[])[0].message.method, "initialize");
});

Deno.test("router: lists of many pages are compared whole", () => {
  const world = World.begun();
  const pages = (generation: number, first: Json, names: string[]): Json[] => {
    let asked = first;
    let effects: Json[] = [];
    for (const [at, name] of names.entries()) {
      const next = at < names.length - 1 ? { nextCursor: `${at}` } : {};
      effects = world.server(generation, { id: asked.message.id, result: { tools: [tool(name)], ...next } });
      asked = effects[0];
    }
    return effects;
  };
  for (
    const [generation, names, told] of [[2, ["safe", "b"], 1], [3, ["safe", "b"], 0], [
      4,
      ["safe", "c"],
      1,
    ]] as const
  ) {
    world.gone(generation - 1);
    const [hello] = world.router.started(generation, 0) as Json[];
    const result = { protocolVersion: "2025-11-25", capabilities: CAPABILITIES };
    world.server(generation, { id: hello.message.id, result });
    const [asked] = world.router.serve(generation, 0) as Json[];
    const effects = pages(generation, asked, [...names]);
    strictEqual(effects.length, told, names.join());
    if (told > 0) strictEqual(effects[0].message.method, "notifications/tools/list_changed");
  }
});

Deno.test("router: a server without tools has the proxy's own, in the fields of the client's era", () => {
  for (
    const [params, fields] of [[{}, {}], [{ _meta: ENVELOPE }, {
      resultType: "complete",
      ttlMs: 0,
      cacheScope: "private",
    }]]
  ) {
    const world = new World({}, [{ name: "own" }]);
    world.up(1);
    const [sent] = world.client({ jsonrpc: "2.0", id: 1, method: "tools/list", params });
    const [{ message }] = world.server(1, { id: sent.message.id, error: { code: -32601, message: "no" } });
    deepStrictEqual(JSON.parse(JSON.stringify(message)), {
      jsonrpc: "2.0",
      id: 1,
      result: { ...fields, tools: [{ name: "own" }] },
    });
  }
});

Deno.test("router: what is no message is refused under the id that it has", () => {
  const world = World.begun();
  for (
    const [value, id] of [[5, null], [{}, null], [{ id: 3, method: 4 }, 3], [
      { id: {}, method: "x" },
      null,
    ]] as const
  ) {
    const [{ message }] = world.client(value);
    deepStrictEqual([message.id, message.error.code], [id, -32600], JSON.stringify(value));
  }
  deepStrictEqual(kinds(world.server(1, { nothing: 1 })), ["told"]);
});

Deno.test("router: whoever listens to a resource is told after a restart that it may be another one", () => {
  const world = new World();
  world.up(1);
  const notifications = { resourceSubscriptions: ["test://one"] };
  const params = { _meta: ENVELOPE, notifications };
  const method = "subscriptions/listen";
  const [sent] = world.client({ jsonrpc: "2.0", id: "l", method, params });
  const acknowledge = (generation: number, id: unknown) =>
    world.server(generation, {
      method: "notifications/subscriptions/acknowledged",
      params: { _meta: { "io.modelcontextprotocol/subscriptionId": id }, notifications },
    }).map(({ message }) => [message.method, message.params]);
  const _meta = { "io.modelcontextprotocol/subscriptionId": "l" };
  deepStrictEqual(acknowledge(1, sent.message.id), [
    ["notifications/subscriptions/acknowledged", { _meta, notifications }],
  ]);
  world.gone(1);
  const [again] = world.up(2).filter(({ message }) => message.method === method);
  deepStrictEqual(acknowledge(2, again.message.id), [
    ["notifications/resources/updated", { uri: "test://one", _meta }],
  ]);
});
