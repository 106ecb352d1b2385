/** `nix-btm`: what Nix does on this host, for people and for assistants. @module */
import { command, runTool } from "../../lib/cli/mod.ts";
import { TOOL_INFO } from "../../lib/version/mod.ts";
import { client } from "./client.ts";
import { daemon } from "./daemon.ts";
import { log } from "./log.ts";
import { mcp } from "./mcp.ts";
import { pipe } from "./pipe.ts";
import { replay } from "./replay.ts";
import { run } from "./run.ts";
import { setup } from "./setup.ts";
import { stream } from "./stream.ts";
import { debug, standalone } from "./standalone.ts";
import { status } from "./status.ts";
import { whyRebuiltCommand } from "./why_rebuilt.ts";

export const nixBtm = command({
  name: "nix-btm",
  summary: "see every Nix build of a host, from log line to core",
  description:
    "The daemon takes the logs of every Nix command from 2.30 on (nix-btm setup prints the line for nix.conf), clients show " +
    "them. Commands of any Nix are shown by run and pipe, with a daemon and without.",
  commands: [
    daemon,
    client,
    standalone,
    debug,
    run,
    pipe,
    status,
    stream,
    log,
    whyRebuiltCommand,
    replay,
    setup,
    mcp,
  ],
  examples: [
    ["nix-btm setup | sudo tee -a /etc/nix/nix.conf", "Have Nix tell the daemon"],
    ["nix-btm daemon", "Collect what Nix does"],
    ["nix-btm client", "See it in a terminal"],
    ["nix-btm run -- nix build .#hello", "Build with progress below the log"],
    ["nix-btm why-rebuilt $(nix-instantiate -A hello)", "What changed since it was built last"],
  ],
});

/** Runs the tool on the words of the command line. */
export function main(words: readonly string[]): Promise<number> {
  return runTool(nixBtm, TOOL_INFO, words);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
