/** `nix-btm log`: the log of a build. @module */
import { command, print } from "../../lib/cli/mod.ts";
import { parseStorePath } from "../../lib/nix/mod.ts";
import { colouredLine } from "../../lib/tui/mod.ts";
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
    const found = await fromDaemon(wanted, controlPath(options.daemonSocketPath), signal);
    if (found.kind === "log") {
      // A pipe gets what the build has printed; a terminal its colours, and nothing else that it would obey.
      const lines = Deno.stdout.isTerminal() ? found.lines.map(colouredLine) : found.lines;
      print(lines.map((line) => `${line}\n`).join(""));
      return 0;
    }
    if (parseStorePath(wanted) === undefined) {
      throw new Error(
        `Cannot find a log of "${wanted}": ${found.why}; Nix is asked for the path of a derivation`,
      );
    }
    return await fromNix(wanted, signal);
  },
});

/** Prints what Nix keeps; returns the exit code. */
async function fromNix(path: string, signal: AbortSignal): Promise<number> {
  const isShown = Deno.stdout.isTerminal();
  const child = new Deno.Command("nix-store", {
    args: ["--read-log", path],
    stdout: isShown ? "piped" : "inherit",
    signal,
  }).spawn();
  if (isShown) {
    const { LineJoiner } = await import("../../lib/nix_btm/mod.ts");
    const joiner = new LineJoiner();
    const show = (lines: readonly string[]) => print(lines.map((line) => `${colouredLine(line)}\n`).join(""));
    for await (const bytes of child.stdout) show(joiner.take(bytes));
    const rest = joiner.drain();
    if (rest !== "") show([rest]);
  }
  return (await child.status).code;
}

type Found = { readonly kind: "log"; readonly lines: readonly string[] } | {
  readonly kind: "none";
  readonly why: string;
};

async function fromDaemon(
  wanted: string,
  control: string,
  signal: AbortSignal,
): Promise<Found> {
  const { Client } = await import("../../lib/nix_btm/mod.ts");
  using client = new Client({ kind: "unix", path: control });
  try {
    await client.load(signal);
    for (const [host, { jobs, tails }] of client.worlds) {
      const running = [...jobs.values()].findLast((job) =>
        job.kind === "build" && job.startedMs !== undefined && job.endedMs === undefined &&
        (job.subject === wanted || job.name.includes(wanted))
      );
      if (running === undefined) continue;
      // Of another host's builds the last lines are here, and whole logs there.
      const lines = host === "" ? await client.log({ job: running.id }, signal) : tails.get(running.id) ?? [];
      return { kind: "log", lines };
    }
    const query = wanted.startsWith("/") ? { derivation: wanted } : { name: wanted };
    const [past] = await client.history({ ...query, limit: 1 }, signal);
    if (past === undefined) return { kind: "none", why: "the daemon has seen no build of it" };
    if (past.log === undefined) return { kind: "none", why: `${past.name} has printed nothing` };
    return { kind: "log", lines: await client.log({ file: past.log }, signal) };
  } catch (error) {
    signal.throwIfAborted();
    // Nix may know it, whatever the daemon does.
    if (error instanceof Error) return { kind: "none", why: `the daemon at ${control}: ${error.message}` };
    throw error;
  }
}
