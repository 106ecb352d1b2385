/** `nix-btm log`: the log of a build. @module */
import { command, print } from "../../lib/cli/mod.ts";
import { parseStorePath } from "../../lib/nix/mod.ts";
import { CONTROL_SOCKET_OPTION, controlPath } from "./paths.ts";

export const log = command({
  name: "log",
  summary: "print the log of a build that runs or is over",
  description:
    "Asks the daemon for the last build of that derivation or name; what it does not have is taken from Nix' own store of logs.",
  positionals: [{ name: "DRV", help: "a derivation, or part of a name" }],
  options: { daemonSocketPath: CONTROL_SOCKET_OPTION },
  examples: [
    ["nix-btm log hello", "The last build of something called so"],
    ["nix-btm log /nix/store/…-hello-2.12.drv", "Of this very derivation"],
  ],
  async run({ args: [wanted = ""], options, signal }) {
    const lines = await fromDaemon(wanted, controlPath(options.daemonSocketPath), signal);
    if (lines !== undefined) {
      print(lines.map((line) => `${line}\n`).join(""));
      return 0;
    }
    if (parseStorePath(wanted) === undefined) {
      console.error(`nix-btm: no log of "${wanted}" is known; give the path of a derivation to ask Nix`);
      return 1;
    }
    const { code } = await new Deno.Command("nix-store", { args: ["--read-log", wanted], signal }).spawn()
      .status;
    return code;
  },
});

/** Undefined when it has none, or when there is no daemon. */
async function fromDaemon(
  wanted: string,
  control: string,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  const { Client } = await import("../../lib/nix_btm/mod.ts");
  using client = new Client({ kind: "unix", path: control });
  try {
    await client.load(signal);
    for (const { jobs } of client.worlds.values()) {
      const running = [...jobs.values()].findLast((job) =>
        job.kind === "build" && job.endedMs === undefined &&
        (job.subject === wanted || job.name.includes(wanted))
      );
      if (running !== undefined) return await client.log({ job: running.id }, signal);
    }
    const query = wanted.startsWith("/") ? { derivation: wanted } : { name: wanted };
    const [past] = await client.history({ ...query, limit: 1 }, signal);
    return past?.log === undefined ? undefined : await client.log({ file: past.log }, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Error) return undefined; // Nix may know it, whatever the daemon does.
    throw error;
  }
}
