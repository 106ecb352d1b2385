/** `nix-btm status`: what a daemon knows, once. @module */
import { command, option, print } from "../../lib/cli/mod.ts";
import { text, toggle } from "../../lib/config/mod.ts";
import { THEMES } from "../../lib/nix_btm/tui/theme_names.ts";
import { plainJson, plainText } from "../../lib/tui/mod.ts";
import { CONTROL_SOCKET_OPTION, controlPath } from "./paths.ts";

export const JSON_OPTION = option(toggle({ help: "Prints JSON.", fallback: false }));

export const THEME_OPTION = option(
  text({ help: `Colours: ${THEMES.join(", ")}; T changes them.`, fallback: "terminal", oneOf: THEMES }),
  { value: "NAME", complete: THEMES },
);

export const status = command({
  name: "status",
  summary: "what Nix builds now, once",
  description: "Asks the daemon and ends.",
  options: { daemonSocketPath: CONTROL_SOCKET_OPTION, json: JSON_OPTION },
  examples: [
    ["nix-btm status", "Commands, and what runs and failed"],
    ["nix-btm status --json | jq '.[0].update.jobs'", "Everything, for programs"],
  ],
  run: ({ options, signal }) =>
    showOnce(controlPath(options.daemonSocketPath), { json: options.json, signal }),
});

/** Prints what the daemon at `control` knows; returns the exit code. */
export async function showOnce(
  control: string,
  { json, signal }: { readonly json: boolean; readonly signal: AbortSignal },
): Promise<number> {
  const { Client, snapshotOf, summaryText } = await import("../../lib/nix_btm/mod.ts");
  using client = new Client({ kind: "unix", path: control });
  try {
    await client.load(signal);
  } catch (cause) {
    signal.throwIfAborted();
    const why = cause instanceof Error ? cause.message : cause;
    throw new Error(`Cannot ask the daemon at ${control}: ${why}; start one with nix-btm daemon`, { cause });
  }
  if (json) {
    const hosts = [...client.worlds].map(([host, world]) => ({ host, update: snapshotOf(world) }));
    print(`${plainJson(JSON.stringify(hosts, undefined, 2))}\n`);
    return 0;
  }
  for (const [host, world] of client.worlds) {
    const note = world.note === "" ? "" : `: ${plainText(world.note)}; what was known is shown`;
    if (client.worlds.size > 1) print(`${host || Deno.hostname()}${note}\n`);
    print(summaryText(world, Date.now()));
  }
  return 0;
}
