/** A server on a socket that was opened by somebody else. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { openListener } from "../../ffi/sockets/mod.ts";
import { listenOn } from "../../lib/web/mod.ts";

Deno.test("a handler on a passed socket streams, takes bodies, notices who goes, and leaves the socket open", async () => {
  using listener = openListener({ host: "127.0.0.1", port: 0 });
  const gone = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<void>();
  let sent = "";
  const handler = async (request: Request): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/fail") throw new Error("on purpose");
    if (pathname === "/echo") {
      sent = await request.text();
      return new Response(sent, { status: 201, headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"]] });
    }
    if (pathname === "/none") {
      return new Response(null, { status: 204, headers: { "x-q": searchParams.get("q")! } });
    }
    request.signal.addEventListener("abort", () => gone.resolve(), { once: true });
    return new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode("first\n")),
        cancel: () => cancelled.resolve(),
      }),
    );
  };
  let url: string;
  {
    await using server = await listenOn(listener, handler);
    ok(server.address.kind === "tcp");
    url = `http://127.0.0.1:${server.address.port}`;
    const body = "x".repeat(3_000_000);
    const echoed = await fetch(`${url}/echo`, { method: "POST", body });
    deepStrictEqual([echoed.status, echoed.headers.getSetCookie()], [201, ["a=1", "b=2"]]);
    strictEqual(await echoed.text(), body);
    const none = await fetch(`${url}/none?q=a%20b`);
    deepStrictEqual([none.status, none.headers.get("x-q"), await none.text()], [204, "a b", ""]);
    const client = new AbortController();
    const stream = await fetch(`${url}/stream`, { signal: client.signal });
    strictEqual(new TextDecoder().decode((await stream.body!.getReader().read()).value), "first\n");
    client.abort();
    await gone.promise;
    await cancelled.promise;
    // A body that nobody has read is in nobody's way.
    for (let round = 0; round < 3; round++) {
      strictEqual((await fetch(`${url}/none?q=a`, { method: "POST", body })).status, 204);
    }
    const { error } = console;
    const told: string[] = [];
    console.error = (text: string) => void told.push(text);
    const failed = await fetch(`${url}/fail`);
    console.error = error;
    deepStrictEqual([failed.status, await failed.text()], [500, "internal error\n"]);
    match(told.join(""), /^Cannot answer a request: Error: on purpose/);
  }
  // Nobody accepts; the connection waits for the next one.
  const waiting = fetch(`${url}/none?q=later`);
  await using _next = await listenOn(listener, handler);
  strictEqual((await waiting).headers.get("x-q"), "later");
});

Deno.test("a method that no handler can be asked with is answered, and its connection is good for the next", async () => {
  using listener = openListener({ host: "127.0.0.1", port: 0 });
  await using server = await listenOn(listener, ({ method }) => new Response(method));
  ok(server.address.kind === "tcp");
  const { port } = server.address;
  const ask = async (requests: string) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode(requests));
    return (await new Response(connection.readable).text()).match(/^HTTP\/1.1 \d+/gm);
  };
  const host = `Host: 127.0.0.1:${port}\r\n`;
  const next = `GET / HTTP/1.1\r\n${host}Connection: close\r\n\r\n`;
  deepStrictEqual(
    await ask(`TRACE / HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\nabc${next}`),
    ["HTTP/1.1 501", "HTTP/1.1 200"],
  );
  deepStrictEqual(await ask(`CONNECT a.example:443 HTTP/1.1\r\n${host}\r\n`), ["HTTP/1.1 501"]);
});
