import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { Hono } from "hono";
import {
  COMPRESS_FROM_BYTES,
  compressText,
  contentType,
  DEFAULT_HOST,
  errorResponse,
  formatAddress,
  guardBrowsers,
  HttpError,
  isLoopbackName,
  listen,
  parseAddress,
  serveAsset,
  statusOf,
} from "../../lib/web/mod.ts";

Deno.test("addresses are read in all their forms, and others are refused by name", () => {
  const tcp = (host: string, port: number) => ({ kind: "tcp", host, port });
  const cases: [string, object][] = [
    ["4242", tcp(DEFAULT_HOST, 4242)],
    [":80", tcp(DEFAULT_HOST, 80)],
    ["0.0.0.0:1", tcp("0.0.0.0", 1)],
    ["[::1]:65535", tcp("::1", 65535)],
    ["host.example:9", tcp("host.example", 9)],
    ["unix:/run/a.sock", { kind: "unix", path: "/run/a.sock" }],
    ["unix:///run/a.sock", { kind: "unix", path: "/run/a.sock" }],
    ["/run/a.sock", { kind: "unix", path: "/run/a.sock" }],
  ];
  for (const [text, address] of cases) deepStrictEqual(parseAddress(text), address, text);
  for (const text of ["", "host", "1:2:3", ":65536", "127.0.0.1:", "a:b"]) {
    throws(() => parseAddress(text), { name: "SyntaxError", message: new RegExp(`"${text}"`) });
  }
  strictEqual(formatAddress(parseAddress("[::1]:80")), "http://[::1]:80");
  strictEqual(formatAddress(parseAddress("/a")), "unix:/a");
});

Deno.test("a server tells its port, says when it is occupied, and frees it when disposed", async () => {
  const address = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const server = await listen(address, () => new Response("hello"));
  const taken = server.address;
  ok(taken.kind === "tcp" && taken.port > 0);
  strictEqual(await (await fetch(formatAddress(taken))).text(), "hello");
  await rejects(listen(taken, () => new Response()), {
    message: `Cannot listen on ${formatAddress(taken)}: the port is occupied by another process`,
  });
  await server[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await server.finished;
  await using again = await listen(taken, () => new Response("again"));
  strictEqual(await (await fetch(formatAddress(again.address))).text(), "again");
});

Deno.test("a unix socket that is answered is occupied, one left over is replaced, and none is left behind", async () => {
  const folder = await Deno.makeTempDir();
  const address = { kind: "unix", path: `${folder}/s.sock` } as const;
  // A socket file without a server: what a killed server leaves.
  const left = Deno.listen({ transport: "unix", path: address.path });
  left.close();
  const abort = new AbortController();
  const server = await listen(address, () => new Response("over unix"), { signal: abort.signal });
  using client = Deno.createHttpClient({ proxy: { transport: "unix", path: address.path } });
  strictEqual(await (await fetch("http://localhost/", { client })).text(), "over unix");
  await rejects(listen(address, () => new Response()), /the socket is occupied by another process/);
  abort.abort();
  await server.finished;
  await server[Symbol.asyncDispose]();
  deepStrictEqual([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder);
});

Deno.test("a path that cannot be bound is named in the error", async () => {
  await rejects(
    listen({ kind: "unix", path: "/nowhere/at/all.sock" }, () => new Response()),
    /unix:\/nowhere\/at\/all.sock/,
  );
});

Deno.test("an error inside a handler becomes 500 and does not end the server", async () => {
  const error = console.error;
  console.error = () => {};
  try {
    await using server = await listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, () => {
      throw new Error("a secret detail");
    });
    const response = await fetch(formatAddress(server.address));
    strictEqual(response.status, 500);
    strictEqual(await response.text(), "internal error\n");
  } finally {
    console.error = error;
  }
});

Deno.test("pages of other sites and rebound names are refused; programs and this host's own pages are not", async () => {
  const app = new Hono();
  app.use(guardBrowsers(["board.example"]));
  app.get("/", (c) => c.text("in"));
  const status = async (headers: Record<string, string>) => (await app.request("/", { headers })).status;
  strictEqual(await status({}), 200);
  for (
    const host of ["127.0.0.1:4242", "localhost:4242", "[::1]:80", "10.1.2.3", "board.example", "a.localhost"]
  ) {
    strictEqual(await status({ host }), 200, host);
    strictEqual(await status({ host, origin: `http://${host}` }), 200, host);
    strictEqual(await status({ host, origin: "http://evil.example" }), 403, host);
    strictEqual(await status({ host, origin: "null" }), 403, host);
  }
  for (
    const host of [
      "evil.example",
      "[::1].evil.example",
      "[::1",
      "a:b.evil.example",
      "me@127.0.0.1",
      "1.2.3.4:x",
    ]
  ) {
    strictEqual(await status({ host }), 421, host);
  }
  ok(isLoopbackName("LOCALHOST") && isLoopbackName("127.1.2.3") && !isLoopbackName("127.0.0.1.evil.example"));
});

Deno.test("an override folder is read at each request, tags save the body, missing assets are errors", async () => {
  const folder = await Deno.makeTempDir();
  const options = { overrideDir: folder };
  const get = (headers = {}) => serveAsset(new Request("http://x/a.css", { headers }), "web/a.css", options);
  await rejects(get(), Deno.errors.NotFound);
  await Deno.mkdir(`${folder}/web`);
  await Deno.writeTextFile(`${folder}/web/a.css`, "one");
  const first = await get();
  strictEqual(first.headers.get("content-type"), "text/css; charset=utf-8");
  strictEqual(await first.text(), "one");
  const etag = first.headers.get("etag")!;
  strictEqual((await get({ "if-none-match": etag })).status, 304);
  strictEqual((await get({ "if-none-match": `"other", W/${etag}` })).status, 304);
  await Deno.writeTextFile(`${folder}/web/a.css`, "two");
  strictEqual(await (await get({ "if-none-match": etag })).text(), "two");
  strictEqual(contentType("x.unknown"), "application/octet-stream");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("errors have their status, and details of bugs stay here", async () => {
  const cases: [unknown, number, string][] = [
    [new HttpError(409, "taken"), 409, "taken\n"],
    [new SyntaxError("bad text"), 400, "bad text\n"],
    [new RangeError("too large"), 400, "too large\n"],
    [new Deno.errors.NotFound("no such asset"), 404, "no such asset\n"],
    [new DOMException("late", "TimeoutError"), 503, "internal error\n"],
    [new TypeError("a bug"), 500, "internal error\n"],
    ["text", 500, "internal error\n"],
  ];
  for (const [error, status, body] of cases) {
    strictEqual(statusOf(error), status);
    const response = errorResponse(error);
    strictEqual(response.status, status);
    strictEqual(await response.text(), body);
  }
});

Deno.test("long text answers are compressed for clients that accept it, short and binary ones are not", async () => {
  const app = new Hono();
  app.use(compressText());
  const long = "0123456789".repeat(COMPRESS_FROM_BYTES);
  app.get("/long", (c) => c.text(long, 200, { "content-length": String(long.length) }));
  app.get("/short", (c) => c.text("short", 200, { "content-length": "5" }));
  app.get(
    "/binary",
    (c) =>
      c.body(long, 200, {
        "content-type": "application/octet-stream",
        "content-length": String(long.length),
      }),
  );
  const get = (path: string, accept: string) => app.request(path, { headers: { "accept-encoding": accept } });
  const packed = await get("/long", "gzip");
  strictEqual(packed.headers.get("content-encoding"), "gzip");
  const text = await new Response(packed.body!.pipeThrough(new DecompressionStream("gzip"))).text();
  strictEqual(text, long);
  for (const [path, accept] of [["/long", "identity"], ["/short", "gzip"], ["/binary", "gzip"]] as const) {
    const plain = await get(path, accept);
    strictEqual(plain.headers.get("content-encoding"), null, path);
    await plain.body?.cancel();
  }
});

Deno.test("a file that is no socket is never removed for one", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/precious`;
  await Deno.writeTextFile(path, "data");
  await rejects(
    listen({ kind: "unix", path }, () => new Response("x")),
    /precious: a file that is no socket stands there/,
  );
  strictEqual(await Deno.readTextFile(path), "data");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a server that is stopped lets answers go out that are soon whole, and cuts the others", async () => {
  const soon = Promise.withResolvers<Response>();
  const asked = Promise.withResolvers<void>();
  let waiting = 0;
  const server = await listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, (request) => {
    if (++waiting === 2) asked.resolve();
    return request.url.endsWith("/soon") ? soon.promise : new Promise<Response>(() => {});
  });
  const url = formatAddress(server.address);
  const client = Deno.createHttpClient({});
  const whole = fetch(`${url}/soon`, { client }).then((response) => response.text());
  const cut = rejects(fetch(`${url}/never`, { client }));
  await asked.promise;
  const stopped = server[Symbol.asyncDispose]();
  soon.resolve(new Response("whole"));
  strictEqual(await whole, "whole");
  await cut;
  await stopped;
  await server.finished;
  client.close();
});
