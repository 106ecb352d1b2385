/** REST under mutated requests: every answer is one that was meant, and nothing breaks behind it. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { Site } from "./_site.ts";

const ROUNDS = 600;
const MEANT = new Set([200, 201, 204, 400, 404, 405, 409, 413, 415, 422]);
const NASTY: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1e308,
  0.5,
  "",
  "\0",
  "\u202e",
  "../../etc/passwd",
  "{{gap}}",
  "x".repeat(5_000),
  [],
  {},
  [[[[]]]],
  { a: { b: { c: 1 } } },
  "\ud800",
  "__proto__",
];

/** Requests that are good, of every route that takes a body. */
const GOOD: readonly (readonly [method: string, path: string, body: Record<string, unknown>])[] = [
  ["POST", "/processes", {
    id: "p",
    command: "true",
    args: ["a"],
    env: { A: "b" },
    cwd: "/tmp",
    tags: ["t"],
  }],
  ["PUT", "/processes/there", {
    command: "true",
    args: ["a"],
    env: { A: "b" },
    lifetime: "project",
    restart: "never",
  }],
  ["PATCH", "/processes/there/config", { auto_start_on_restore: true }],
  ["POST", "/processes/there/stop", { grace_period_ms: 10 }],
  ["PUT", "/settings", { color_mode: "dark", language: "en", refresh_interval: 10 }],
  ["POST", "/templates", {
    name: "t",
    command: "echo",
    args: ["{{x}}"],
    variables: [{ name: "x", required: false }],
  }],
  ["PUT", "/templates/there", { description: "d", tags: ["a"], variables: [] }],
  ["POST", "/templates/there/instantiate", { process_id: "q", values: { what: "x" } }],
  ["POST", "/clipboard/text", { content: "x", tags: ["a"] }],
  ["POST", "/clipboard/file", { filename: "x", content: "y" }],
  ["POST", "/snapshots", { name: "s", format: "json", only_auto_start: false }],
  ["POST", "/import", { content: '{"a":{"process_id":"a","command":"true"}}', format: "json" }],
];

Deno.test("mutated bodies are refused with words, or taken, and never break anything", async () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
  const random = generator(seed);
  const pick = <T>(from: readonly T[]): T => structuredClone(from[Math.floor(random() * from.length)]!);
  await using site = await Site.open();
  await site.ask("POST", "/processes", { id: "there", command: "true" });
  await site.ask("POST", "/templates", { name: "there", command: "echo", args: ["{{what}}"] });
  for (let round = 0; round < ROUNDS; round++) {
    const [method, path, good] = pick(GOOD);
    const body = random() < 0.3
      ? mangled(JSON.stringify(good), random)
      : JSON.stringify(mutated(good, { random, pick }));
    const where = random() < 0.1 ? `${path}/${encodeURIComponent(String(pick(NASTY)).toWellFormed())}` : path;
    const answer = await site.ask(method, where, body);
    const label = `seed ${seed}, round ${round}: ${method} ${where} ${body.slice(0, 300)}`;
    ok(MEANT.has(answer.status), `${label}: ${answer.status} ${JSON.stringify(answer.body)}`);
    if (answer.status >= 400) {
      ok(typeof answer.body.error === "string" && answer.body.error.length > 0, label);
      ok(answer.body.error.length < 20_000, label);
    }
  }
  deepStrictEqual(site.bugs, [], `seed ${seed}`);
  ok((await site.get("/status")).status === "running");
  // What was taken can be told.
  await site.get("/dashboard");
  await site.get("/templates");
  await site.get("/export");
});

interface Chance {
  readonly random: () => number;
  readonly pick: <T>(from: readonly T[]) => T;
}

/** One or two values somewhere in it are others, are gone, or were not there. */
function mutated(value: Record<string, unknown>, { random, pick }: Chance): unknown {
  const copy = structuredClone(value);
  for (let times = 1 + Math.floor(random() * 2); times > 0; times--) {
    const names = Object.keys(copy);
    const name = pick([...names, "odd", "__proto__"]);
    const kind = random();
    if (kind < 0.2) delete copy[name];
    else if (kind < 0.8) {
      Object.defineProperty(copy, name, {
        value: pick(NASTY),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    } else if (Array.isArray(copy[name])) (copy[name] as unknown[]).push(pick(NASTY));
    else if (typeof copy[name] === "object" && copy[name] !== null) {
      Object.assign(copy[name], { [String(pick(NASTY)).slice(0, 20)]: pick(NASTY) });
    }
  }
  return random() < 0.05 ? pick(NASTY) : copy;
}

/** Text that is no JSON any more, most of the time. */
function mangled(text: string, random: () => number): string {
  const at = Math.floor(random() * text.length);
  const kind = random();
  if (kind < 0.3) return text.slice(0, at);
  if (kind < 0.6) {
    return text.slice(0, at) + String.fromCharCode(Math.floor(random() * 0x250)) + text.slice(at + 1);
  }
  if (kind < 0.8) return text + text;
  return text.slice(0, at) + "[".repeat(1 + Math.floor(random() * 2_000)) + text.slice(at);
}

/** The same numbers for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
