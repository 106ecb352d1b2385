/** Services that listen, restarted under load by the supervisor in the way that it picks. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { type ListenSpec, type ServiceSpec, Supervisor } from "../../lib/supervisor/mod.ts";
import { freePort } from "../free_port.ts";
import { build, Load, SERVERS } from "../swap/_programs.ts";

const never = new AbortController().signal;
const PAUSE_US = 2_000;

function web(server: string, port: number, more: Partial<ListenSpec> = {}): ServiceSpec {
  const { command, ready } = SERVERS[server]!(port);
  const listen: ListenSpec = { host: "127.0.0.1", port, protocol: "http", drainMs: 5_000, ...more };
  return {
    name: "web",
    command: { argv: command },
    listen,
    ...(more.protocol === "tcp" ? { readiness: { kind: "log", pattern: ready } } : {}),
    policy: { backoff: { firstMs: 1, factor: 1, maxMs: 1 } },
  };
}

/** Restarts until each of several replacements is told as running. */
async function restart(supervisor: Supervisor, times: number): Promise<void> {
  const service = supervisor.services.get("web")!;
  for (let round = 0; round < times; round++) {
    const before = service.current!.place.number;
    service.request("restart");
    await supervisor.until(service, (each) => each.is("running") && each.current!.place.number > before);
  }
}

const CASES: [string, string, Partial<ListenSpec>, boolean, string][] = [
  ["an unmodified node server", "node", {}, true, "proxy"],
  ["an unmodified python server", "python", {}, true, "proxy"],
  ["a static server", "static", {}, true, "proxy"],
  ["a server that takes sockets", "c", { takesSockets: true }, true, "inherited"],
  ["an unmodified server that speaks something else", "node", { protocol: "tcp" }, false, "interposer"],
];

for (const [what, server, more, keepAlive, way] of CASES) {
  Deno.test(`${what} is restarted by way of ${way}, and no request is lost`, async () => {
    await build("server", ...server === "static" ? ["-static"] : []);
    const folder = await Deno.makeTempDir({ prefix: "front-" });
    const port = freePort();
    {
      await using supervisor = Supervisor.open([web(server, port, more)], folder);
      await supervisor.start(never);
      strictEqual(supervisor.services.get("web")!.front?.rung.kind, way);
      const load = await Load.start({ port, clients: 16, keepAlive, pauseUs: PAUSE_US });
      await restart(supervisor, 3);
      const { failed, slow, firstFailure, answered } = await load.stop();
      deepStrictEqual([failed, slow, firstFailure], [0, 0, ""]);
      ok(answered > 16);
      // The proxy counts those of the probes too.
      const { requests = answered, refused = 0, cut = 0 } = supervisor.services.get("web")!.front?.stats ??
        {};
      ok(requests >= answered, `${requests} of ${answered}`);
      deepStrictEqual([refused, cut], [0, 0]);
    }
    await Deno.remove(folder, { recursive: true });
  });
}

for (const [server, way] of [["node", "proxy"], ["c", "inherited"]] as const) {
  Deno.test(`a manager that is replaced keeps the socket of a service by way of ${way}`, async () => {
    await build("server");
    const folder = await Deno.makeTempDir({ prefix: "front-" });
    const port = freePort();
    const spec = web(server, port, server === "c" ? { takesSockets: true } : {});
    const first = Supervisor.open([spec], folder);
    await first.start(never);
    const load = await Load.start({ port, clients: 16, keepAlive: false, pauseUs: PAUSE_US });
    await first.release();
    {
      await using second = Supervisor.open([spec], folder);
      await second.start(never);
      await restart(second, 2);
      const { failed, slow, firstFailure } = await load.stop();
      deepStrictEqual([failed, slow, firstFailure], [0, 0, ""]);
    }
    await Deno.remove(folder, { recursive: true });
  });
}

Deno.test("a port that somebody has is told with who has it, and the socket goes with the service", async () => {
  const folder = await Deno.makeTempDir({ prefix: "front-" });
  const port = freePort();
  const busy = Deno.listen({ hostname: "127.0.0.1", port });
  {
    await using supervisor = Supervisor.open([web("node", port)], folder);
    const told = new Promise<string>((resolve) => {
      supervisor.listen((notice) => notice.kind === "event" && resolve(notice.text));
    });
    const starting = supervisor.start(never);
    match(await told, new RegExp(`Cannot listen on 127.0.0.1:${port}: it is held by pid ${Deno.pid}, deno`));
    busy.close();
    await starting;
    ok(supervisor.services.get("web")!.is("running"));
    supervisor.services.get("web")!.request("stop");
    await supervisor.until(supervisor.services.get("web")!, (each) => each.is("idle"));
    await supervisor.services.get("web")!.settled();
    // A child of a test beside this one may have been forked while the socket could be inherited.
    const isTaken = () =>
      Deno.connect({ port }).then((connection) => (connection.close(), true), () => false);
    for (const limit = performance.now() + 10_000; await isTaken();) {
      ok(performance.now() < limit, "the socket is still there");
    }
  }
  await Deno.remove(folder, { recursive: true });
});
