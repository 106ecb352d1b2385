import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import {
  AGENT_PORT,
  AgentClient,
  checkInterval,
  formatAgentAddress,
  MIN_INTERVAL_MS,
  nextTickMs,
  parseAgentAddress,
  sleepUntil,
  StatusError,
  untilNextTick,
} from "../../lib/agent_client/mod.ts";

const tcp = (host: string, port: number, rest: object = {}) => ({ kind: "tcp", host, port, ...rest });
const unix = (path: string) => ({ kind: "unix", path });

const ADDRESSES: [text: string, address: object, again: string][] = [
  ["http://h:99/sub/", tcp("h", 99, { basePath: "/sub" }), "http://h:99/sub"],
  ["localhost", tcp("localhost", AGENT_PORT), "http://localhost:4241"],
  ["web1:7", tcp("web1", 7), "http://web1:7"],
  ["http://h:80/", tcp("h", 80), "http://h:80"],
  ["h:80", tcp("h", 80), "http://h:80"],
  ["[::1]:80", tcp("::1", 80), "http://[::1]:80"],
  ["http://h", tcp("h", AGENT_PORT), "http://h:4241"],
  ["https://h", tcp("h", 443, { secure: true }), "https://h:443"],
  ["https://h:8443/a", tcp("h", 8443, { basePath: "/a", secure: true }), "https://h:8443/a"],
  ["http://h:9090/federate?match=x", tcp("h", 9090, { basePath: "/federate?match=x" }), ""],
  ["h:9090?match=x", tcp("h", 9090, { basePath: "/?match=x" }), "http://h:9090/?match=x"],
  ["[::1]:7", tcp("::1", 7), "http://[::1]:7"],
  ["4300", tcp("127.0.0.1", 4300), "http://127.0.0.1:4300"],
  [":4300", tcp("127.0.0.1", 4300), "http://127.0.0.1:4300"],
  ["/run/a.sock", unix("/run/a.sock"), "/run/a.sock"],
  ["./a.sock", unix("./a.sock"), "./a.sock"],
  ["../run/a.sock", unix("../run/a.sock"), "../run/a.sock"],
  ["unix:/run/a.sock", unix("/run/a.sock"), "/run/a.sock"],
  ["unix:///run/a.sock", unix("/run/a.sock"), "/run/a.sock"],
];
for (const [text, address, again] of ADDRESSES) {
  Deno.test(`"${text}" is an agent's address, and written out means the same`, () => {
    const parsed = parseAgentAddress(text);
    deepStrictEqual(parsed, address);
    strictEqual(formatAgentAddress(parsed), again || text);
    deepStrictEqual(parseAgentAddress(formatAgentAddress(parsed)), address);
  });
}

for (const text of ["", "ftp://h", "http://", "h:99999", "a b", "unix:relative"]) {
  Deno.test(`"${text}" is no agent's address, and is told so in one line`, () => {
    throws(() => parseAgentAddress(text), (error: Error) => {
      strictEqual(error.name, "SyntaxError");
      ok(error.message.startsWith(`Cannot read agent address "${text}": `), error.message);
      return true;
    });
  });
}

Deno.test("an address with a password is refused without telling it", () => {
  for (const text of ["http://user:sec@ret@h:1/x", "user:secret@h:1/x"]) {
    throws(() => parseAgentAddress(text), (error: Error) => {
      ok(
        /^Cannot read agent address "(http:\/\/)?…@h:1\/x": agents know no user names$/.test(error.message),
        error.message,
      );
      return true;
    });
  }
});

/** Serves HTTP on a port of loopback while `use` runs. */
async function serving(
  answer: (path: string) => Response | Promise<Response>,
  use: (address: string) => Promise<void>,
): Promise<void> {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => answer(new URL(request.url).pathname),
  );
  try {
    await use(`127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}

Deno.test("an answer comes whole, below the address's path, on one connection for all", async () => {
  const seen = new Set<number>();
  const large = new Uint8Array(3 << 20).map((_, at) => at % 251);
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request, info) => {
    seen.add(info.remoteAddr.port);
    return new Response(new URL(request.url).pathname === "/base/x" ? large : "other", {
      status: request.url.endsWith("/gone") ? 404 : 200,
    });
  });
  try {
    using client = new AgentClient(parseAgentAddress(`http://127.0.0.1:${server.addr.port}/base`));
    strictEqual(client.name, `http://127.0.0.1:${server.addr.port}/base`);
    for (let asked = 0; asked < 3; asked++) deepStrictEqual(await client.get("/x"), large);
    strictEqual(new TextDecoder().decode(await client.getOptional("/y")), "other");
    strictEqual(await client.getOptional("/gone"), undefined);
    strictEqual(seen.size, 1);
  } finally {
    await server.shutdown();
  }
});

Deno.test("an agent that refuses, fails or is stopped gives a reason", async () => {
  using nobody = new AgentClient({ kind: "unix", path: "/nowhere/none.sock" });
  await rejects(nobody.get("/"), /^Error: there is no such socket \(ENOENT\)$/);
  await rejects(nobody.getOptional("/"), /there is no such socket/);
  using closed = new AgentClient({ kind: "tcp", host: "127.0.0.1", port: 1 });
  await rejects(closed.get("/"), /^Error: nobody listens there \(ECONNREFUSED\)$/);
  await serving(() => new Response("", { status: 503 }), async (address) => {
    using client = new AgentClient(parseAgentAddress(address));
    await rejects(client.get("/x"), (error) => {
      ok(error instanceof StatusError);
      deepStrictEqual([error.status, error.message], [503, "/x gives status 503"]);
      return true;
    });
    await rejects(client.getOptional("/x"), StatusError);
  });
  const told = new Response(`the disk is full\n${"x".repeat(10_000)}`, { status: 503 });
  await serving(() => told, async (address) => {
    using client = new AgentClient(parseAgentAddress(address));
    await rejects(client.get("/x"), { message: "/x gives status 503: the disk is full" });
  });
  await serving(() => new Response("", { status: 503 }), async (address) => {
    using client = new AgentClient(parseAgentAddress(address));
    await rejects(client.get("/x", AbortSignal.abort(new Error("over"))), /over/);
  });
});

Deno.test("an answer that takes too long, is too large or is stopped is given up", async () => {
  const hanging = Promise.withResolvers<Response>();
  const asked = Promise.withResolvers<void>();
  await serving((path) => {
    if (path === "/asked") asked.resolve();
    return path === "/large" ? new Response("x".repeat(100)) : hanging.promise;
  }, async (address) => {
    using client = new AgentClient(parseAgentAddress(address), { responseBytes: 99, timeoutMs: 30 });
    await rejects(client.get("/hangs"), /no answer within 0.03 s/);
    await rejects(client.get("/large"), /the answer is over 99 bytes/);
    using patient = new AgentClient(parseAgentAddress(address));
    const stop = new AbortController();
    const waiting = patient.get("/asked", stop.signal);
    await asked.promise;
    stop.abort(new Error("stopped meanwhile"));
    await rejects(waiting, /stopped meanwhile/);
    hanging.resolve(new Response());
  });
});

const BROKEN: [string, string, RegExp][] = [
  ["is cut off", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", /the answer was cut off after 3 bytes/],
  ["is no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", /what answers there does not speak HTTP/],
  ["never comes", "", /the connection was cut off \(ECONNRESET\)/],
];
for (const [what, bytes, expected] of BROKEN) {
  Deno.test(`an answer that ${what} is told as such`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serve = (async () => {
      using connection = await listener.accept();
      await connection.read(new Uint8Array(1_024));
      if (bytes !== "") await connection.write(new TextEncoder().encode(bytes));
    })();
    using client = new AgentClient({ kind: "tcp", host: "127.0.0.1", port: listener.addr.port });
    await rejects(client.get("/metrics/binary"), expected);
    await serve;
  });
}

Deno.test("ticks fall on multiples of the interval", () => {
  deepStrictEqual([nextTickMs(1_000, 1_000), nextTickMs(1_001, 1_000), nextTickMs(999, 50)], [
    2_000,
    2_000,
    1_000,
  ]);
});

Deno.test("a wait for a tick ends behind a multiple of the interval, or when it is stopped", async () => {
  const { signal } = new AbortController();
  const before = Date.now();
  await untilNextTick(20, signal);
  ok(Date.now() >= Math.min(nextTickMs(before, 20), before + 20) - 1);
  await sleepUntil(Date.now() - 1_000, signal);
  const stop = new AbortController();
  const waiting = sleepUntil(Date.now() + 3_600_000, stop.signal);
  stop.abort();
  await waiting;
  await sleepUntil(Date.now() + 3_600_000, stop.signal);
  await untilNextTick(3_600_000, stop.signal);
});

Deno.test("an interval that no one can keep is refused with what was to be done", () => {
  checkInterval(MIN_INTERVAL_MS, "record");
  checkInterval(2 ** 31 - 1, "record");
  for (const intervalMs of [MIN_INTERVAL_MS - 1, 2 ** 31, NaN]) {
    throws(
      () => checkInterval(intervalMs, "record"),
      /Cannot record every \S+ ms: expected 10 to 2147483647 ms/,
    );
  }
});
