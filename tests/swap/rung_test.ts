/** Which way a program is restarted by, how it is linked, and who holds a port. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { openListener } from "../../ffi/sockets/mod.ts";
import { PROGRAM_HEAD_BYTES, programKind } from "../../lib/swap/elf.ts";
import { chooseRung, holderText, portHolder, type SwapProgram } from "../../lib/swap/mod.ts";
import { build } from "./_programs.ts";
import { portOf } from "./_restarts.ts";

portHolder(1);

const folder = Deno.makeTempDirSync({ prefix: "rung-" });
const STATIC = await build("server", "-static");
const DYNAMIC = await build("server");

function script(name: string, firstLine: string): string {
  Deno.writeTextFileSync(`${folder}/${name}`, `${firstLine}\n`, { mode: 0o755 });
  return `${folder}/${name}`;
}

/** The same program for another loader: as long a path as the one that it takes the place of. */
function withLoader(loader: string): string {
  const bytes = Deno.readFileSync(DYNAMIC);
  const found = programKind(bytes);
  const before = found.kind === "dynamic" ? found.loader : "";
  const at = new TextDecoder("latin1").decode(bytes).indexOf(before);
  bytes.set(new TextEncoder().encode(loader.padEnd(before.length, "\0")), at);
  Deno.writeFileSync(`${folder}/other_loader`, bytes, { mode: 0o755 });
  return `${folder}/other_loader`;
}

function setuid(): string {
  Deno.copyFileSync(DYNAMIC, `${folder}/setuid`);
  Deno.chmodSync(`${folder}/setuid`, 0o4755);
  return `${folder}/setuid`;
}

const CASES: [string, Partial<SwapProgram> & { program: string }, string, string, RegExp][] = [
  [
    "what takes sockets",
    { program: "nothing", takesSockets: true },
    "inherited",
    "passed",
    /^it takes sockets/,
  ],
  [
    "HTTP, dynamic",
    { program: DYNAMIC },
    "proxy",
    "interposed",
    /only a proxy hands on; .* linked dynamically/,
  ],
  [
    "HTTP, static",
    { program: STATIC },
    "proxy",
    "told",
    /linked statically, so it has to take its port from PORT/,
  ],
  [
    "HTTP that is told",
    { program: DYNAMIC, takesPort: true },
    "proxy",
    "told",
    /listens on a port that it is told/,
  ],
  [
    "TCP, dynamic",
    { program: "node", protocol: "tcp" },
    "interposer",
    "interposed",
    /"node" is linked dynamically/,
  ],
  ["TCP, static", { program: STATIC, protocol: "tcp" }, "restart", "own", /statically, and what is not HTTP/],
  ["asked for", { program: DYNAMIC, wanted: "interposer" }, "interposer", "interposed", /^asked for; /],
  [
    "asked for, of two",
    { program: DYNAMIC, takesSockets: true, wanted: "proxy" },
    "proxy",
    "interposed",
    /^asked/,
  ],
  ["another user", { program: DYNAMIC, changesUser: true }, "proxy", "told", /it runs as another user/],
  ["no program", { program: "./nothing" }, "proxy", "told", /"\.\/nothing" is not found/],
  [
    "a script",
    { program: script("s", "#!/bin/sh"), protocol: "tcp" },
    "interposer",
    "interposed",
    /"\/bin\/sh"/,
  ],
  [
    "env",
    { program: script("e", "#!/usr/bin/env -S A=b node -x") },
    "proxy",
    "interposed",
    /"node" is linked/,
  ],
  ["a script of itself", { program: script("r", `#!${folder}/r`) }, "proxy", "told", /a script of scripts/],
  ["text", { program: script("t", "hello") }, "proxy", "told", /is no program of this machine/],
  ["an empty first line", { program: script("n", "#! ") }, "proxy", "told", /is no program/],
  [
    "musl",
    { program: withLoader("/lib/ld-musl-x86_64.so.1") },
    "proxy",
    "told",
    /by \/lib\/ld-musl-x86_64\.so\.1, not/,
  ],
  ["setuid", { program: setuid() }, "proxy", "told", /gains rights by being run/],
];
for (const [name, program, kind, socket, reason] of CASES) {
  Deno.test(`chooseRung(): ${name}`, () => {
    const rung = chooseRung({ cwd: folder, protocol: "http", ...program });
    deepStrictEqual([rung.kind, rung.socket], [kind, socket], rung.reason);
    match(rung.reason, reason);
  });
}

Deno.test("chooseRung(): names are looked up in the program's own PATH", () => {
  Deno.copyFileSync(STATIC, `${folder}/node`);
  match(
    chooseRung({ program: "node", cwd: "/", path: folder, protocol: "http" }).reason,
    /"node" is linked statically/,
  );
});

Deno.test("a program's head that is cut anywhere is told as unknown, or as what it is", () => {
  const head = Deno.readFileSync(DYNAMIC).subarray(0, PROGRAM_HEAD_BYTES);
  strictEqual(programKind(head).kind, "dynamic");
  for (let cut = 0; cut < 1_500; cut++) {
    const { kind } = programKind(head.slice(0, cut));
    strictEqual(kind === "unknown" || kind === "dynamic", true, `${cut}: ${kind}`);
  }
});

Deno.test("the holder of a port is told with its parent, and nobody when it is free", async () => {
  using listener = openListener({ host: "127.0.0.1", port: 0 });
  const port = portOf(listener);
  const [holder, ...more] = portHolder(port);
  deepStrictEqual([holder?.pid, holder?.uid, more.length], [Deno.pid, Deno.uid(), 0]);
  match(
    holderText(holder!),
    new RegExp(`^held by pid ${Deno.pid}, deno\\S*, started by .+ \\(pid ${Deno.ppid}\\)$`),
  );
  listener[Symbol.dispose]();
  deepStrictEqual(portHolder(port), []);
  const child = new Deno.Command(DYNAMIC, { env: { PORT: String(port) }, stdout: "piped" }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  match(holderText(portHolder(port)[0]!), /^held by pid \d+, swap_server, started by deno\S* \(pid \d+\)$/);
  deepStrictEqual(portHolder(port)[0]?.command, [DYNAMIC]);
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
  strictEqual(holderText({ uid: 7 }), "held by a process of user 7 that cannot be seen from here");
});

globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
