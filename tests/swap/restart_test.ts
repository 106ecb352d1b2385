/** Restarts of real servers under load: the new one is ready before the old one is ended, and no request is lost. */
import { deepStrictEqual, match, ok, throws } from "node:assert/strict";
import { assetPath } from "../../ffi/assets.ts";
import { interposerEnvironment } from "../../ffi/interpose/mod.ts";
import { openListener } from "../../ffi/sockets/mod.ts";
import { exec } from "../../lib/build/step.ts";
import { portHolder } from "../../lib/swap/mod.ts";
import { Instance } from "./_instance.ts";
import { portOf, proxyRestarts, sharedRestarts } from "./_restarts.ts";
import { canBuildRust, type LoadResult } from "./_programs.ts";

portHolder(1);

/** Clients leave pauses: what is tested is loss, not how much two cores bear. */
const LOAD = { clients: 16, restarts: 3, pauseUs: 2_000 };

function lossless(result: LoadResult): void {
  deepStrictEqual([result.failed, result.slow, result.firstFailure], [0, 0, ""], JSON.stringify(result));
  ok(result.answered > LOAD.clients, "the clients were answered");
}

for (const server of ["node", "deno", "python", "c"] as const) {
  Deno.test(`an unmodified ${server} server is restarted on an interposed socket and no connection is lost`, async () => {
    lossless(await sharedRestarts("interposer", { ...LOAD, server, keepAlive: false }));
  });
}

Deno.test({
  name: "an unmodified Rust server that blocks is restarted on an interposed socket (needs rustc)",
  ignore: !await canBuildRust(),
  fn: async () => lossless(await sharedRestarts("interposer", { ...LOAD, server: "rust", keepAlive: false })),
});

for (const keepAlive of [false, true]) {
  const how = keepAlive ? "kept alive" : "for each request";
  Deno.test(`a server that takes a passed socket is restarted, connections ${how}, and none is lost`, async () => {
    lossless(await sharedRestarts("inherited", { ...LOAD, server: "c", keepAlive }));
  });
}

for (const server of ["node", "deno", "python", "static"] as const) {
  for (const keepAlive of [false, true]) {
    const how = keepAlive ? "kept alive" : "for each request";
    Deno.test(`an unmodified ${server} server is restarted behind the proxy, connections ${how}, and nothing is lost`, async () => {
      const { stats, ...result } = await proxyRestarts({ ...LOAD, server, keepAlive });
      lossless(result);
      deepStrictEqual([stats.refused, stats.cut, stats.requests], [0, 0, result.answered]);
    });
  }
}

Deno.test("a server that is killed under load loses no idempotent request behind the proxy", async () => {
  const { stats, ...result } = await proxyRestarts({
    ...LOAD,
    server: "static",
    keepAlive: true,
    crash: true,
  });
  lossless(result);
  ok(stats.retried > 0, "something was under way each time");
});

Deno.test("the preload object reaches a server through wrappers, and nothing that the server starts", async () => {
  using listener = openListener({ host: "127.0.0.1", port: 0 });
  const port = portOf(listener);
  const server = `require("http").createServer((q, r) => r.end(
    require("child_process").execSync("echo $LD_PRELOAD,$HOSTKIT_BIND,$PPID")
  )).listen(${port}, "127.0.0.1", () => console.log("up"))`;
  // As npm does it: a program that starts a shell that starts the server.
  const wrapper = `require("child_process").spawn("sh", ["-c", 'node -e "$SERVER"'], { stdio: "inherit" })`;
  await using _instance = await Instance.start(
    { command: ["node", "-e", wrapper], ready: /^up$/m },
    (folder) => ({
      listeners: [{ fd: listener.fd, name: "web", passed: false }],
      env: {
        SERVER: server,
        LD_PRELOAD: assetPath("lib/interpose.so"),
        HOSTKIT_BIND: `${port}=web:${folder}`,
      },
      leftoverMs: 100,
    }),
  );
  const answer = await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } }))
    .text();
  match(answer, /^,,\d+\n$/);
});

Deno.test("the preload object's variables keep what is preloaded anyway, and refuse what they cannot tell", () => {
  const object = assetPath("lib/interpose.so");
  deepStrictEqual(interposerEnvironment({ folder: "/f", ports: { 80: "a", 443: "b" }, preload: "x.so" }), {
    LD_PRELOAD: `${object}:x.so`,
    HOSTKIT_BIND: "80=a:443=b:/f",
  });
  for (const name of ["", "a:b"]) {
    throws(
      () => interposerEnvironment({ folder: "/f", ports: { 80: name } }),
      /Cannot interpose port 80: a socket is/,
    );
  }
});

Deno.test("the preload object asks a host for nothing but a libc of the last ten years", async () => {
  const elf = await exec("readelf", ["-W", "-d", "--dyn-syms", assetPath("lib/interpose.so")]);
  deepStrictEqual([...elf.matchAll(/NEEDED.*\[(.+)\]/g)].map(([, name]) => name), ["libc.so.6"]);
  const minors = [...elf.matchAll(/@GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  ok(minors.length > 10 && Math.max(...minors) <= 17, `it needs glibc 2.${Math.max(...minors)}`);
  const exported = [...elf.matchAll(/GLOBAL DEFAULT +\d+ (\w+)$/gm)].map(([, name]) => name!);
  deepStrictEqual(exported.sort(), ["accept", "accept4", "bind", "fcntl", "fcntl64", "ioctl", "listen"]);
});
