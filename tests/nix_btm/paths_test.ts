/** Where the tool's sockets lie: which daemon a client asks. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { controlPath, foldersOf, logSocket, socketsIn, SYSTEM_RUNTIME } from "../../cmd/nix-btm/paths.ts";

Deno.test("folders are systemd's, else root's, else the user's", () => {
  deepStrictEqual(foldersOf({ RUNTIME_DIRECTORY: "/run/a", STATE_DIRECTORY: "/var/lib/a" }, 0), {
    runtime: "/run/a",
    state: "/var/lib/a",
  });
  deepStrictEqual(foldersOf({}, 0), { runtime: "/run/nix-btm", state: "/var/lib/nix-btm" });
  deepStrictEqual(foldersOf({ XDG_RUNTIME_DIR: "/run/user/7", HOME: "/home/a" }, 7), {
    runtime: "/run/user/7/nix-btm",
    state: "/home/a/.local/state/nix-btm",
  });
  strictEqual(foldersOf({ HOME: "/home/a" }, 7).runtime, "/tmp/nix-btm-7");
  strictEqual(SYSTEM_RUNTIME, "/run/nix-btm");
});

Deno.test("a client asks its user's daemon, and the system's where that one stands alone", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "nix-btm-paths-" });
  const [own, system] = [`${folder}/own`, `${folder}/system`];
  try {
    for (const each of [own, system]) Deno.mkdirSync(each);
    deepStrictEqual(socketsIn([own, system], "c"), []);
    // A file of that name is none.
    Deno.writeTextFileSync(`${own}/c`, "");
    using _system = Deno.listen({ transport: "unix", path: `${system}/c` });
    deepStrictEqual(socketsIn([own, system], "c"), [`${system}/c`]);
    Deno.removeSync(`${own}/c`);
    const listening = Deno.listen({ transport: "unix", path: `${own}/c` });
    const both = socketsIn([own, system], "c");
    deepStrictEqual(both, [`${own}/c`, `${system}/c`]);
    strictEqual(await logSocket(both), `${own}/c`);
    // A daemon that has ended has left it.
    listening.close();
    strictEqual(await logSocket(both), `${system}/c`);
    strictEqual(await logSocket([`${own}/c`]), `${own}/c`);
    strictEqual(await logSocket([]), undefined);
    strictEqual(controlPath("/given"), "/given");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
