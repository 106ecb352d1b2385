/** `nix-btm pipe`: progress of a command whose standard error comes in. @module */
import { command, UsageError } from "../../lib/cli/mod.ts";
import type { Ended } from "../../lib/nix_btm/mod.ts";
import { INLINE_OPTIONS, type InlineCall, openInline } from "./inline.ts";

export const pipe = command({
  name: "pipe",
  summary: "show the progress of a command whose standard error comes in",
  description:
    "Reads internal-json (with --log-format internal-json -v) or Nix' log for people. Ends with 1 when a build failed, " +
    "an error was told or the log broke off, since the exit code of the other command is not known here.",
  options: INLINE_OPTIONS,
  examples: [
    ["nix build --log-format internal-json -v 2>&1 | nix-btm pipe", "As much as there is to be seen"],
    ["nix-build 2>&1 | nix-btm pipe", "As much as Nix tells people"],
  ],
  async run({ options }) {
    if (Deno.stdin.isTerminal()) {
      throw new UsageError(
        "standard input is a terminal, expected what Nix says: nix build … 2>&1 | nix-btm pipe",
      );
    }
    const { endAlike, exitCode } = await import("../../lib/nix_btm/mod.ts");
    const ended = await read(options);
    endAlike(ended);
    return exitCode(ended);
  },
});

async function read(options: InlineCall): Promise<Ended> {
  const { readPipe } = await import("../../lib/nix_btm/mod.ts");
  await using inline = await openInline(options, {
    requester: { source: "pipe", pid: Deno.pid, uid: Deno.uid() ?? undefined },
    logs: false,
    mayTalk: false,
  });
  const { session, sinks } = inline;
  const ended = await readPipe(Deno.stdin.readable, { sinks, show: session.text, say: session.say });
  if (ended.kind !== "signaled") return await session.finish();
  await session.finish(ended);
  return ended;
}
