/** `nix-btm why-rebuilt`: what differs between two derivations. @module */
import { command, print, UsageError } from "../../lib/cli/mod.ts";
import { type Derivation, nameOf, parseDerivation, whyRebuilt } from "../../lib/nix/mod.ts";
import { plainJson, plainLine } from "../../lib/tui/mod.ts";
import { CONTROL_SOCKET_OPTION, controlPath } from "./paths.ts";
import { JSON_OPTION } from "./status.ts";

export const whyRebuiltCommand = command({
  name: "why-rebuilt",
  summary: "tell what differs between a derivation and the one before it",
  description:
    "Inputs, sources, variables and arguments that differ, the causes first; without BEFORE it is compared with the last one " +
    "of its name that the daemon has seen built.",
  positionals: [
    { name: "DRV", help: "path of a derivation" },
    { name: "BEFORE", help: "the one to compare it with", optional: true },
  ],
  options: { daemonSocketPath: CONTROL_SOCKET_OPTION, json: JSON_OPTION },
  examples: [
    ["nix-btm why-rebuilt $(nix-instantiate -A hello)", "Since it was built last"],
    ["nix-btm why-rebuilt /nix/store/…-hello.drv /nix/store/…-hello.drv", "Two that are known"],
  ],
  async run({ args: [after = "", before], options, signal }) {
    const now = await read(after);
    const earlier = before ?? await earlierOf(after, controlPath(options.daemonSocketPath), signal);
    const differences = whyRebuilt(await read(earlier), now);
    if (options.json) {
      print(`${plainJson(JSON.stringify({ before: earlier, after, differences }, undefined, 2))}\n`);
    } else {
      const { differenceText, shortDifference } = await import("../../lib/nix_btm/mod.ts");
      const lines = differences.map((each) => `  ${differenceText(shortDifference(each))}`);
      const derivations = `${plainLine(after)}\ninstead of ${plainLine(earlier)}`;
      print(`${derivations}\n${lines.join("\n") || "  nothing differs"}\n`);
    }
    return 0;
  },
});

async function read(path: string): Promise<Derivation> {
  if (!path.endsWith(".drv")) {
    throw new UsageError(`"${path}" is no derivation: expected the path of a .drv file`);
  }
  const { readNamedDerivation } = await import("../../lib/nix_btm/mod.ts");
  try {
    return parseDerivation(path, await readNamedDerivation(path));
  } catch (cause) {
    if (!(cause instanceof Error) || cause.message.startsWith("Cannot read derivation ")) throw cause;
    const why = cause instanceof Deno.errors.NotFound
      ? "there is none; it was collected, or never was here"
      : cause.message;
    throw new Error(`Cannot read derivation ${path}: ${why}`, { cause });
  }
}

async function earlierOf(after: string, control: string, signal: AbortSignal): Promise<string> {
  const { Client, earlierDerivation } = await import("../../lib/nix_btm/mod.ts");
  using client = new Client({ kind: "unix", path: control });
  const found = await earlierDerivation(after, (query) => client.history(query, signal));
  if (found !== undefined) return found;
  throw new Error(
    `Cannot compare ${after}: the daemon has seen nothing else of the name ${nameOf(after)}; give BEFORE`,
  );
}
