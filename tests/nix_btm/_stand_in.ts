/**
 * Stands where the daemon will: takes the socket that systemd passes, and tells each client who names a process what
 * it can do with the rights that it has.
 */
import { createServer } from "node:net";
import { sendDatagram } from "../../ffi/sockets/mod.ts";

const NAMED = new TextDecoder();

function told(what: () => unknown): string {
  try {
    return String(what());
  } catch (error) {
    return (error as Error).message.replace(/ \(.*/s, "");
  }
}

function inFolder(variable: string): string {
  return told(() => Deno.writeTextFileSync(`${Deno.env.get(variable)}/written`, ""));
}

createServer((client) => {
  client.on("data", (bytes) => {
    const pid = Number(NAMED.decode(bytes as Uint8Array));
    const report = {
      sockets: Deno.env.get("LISTEN_FDNAMES"),
      environment: told(() => Deno.readTextFileSync(`/proc/${pid}/environ`).includes("NIX_BUILD_TOP=/build")),
      end: told(() => Deno.kill(pid, "SIGTERM")),
      cache: inFolder("CACHE_DIRECTORY"),
      state: inFolder("STATE_DIRECTORY"),
      runtime: inFolder("RUNTIME_DIRECTORY"),
      system: told(() => Deno.writeTextFileSync("/etc/nix-btm-was-here", "")),
      namespaces: told(() =>
        new Deno.Command("unshare", { args: ["--mount", "true"], stderr: "null" }).outputSync().success
      ),
      library: told(() => Deno.dlopen(Deno.args[0]!, {}).close()),
    };
    client.end(JSON.stringify(report));
  });
}).listen({ fd: 3 }, () => sendDatagram(Deno.env.get("NOTIFY_SOCKET")!, "READY=1"));
