/** `nix-btm setup`: what has to stand in nix.conf. @module */
import { command, print } from "../../lib/cli/mod.ts";
import { plainText } from "../../lib/tui/mod.ts";
import { folders, logSocket, NIX_SOCKET, NIX_SOCKET_OPTION } from "./paths.ts";

/** Nix answers at once; whoever else is called so is not waited for. */
const VERSION_MS = 5_000;

export const setup = command({
  name: "setup",
  summary: "print the line for nix.conf",
  description:
    "Nix from 2.30 on writes its log to json-log-path. Before, nix-btm run and nix-btm pipe take it from the command. " +
    "Printed is one line, with the socket of the daemon that runs, this user's or the system's; where the daemon of Nix " +
    "builds, it goes into /etc/nix/nix.conf.",
  options: { nixJsonFilePath: NIX_SOCKET_OPTION },
  examples: [
    ["nix-btm setup | sudo tee -a /etc/nix/nix.conf", "For the whole host"],
    ["nix-btm setup >> ~/.config/nix/nix.conf", "For this user"],
  ],
  async run({ options, signal }) {
    const path = options.nixJsonFilePath ?? await logSocket() ?? `${folders().runtime}/${NIX_SOCKET}`;
    print(`json-log-path = ${path}\n`);
    const version = await nixVersion(signal);
    if (version !== undefined && !knowsLogPath(version)) {
      console.error(
        `nix-btm: ${version} does not know json-log-path, which came with Nix 2.30: ` +
          "nix-btm run and nix-btm pipe take the log from the command",
      );
    }
    return 0;
  },
});

/** What the Nix of this user calls itself; undefined where there is none. */
async function nixVersion(signal: AbortSignal): Promise<string | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(VERSION_MS)]);
  try {
    const { stdout } = await new Deno.Command("nix", {
      args: ["--version"],
      stdin: "null",
      stderr: "null",
      signal: limit,
    }).output();
    const [line = ""] = new TextDecoder().decode(stdout).split("\n");
    return line === "" ? undefined : plainText(line);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
      return undefined;
    }
    throw error;
  }
}

/** By `nix (Nix) 2.28.3`; what calls itself otherwise counts its versions in its own way, and is believed to. */
function knowsLogPath(version: string): boolean {
  const [, major, minor] = /^nix \(Nix\) (\d+)\.(\d+)/.exec(version) ?? [];
  return major === undefined || Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 30);
}
