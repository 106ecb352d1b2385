/** REST: what upstream's clients ask for, what the document says of it, and what happens to requests that make no sense. */
import { deepStrictEqual, match, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { checkValue, type JsonSchema } from "../../lib/mcp/mod.ts";
import { runPackage } from "../mcp/outside_tools.ts";
import { Site } from "./_site.ts";

interface Operation {
  readonly operationId: string;
  readonly requestBody?: {
    readonly content: { readonly "application/json": { readonly schema: JsonSchema } };
  };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: JsonSchema }>> }>
  >;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: unknown;
}

Deno.test("the clipboard is searched for texts and tags, and tells how many there are", async () => {
  await using site = await Site.open();
  const clips: [string, string[]][] = [["a one", ["x", "y"]], ["a two", ["x"]], ["b", ["x", "y"]], [
    "a three",
    [],
  ]];
  for (const [content, tags] of clips) await site.ask("POST", "/clipboard/text", { content, tags });
  const found = async (query: string) => {
    const { items, total_count } = await site.get(`/clipboard/${query}`);
    return [items.map(({ content }: { content: string }) => content), total_count];
  };
  deepStrictEqual(await found("search?query=A&limit=1"), [["a three"], 3]);
  deepStrictEqual(await found("search?query=a&tags=x"), [["a two", "a one"], 2]);
  deepStrictEqual(await found("search?query=&tags=y,%20x"), [["b", "a one"], 2]);
  deepStrictEqual(await found("history?limit=1"), [["a three"], 4]);
});

Deno.test("the OpenAPI document is valid to a judge of others, and names each operation once", async () => {
  await using site = await Site.open();
  const document: Document = await site.get("/openapi.json");
  const file = `${site.world.folder}/openapi.json`;
  Deno.writeTextFileSync(file, JSON.stringify(document));
  const { code, stdout, stderr } = await runPackage("openapi", [file]);
  strictEqual(code, 0, stdout + stderr);
  const ids = Object.values(document.paths).flatMap((path) =>
    Object.values(path).map((each) => each.operationId)
  );
  strictEqual(new Set(ids).size, ids.length);
  // Upstream's routes, all of them.
  for (
    const path of [
      "status",
      "dashboard",
      "processes",
      "processes/{id}",
      "processes/{id}/start",
      "processes/{id}/stop",
      "processes/{id}/config",
      "processes/{id}/logs",
      "processes/{id}/logs/stream",
      "settings",
      "templates",
      "templates/{id}",
      "templates/{id}/instantiate",
      "clipboard",
      "clipboard/history",
      "clipboard/text",
      "clipboard/file",
      "clipboard/search",
    ]
  ) ok(document.paths[`/api/${path}`] !== undefined, path);
});

Deno.test("every good answer has the shape that the document says, and every operation has one", async () => {
  await using site = await Site.open();
  const document: Document = await site.get("/openapi.json");
  const seen = new Set<string>();
  const check = async (method: string, template: string, path: string, body?: unknown) => {
    const operation = document.paths[`/api${template}`]![method.toLowerCase()]!;
    seen.add(operation.operationId);
    const answer = await site.ask(method, path, body);
    const described = operation.responses[answer.status];
    ok(
      described !== undefined && answer.status < 300,
      `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`,
    );
    const schema = described.content?.["application/json"]?.schema;
    if (schema === undefined) return answer.body;
    const checked = checkValue({ ...schema, components: document.components }, answer.body);
    ok(checked.ok, `${method} ${path}: ${JSON.stringify(checked)}`);
    return answer.body;
  };
  const plain = { id: "a", command: "sh", args: ["-c", "echo one; echo two >&2; exec sleep 100"] };
  strictEqual(
    (await check("POST", "/processes", "/processes", plain)).message,
    "Process 'a' created successfully",
  );
  match(
    (await check("POST", "/processes/{id}/start", "/processes/a/start")).message,
    /^Process 'a' started with PID \d+$/,
  );
  for (
    const path of ["/status", "/dashboard", "/processes", "/timeline", "/usage", "/settings", "/openapi.json"]
  ) {
    await check("GET", path, path);
  }
  await check("GET", "/processes/{id}", "/processes/a");
  await check("GET", "/processes/{id}/logs", "/processes/a/logs?lines=5&stream=both");
  await check("GET", "/processes/{id}/logs/search", "/processes/a/logs/search?pattern=t.o");
  const { matches, lines } = await check(
    "GET",
    "/processes/{id}/logs/matches",
    "/processes/a/logs/matches?pattern=t.o&before=1.9999999.0",
  );
  deepStrictEqual([matches, lines[0].text], [1, "two"]);
  await check("PATCH", "/processes/{id}/config", "/processes/a/config", { auto_start_on_restore: true });
  await check("PUT", "/processes/{id}", "/processes/a", { tags: ["x"], restart: "on_failure" });
  await check("POST", "/processes/{id}/restart", "/processes/a/restart", { grace_period_ms: 1_000 });
  await check("POST", "/processes/{id}/stop", "/processes/a/stop", { grace_period_ms: 1_000 });
  await check("PUT", "/settings", "/settings", { color_mode: "dark" });
  const made = await check("POST", "/templates", "/templates", {
    name: "t",
    command: "echo",
    args: ["{{what}}"],
  });
  await check("GET", "/templates", "/templates?tags=");
  await check("GET", "/templates/{id}", `/templates/${made.template_id}`);
  await check("PUT", "/templates/{id}", "/templates/t", { description: "says something" });
  const fill = { process_id: "b", values: { what: "hello" }, auto_start: true };
  await check("POST", "/templates/{id}/instantiate", "/templates/t/instantiate", fill);
  await check("DELETE", "/templates/{id}", "/templates/t");
  await check("POST", "/clipboard/text", "/clipboard/text", { content: "a text", tags: ["x"] });
  await check("POST", "/clipboard/file", "/clipboard/file", { content: "of a file", filename: "f.txt" });
  await check("GET", "/clipboard", "/clipboard");
  await check("GET", "/clipboard/history", "/clipboard/history?limit=1");
  await check("GET", "/clipboard/search", "/clipboard/search?query=FILE");
  await check("DELETE", "/clipboard", "/clipboard");
  const { name } = await check("POST", "/snapshots", "/snapshots", { name: "now" });
  await check("GET", "/snapshots", "/snapshots");
  await check("GET", "/snapshots/{name}", `/snapshots/${name}`);
  await check("POST", "/snapshots/{name}/restore", `/snapshots/${name}/restore`, { start: true });
  await check("DELETE", "/snapshots/{name}", `/snapshots/${name}`);
  const text = await check("GET", "/export", "/export?format=json");
  await check("POST", "/import", "/import", { content: text, format: "json" });
  await check("DELETE", "/processes/{id}", "/processes/a");
  site.world.host.allowed.add({ folder: "/a", line: "make" });
  await check("GET", "/allowed", "/allowed");
  await check("DELETE", "/allowed", "/allowed?folder=/a&line=make");
  const all = Object.values(document.paths).flatMap((path) =>
    Object.values(path).map((each) => each.operationId)
  );
  // Streams are followed in tests of their own.
  deepStrictEqual(all.filter((id) => !seen.has(id)).sort(), ["streamEvents", "streamLogs"]);
  deepStrictEqual(site.bugs, []);
});

Deno.test("a process is made, started, seen, stopped and removed, and states are filtered as upstream does", async () => {
  await using site = await Site.open();
  await site.run("one", "echo hello; exec sleep 100", { env: { A: "b" }, tags: ["x"] });
  await site.ask("POST", "/processes", { id: "two", command: "true" });
  const ids = async (query: string) =>
    (await site.get(`/processes${query}`)).map(({ id }: { id: string }) => id);
  deepStrictEqual(await ids(""), ["one", "two"]);
  deepStrictEqual(await ids("?state=running"), ["one"]);
  deepStrictEqual(await ids("?name_pattern=t*"), ["two"]);
  const { info, memory_usage, uptime_seconds } = await site.get("/processes/one");
  ok(info.state.Running.pid > 1 && memory_usage > 0 && uptime_seconds >= 0);
  deepStrictEqual([info.env, info.tags, info.lifetime], [{ A: "b" }, ["x"], "persistent"]);
  strictEqual((await site.ask("POST", "/processes/one/start")).status, 409);
  const { body: before } = await site.ask("GET", "/processes/one");
  const { body: restarted } = await site.ask("POST", "/processes/one/restart");
  notStrictEqual(restarted.pid, before.info.state.Running.pid);
  strictEqual((await site.ask("POST", "/processes/one/stop", {})).status, 204);
  strictEqual((await site.ask("POST", "/processes/one/stop")).status, 409);
  deepStrictEqual(await ids("?state=stopped"), ["one"]);
  strictEqual((await site.ask("DELETE", "/processes/one")).status, 204);
  deepStrictEqual(await ids(""), ["two"]);
  strictEqual((await site.ask("DELETE", "/processes/one")).status, 404);
});

Deno.test("what a process is described as can be changed, and taken back to nothing", async () => {
  await using site = await Site.open();
  await site.ask("POST", "/processes", {
    id: "p",
    command: "true",
    cwd: "/tmp",
    auto_start_on_restore: true,
  });
  const { body } = await site.ask("PUT", "/processes/p", { command: "false", args: ["x"], cwd: "" });
  deepStrictEqual([body.command, body.args, body.cwd, body.auto_start_on_restore], [
    "false",
    ["x"],
    null,
    true,
  ]);
  const config = await site.ask("PATCH", "/processes/p/config", { auto_start_on_restore: false });
  strictEqual(config.body.auto_start_on_restore, false);
});

Deno.test("names of any kind are found again, and are no paths", async () => {
  await using site = await Site.open();
  for (
    const id of [
      "a b",
      "a/b",
      "日本語",
      "%2e%2e",
      "<script>alert(1)</script>",
      "a?b#c",
      "…",
      "__proto__",
      "'; --",
    ]
  ) {
    const { status, body } = await site.ask("POST", "/processes", { id, command: "true" });
    strictEqual(status, 201, JSON.stringify(body));
    strictEqual((await site.get(`/processes/${encodeURIComponent(id)}`)).info.id, id);
    strictEqual((await site.ask("DELETE", `/processes/${encodeURIComponent(id)}`)).status, 204);
  }
  deepStrictEqual(await site.get("/processes"), []);
});

const BAD: [method: string, path: string, body: unknown, status: number, says: RegExp][] = [
  ["GET", "/nothing", undefined, 404, /There is no \/api\/nothing/],
  ["GET", "/processes/x/y/z", undefined, 404, /There is no/],
  ["DELETE", "/status", undefined, 405, /possible: GET/],
  ["GET", "/processes/nobody", undefined, 404, /^Process 'nobody' not found$/],
  ["POST", "/processes/nobody/start", undefined, 404, /not found/],
  ["GET", "/processes/nobody/logs", undefined, 404, /not found/],
  ["GET", "/processes/nobody/logs/stream", undefined, 404, /not found/],
  ["GET", "/processes/%E0%A4%A", undefined, 400, /not encoded/],
  ["GET", "/processes?state=sleeping", undefined, 400, /^state: expected one of/],
  ["GET", "/processes?unknown=1", undefined, 400, /^unknown: unknown; known: state, outcome, name_pattern$/],
  ["GET", "/status?x=1", undefined, 400, /^x: unknown/],
  ["GET", "/timeline?limit=abc", undefined, 400, /^limit: expected an integer/],
  ["GET", "/timeline?limit=0", undefined, 400, /^limit: expected at least 1/],
  ["GET", "/timeline?limit=1&limit=2", undefined, 400, /given twice/],
  ["GET", "/timeline?__proto__=1", undefined, 400, /unknown/],
  ["POST", "/processes", "{", 400, /no JSON/],
  ["POST", "/processes", new Uint8Array([0xff, 0xfe]), 400, /not UTF-8/],
  ["POST", "/processes", {}, 422, /^id: required but missing$/],
  ["POST", "/processes", [], 422, /expected an object/],
  ["POST", "/processes", "null", 422, /expected an object/],
  ["POST", "/processes", { id: 1, command: "true" }, 422, /^id: expected a string/],
  ["POST", "/processes", { id: "x", command: "true", nope: 1 }, 422, /^nope: unknown/],
  ["POST", "/processes", { id: "x", command: "true", args: "a" }, 422, /^args: expected an array/],
  ["POST", "/processes", { id: "x", command: "true", env: { A: 1 } }, 422, /^env.A: expected a string/],
  ["POST", "/processes", { id: "", command: "true" }, 422, /its id is empty/],
  ["POST", "/processes", { id: "x", command: "a; b" }, 422, /dangerous pattern: ';'/],
  ["POST", "/processes", { id: "x", command: "true", env: { PATH: "/" } }, 422, /'PATH' environment/],
  ["POST", "/processes", { id: "x", command: "true", cwd: "/etc" }, 422, /system directory/],
  ["POST", "/processes", { id: "there", command: "true" }, 409, /already exists/],
  ["POST", "/processes/there/stop", { grace_period_ms: -1 }, 422, /grace_period_ms/],
  ["POST", "/processes/there/stop", undefined, 409, /is not running/],
  ["PUT", "/processes/there", { restart: "sometimes" }, 422, /^restart: expected one of/],
  ["GET", "/processes/there/logs?lines=1000000", undefined, 400, /^lines: expected at most/],
  ["PUT", "/settings", { color_mode: "pink" }, 422, /^color_mode: expected one of/],
  ["GET", "/templates/none", undefined, 404, /^Template 'none' not found$/],
  ["POST", "/templates", { name: " ", command: "true" }, 422, /cannot be empty/],
  ["GET", "/clipboard", undefined, 404, /^No clipboard item found$/],
  ["GET", "/clipboard/search", undefined, 400, /^query: required/],
  ["POST", "/import", { content: "[", format: "yaml" }, 422, /not YAML/],
  ["POST", "/import", { content: "{", format: "json" }, 422, /not JSON/],
  ["GET", "/snapshots/..%2F..%2Fichimi.sqlite", undefined, 404, /There is no snapshot/],
  ["GET", "/snapshots/%2Fetc%2Fpasswd", undefined, 404, /There is no snapshot/],
  ["GET", "/snapshots/..%2Ftoken.json", undefined, 404, /There is no snapshot/],
  ["DELETE", "/snapshots/..%2F..%2Fichimi.sqlite", undefined, 404, /There is no snapshot/],
  ["POST", "/snapshots", { name: "../out" }, 422, /is no name/],
  ["POST", "/snapshots", { name: ".hidden" }, 422, /is no name/],
];

Deno.test("what makes no sense is answered with its status, and with words that tell what is wrong", async () => {
  await using site = await Site.open();
  await site.ask("POST", "/processes", { id: "there", command: "true" });
  for (const [method, path, body, status, says] of BAD) {
    const answer = await site.ask(method, path, body);
    const label = `${method} ${path} ${JSON.stringify(body)}: ${JSON.stringify(answer.body)}`;
    strictEqual(answer.status, status, label);
    match(answer.body.error, says, label);
    match(answer.body.code, /^[a-z_]+$/);
  }
  const typed = (type: string) => site.ask("POST", "/processes", "{}", { "content-type": type });
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"]) {
    const { status, body } = await typed(type);
    deepStrictEqual([status, body.code], [415, "unsupported_media_type"]);
  }
  strictEqual((await typed("application/json; charset=utf-8")).status, 422);
  const large = await site.ask("POST", "/clipboard/text", { content: "x".repeat(9 * 2 ** 20) });
  deepStrictEqual([large.status, large.body.code], [413, "too_large"]);
  deepStrictEqual((await site.get("/processes")).length, 1);
  deepStrictEqual(site.bugs, []);
});

Deno.test("without the token, and from other sites, nothing is told", async () => {
  await using site = await Site.open();
  const { url, token } = site.door;
  const plain = await fetch(`${url}/api/status`);
  deepStrictEqual([plain.status, (await plain.json()).code], [401, "no_token"]);
  const foreign = await fetch(`${url}/api/processes`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      origin: "http://evil.example",
      "content-type": "application/json",
    },
    body: JSON.stringify({ id: "x", command: "true" }),
  });
  strictEqual(foreign.status, 403);
  const shown = { authorization: `Bearer ${token}` };
  for (
    const path of ["/../token", "/%2e%2e/token", "/ichimi.js/../../token", "/..%2f..%2ftoken", "//etc/passwd"]
  ) {
    using raw = await Deno.connect({ port: site.door.port, hostname: "127.0.0.1" });
    const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${site.door.port}\r\n` +
      `Authorization: ${shown.authorization}\r\nConnection: close\r\n\r\n`;
    await raw.write(new TextEncoder().encode(request));
    match(await new Response(raw.readable).text(), /^HTTP\/1\.1 404 /, path);
  }
  const page = await fetch(`${url}/`, { headers: shown });
  match(page.headers.get("content-security-policy")!, /default-src 'self'.*frame-ancestors 'none'/);
  ok(!(await page.text()).includes(token), "the page does not hold the token");
  await foreign.body?.cancel();
  deepStrictEqual(await site.get("/processes"), []);
});

Deno.test("a snapshot brings back what was removed, and what was changed", async () => {
  await using site = await Site.open();
  await site.ask("POST", "/processes", {
    id: "a",
    command: "true",
    tags: ["x"],
    auto_start_on_restore: true,
  });
  await site.run("runs", "exec sleep 100");
  const { body: kept } = await site.ask("POST", "/snapshots", { name: "before", format: "kdl" });
  deepStrictEqual(kept, { name: "before.kdl", processes: 2 });
  strictEqual((await site.ask("POST", "/snapshots", { name: "before", format: "kdl" })).status, 409);
  await site.ask("DELETE", "/processes/a");
  const { body: taken } = await site.ask("POST", "/snapshots/before.kdl/restore", { start: true });
  deepStrictEqual(taken, { created: ["a"], changed: [], skipped: ["runs"], started: ["a"], not_started: [] });
  deepStrictEqual((await site.get("/processes/a")).info.tags, ["x"]);
  const { headers, body: text } = await site.ask("GET", "/snapshots/before.kdl");
  match(headers.get("content-disposition")!, /^attachment; filename\*=UTF-8''before\.kdl$/);
  match(text, /"a"/);
  const [file] = await site.get("/snapshots");
  deepStrictEqual([file.name, file.format, file.size_bytes], ["before.kdl", "kdl", text.length]);
  strictEqual(Deno.statSync(`${site.world.folder}/state/snapshots/before.kdl`).mode! & 0o777, 0o600);
});

Deno.test("templates are filled, and what is missing is told", async () => {
  await using site = await Site.open();
  await site.ask("POST", "/templates", {
    name: "echo",
    command: "echo",
    args: ["{{what}}"],
    tags: ["t"],
    category: "c",
    variables: [{ name: "what", required: true }],
  });
  const missing = await site.ask("POST", "/templates/echo/instantiate", { process_id: "p" });
  deepStrictEqual([missing.status, missing.body.error], [422, "Required variable 'what' is missing"]);
  await site.ask("POST", "/templates/echo/instantiate", { process_id: "p", values: { what: "hi" } });
  const { info } = await site.get("/processes/p");
  deepStrictEqual([info.command, info.args, info.tags], ["echo", ["hi"], ["t"]]);
  const { body: changed } = await site.ask("PUT", "/templates/echo", { category: "" });
  deepStrictEqual([changed.category, changed.name], [null, "echo"]);
  deepStrictEqual(await site.get("/templates?category=c"), []);
  strictEqual((await site.get("/templates?tags=t,u")).length, 0);
});

Deno.test("settings stay over daemons, and those that nobody has chosen have their defaults", async () => {
  await using site = await Site.open();
  deepStrictEqual((await site.get("/settings")).color_mode, "system");
  await site.ask("PUT", "/settings", { color_mode: "dark", refresh_interval: 1_000 });
  await site.ask("PUT", "/settings", { language: "ja" });
  const expected = { color_mode: "dark", language: "ja", auto_refresh: true, refresh_interval: 1_000 };
  deepStrictEqual(await site.get("/settings"), expected);
  await site.world.reopen();
  deepStrictEqual(site.world.host.shelf.settings, expected);
});

Deno.test("what a project's rules are to ask a person for is started once a person allows it", async () => {
  const allow = [
    { folder: "/tmp", commands: ["true"], unlisted: "ask" },
    { folder: "/usr", commands: [], unlisted: "refuse" },
  ] as const;
  await using site = await Site.open({ allow });
  await site.ask("POST", "/processes", { id: "asked", command: "sleep", args: ["100"], cwd: "/tmp" });
  await site.ask("POST", "/processes", { id: "refused", command: "sleep", args: ["100"], cwd: "/usr" });
  const { status, body } = await site.ask("POST", "/processes/asked/start");
  deepStrictEqual([status, body.code], [422, "not_allowed_yet"]);
  match(body.error, /'sleep 100' is not among the commands that are allowed in \/tmp/);
  strictEqual((await site.ask("POST", "/processes/asked/start", { allow: true })).status, 200);
  const never = await site.ask("POST", "/processes/refused/start", { allow: true });
  deepStrictEqual([never.status, never.body.code], [422, "refused"]);
});

Deno.test("what a person has allowed for good is listed, and taken back", async () => {
  const rules = [{ folder: "/home/a", commands: ["npm *"], unlisted: "ask" }] as const;
  await using site = await Site.open({ allow: rules });
  const [made, other] = ["npx make", "rm -r 'a b'"].map((line) => ({ folder: "/home/a", line }));
  for (const each of [made!, other!]) site.world.host.allowed.add(each);
  deepStrictEqual(await site.get("/allowed"), { rules, learned: [made, other] });
  const path = `/allowed?${new URLSearchParams(other)}`;
  deepStrictEqual(
    [
      (await site.ask("DELETE", path)).status,
      (await site.ask("DELETE", path)).body,
      (await site.ask("DELETE", "/allowed")).status,
    ],
    [204, { error: "Nobody has allowed 'rm -r 'a b'' for good in /home/a", code: "not_found" }, 400],
  );
  deepStrictEqual((await site.get("/allowed")).learned, [made]);
});
