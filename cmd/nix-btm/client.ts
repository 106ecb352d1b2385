/** `nix-btm client`: shows what a daemon knows, in a terminal. @module */
import { command, option } from "../../lib/cli/mod.ts";
import { optionalText, toggle } from "../../lib/config/mod.ts";
import { processLog } from "../../lib/log/mod.ts";
import type { Client } from "../../lib/nix_btm/mod.ts";
import { followDaemon } from "./follow.ts";
import { CONTROL_SOCKET_OPTION, controlPath, LOG_OPTION } from "./paths.ts";
import { JSON_OPTION, showOnce, THEME_OPTION } from "./status.ts";

export const client = command({
  name: "client",
  summary: "show what Nix builds, in a terminal",
  description:
    "Views: Builders, Eagle Eye, Jobs, Build, History, Hosts; n and p or the numbers change between them, ? shows the keys, " +
    ": finds one by what it does. A daemon that goes and comes is followed again. Where there is no terminal, or with " +
    "--once, what there is is printed.",
  options: {
    daemonSocketPath: CONTROL_SOCKET_OPTION,
    daemonLogPath: LOG_OPTION,
    nixJsonFilePath: option(
      optionalText({
        help: "Taken as the daemon takes it, and not needed: clients ask the daemon.",
        example: "/tmp/nixbtm.sock",
      }),
      { short: "n", value: "PATH" },
    ),
    json: JSON_OPTION,
    once: option(toggle({ help: "Prints what there is and ends.", fallback: false })),
    theme: THEME_OPTION,
  },
  examples: [
    ["nix-btm client", "The daemon of this host"],
    ["nix-btm client -d /tmp/nix-daemon.sock", "One that listens elsewhere"],
    ["nix-btm client --once", "A few lines, for scripts"],
  ],
  async run({ options, signal }) {
    const control = controlPath(options.daemonSocketPath);
    const isShown = !options.once && !options.json && Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
    if (!isShown) return await showOnce(control, { json: options.json, signal });
    const { Terminal } = await import("../../lib/tui/mod.ts");
    const { runNixTui } = await import("../../lib/nix_btm/tui/mod.ts");
    const { daemonLogPath } = options;
    const log = daemonLogPath === undefined ? undefined : processLog({ file: daemonLogPath });
    let changed = () => {};
    let standing = "";
    await using following = await followDaemon(control, signal, () => {
      changed();
      const now = standingText(client);
      if (now !== standing) log?.info(standing = now, { daemon: control });
    });
    const { client } = following;
    using screen = Terminal.open(Deno.env.toObject());
    await runNixTui({
      source: {
        worlds: client.worlds,
        get standing() {
          return client.standing;
        },
        history: (query, signal) => client.history(query, signal),
        log: (of, signal) => client.log(of, signal),
        follow(tell) {
          changed = tell;
        },
      },
      screen,
      signal,
      canSteer: true,
      theme: options.theme,
    });
    signal.throwIfAborted();
    return 0;
  },
});

/** How the client stands, and how often it was too slow and began anew. */
function standingText({ standing, laps }: Client): string {
  const text = standing.kind === "lost" ? `lost: ${standing.why}` : standing.kind;
  return laps === 0 ? text : `${text}, overtaken ${laps} times`;
}
