/** The proxy: what passes, what waits, what is tried again, and what is told of the rest. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { openListener } from "../../ffi/sockets/mod.ts";
import { Proxy } from "../../lib/swap/mod.ts";
import { until } from "./_instance.ts";
import { Load } from "./_programs.ts";
import { Peer, RawServer } from "./_raw.ts";
import { portOf } from "./_restarts.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";

Deno.test("clients keep their connection while the server behind changes", async () => {
  await using proxy = await Proxy.start({});
  await using first = new RawServer().answer("one");
  await using second = new RawServer().answer("two");
  using client = await Peer.to(portOf(proxy));
  for (const [server, word] of [[first, "one"], [second, "two"], [first, "one"]] as const) {
    proxy.use(server.backend);
    for (let time = 0; time < 3; time++) {
      await client.send(GET);
      match(await client.until(word), /^HTTP\/1\.1 200 OK\r\nContent-Length: 3\r\n\r\n/);
    }
  }
  deepStrictEqual(
    [first.connections, second.connections],
    [2, 1],
    "connections were kept, and closed by a change",
  );
  await proxy.drained(second.backend);
  const { requests, clients, backends } = proxy.stats();
  deepStrictEqual([requests, clients, backends.map(({ isCurrent, idle }) => [isCurrent, idle])], [9, 1, [[
    true,
    1,
  ]]]);
});

Deno.test("a request that the old server has is finished there, and tells when it is drained", async () => {
  await using proxy = await Proxy.start({});
  await using old = new RawServer();
  await using next = new RawServer().answer("new");
  proxy.use(old.backend);
  using slow = await Peer.to(portOf(proxy));
  await slow.send(GET);
  const server = await old.accept();
  await server.head();
  proxy.use(next.backend);
  let drained = false;
  const draining = proxy.drained(old.backend).then(() => drained = true);
  using other = await Peer.to(portOf(proxy));
  await other.send(GET);
  await other.until("new");
  strictEqual(drained, false);
  await server.send(OK);
  await slow.until("ok\n");
  await draining;
  await slow.send(GET);
  await slow.until("new");
});

Deno.test("a kept connection that the server closes without an answer costs no idempotent request", async () => {
  for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]) {
    await using proxy = await Proxy.start({});
    await using server = new RawServer();
    proxy.use(server.backend);
    using client = await Peer.to(portOf(proxy));
    await client.send(GET);
    const kept = await server.accept();
    await kept.head();
    await kept.send(OK);
    await client.until("ok\n");
    await client.send(`${method} /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody`);
    await kept.until("body");
    kept[Symbol.dispose]();
    const fresh = await server.accept();
    match(await fresh.until("body"), new RegExp(`^${method} /x HTTP/1.1\r\n`));
    await fresh.send("HTTP/1.1 204 Fine\r\n\r\n");
    match(await client.head(), /^HTTP\/1\.1 204/);
    deepStrictEqual([proxy.stats().retried, proxy.stats().refused], [1, 0]);
  }
});

Deno.test("what must not be sent twice gets a connection of its own, and is listed when that is of no use", async () => {
  await using proxy = await Proxy.start({});
  await using server = new RawServer();
  proxy.use(server.backend);
  using client = await Peer.to(portOf(proxy));
  await client.send(GET);
  const kept = await server.accept();
  await kept.head();
  await kept.send(OK);
  await client.until("ok\n");
  await client.send(POST);
  const own = await server.accept();
  match(await own.until("hi"), /^POST/);
  own[Symbol.dispose]();
  match(
    await client.rest(),
    /^HTTP\/1\.1 502 Bad Gateway\r\n(.*\r\n)*Connection: close\r\n[^]*POST must not be sent twice\n$/,
  );
  const { retried, refused, failures } = proxy.stats();
  deepStrictEqual([retried, refused], [0, 1]);
  deepStrictEqual([failures[0]?.method, failures[0]?.target], ["POST", "/"]);
});

Deno.test("a server that never answers is not asked for ever", async () => {
  await using proxy = await Proxy.start({});
  await using server = new RawServer();
  proxy.use(server.backend);
  using client = await Peer.to(portOf(proxy));
  await client.send(GET);
  for (let time = 0; time < 4; time++) {
    const peer = await server.accept();
    await peer.head();
    peer[Symbol.dispose]();
  }
  match(await client.rest(), /502 Bad Gateway[^]*it was sent 4 times/);
  strictEqual(proxy.stats().retried, 3);
});

Deno.test("requests wait while there is no server, and while it refuses connections", async () => {
  await using proxy = await Proxy.start({});
  const clients = [await Peer.to(portOf(proxy)), await Peer.to(portOf(proxy))];
  for (const client of clients) await client.send(POST);
  await until("both", () => proxy.stats().held === 2);
  // Nobody listens there so far.
  const place = openListener({ host: "127.0.0.1", port: 0 });
  const backend = { host: "127.0.0.1", port: portOf(place) };
  place[Symbol.dispose]();
  proxy.use(backend);
  await until("a refused connection", () => proxy.stats().held > 0);
  await using server = new RawServer().answer("late");
  proxy.use(server.backend);
  for (const client of clients) match(await client.until("late"), /^HTTP\/1\.1 200/);
  deepStrictEqual([proxy.stats().held, proxy.stats().refused, proxy.stats().retried], [0, 0, 0]);
  for (const client of clients) client[Symbol.dispose]();
});

Deno.test("a long body that waited is not lost to a server that does not take it yet", async () => {
  const bytes = 1 << 20;
  const gone = new RawServer();
  await gone[Symbol.asyncDispose]();
  await using proxy = await Proxy.start({});
  using client = await Peer.to(portOf(proxy));
  await client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`);
  const sending = client.send(new Uint8Array(bytes));
  // As much as waits with it has come when the client is read no further.
  for (let tries = 0; proxy.stats().held === 0; tries++) {
    ok(tries < 1_000, "it does not wait");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  proxy.use(gone.backend);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await using server = new RawServer(gone.backend.port);
  const peer = await Promise.race([
    server.accept(),
    client.head().then((head) => Promise.reject(new Error(head))),
  ]);
  await peer.head();
  strictEqual(await peer.count(bytes), bytes);
  await peer.send(OK);
  await sending;
  deepStrictEqual(proxy.stats().failures, []);
});

Deno.test("a server that refuses connections is tried by one request at a time, and gets all when it takes them", async () => {
  await using proxy = await Proxy.start({});
  const place = openListener({ host: "127.0.0.1", port: 0 });
  const backend = { host: "127.0.0.1", port: portOf(place) };
  place[Symbol.dispose]();
  proxy.use(backend);
  const clients: Peer[] = [];
  for (let at = 0; at < 50; at++) {
    clients.push(await Peer.to(portOf(proxy)));
    await clients[at]!.send(at % 2 === 0 ? GET : POST);
  }
  await until("all", () => proxy.stats().held >= 49);
  // Those who were to try have gone meanwhile.
  for (const client of clients.splice(0, 10)) client[Symbol.dispose]();
  await until("their end", () => proxy.stats().clients === 40);
  await using _server = new RawServer(backend.port).answer("there");
  for (const client of clients) {
    match(await client.until("there"), /^HTTP\/1\.1 200/);
    client[Symbol.dispose]();
  }
  deepStrictEqual([proxy.stats().refused, proxy.stats().retried], [0, 0]);
});

Deno.test("waiting is bounded in number and in time, and who has gone does not wait", async () => {
  await using proxy = await Proxy.start({ holdMax: 1, holdMs: 50 });
  using gone = await Peer.to(portOf(proxy));
  await gone.send(GET);
  await until("it", () => proxy.stats().held === 1);
  gone[Symbol.dispose]();
  await until("its end", () => proxy.stats().held === 0);
  using first = await Peer.to(portOf(proxy));
  await first.send(GET);
  await until("the first", () => proxy.stats().held === 1);
  using second = await Peer.to(portOf(proxy));
  await second.send(GET);
  match(
    await second.rest(),
    /^HTTP\/1\.1 503 Service Unavailable[^]*Retry-After: 1[^]*1 requests wait already/,
  );
  match(await first.rest(), /^HTTP\/1\.1 503 [^]*no server took it in time/);
  strictEqual(proxy.stats().refused, 2);
});

Deno.test("bodies of every framing pass as they are, both ways", async () => {
  await using proxy = await Proxy.start({});
  await using server = new RawServer();
  proxy.use(server.backend);
  const chunks = "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n";
  const big = `${"0123456789".repeat(300_000)}behind it`;
  const bodies = [["Content-Length: 3", "abc"], ["Transfer-Encoding: chunked", chunks], [
    `Content-Length: ${big.length}`,
    big,
  ]];
  using client = await Peer.to(portOf(proxy));
  for (const [field, body] of bodies) {
    const sending = client.send(`POST /p HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n${body}`);
    const peer = await server.accept();
    strictEqual(await peer.head(), `POST /p HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`);
    strictEqual(await peer.until(body!.slice(-9)), body);
    await sending;
    const answering = peer.send(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n${body}`);
    strictEqual(await client.head(), `HTTP/1.1 200 OK\r\n${field}\r\n\r\n`);
    strictEqual(await client.until(body!.slice(-9)), body);
    await answering;
    peer[Symbol.dispose]();
  }
  await client.send(GET);
  const last = await server.accept();
  await last.head();
  await last.send("HTTP/1.1 200 OK\r\n\r\nup to the ");
  await last.send("end");
  last[Symbol.dispose]();
  strictEqual(await client.rest(), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nup to the end");
});

Deno.test("events of a server arrive one by one", async () => {
  await using proxy = await Proxy.start({});
  await using server = new RawServer();
  proxy.use(server.backend);
  using client = await Peer.to(portOf(proxy));
  await client.send(GET);
  const peer = await server.accept();
  await peer.head();
  await peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
  await client.head();
  for (const event of ["one", "two", "three"]) {
    await peer.send(`${event.length.toString(16)}\r\n${event}\r\n`);
    await client.until(`${event}\r\n`); // before the next is sent
  }
  client[Symbol.dispose]();
  strictEqual(await peer.rest(), "", "the server learns that its client has gone");
  await until("its end", () => proxy.stats().backends[0]?.inFlight === 0);
});

Deno.test("another protocol passes as bytes, and a drain waits for its end", async () => {
  await using proxy = await Proxy.start({});
  await using server = new RawServer();
  await using next = new RawServer().answer("new");
  proxy.use(server.backend);
  using client = await Peer.to(portOf(proxy));
  const upgrade = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  await client.send(`${upgrade}early`);
  const peer = await server.accept();
  strictEqual(await peer.head(), upgrade);
  await peer.send(
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello",
  );
  match(
    await client.until("hello"),
    /^HTTP\/1\.1 101 .*\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello$/s,
  );
  strictEqual(await peer.until("early"), "early");
  proxy.use(next.backend);
  let drained = false;
  const draining = proxy.drained(server.backend).then(() => drained = true);
  for (const bytes of ["\x81\x02hi", "GET / HTTP/1.1\r\n\r\n"]) {
    await client.send(bytes);
    await peer.until(bytes.slice(-3));
    await peer.send("pong");
    strictEqual(await client.until("pong"), "pong");
  }
  deepStrictEqual([drained, proxy.stats().backends[0]?.tunnels], [false, 1]);
  peer[Symbol.dispose]();
  strictEqual(await client.rest(), "");
  await draining;
});

Deno.test("what is not HTTP/1 waits for a server, passes as bytes, and stays with the server that it began with", async () => {
  for (const hello of ["\x16\x03\x01hello", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]) {
    await using proxy = await Proxy.start({});
    const place = openListener({ host: "127.0.0.1", port: 0 });
    const backend = { host: "127.0.0.1", port: portOf(place) };
    place[Symbol.dispose]();
    using client = await Peer.to(portOf(proxy));
    // Byte by byte, as a slow network brings it.
    for (const byte of hello) await client.send(byte);
    await until("it", () => proxy.stats().held === 1);
    proxy.use(backend);
    await client.send("more");
    await using server = new RawServer(backend.port);
    const peer = await server.accept();
    strictEqual(await peer.until("more"), `${hello}more`);
    await peer.send("answer");
    strictEqual(await client.until("answer"), "answer");
    await using next = new RawServer().answer("new");
    proxy.use(next.backend);
    await client.send("GET / HTTP/1.1\r\n\r\n");
    strictEqual(await peer.head(), "GET / HTTP/1.1\r\n\r\n");
    strictEqual(proxy.stats().backends.find(({ isCurrent }) => !isCurrent)?.tunnels, 1);
    client[Symbol.dispose]();
    strictEqual(await peer.rest(), "");
    peer[Symbol.dispose]();
    await proxy.drained(backend);
  }
  await using proxy = await Proxy.start({ holdMs: 20 });
  using client = await Peer.to(portOf(proxy));
  await client.send("\x16");
  strictEqual(await client.rest(), "", "nobody came");
  strictEqual(proxy.stats().failures[0]?.method, "(no HTTP/1)");
});

Deno.test("another protocol ends for its server when its client ends it", async () => {
  await using proxy = await Proxy.start({});
  await using server = new RawServer();
  proxy.use(server.backend);
  using client = await Peer.to(portOf(proxy));
  await client.send("GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  const peer = await server.accept();
  await peer.head();
  await peer.send("HTTP/1.1 101 Fine\r\n\r\n");
  await client.head();
  await (client.connection as Deno.TcpConn).closeWrite();
  strictEqual(await peer.rest(), "");
  await peer.send("last words");
  peer[Symbol.dispose]();
  strictEqual(await client.rest(), "last words");
  await proxy.drained(server.backend);
});

Deno.test("requests that are sent ahead are answered in order", async () => {
  await using proxy = await Proxy.start({});
  await using server = new RawServer();
  proxy.use(server.backend);
  using client = await Peer.to(portOf(proxy));
  await client.send(
    "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\nConnection: close\r\n\r\n",
  );
  const peer = await server.accept();
  for (const at of [1, 2, 3]) {
    match(await peer.head(), new RegExp(`^GET /${at} `));
    await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${at}`);
  }
  match(await client.rest(), /^HTTP[^]*\r\n\r\n1HTTP[^]*\r\n\r\n2HTTP[^]*Connection: close\r\n\r\n3$/);
});

Deno.test("a word in between, and an answer to HEAD, are not taken for more than they are", async () => {
  await using proxy = await Proxy.start({});
  await using server = new RawServer();
  proxy.use(server.backend);
  using client = await Peer.to(portOf(proxy));
  await client.send("PUT / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  const peer = await server.accept();
  await peer.head();
  await peer.send("HTTP/1.1 100 Continue\r\n\r\n");
  strictEqual(await client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
  await client.send("hi");
  strictEqual(await peer.until("hi"), "hi");
  await peer.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
  strictEqual(
    await client.head() + await client.head(),
    "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
  );
  await client.send("HEAD / HTTP/1.1\r\n\r\n");
  await peer.head();
  await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
  match(await client.head(), /Content-Length: 99/);
  await client.send(GET);
  await peer.head();
});

Deno.test("old clients and old servers are served, each in its own way", async () => {
  await using proxy = await Proxy.start({});
  await using server = new RawServer();
  proxy.use(server.backend);
  using old = await Peer.to(portOf(proxy));
  await old.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const peer = await server.accept();
  strictEqual(await peer.head(), "GET / HTTP/1.0\r\n\r\n");
  await peer.send("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  match(await old.until("hi"), /\r\nConnection: keep-alive\r\n\r\nhi$/);
  await old.send("GET / HTTP/1.0\r\n\r\n");
  const second = await server.accept();
  await second.head();
  await second.send(OK);
  match(await old.rest(), /\r\nConnection: close\r\n\r\nok\n$/);
});

Deno.test("what is no request is refused, and reaches no server", async () => {
  await using proxy = await Proxy.start({});
  const cases: [string, RegExp][] = [
    ["hello\r\n\r\n", /^HTTP\/1\.1 400 Bad Request[^]*its first line is/],
    ["POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", /^HTTP\/1\.1 400 [^]*a size is \\?"xyz/],
    ["CONNECT a:1 HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 501 Not Implemented/],
    [`GET / HTTP/1.1\r\nA: ${"x".repeat(70_000)}`, /^HTTP\/1\.1 431 /],
  ];
  for (const [sent, expected] of cases) {
    using client = await Peer.to(portOf(proxy));
    await client.send(sent);
    match(await client.rest(), expected);
  }
  strictEqual(proxy.stats().held, 0);
});

Deno.test("an answer that is none, or breaks off, is told to the client and counted", async () => {
  await using proxy = await Proxy.start({});
  await using server = new RawServer();
  proxy.use(server.backend);
  const cases: [string, RegExp, number, number][] = [
    ["nonsense\r\n\r\n", /^HTTP\/1\.1 502 [^]*Cannot read answer/, 1, 0],
    ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", /half$/, 1, 1],
    [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n",
      /^HTTP\/1\.1 502 [^]*Cannot read chunks/,
      2,
      1,
    ],
    ["HTTP/1.1 101 Switching Protocols\r\n\r\n", /^HTTP\/1\.1 502 [^]*it changes the protocol unasked/, 3, 1],
  ];
  for (const [sent, expected, refused, cut] of cases) {
    using client = await Peer.to(portOf(proxy));
    await client.send(GET);
    const peer = await server.accept();
    await peer.head();
    await peer.send(sent);
    peer.connection.closeWrite();
    match(await client.rest(), expected);
    deepStrictEqual([proxy.stats().refused, proxy.stats().cut], [refused, cut]);
  }
});

const FLOOD_BYTES = 32 << 20;

/** Sends 32 MiB: not before the other side begins to read do they all go. */
async function flood(from: Peer, to: Peer): Promise<void> {
  const block = new Uint8Array(1 << 16);
  let sent = 0;
  const sending = (async () => {
    while (sent < FLOOD_BYTES) sent += await from.connection.write(block.subarray(0, FLOOD_BYTES - sent));
  })();
  for (let before = -1; before !== sent;) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  ok(sent < FLOOD_BYTES / 2, `${sent} bytes were taken`);
  await to.head();
  strictEqual(await to.count(FLOOD_BYTES), FLOOD_BYTES);
  await sending;
}

Deno.test("who does not read makes the other side wait, on either side, and gets all when it does", async () => {
  await using proxy = await Proxy.start({});
  await using server = new RawServer();
  proxy.use(server.backend);
  using client = await Peer.to(portOf(proxy));
  await client.send(GET);
  const peer = await server.accept();
  await peer.head();
  await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${FLOOD_BYTES}\r\n\r\n`);
  await flood(peer, client);
  await client.send(`POST / HTTP/1.1\r\nContent-Length: ${FLOOD_BYTES}\r\n\r\n`);
  await flood(client, await server.accept());
});

Deno.test("a client that asks ahead and reads nothing is asked no more of than it reads", async () => {
  const [count, bytes] = [400, 1 << 17];
  await using server = new RawServer().answer("x".repeat(bytes));
  await using proxy = await Proxy.start({});
  proxy.use(server.backend);
  using client = await Peer.to(portOf(proxy));
  await client.send(GET.repeat(count));
  for (let before = -1; before !== proxy.stats().requests;) {
    before = proxy.stats().requests;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const { requests } = proxy.stats();
  ok(requests > 0 && requests < count / 2, `${requests} of ${count} were answered to nobody`);
  let read = 0;
  for (; read < count; read++) {
    strictEqual((await client.until("x".repeat(bytes))).endsWith("x".repeat(bytes)), true);
  }
  strictEqual(proxy.stats().requests, count);
});

Deno.test("a client that keeps its side open after its last answer is closed", async () => {
  await using server = new RawServer().answer("ok\n");
  await using proxy = await Proxy.start({ lingerMs: 20 });
  proxy.use(server.backend);
  using client = await Peer.to(portOf(proxy));
  await client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  match(await client.rest(), /ok\n$/);
  for (let tries = 0; proxy.stats().clients > 0; tries++) {
    ok(tries < 1_000, "it is still there");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});

Deno.test("an empty line between two requests is passed over", async () => {
  await using server = new RawServer().answer("ok\n");
  await using proxy = await Proxy.start({});
  proxy.use(server.backend);
  using client = await Peer.to(portOf(proxy));
  for (const blank of ["", "\r\n", "\r\n\r\n"]) {
    await client.send(blank + GET);
    match(await client.until("ok\n"), /^HTTP\/1\.1 200 /);
  }
});

Deno.test("a proxy that ends leaves the socket to whoever holds it", async () => {
  using listener = openListener({ host: "127.0.0.1", port: 0 });
  const port = portOf(listener);
  {
    await using proxy = await Proxy.start({ listener });
    deepStrictEqual(proxy.address, listener.address);
    await using server = new RawServer().answer("one");
    proxy.use(server.backend);
    using client = await Peer.to(port);
    await client.send(GET);
    await client.until("one");
  }
  using waiting = await Peer.to(port);
  await waiting.send(GET);
  await using proxy = await Proxy.start({ listener });
  await using server = new RawServer().answer("two");
  proxy.use(server.backend);
  await waiting.until("two");
});

Deno.test("a proxy gives its socket to the next one while clients keep asking, and nothing is lost", async () => {
  using listener = openListener({ host: "127.0.0.1", port: 0 });
  await using server = new RawServer().answer("ok\n");
  const start = async () => {
    const proxy = await Proxy.start({ listener });
    proxy.use(server.backend);
    return proxy;
  };
  for (const keepAlive of [true, false]) {
    let proxy = await start();
    const load = await Load.start({ port: portOf(listener), clients: 16, keepAlive, pauseUs: 1_000 });
    for (let round = 0; round < 10; round++) {
      const [old, next] = [proxy, await start()];
      await old.retire(1_000);
      proxy = next;
    }
    const { answered, failed, slow, firstFailure } = await load.stop();
    deepStrictEqual([failed, slow, firstFailure], [0, 0, ""]);
    ok(answered > 16);
    await proxy.retire(0);
    deepStrictEqual(proxy.stats().clients, 0);
  }
});
