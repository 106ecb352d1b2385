/** `nix-btm run`: a command of Nix, with its progress below its log. @module */
import { command, UsageError } from "../../lib/cli/mod.ts";
import type { Ended, Words, WrappedCommand } from "../../lib/nix_btm/mod.ts";
import { plainText } from "../../lib/tui/mod.ts";
import { INLINE_OPTIONS, type InlineCall, openInline } from "./inline.ts";

export const run = command({
  name: "run",
  summary: "run a command of Nix and show its progress",
  description:
    "Runs nix, nix-build, nix-shell, nixos-rebuild and the like as they would run without it: their signals, exit code, " +
    "standard input and output are their own. What they build, fetch and wait for is shown below their log; a daemon " +
    "that listens hears of it as well. On no terminal it is a line for each build; GitHub's runner gets annotations.\n\n" +
    "Objects of --json have kind and atMs: build and transfer tell each change of one by its id, message and output what " +
    "was said and printed, end the exit code, counts, and what failed with the end of its log.",
  rest: "COMMAND",
  options: INLINE_OPTIONS,
  examples: [
    ["nix-btm run -- nix build .#hello", "With progress"],
    ["nix-btm run --height 12 -- nixos-rebuild switch", "In always twelve lines"],
    ["nix-btm run --tee build.log -- nix-build -A hello", "Keeps what Nix told, for nix-btm replay"],
    ["nix-btm run --json -- nix build | jq 'select(.kind == \"end\")'", "For programs"],
  ],
  async run({ options, rest }) {
    const [program, ...args] = rest;
    if (program === undefined) throw new UsageError('missing COMMAND: what to run, behind "--"');
    const { contextHere, endAlike, exitCode, wrapCommand } = await import("../../lib/nix_btm/mod.ts");
    const words: Words = [program, ...args];
    const ended = await watched(wrapCommand(words, contextHere()), { words, options });
    if (ended.kind === "notStarted") console.error(`nix-btm: ${plainText(ended.reason)}`);
    endAlike(ended);
    return exitCode(ended);
  },
});

/** Everything that was opened is closed again when this resolves. */
async function watched(
  wrapped: WrappedCommand,
  { words, options }: { readonly words: Words; readonly options: InlineCall },
): Promise<Ended> {
  const { exitCode, onlyPrints, runWrapped } = await import("../../lib/nix_btm/mod.ts");
  if (wrapped.kind === "untouched") return await runWrapped(wrapped);
  const isQuiet = words.some((word) => word === "-Q" || word === "--no-build-output");
  const shown = isQuiet ? { ...options, logLines: options.logLines ?? 0 } : options;
  await using inline = await openInline(shown, {
    requester: { source: "wrapped", pid: Deno.pid, uid: Deno.uid() ?? undefined, command: words },
    logs: words.some((word) => word === "-L" || word === "--print-build-logs"),
    mayTalk: wrapped.kind !== "shell" && !onlyPrints(words),
  });
  const { session, sinks, isDrawn } = inline;
  const isPassed = options.json || (isDrawn && Deno.stdout.isTerminal());
  const ended = await runWrapped(wrapped, {
    sinks,
    show: session.text,
    say: session.say,
    prepared: async () => void await session.finish({ kind: "exited", code: 0 }),
    ...(isPassed ? { output: session.output } : {}),
  });
  await session.finish(
    ended.kind === "signaled" ? ended : { kind: "exited", code: exitCode(ended) },
  );
  return ended;
}
