/** Mutated messages from both sides: nothing is lost and nothing ends. */
import { ok, strictEqual } from "node:assert/strict";
import { Router } from "../../lib/mcp_proxy/router.ts";
import type { Effect } from "../../lib/mcp_proxy/effect.ts";
import { DEFAULT_PROXY_LIMITS } from "../../lib/mcp_proxy/limits.ts";
import { fuzzCount, mutate } from "../fuzz.ts";
import { type SeededRandom, seededRandom } from "../metrics/seeded.ts";
import { ENVELOPE } from "../mcp/serving.ts";
import { Behind, fragile, INITIALIZE, type Json } from "./behind.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What clients say, as they say it. */
const FROM_CLIENT: Json[] = [
  INITIALIZE,
  { jsonrpc: "2.0", method: "notifications/initialized" },
  { jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta: ENVELOPE } },
  { jsonrpc: "2.0", id: "two", method: "tools/call", params: { name: "echo", _meta: { progressToken: 3 } } },
  { jsonrpc: "2.0", id: 2, method: "resources/subscribe", params: { uri: "test://one" } },
  {
    jsonrpc: "2.0",
    id: 3,
    method: "subscriptions/listen",
    params: { notifications: { toolsListChanged: true } },
  },
  { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } },
  { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1, progress: 1 } },
  { jsonrpc: "2.0", id: 1, result: { roots: [] } },
  { jsonrpc: "2.0", id: 1, error: { code: 1, message: "no" } },
];

/** And servers. */
const FROM_SERVER: Json[] = [
  {
    jsonrpc: "2.0",
    id: 1,
    result: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: {} },
  },
  { jsonrpc: "2.0", id: 2, result: { tools: [{ name: "echo", annotations: { readOnlyHint: true } }] } },
  { jsonrpc: "2.0", id: 3, error: { code: -32601, message: "no method" } },
  { jsonrpc: "2.0", id: 1, method: "sampling/createMessage", params: { _meta: { progressToken: 1 } } },
  { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 3, progress: 1 } },
  {
    jsonrpc: "2.0",
    method: "notifications/tools/list_changed",
    params: { _meta: { "io.modelcontextprotocol/subscriptionId": 4 } },
  },
  {
    jsonrpc: "2.0",
    method: "notifications/subscriptions/acknowledged",
    params: { _meta: { "io.modelcontextprotocol/subscriptionId": 4 }, notifications: {} },
  },
  { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } },
];

/** A value that may be in the place of any other. */
const VALUES: unknown[] = [null, 0, -1, 1e308, "", "1", [], {}, true, [null], { id: 1 }, "\ud800"];

/** A message with some of its parts exchanged for values of other types, as JSON can be. */
function distort(message: Json, random: SeededRandom): unknown {
  const copy = structuredClone(message);
  for (let changes = random.below(4); changes > 0; changes--) {
    let at: Json = copy;
    for (let depth = random.below(4); depth >= 0; depth--) {
      const keys = Object.keys(at);
      if (keys.length === 0) break;
      const key = keys[random.below(keys.length)]!;
      if (depth > 0 && typeof at[key] === "object" && at[key] !== null) at = at[key];
      else {
        if (random.below(5) === 0) delete at[key];
        else at[key] = VALUES[random.below(VALUES.length)];
        break;
      }
    }
  }
  return random.below(20) === 0 ? VALUES[random.below(VALUES.length)] : copy;
}

Deno.test("router: whatever both sides say, each request of the client is answered once at most, and at last", () => {
  const seed = 20261121;
  const random = seededRandom(seed);
  for (let round = 0; round < fuzzCount(300); round++) {
    const limits = { ...DEFAULT_PROXY_LIMITS, waitMs: 100, callMs: 100, pingMs: 20, hangMs: 20 };
    const router = new Router({ server: "x", limits, ownTools: [{ name: "own" }] });
    const open = new Map<unknown, number>();
    let [nowMs, generation] = [0, 0];
    const look = (effects: readonly Effect[]) => {
      for (const effect of effects) {
        if (effect.kind === "ready") look(router.serve(effect.generation, nowMs));
        if (effect.kind === "ownCall") look(router.ownAnswer(effect.id, effect.message, { content: [] }));
        if (effect.kind !== "toClient") continue;
        JSON.stringify(effect.message);
        const { id, method } = effect.message;
        if (method !== undefined || id === null) continue;
        const left = open.get(id) ?? 0;
        ok(left > 0, `seed ${seed}, round ${round}: ${JSON.stringify(id)} is answered and was not asked`);
        open.set(id, left - 1);
      }
    };
    for (let event = 0; event < 60; event++) {
      nowMs += random.below(10);
      const kind = random.below(10);
      if (kind < 4) {
        const message: Json = distort(FROM_CLIENT[random.below(FROM_CLIENT.length)], random);
        // What is not even a request is refused under the id that it has, where it has one.
        const id = message?.id ?? null;
        if (typeof id === "string" || typeof id === "number") open.set(id, (open.get(id) ?? 0) + 1);
        look(router.fromClient(message, nowMs));
      } else if (kind < 8) {
        const message: Json = distort(FROM_SERVER[random.below(FROM_SERVER.length)], random);
        if (typeof message?.id === "number" && random.below(2) === 0) message.id = random.below(20);
        look(router.fromServer(generation, message, nowMs));
      } else if (kind === 8) look(router.tick(nowMs));
      else {
        const ending = { what: "ended", lines: [] };
        look(router.gone(generation, { ending, unheard: new Set([random.below(20)]) }, nowMs));
        look(router.started(++generation, nowMs));
      }
    }
    // In the end everything has been answered, or was never a request.
    look(router.gone(generation, { ending: { what: "ended", lines: [] }, unheard: new Set() }, nowMs));
    look(router.tick(nowMs + 1_000));
    strictEqual(router.open, 0, `seed ${seed}, round ${round}: a request is forgotten`);
  }
});

Deno.test("proxy: mutated lines of a client end nothing, and what is asked between them is answered", async () => {
  const seed = 5;
  const random = seededRandom(seed);
  await using client = new Behind({ limits: { messageBytes: 100_000 } });
  await client.begin();
  for (let round = 0; round < fuzzCount(200); round++) {
    const message = FROM_CLIENT[random.below(FROM_CLIENT.length)];
    const bytes = mutate(encoder.encode(JSON.stringify(message)), random);
    const id = 1_000_000 + round;
    const sending = [
      ...random.below(50) === 0 ? [client.send("[".repeat(90_000))] : [],
      ...random.below(50) === 0 ? [client.send(`{"id":9,"x":"${"y".repeat(200_000)}"}`)] : [],
      client.sendBytes(bytes),
      client.send({
        ...{ jsonrpc: "2.0", id, method: "tools/call" },
        params: { name: "echo", arguments: { text: `${round}` } },
      }),
    ];
    for (;;) {
      const answer: Json = await client.receive();
      if (answer?.id !== id) {
        ok(
          answer !== undefined,
          `seed ${seed}, round ${round}: the proxy ended after ${decoder.decode(bytes)}`,
        );
        continue;
      }
      strictEqual(answer.result?.content[0].text, `${round}`, `seed ${seed}: ${JSON.stringify(answer)}`);
      break;
    }
    await Promise.all(sending);
  }
});

Deno.test("proxy: mutated lines of a server end nothing, and what is asked between them is answered", async () => {
  const seed = 6;
  const random = seededRandom(seed);
  await using client = new Behind({ limits: { messageBytes: 100_000 } }, {
    kind: "stdio",
    command: { argv: fragile() },
  });
  await client.begin();
  for (let round = 0; round < fuzzCount(200); round++) {
    const bytes = mutate(
      encoder.encode(JSON.stringify(FROM_SERVER[random.below(FROM_SERVER.length)])),
      random,
    );
    const id = 1_000_000 + round;
    const more = random.below(50) === 0 ? 200_000 : 0;
    const input = { base64: bytes.toBase64(), more, text: `${round}` };
    await client.send({
      jsonrpc: "2.0",
      id,
      method: "tools/call",
      params: { name: "raw", arguments: input },
    });
    for (;;) {
      const answer: Json = await client.receive();
      ok(
        answer !== undefined,
        `seed ${seed}, round ${round}: the proxy ended after ${decoder.decode(bytes)}`,
      );
      if (answer.id !== id || answer.method !== undefined) continue;
      strictEqual(answer.result?.content[0].text, `${round}`, `seed ${seed}: ${JSON.stringify(answer)}`);
      break;
    }
  }
});
